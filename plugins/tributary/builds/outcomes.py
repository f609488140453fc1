"""Maps the results of a dbt build to an outcome per model, its tests included."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from tributary.errors import TributaryError

#: `built`: and no test of it failed; `refused`: built, but a test failed; `failed`: it or a test of it could
#: not run; `left`: dbt did not get to it, since something before it failed.
State = Literal["built", "refused", "failed", "left"]


class Outcome(TypedDict):
    """As it goes through XCom: no value of a record in it, only names and counts."""

    state: State
    reason: str


@dataclass(frozen=True)
class Result:
    """dbt's result for one node. `failures` counts the rows that a test found."""

    unique_id: str
    status: str
    failures: int | None = None


class Ownership:
    """Assigns each test to the model that it is run, shown and rerun with.

    A test belongs to the model that it is declared on, unless another of its parents is built behind that one: then to
    that parent. A singular one is declared on none: it belongs to the one of its parents that the fewest models depend
    on, and so stops the least beside what depends on all of them. Seeds are models here.
    """

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        nodes: dict[str, Any] = manifest["nodes"]
        self._children: dict[str, list[str]] = manifest["child_map"]
        self.models = {key: node for key, node in nodes.items() if node["resource_type"] in ("model", "seed")}
        self.tests = {key: node for key, node in nodes.items() if node["resource_type"] == "test"}
        self._behind = {model: self._depending_on(model) for model in self.models}
        self.owners = {key: self._owner(test) for key, test in self.tests.items()}

    def tests_of(self, model: str, later: Collection[str] = ()) -> list[str]:
        """Unique ids of the tests to run when this model is built by itself.

        Its own, and those of other models that look at this one too, unless these models will be built after it.
        Without those that also look at one of `later`, which are still to be built: that one brings them along.
        """
        others = set(later) - {model}
        return [
            key
            for key, test in self.tests.items()
            if model in test["depends_on"]["nodes"]
            and self.owners[key] not in self._behind[model]
            and others.isdisjoint(test["depends_on"]["nodes"])
        ]

    def _owner(self, test: Mapping[str, Any]) -> str:
        parents = [parent for parent in test["depends_on"]["nodes"] if parent in self.models]
        last = [parent for parent in parents if self._behind[parent].isdisjoint(parents)]
        declared = test.get("attached_node")
        if declared in last:
            return str(declared)
        return str(min(last, key=lambda each: (len(self._behind[each]), each)))

    def _depending_on(self, model: str) -> set[str]:
        found: set[str] = set()
        left = [model]
        while left:
            new = {child for child in self._children[left.pop()] if child in self.models} - found
            found |= new
            left += new
        return found


def to_be_built(tasks: Mapping[str, str | None], whole: Mapping[str, Outcome]) -> set[str]:
    """Models that their own tasks are still going to build: not those that only report what the whole build made.

    `tasks` has the state of each model's task, `whole` what the whole build made of the models, if that still counts.
    """
    built = {model for model, outcome in whole.items() if outcome["state"] in ("built", "refused")}
    return {model for model, state in tasks.items() if state not in ("success", "running")} - built


def outcomes(results: Iterable[Result], ownership: Ownership) -> dict[str, Outcome]:
    """Return the outcome of each model in the results, by unique id.

    Raises TributaryError when something failed that belongs to no model, so that nobody would see it.
    """
    found: dict[str, Outcome] = {}
    failing: dict[str, list[str]] = {}
    broken: dict[str, list[str]] = {}
    for result in results:
        if result.unique_id in ownership.models:
            state: State = {"success": "built", "skipped": "left"}.get(result.status, "failed")  # type: ignore[assignment]
            found[result.unique_id] = Outcome(state=state, reason="")
        elif result.status in ("fail", "error", "runtime error"):
            if (test := ownership.tests.get(result.unique_id)) is None:
                raise TributaryError(
                    f"dbt failed at {result.unique_id}, for the reason above in this log, and no task stands for that. "
                    "If it is a test, the DAG was rendered from another version of the project: run `dbt parse`"
                )
            owner = ownership.owners[result.unique_id]
            if result.status == "fail":
                text = f"{test['name']} found {result.failures} rows, which are in {test['schema']}.{test['alias']}"
                failing.setdefault(owner, []).append(text)
            else:
                broken.setdefault(owner, []).append(f"{test['name']} could not run")
    for model, texts in failing.items():
        found[model] = Outcome(state="refused", reason="; ".join(texts))
    for model, texts in broken.items():
        found[model] = Outcome(state="failed", reason="; ".join(texts + failing.get(model, [])))
    return found
