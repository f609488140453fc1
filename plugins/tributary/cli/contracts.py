"""`make contracts`: writes everything that is generated from contracts."""

import sys
from pathlib import Path

from tributary.contracts import dbt_sources, json_schema
from tributary.contracts.dictionary import render_dictionary
from tributary.contracts.freshness import render_freshness
from tributary.contracts.loader import load_all
from tributary.settings import REPOSITORY


def generated_files(repository: Path) -> dict[Path, str]:
    """Path -> text of every generated file."""
    contracts = load_all()
    folder = repository / "docs" / "data-dictionary"
    pages = {folder / f"{source}.md": render_dictionary(source, streams) for source, streams in contracts.items()}
    checks = repository / "terraform" / "modules" / "monitoring" / "freshness.json"
    schema = repository / "include" / "contracts" / json_schema.FILE
    others = {checks: render_freshness(contracts), schema: json_schema.render_schema()}
    return dbt_sources.rendered_files(contracts, repository / "dbt") | pages | others


def main() -> int:
    """Write them; returns 0."""
    for path, text in generated_files(REPOSITORY).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(REPOSITORY)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
