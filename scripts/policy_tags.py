"""Puts the policy tag of its kind onto every column that a contract marks as personal data, in raw and raw_history.

    terraform -chdir=terraform output -json policy_tags | python scripts/policy_tags.py

By an identity that may set tags (the pipeline's may not). Idempotent; tables that don't exist yet are passed over.
`_extra` holds what no contract has looked at, so it counts as free text.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "plugins")]

UNKNOWN = ("_extra", "free_text")


def kinds(table: Any) -> dict[str, str]:
    """Column -> kind of personal data, for a `tributary.contracts.model.TableSpec`."""
    return {column.name: str(column.pii) for column in table.columns if column.pii} | dict([UNKNOWN])


def tag(client: Any, name: str, wanted: dict[str, str]) -> int:
    """Set the tags of one table (column -> policy tag); returns how many changed."""
    from google.api_core.exceptions import NotFound
    from google.cloud.bigquery import PolicyTagList, SchemaField

    try:
        table = client.get_table(name)
    except NotFound:
        return 0
    fields, changed = [], 0
    for field in table.schema:
        have = list(field.policy_tags.names) if field.policy_tags else []
        want = [wanted[field.name]] if field.name in wanted else []
        if have != want:
            changed += 1
            described = field.to_api_repr() | {"policyTags": PolicyTagList(want).to_api_repr()}
            field = SchemaField.from_api_repr(described)  # noqa: PLW2901
        fields.append(field)
    if changed:
        table.schema = fields
        client.update_table(table, ["schema"])
    return changed


def main() -> None:
    """Read kind -> policy tag from standard input and go through every table of the contracts."""
    from local.warehouse import client
    from tributary.contracts.loader import load_all

    tags = json.load(sys.stdin)
    warehouse = client(os.environ)
    for contracts in load_all().values():
        for contract in contracts.values():
            for table in contract.tables:
                wanted = {column: tags[kind] for column, kind in kinds(table).items()}
                for dataset in ("raw", "raw_history"):
                    changed = tag(warehouse, f"{warehouse.project}.{dataset}.{table.name}", wanted)
                    sys.stdout.write(f"{dataset}.{table.name}: {changed} columns changed\n")


if __name__ == "__main__":
    main()
