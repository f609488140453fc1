"""Names the tags of DAGs, by which the web UI filters them."""

from enum import StrEnum


class Tier(StrEnum):
    """Urgency of a failure: the marts wait for tier 1; tier 2 can wait for the next working day."""

    ONE = "tier:1"
    TWO = "tier:2"


class Layer(StrEnum):
    """The datasets that a DAG writes."""

    RAW = "layer:raw"
    MART = "layer:mart"


def source_tag(source: str) -> str:
    """Return the tag of a DAG that reads one source."""
    return f"source:{source}"
