"""Renders the JSON Schema of contracts, by which editors complete and check the YAML files."""

import json

from tributary.contracts.dbt_sources import HEADER
from tributary.contracts.model import Contract

FILE = "contract.schema.json"


def render_schema() -> str:
    """Return the schema as JSON text; the YAML files name it in their first line."""
    schema = {"$comment": HEADER, "$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(schema | Contract.model_json_schema(by_alias=True), indent=1) + "\n"
