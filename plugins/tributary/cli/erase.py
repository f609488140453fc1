"""`python -m tributary.cli.erase`: takes a person out of everything that was stored, and keeps them out."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from tributary.errors import RefusedError, TributaryError

if TYPE_CHECKING:
    from tributary.contracts.model import Contract
    from tributary.erasure.person import Person

_LABELS = {"dag": "none", "task": "erase"}
console = Console(highlight=False, soft_wrap=True)


def main(
    client: Annotated[str, typer.Argument(help="Client (clients.yml) whose records are meant.")],
    email: Annotated[str, typer.Option(prompt="E-mail address", help="Asked for when it is left out.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it. Without it only what would be touched is shown.")] = False,
) -> None:
    """Show, and with --yes erase, what is stored about a person. Can be given again at any time."""
    try:
        left = _erase(client, email, yes=yes)
    except TributaryError as error:
        console.print(f"{error}", style="red", markup=False)
        raise typer.Exit(1) from None
    raise typer.Exit(1 if left else 0)


def _erase(client_id: str, email: str, *, yes: bool) -> int:
    """Returns how many tables hold rows that are left and should not be."""
    from tributary.contracts.loader import load_all
    from tributary.erasure.person import Person, found
    from tributary.erasure.suppressions import MAILBOX, meet_loads, suppress
    from tributary.hooks.lake import lake_bucket
    from tributary.hooks.pii import pii_keys
    from tributary.hooks.warehouse import WarehouseHook

    clients = _clients(client_id)
    contracts = [contract for source, found in load_all().items() if source in clients for contract in found.values()]
    warehouse = WarehouseHook()
    with console.status("looking for the person's records"):
        person = found(warehouse, Person.of(client_id, email, pii_keys()), contracts, _LABELS)
    for source, ids in person.ids.items():
        console.print(f"{source}: {', '.join(ids)}")
    if not person.ids:
        console.print("no record of this address is known; rows and pages that name it are looked for all the same")
    if yes:
        new = suppress(warehouse, client_id, {MAILBOX: person.hashes, **person.ids}, _LABELS)
        meet_loads(warehouse, contracts, _LABELS)
        console.print(f"ops.suppressions: {new} new entries; no load brings the person back from here on")
    _erase_lake(lake_bucket(), person, contracts, yes=yes)
    by_hand = _at_the_sources(clients, person.ids, yes=yes)
    left = _erase_warehouse(warehouse, person, contracts, yes=yes)
    console.print("\nleft to do:")
    for step in (*by_hand, "run build_warehouse: staging, mart and dq are built anew without the person"):
        console.print(f"- {step}")
    if not yes:
        console.print("\nnothing was touched; --yes does it")
    return left


def _erase_lake(bucket: Any, person: "Person", contracts: "list[Contract]", *, yes: bool) -> None:
    from tributary.erasure.places import delete_folder, folders

    with console.status("reading the lake"):
        for folder in folders(bucket, person, contracts):
            console.print(f"gs://{bucket.name}/{folder.name}: {folder.objects} objects{_done(yes)}")
            if yes:
                delete_folder(bucket, folder)


def _erase_warehouse(warehouse: Any, person: "Person", contracts: "list[Contract]", *, yes: bool) -> int:
    from tributary.erasure.places import erase_rows, places

    with console.status("reading the warehouse"):
        for place in places(warehouse, person, contracts, _LABELS):
            console.print(f"{place.table}: {place.rows} rows{_done(yes)}")
            if yes:
                erase_rows(warehouse, place, _LABELS)
        left = list(places(warehouse, person, contracts, _LABELS)) if yes else []
    for place in left:
        console.print(f"{place.table}: {place.rows} rows are left; give the command again")
    return len(left)


def _done(yes: bool) -> str:
    return ", erased" if yes else ""


def _clients(client_id: str) -> dict[str, Any]:
    """Source -> the client of that id there."""
    from tributary.clients import load_clients
    from tributary.contracts.loader import load_all

    known = {source: load_clients(source) for source in load_all()}
    clients = {source: found[client_id] for source, found in known.items() if client_id in found}
    if not clients:
        declared = sorted({name for found in known.values() for name in found})
        raise RefusedError(f"there is no client {client_id!r} in clients.yml; declared: {', '.join(declared)}")
    return clients


def _at_the_sources(clients: dict[str, Any], ids: Mapping[str, Iterable[str]], *, yes: bool) -> list[str]:
    """Erase at the sources what they let us; returns what has to be done there by hand."""
    from tributary.hooks.api import ApiHook
    from tributary.sources import source

    by_hand = []
    for name, client in clients.items():
        mine = list(ids.get(name, ()))
        api_source = source(name)
        if not mine:
            continue
        if api_source.erase is None:
            by_hand.append(f"{name}: {api_source.erase_by_hand} ({', '.join(mine)})")
            continue
        console.print(f"{name} account {client.account}: {len(mine)} records{_done(yes)}")
        if yes:
            try:
                api, livemode = ApiHook(api_source, client).client()
                api_source.check_account(api, client, livemode)
                for id_ in mine:
                    api_source.erase(api, id_)
            except TributaryError as error:
                by_hand.append(f"{name}: {error}. {api_source.erase_by_hand} ({', '.join(mine)})")
    return by_hand


if __name__ == "__main__":
    typer.run(main)
