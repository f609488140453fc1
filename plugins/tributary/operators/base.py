"""Base of the operators: failures as Airflow understands them, names of attempts, labels of jobs."""

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from tributary.errors import PostponedError, RefusedError
from tributary.windows import Window, run_window


@contextmanager
def clear_failures() -> Iterator[None]:
    """A refusal fails the task at once; retries would only repeat it."""
    try:
        yield
    except RefusedError as error:
        raise AirflowFailException(str(error)) from None


class TributaryOperator(BaseOperator):
    """Base of the four steps of a stream.

    Where an API wants to be left alone for long, the task is deferred until then: it takes up no slot and no retry, and
    goes on where it stopped.
    """

    _warehouse: Any = None

    def execute(self, context: Any) -> Any:
        with clear_failures():
            try:
                return self.run(context)
            except PostponedError as error:
                from airflow.providers.standard.triggers.temporal import DateTimeTrigger

                self.log.warning("%s", error)
                self.defer(trigger=DateTimeTrigger(moment=error.until), method_name="go_on")

    def go_on(self, context: Any, event: Any = None) -> Any:
        """After the deferral, in the same attempt chain."""
        return self.execute(context)

    def warehouse(self, account: str | None = None) -> Any:
        """Return the warehouse, as `account` (a service account) or as the connection; its jobs end with the task."""
        from tributary.hooks.warehouse import WarehouseHook

        self._warehouse = WarehouseHook(account)
        return self._warehouse

    def on_kill(self) -> None:
        if self._warehouse:
            self._warehouse.cancel()

    @abstractmethod
    def run(self, context: Any) -> Any:
        """The step itself; raises RefusedError for what no retry can cure."""


def attempt_chain(context: Any) -> str:
    """Names one chain of attempts of a task instance.

    A retry keeps the name, so that it can go on where the last attempt stopped. Clearing the task raises its highest
    try number and thereby mints a new name. No two runs share one, not even a run that was deleted and made again under
    the same id: it started at another moment.
    """
    ti = context["ti"]
    started = context["dag_run"].start_date
    parts = (ti.dag_id, ti.run_id, str(started), ti.task_id, str(ti.map_index), str(ti.max_tries))
    return blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()


def context_window(context: Any) -> Window:
    """The window of the run that the task belongs to."""
    params, dag_run = context["params"], context["dag_run"]
    return run_window(
        window_start=params["window_start"],
        window_end=params["window_end"],
        interval_start=dag_run.data_interval_start,
        interval_end=dag_run.data_interval_end,
        run_after=dag_run.run_after,
        now=datetime.now(UTC),
    )


def job_labels(context: Any, stream: str, client_id: str = "all") -> dict[str, str]:
    """Return the labels of a BigQuery job, by which its cost is attributed."""
    ti = context["ti"]
    return {"dag": ti.dag_id, "task": ti.task_id.rpartition(".")[2], "stream": stream, "client": client_id}
