"""Says in the triggerer that a model is built, so that its task needs no worker."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TaskSuccessEvent, TriggerEvent

#: XCom of the task that built the whole project: the run was cleared, and a model of it has been built by itself since.
SUPERSEDED = "superseded"


class BuildModelTrigger(BaseTrigger):
    """Ends the task of a model with success if the whole build made it and nothing happened since.

    Anything else is for the operator on a worker: a failure, which is retried or not; a model that dbt did not get to;
    a task that was cleared, which builds its model anew. The triggerer isn't told how often the run was cleared, so the
    outcome counts at the task's first attempt only, and no longer once a model was built by itself in a cleared run.
    """

    def __init__(self, model: str, built_by: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.model = model
        self.built_by = built_by

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return ("tributary.triggers.build_model.BuildModelTrigger", {"model": self.model, "built_by": self.built_by})

    async def run(self) -> AsyncIterator[TriggerEvent]:
        # What XComs are read with is made for synchronous code.
        if await asyncio.to_thread(self._is_built):
            self.log.info("%s is built and its tests passed", self.model)
            yield TaskSuccessEvent()
        else:
            yield TriggerEvent({})

    def _is_built(self) -> bool:
        from airflow.sdk.execution_time.xcom import XCom

        ti: Any = self.task_instance
        if ti.try_number != 1:
            return False
        # The task instance's own `xcom_pull` sends what the triggerer doesn't take, and would wait for ever.
        build = {"dag_id": ti.dag_id, "run_id": ti.run_id, "task_id": self.built_by}
        whole = XCom.get_one(key="return_value", **build)
        if not whole or XCom.get_one(key=SUPERSEDED, **build):
            return False
        outcome = whole["models"].get(self.model)
        return bool(outcome and outcome["state"] == "built")
