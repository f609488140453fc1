"""`python -m tributary.cli.preflight`: the report. Exit status 1 when something has to be mended."""

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tributary.errors import RefusedError
from tributary.preflight.findings import Finding


def main(
    sources: Annotated[list[str] | None, typer.Argument(help="Sources to check; all by default.")] = None,
    wide: Annotated[int | None, typer.Option(help="Width of the report in characters.")] = None,
) -> None:
    """Check credential, account, scopes, datasets, bucket, location, clock and keys, and say how to mend what is
    wrong."""
    console = Console(width=wide, highlight=False)
    findings: list[Finding] = []
    with console.status("checking"):
        findings += _findings(sources or [])
    table = Table("", "what", "check", "found, or what to do", box=None, padding=(0, 2, 0, 0), header_style="bold")
    for one in findings:
        mark = "[green]ok[/]" if one.ok else "[red]mend[/]"
        table.add_row(mark, escape(one.subject), escape(one.check), escape(one.fix or one.found))
    console.print(table)
    bad = sum(not one.ok for one in findings)
    console.print(f"\n{bad} of {len(findings)} to mend" if bad else f"\nall {len(findings)} are well")
    raise typer.Exit(1 if bad else 0)


def _findings(chosen: list[str]) -> Iterator[Finding]:
    from tributary.clients import load_clients
    from tributary.contracts.loader import load_all
    from tributary.hooks.api import ApiHook
    from tributary.hooks.lake import lake_bucket
    from tributary.hooks.warehouse import WarehouseHook
    from tributary.preflight.google import check_lake, check_warehouse
    from tributary.preflight.personal import check_key
    from tributary.preflight.source import check_client
    from tributary.settings import settings
    from tributary.sources import source

    own = settings()
    yield from check_warehouse(lambda: WarehouseHook().client, own.project, own.location)
    yield from check_lake(lake_bucket, own.location)
    try:
        every = load_all()
    except RefusedError as error:
        yield Finding("contracts", "files", fix=str(error))
        return
    yield check_key(every)
    for name, contracts in every.items():
        if chosen and name not in chosen:
            continue
        try:
            clients = load_clients(name)
        except RefusedError as error:
            yield Finding(name, "clients", fix=str(error))
            continue
        for client in clients.values():
            hook = ApiHook(source(name), client)
            yield from check_client(source(name), client, contracts, hook.client)


if __name__ == "__main__":
    typer.run(main)
