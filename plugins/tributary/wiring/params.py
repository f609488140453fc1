"""Params that every DAG of the pipeline has in its trigger form."""

from airflow.sdk import Param

_MOMENT = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$"
_FORMAT = "UTC, e.g. 2026-01-05 or 2026-01-05T06:00:00Z; leave both ends empty for the run's own data interval."


def window_params() -> dict[str, Param]:
    """The window, for runs that are not about their own data interval."""
    return {
        name: Param(None, type=["null", "string"], pattern=_MOMENT, title=title, description=f"{which} {_FORMAT}")
        for name, title, which in (
            ("window_start", "Window start", "First moment, inclusive."),
            ("window_end", "Window end", "Last moment, exclusive."),
        )
    }


def build_params() -> dict[str, Param]:
    """The window, and for builds what of the world counts as known."""
    return {
        **window_params(),
        "known_at": Param(
            None,
            type=["null", "string"],
            pattern=_MOMENT,
            title="Known at",
            description="UTC. Only what had been observed by then counts; leave it empty for all that is known now.",
        ),
        "into_the_past": Param(
            False,
            type="boolean",
            title="Build the past",
            description="Build although the marts hold a later day by now: until the next build about the present, "
            "everybody who reads them sees the numbers of this window's end.",
        ),
        "full_refresh": Param(
            False,
            type="boolean",
            title="Build everything",
            description="Every partition, and not only those that loads touched since the last build.",
        ),
    }
