"""A person is erased from everything that was stored, and no load brings them back."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.support.pipeline import HISTORY, Pipeline, bucket, content, empty, query, warehouse
from tests.support.world import World
from tributary.contracts.loader import load_contracts
from tributary.errors import RefusedError
from tributary.flatten.flatten import flatten
from tributary.hooks.pii import personal
from tributary.landing.lake import read_lines

pytestmark = pytest.mark.emulators

STREAMS = [("stripe", "customers"), ("stripe", "invoices"), ("stripe", "events"), ("stripe", "subscriptions")]
STREAMS += [("hubspot", "contacts")]
TABLES = [table.name for source, stream in STREAMS for table in load_contracts(source)[stream].tables]


@pytest.fixture
def loaded(world: World) -> Iterator[World]:
    """The company's people with their invoices and events, in the warehouse and in the lake."""
    clear()
    for source, stream in STREAMS:
        Pipeline(source, stream).run(*HISTORY, "created")
    yield world
    clear()


def clear() -> None:
    empty(*TABLES)
    if warehouse().columns("ops.suppressions"):
        query("delete from ops.suppressions where true")
    for zone in ("landing", "staged"):
        for blob in bucket().client.list_blobs(bucket().name, prefix=f"{zone}/"):
            blob.delete()
    for name in warehouse().tables("raw_stage"):
        warehouse().client.delete_table(f"{warehouse().project}.raw_stage.{name}")


