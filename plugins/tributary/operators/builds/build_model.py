"""One model or seed with its tests."""

from typing import Any

from airflow.sdk.exceptions import AirflowFailException
from airflow.triggers.base import StartTriggerArgs

from tributary.builds.outcomes import Outcome, to_be_built
from tributary.errors import TributaryError
from tributary.operators.builds.dbt_build import DbtOperator
from tributary.triggers.build_model import SUPERSEDED, BuildModelTrigger


class BuildModelOperator(DbtOperator):
    """Says what the build of the whole project made of a model, and builds it by itself where that is not enough.

    That is: where dbt could not build the model, or did not get to it, and where this task was cleared after the build.
    `built_by` is the task id of the BuildAllOperator. What is well at the first attempt, as nearly all models are, is
    said by the triggerer and takes up no worker.
    """

    ui_color = "#e6f7f5"
    start_from_trigger = True

    def __init__(self, *, model: str, built_by: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model = model
        self.built_by = built_by
        trigger = BuildModelTrigger(model=model, built_by=built_by)
        path, arguments = trigger.serialize()
        self.start_trigger_args = StartTriggerArgs(trigger_cls=path, trigger_kwargs=arguments, next_method="go_on")

    def go_on(self, context: Any, event: Any = None) -> None:
        """Called on a worker where the trigger could not say that all is well."""
        self.execute(context)

    def execute(self, context: Any, **kwargs: Any) -> None:
        outcome = self._of_the_whole_build(context).get(self.model)
        if outcome is None or outcome["state"] in ("failed", "left"):
            outcome = self._by_itself(context)
        if outcome["state"] == "refused":
            # Nothing but other data or another model cures it.
            raise AirflowFailException(f"{self.model} was built, but {outcome['reason']}")
        if outcome["state"] != "built":
            reason = outcome["reason"] or "it could not be built"
            raise TributaryError(f"{self.model}: {reason}; BigQuery's answer is above in this log")
        self.log.info("%s is built and its tests passed", self.model)

    def _of_the_whole_build(self, context: Any) -> dict[str, Outcome]:
        """Of each model; nothing when the run was cleared since: then the outcomes may be of another time."""
        whole = context["ti"].xcom_pull(task_ids=self.built_by)
        if whole is None or whole["clear_number"] != context["dag_run"].clear_number:
            return {}
        models: dict[str, Outcome] = whole["models"]
        return models

    def _by_itself(self, context: Any) -> Outcome:
        ti, ownership = context["ti"], self.ownership
        if not self._of_the_whole_build(context):
            from airflow.sdk.execution_time.xcom import XCom

            # The run was cleared. Before the states of its other tasks are read: whoever comes later sees it.
            XCom.set(SUPERSEDED, self.model, dag_id=ti.dag_id, task_id=self.built_by, run_id=ti.run_id)
        tests = [ownership.tests[test] for test in ownership.tests_of(self.model, self._to_be_built(context))]
        selected = [f"fqn:{'.'.join(node['fqn'])}" for node in (ownership.models[self.model], *tests)]
        found = self.build(context, "--indirect-selection", "empty", "--select", *selected)
        return self._together(found)

    def _to_be_built(self, context: Any) -> set[str]:
        """Models that their own tasks in this run are still going to build."""
        run_id = context["run_id"]
        tasks = {task.task_id: task.model for task in context["dag"].tasks if isinstance(task, BuildModelOperator)}
        states = context["ti"].get_task_states(dag_id=self.dag_id, task_ids=list(tasks), run_ids=[run_id])[run_id]
        by_model = {model: states.get(task) for task, model in tasks.items()}
        return to_be_built(by_model, self._of_the_whole_build(context))

    def _together(self, found: dict[str, Outcome]) -> Outcome:
        """Of the model, or of a test of another one that looks at it."""
        own = found.get(self.model, Outcome(state="left", reason=""))
        others = [outcome for key, outcome in found.items() if key != self.model]
        return next(iter(others), own) if own["state"] == "built" else own
