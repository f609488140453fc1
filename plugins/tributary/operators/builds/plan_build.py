"""Plans a dbt build: `as_of`, `known_at` and the touched partitions go to the dbt tasks by XCom."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tributary.operators.base import TributaryOperator, attempt_chain, context_window, job_labels

if TYPE_CHECKING:
    from tributary.builds.scope import Build


class PlanBuildOperator(TributaryOperator):
    """Decides once per run what all of its dbt tasks go by, and writes the beginning of the build into `ops.ledger`.

    Returns `as_of`, `known_at` and `project` as text, `touched`: JSON of the months that loads touched since
    the last build, by raw table, or nothing when everything is to be built, and `currencies`: JSON of the currencies
    that clients report in, as far as they are declared.
    """

    ui_color = "#e6f7f5"

    def __init__(self, *, build: str, project: Path, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.build = build
        self.project = project

    def run(self, context: Any) -> dict[str, str]:
        from dataclasses import replace

        from tributary.builds.record import BEGUN, builds, record, touched
        from tributary.builds.scope import Build, project_checksum
        from tributary.clients import load_clients
        from tributary.errors import RefusedError
        from tributary.windows import parse, stamp

        params, ti, window = context["params"], context["ti"], context_window(context)
        now = datetime.now(UTC)
        known_at = parse(params["known_at"]) if params["known_at"] else now
        if not window.end <= known_at <= now:
            raise RefusedError(
                f"Param known_at is {stamp(known_at)}; it has to lie between the end of the window, "
                f"{stamp(window.end)}, before which nobody knew what it held, and now ({stamp(now)})"
            )
        build = Build(window.end, known_at, project_checksum(self.project))
        labels = job_labels(context, self.build)
        self._look_ahead(build, builds(self.warehouse(), self.build, labels), asked=params["into_the_past"])
        months = None if params["full_refresh"] else touched(self.warehouse(), self.build, build, labels)
        build = replace(build, whole=months is None)
        self.log.info("building %s", "everything" if months is None else f"what was touched: {months}")
        record(
            self.warehouse(),
            name=self.build,
            kind=BEGUN,
            window=window,
            build=build,
            load_id=attempt_chain(context),
            dag_id=ti.dag_id,
            run_id=ti.run_id,
            labels=labels,
        )
        return {
            "as_of": stamp(build.as_of),
            "known_at": stamp(build.known_at),
            "project": build.project,
            "touched": "" if months is None else json.dumps(months),
            "currencies": json.dumps({c.client_id: c.currency for c in load_clients("stripe").values() if c.currency}),
        }

    def _look_ahead(self, build: "Build", before: "list[Build]", *, asked: bool) -> None:
        """Let no build take back what the marts hold of a later moment, unless that was asked for."""
        from tributary.builds.scope import in_the_way
        from tributary.errors import RefusedError
        from tributary.windows import stamp

        newer = in_the_way(build, before)
        if newer is None:
            return
        found = (
            f"the marts are of {stamp(newer.as_of)}, as known at {stamp(newer.known_at)}, and this build would take "
            f"them back to {stamp(build.as_of)}, as known at {stamp(build.known_at)}"
        )
        if not asked:
            raise RefusedError(
                f"{found}; nothing was built. A late or cleared run needs no build of its own: the newer one holds its "
                'day. If the past is wanted, trigger again with *Build the past* ("into_the_past": true)'
            )
        self.log.warning("%s, as asked for; the next build about the present brings them back", found)
