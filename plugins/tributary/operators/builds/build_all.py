"""The whole dbt project in one process -> what became of each model, for the tasks that stand for them."""

from collections import Counter
from typing import Any

from tributary.operators.builds.dbt_build import DbtOperator


class BuildAllOperator(DbtOperator):
    """Builds and tests every model: dbt starts once, and skips what depends on a failure.

    Succeeds when dbt ran, whatever came of it: a failure is shown by the task of the model that failed, and stops there
    what comes after it. Returns the outcome of each model, and the number of times that the run had been cleared.
    """

    ui_color = "#e6f7f5"

    def execute(self, context: Any, **kwargs: Any) -> Any:
        models = self.build(context)
        self.log.info("%s", ", ".join(f"{count} {state}" for state, count in _states(models).items()))
        return {"clear_number": context["dag_run"].clear_number, "models": models}


def _states(models: Any) -> Counter[str]:
    return Counter(outcome["state"] for outcome in models.values())
