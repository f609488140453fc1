"""Gates a step on the ledger."""

import time
from datetime import timedelta
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from tributary.operators.base import TributaryOperator, context_window, job_labels
from tributary.windows import stamp


class LedgerSensor(TributaryOperator):
    """Succeeds when `ops.ledger` covers the run's window for every stream of the sources and every required client.

    It asks what is loaded, never what another DAG did or when: scheduled runs, triggers, reruns and backfills pass the
    same gate. It waits in the triggerer, without a worker slot, and looks less often the longer it waits. Optional
    clients that are behind are marked as stale.
    """

    ui_color = "#e6f7f5"

    def __init__(
        self,
        *,
        sources: list[str],
        timeout: timedelta = timedelta(hours=12),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sources = sources
        self.timeout = timeout

    def run(self, context: Any) -> None:
        """Succeeds, or waits in the triggerer."""
        from tributary.ledger.read import missing
        from tributary.triggers.ledger import LedgerTrigger

        window = context_window(context)
        labels = job_labels(context, "ledger")
        gaps = missing(self.warehouse(), window, self.sources, labels)
        if not gaps:
            return self._pass(context)
        self.log.info("waiting for %d: %s", len(gaps), "; ".join(map(str, gaps)))
        now = time.time()
        trigger = LedgerTrigger(
            window_start=stamp(window.start),
            window_end=stamp(window.end),
            sources=self.sources,
            since=now,
            deadline=now + self.timeout.total_seconds(),
            labels=labels,
        )
        self.defer(trigger=trigger, method_name="resume")
        raise AssertionError("defer() leaves the task")

    def resume(self, context: Any, event: dict[str, Any]) -> None:
        """Called with the trigger's answer."""
        if event["missing"]:
            raise AirflowFailException(
                f"after {self.timeout} the ledger still lacks {'; '.join(event['missing'])}. Run the ingest DAG of "
                "that source for the window (look at its failed lane first), then clear this task"
            )
        return self._pass(context)

    def _pass(self, context: Any) -> None:
        """Optional clients are not waited for; what they lack is marked where the reader of the marts can see it."""
        from tributary.ledger.read import missing
        from tributary.ledger.stale import mark_stale

        window, labels, ti = context_window(context), job_labels(context, "ledger"), context["ti"]
        self.log.info("the ledger covers %s for %s", window, ", ".join(self.sources))
        warehouse = self.warehouse()
        stale = missing(warehouse, window, self.sources, labels, required=False)
        if stale:
            self.log.warning("not waited for, since optional: %s", "; ".join(map(str, stale)))
        mark_stale(warehouse, stale, window=window, dag_id=ti.dag_id, run_id=ti.run_id, labels=labels)
