"""A company that exists only in this process: the simulators over an empty world, and a memory of all that happened.

The memory knows every version that a record ever had, so that whatever raw holds can be compared with what was true
when it was read. Each version has a number of its own, which stands in the record and in each of its children.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import requests

from simulators.server import _server, bind, create_apps
from simulators.simulation import HUBSPOT_TOKEN, STRIPE_KEY, Simulation
from simulators.world.build import build
from tributary.windows import parse, stamp

START = parse("2025-03-01T06:00:00Z")


@dataclass(frozen=True)
class Version:
    """What one record was, from a change to the next."""

    number: int
    children: tuple[str, ...]
    #: deleted, archived, merged or purged; None while it is there.
    gone: str | None = None
    #: It breaks its contract.
    broken: bool = False


@dataclass
class Record:
    key: str
    versions: list[Version] = field(default_factory=list)

    @property
    def now(self) -> Version:
        return self.versions[-1]

    def numbered(self, number: int) -> Version | None:
        """What the record was under that number, before it went."""
        return next((v for v in self.versions if v.number == number and v.gone is None), None)


class Company:
    """The account that one sequence of operations works on."""

    source: str
    stream: str
    collection: str
    #: Whether the feed tells of every way in which a record can go.
    tells_all = True

    def __init__(self, simulation: Simulation, url: str) -> None:
        self.simulation, self.url = simulation, url
        self.records: dict[str, Record] = {}
        self.clock = START
        self._numbers = itertools.count(1)
        self._ids = itertools.count(101)

    # What can happen

    def create(self, children: int) -> None:
        key = self._new_key()
        self.records[key] = Record(key)
        self._write(key, children)

    def change(self, key: str, children: int) -> None:
        self._write(key, children, broken=self.records[key].now.broken)

    def spoil(self, key: str) -> None:
        """The record breaks its contract from now on."""
        self._write(key, len(self.records[key].now.children), broken=True)

    def mend(self, key: str) -> None:
        self._write(key, len(self.records[key].now.children))

    def delete(self, key: str) -> None:
        self._call("DELETE", key)
        self._remember(key, gone="deleted")

    # What is there

    def alive(self, *, broken: bool | None = None) -> list[str]:
        return sorted(
            key
            for key, record in self.records.items()
            if record.now.gone is None and (broken is None or record.now.broken == broken)
        )

    def pass_time(self, hours: int) -> None:
        self.clock += timedelta(hours=hours)
        requests.put(f"{self.url}/_sim/clock", json={"now": stamp(self.clock)}, timeout=10).raise_for_status()

    def fault(self, **fault: Any) -> None:
        requests.put(f"{self.url}/_sim/faults", json=fault, timeout=10).raise_for_status()

    def no_faults(self) -> None:
        requests.delete(f"{self.url}/_sim/faults", timeout=10).raise_for_status()

    # How it is done

    def _new_key(self) -> str:
        raise NotImplementedError

    def _write(self, key: str, children: int, *, broken: bool = False) -> None:
        raise NotImplementedError

    def _remember(self, key: str, **changes: Any) -> None:
        record = self.records[key]
        fields = {"number": record.now.number, "children": record.now.children} if record.versions else {}
        record.versions.append(Version(**{**fields, **changes}))

    def _call(self, method: str, key: str, body: Any = None, collection: str | None = None) -> Any:
        # A second passes with every change: Stripe's events have no finer clock.
        self.pass_time(0)
        self.clock += timedelta(seconds=1)
        self.pass_time(0)
        url = f"{self.url}/_sim/objects/{collection or self.collection}/{key}"
        answer = requests.request(method, url, json=body, timeout=30)
        assert answer.ok, f"{method} {url} {body}: {answer.text}"
        return answer.json()


def email(key: str) -> str:
    """Of the person whom an invoice is about."""
    return f"{key.replace('_', '.')}@person.example"


class StripeCompany(Company):
    """Invoices with their lines."""

    source, stream, collection = "stripe", "invoices", "invoices"

    def _new_key(self) -> str:
        return f"in_{next(self._ids)}"

    def _write(self, key: str, children: int, *, broken: bool = False) -> None:
        number = next(self._numbers)
        # Lines that stay keep their ids, as invoice lines do.
        lines = [f"il_{key}_{line}" for line in range(children)]
        body = {
            "number": f"v{number}",
            "currency": "usd",
            "status": "open",
            "customer_email": email(key),
            "total_discount_amounts": [],
            "total": "broken" if broken else number,
            "lines": [{"id": line, "object": "line_item", "amount": number} for line in lines],
        }
        self._call("PATCH" if self.records[key].versions else "PUT", key, body)
        self._remember(key, number=number, children=tuple(lines), broken=broken)


class HubSpotCompany(Company):
    """Deals with the contacts that they are linked to."""

    source, stream, collection = "hubspot", "deals", "deals"
    CONTACTS = ("9001", "9002", "9003")

    def __init__(self, simulation: Simulation, url: str) -> None:
        super().__init__(simulation, url)
        for contact in self.CONTACTS:
            self._call("PUT", contact, {"properties": {"email": f"{contact}@example.test"}}, "contacts")

    def _new_key(self) -> str:
        return str(next(self._ids))

    def _write(self, key: str, children: int, *, broken: bool = False, **properties: Any) -> None:
        number = next(self._numbers)
        record = self.records[key]
        linked = record.now.children if record.versions and record.now.gone is None else ()
        wanted = self.CONTACTS[: min(children, len(self.CONTACTS))]
        amount = "broken" if broken else str(number)
        body = {"properties": {"dealname": f"v{number}", "amount": amount, **properties}}
        self._call("PATCH" if record.versions else "PUT", key, body)
        for contact in sorted(set(wanted) ^ set(linked)):
            method, link = "PUT" if contact in wanted else "DELETE", f"{key}:{contact}"
            self._call(method, link, {} if method == "PUT" else None, "deal_contacts")
        self._remember(key, number=number, children=tuple(wanted), broken=broken)

    def delete(self, key: str) -> None:
        """Into the recycle bin."""
        self._call("DELETE", key)
        self._remember(key, gone="archived")

    def restore(self, key: str) -> None:
        self._write(key, 1)

    def move(self, key: str, days: int) -> None:
        """Somebody edits the create date."""
        record = self.records[key].now
        created = stamp(self.clock - timedelta(days=days))
        self._write(key, len(record.children), broken=record.broken, createdate=created)

    def merge(self, key: str, into: str) -> None:
        """The first record is no longer there on its own, and the second says so."""
        self._unlink(key)
        self._vanish(key, "merged", into)
        merged = sorted(key for key, record in self.records.items() if record.now.gone == "merged")
        properties = {"hs_merged_object_ids": ";".join(merged)}
        number, record = next(self._numbers), self.records[into].now
        body = {"properties": {"dealname": f"v{number}", **properties}}
        if not record.broken:
            body["properties"]["amount"] = str(number)
        self._call("PATCH", into, body)
        self._remember(into, number=number, broken=record.broken)

    def purge(self, key: str) -> None:
        """Out of the recycle bin, or deleted for good at once: nothing tells of it."""
        if self.records[key].now.gone is None:
            self._unlink(key)
        self._vanish(key, "purged")
        self.tells_all = False

    def _vanish(self, key: str, how: Any, into: str | None = None) -> None:
        at = int(self.clock.timestamp() * 1000)
        self.simulation.world.store["deals"].remove(key, at, how, into=into)
        self._remember(key, gone=how)

    def _unlink(self, key: str) -> None:
        for contact in self.records[key].now.children:
            self._call("DELETE", f"{key}:{contact}", collection="deal_contacts")


def _empty_simulation() -> Simulation:
    world = build(1, 1)
    for collection in world.store.collections.values():
        collection.records.clear()
    world.store.events.clear()
    return Simulation(world, int(START.timestamp() * 1000))


class Simulators:
    """Both services in a thread of this process; each sequence gets a world of its own behind the same ports."""

    def __init__(self) -> None:
        self.sockets: list[socket.socket] = [bind("127.0.0.1", 0, "nothing") for _ in range(2)]
        self.urls = {
            name: f"http://127.0.0.1:{sock.getsockname()[1]}"
            for name, sock in zip(("stripe", "hubspot"), self.sockets, strict=True)
        }
        self._apps: list[Any] = []
        self.renew()

    def renew(self) -> Simulation:
        simulation = _empty_simulation()
        self._apps[:] = create_apps(simulation)
        return simulation

    def company(self, kind: type[Company]) -> Company:
        Clock.company = kind(self.renew(), self.urls[kind.source])
        return Clock.company

    def environment(self) -> dict[str, str]:
        keys = {"stripe": STRIPE_KEY, "hubspot": HUBSPOT_TOKEN}
        return {
            f"AIRFLOW_CONN_{name.upper()}_DEFAULT": json.dumps(
                {"conn_type": "http", "host": url, "password": keys[name]}
            )
            for name, url in self.urls.items()
        }

    @contextmanager
    def running(self) -> Iterator[Simulators]:
        def app(number: int) -> Any:
            async def current(scope: Any, receive: Any, send: Any) -> None:
                await self._apps[number](scope, receive, send)

            return current

        servers = [_server(app(number)) for number in range(2)]

        async def serve() -> None:
            pairs = zip(servers, self.sockets, strict=True)
            await asyncio.gather(*(server._serve([sock]) for server, sock in pairs))

        thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            for server in servers:
                server.should_exit = True
            thread.join(10)


class Clock(datetime):
    """The worker's clock, which shows the company's time: what is observed stands in the order of what happens."""

    company: Company | None = None
    _ticks = itertools.count()

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        assert cls.company
        # No two answers arrive in the same microsecond, and a second's worth of them is never used up.
        return (cls.company.clock + timedelta(microseconds=next(cls._ticks) % 10**6)).astimezone(tz)

    @classmethod
    def wait_until(cls, moment: datetime) -> None:
        assert cls.company
        cls.company.clock = max(cls.company.clock, moment)
        cls.company.pass_time(0)


def midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
