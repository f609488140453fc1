"""Runs `dbt build` and says what became of each model."""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

from cosmos.operators.local import DbtBuildLocalOperator

from tributary.builds.outcomes import Outcome, Ownership, Result, outcomes


class DbtOperator(DbtBuildLocalOperator):
    """Base of the two operators that build models. `manifest` is the file that the DAG was rendered from."""

    def __init__(self, *, manifest: Path, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.manifest = manifest
        self._results: list[Result] = []

    @cached_property
    def ownership(self) -> Ownership:
        return Ownership(json.loads(self.manifest.read_text(encoding="utf-8")))

    def build(self, context: Any, *flags: str) -> dict[str, Outcome]:
        """Run `dbt build`; returns what became of each selected model, by unique id.

        Raises CosmosDbtRunError when dbt itself could not run; a model or test that failed is an outcome.
        """
        self.build_and_run_cmd(context, cmd_flags=[*self.add_cmd_flags(), *flags])
        return outcomes(self._results, self.ownership)

    def handle_exception_dbt_runner(self, result: Any) -> None:
        """Cosmos' hook for what dbt answered."""
        if result.exception or result.result is None:
            super().handle_exception_dbt_runner(result)
        self._results = [Result(each.node.unique_id, str(each.status), each.failures) for each in result.result]