def erase(*arguments: str, client: str = "acme") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "plugins")}
    command = [sys.executable, "-m", "tributary.cli.erase", client, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


def somebody() -> tuple[str, str, str]:
    """Address, customer and contact of a person whom both sources know, and who was invoiced."""
    [row] = query("""
        select lower(trim(t.email)) as email, c.id as customer, t.id as contact
        from raw.stripe_customers c join raw.hubspot_contacts t on lower(trim(c.email)) = lower(trim(t.email))
        where t._deleted_at is null and c.id in (select customer_id from raw.stripe_invoices)
            and lower(trim(c.email)) in (select json_value(object_snapshot, '$.customer_email') from raw.stripe_events)
        order by 1, 2 limit 1""")
    return str(row["email"]), str(row["customer"]), str(row["contact"])


def discount(world: World, customer: str, *notes: str) -> str:
    """Give a subscription of theirs a discount with a field that no contract knows, and load it with each value."""
    mine = query(f"select id from raw.stripe_subscriptions where customer_id = '{customer}' order by id limit 1")
    [discount, *_] = world.books("stripe", "discounts")
    world.change("stripe", "subscriptions", mine[0]["id"], discounts=[discount["id"]])
    for note in notes:
        world.change("stripe", "discounts", discount["id"], note=note)
        Pipeline("stripe", "subscriptions").run(*HISTORY, "created")
    return str(mine[0]["id"])


def gifts(subscription: str) -> list[Any]:
    """What `_extra` says of the discounts of a subscription, now and before."""
    tables = [f"{dataset}.stripe_subscription_discounts" for dataset in ("raw", "raw_history")]
    kept = [f"select to_json_string(_extra) as e from {t} where subscription_id = '{subscription}'" for t in tables]
    return [row["e"] for row in query(" union all ".join(kept)) if row["e"] and "gift" in row["e"]]


def stored() -> dict[str, str]:
    """All that is stored in tables and lake, as text."""
    names = [f"{dataset}.{table}" for dataset in ("raw", "raw_history") for table in TABLES]
    names += [f"raw_stage.{name}" for name in warehouse().tables("raw_stage")]
    texts = {name: json.dumps(query(f"select * from {name}"), default=str) for name in names}
    names = [blob.name for blob in bucket().client.list_blobs(bucket().name) if blob.name.endswith(".gz")]
    return texts | {name: b"".join(read_lines(bucket(), name)).decode() for name in names}


def others(email: str) -> list[Any]:
    sql = f"select id, email, name, phone from raw.stripe_customers where lower(trim(email)) != '{email}' order by id"
    return query(sql)


def test_erasing_somebody(loaded: World):
    email, customer, contact = somebody()
    mailbox = re.compile(re.escape(email).replace("@", r"(\+[^@]*)?@"), re.IGNORECASE)
    # The discounts of a subscription say nothing of a customer. And there is a load that has read who is erased.
    subscription = discount(loaded, customer, "a gift", "a farewell gift")
    late = Pipeline("stripe", "customers")
    read_too_early = personal(late.contract, "acme", warehouse())
    before, rest = stored(), others(email)
    counts = {table: len(content(f"raw.{table}")) for table in TABLES}
    holding = {name for name, text in before.items() if mailbox.search(text)}
    assert {"raw.stripe_customers", "raw.hubspot_contacts", "raw.stripe_invoices", "raw.stripe_events"} <= holding
    assert len(gifts(subscription)) == 2
    [row] = query(f"select name, email from raw.stripe_customers where id = '{customer}'")
    name = row["name"]

    shown = erase("--email", email.upper())
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert f"stripe: {customer}" in shown.stdout
    assert f"hubspot: {contact}" in shown.stdout
    assert re.search(r"raw\.stripe_invoices: \d+ rows\n", shown.stdout)
    assert "nothing was touched" in shown.stdout
    assert stored() == before

    done = erase("--email", email.upper(), "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "delete or redact these customers in the dashboard" in done.stdout
    assert customer in done.stdout.partition("left to do")[2]
    assert email not in done.stdout + done.stderr
    after = stored()
    assert not [name for name, text in after.items() if mailbox.search(text)]
    assert gifts(subscription) == []
    # Two people may have one name, but not in the same row.
    assert not [found for found, text in after.items() if name in text and "hubspot_contacts" not in found]
    [blank] = query(
        f"select firstname, lastname, phone, properties_other from raw.hubspot_contacts where id = '{contact}'"
    )
    assert set(blank.values()) == {None}
    assert {table: len(content(f"raw.{table}")) for table in TABLES} == counts, "what was booked stays"
    assert others(email) == rest, "nobody else was touched"
    entries = {entry["id"]: entry.get("gone") for entry in loaded.books("hubspot", "contacts")}
    assert entries[contact] == "purged"

    again = erase("--email", email, "--yes")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "rows" not in again.stdout.replace("rows and pages", "")
    assert "0 new entries" in again.stdout

    # Stripe still has the customer: repairs and backfills read the person again, with what they are called by now.
    loaded.change("stripe", "customers", customer, email=f"new.{email}", description=f"formerly {email}")
    for stream in ("customers", "invoices"):
        Pipeline("stripe", stream).run(*HISTORY, "created")
    rows = {name: text for name, text in stored().items() if not name.startswith("landing/")}
    assert not [name for name, text in rows.items() if mailbox.search(text)]
    [row] = query(f"select email, name, metadata, currency from raw.stripe_customers where id = '{customer}'")
    assert (row["email"], row["name"], row["metadata"]) == (None, None, None)
    assert row["currency"]
    assert others(email) == rest
    assert query("select count(*) as n from raw.stripe_invoices")[0]["n"] == counts["stripe_invoices"]

    # A load that was under way: what it read then is not loaded now, in clear as it is.
    landing = late.extract(*HISTORY, "created")
    manifest = flatten(
        source=late.source,
        contract=late.contract,
        landing=landing,
        attempt_id="late",
        bucket=bucket(),
        personal=read_too_early,
    )
    staged = late.stage(manifest)
    assert mailbox.search(stored()[staged.tables["stripe_customers"]])
    said = r"client acme, window .2024-.* \(3 entries .*, expected 0\); nothing was loaded. Clear the flatten task"
    with pytest.raises(RefusedError, match=said) as refused:
        late.replace([(staged, manifest)])
    assert email not in str(refused.value)
    late.load(landing)
    assert not mailbox.search(json.dumps(content("raw.stripe_customers"), default=str))


def test_a_guest_is_erased_from_what_was_announced_as_well(loaded: World):
    """Who paid without being a customer is known by the address only, which stands deep in what the events show."""
    guest = "guest.of.honour@person.example"
    charge = loaded.books("stripe", "charges")[0]["id"]
    loaded.change("stripe", "charges", charge, customer=None, billing_details={"email": guest, "name": "Guest"})
    until = "2026-01-06T00:00:00Z"
    loaded.clock(until)

    def announced() -> list[Any]:
        Pipeline("stripe", "events").run(HISTORY[0], until, "created")
        sql = f"select to_json_string(object_snapshot) as shown from raw.stripe_events where object_id = '{charge}'"
        return [row["shown"] for row in query(sql) if row["shown"]]

    assert guest in str(announced())
    done = erase("--email", guest, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not [name for name, text in stored().items() if guest in text]
    assert guest not in str(announced()), "a load brought the guest back"


def test_what_can_not_be_meant_is_refused(world: World):
    assert "no e-mail address" in erase("--email", "nobody").stdout
    refused = erase("--email", "a@b.example", client="nobody")
    assert refused.returncode == 1
    assert "there is no client 'nobody' in clients.yml; declared: acme" in refused.stdout


#: One mailbox, as people and their programs may have written it.
SPELLINGS = [
    "eva@b\u00fccher.example\u200b",
    "\ufeffE\u00adva@bu\u0308cher.example",
    "mailto:eva+news@B\u00dcCHER.example",
    "eva@xn--bcher-kva.example\u00a0",
    "<eva@b\u00fccher.example>",
]


def test_a_person_is_found_however_the_address_is_written(own_world: World):
    clear()
    count = len(SPELLINGS)
    ids = [entry["id"] for entry in own_world.books("hubspot", "contacts") if not entry["deleted_at"]]
    mine, other, later = ids[:count], ids[count], ids[count + 1 : 2 * count + 1]

    def rename(ids: list[str], emails: list[str]) -> None:
        for id_, email in zip(ids, emails, strict=True):
            properties = {"email": email, "firstname": "Eva"}
            own_world.hubspot_sim(f"objects/contacts/{id_}", method="PATCH", properties=properties)

    def named() -> list[tuple[str, str]]:
        rows = query(
            "select id, email from raw.hubspot_contacts where firstname = 'Eva' or email like '%cher%' order by 1"
        )
        return [(row["id"], row["email"]) for row in rows]

    rename([*mine, other], [*SPELLINGS, "ev@b\u00fccher.example"])
    Pipeline("hubspot", "contacts").run(*HISTORY, "created")
    assert len(named()) == count + 1
    done = erase("--email", "Eva@B\u00fccher.example", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert named() == [(other, "ev@b\u00fccher.example")]
    assert not list(bucket().client.list_blobs(bucket().name, prefix="landing/hubspot/contacts/"))
    rename(later, SPELLINGS)
    Pipeline("hubspot", "contacts").run(*HISTORY, "created")
    assert named() == [(other, "ev@b\u00fccher.example")], "kept out"
    clear()
