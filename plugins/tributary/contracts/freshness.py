"""Renders how old each stream may be, for the check that BigQuery runs by itself (Terraform's module `monitoring`)."""

import json
from collections.abc import Mapping

from tributary.contracts.dbt_sources import HEADER
from tributary.contracts.model import Contract


def render_freshness(sources: Mapping[str, Mapping[str, Contract]]) -> str:
    """Return JSON text: source, stream and hours of every contract; `sources` as source -> stream -> contract."""
    streams = [
        {"source": source, "stream": stream, "hours": contract.freshness.total_seconds() / 3600}
        for source, contracts in sorted(sources.items())
        for stream, contract in sorted(contracts.items())
    ]
    return json.dumps({"$comment": HEADER, "streams": streams}, indent=1) + "\n"
