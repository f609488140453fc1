"""One client of a source: connection, account and mode, API version, and a first page of everything that is read."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from tributary.api.client import ApiClient
from tributary.clients import Client
from tributary.contracts.model import Axis, Contract
from tributary.errors import RefusedError, TributaryError
from tributary.preflight.findings import Finding
from tributary.sources.base import Page, Source
from tributary.windows import Window

Connect = Callable[[], tuple[ApiClient, bool | None]]
_PROBE = timedelta(hours=1)
#: No account is as old.
_DAWN = datetime(2000, 1, 1, tzinfo=UTC)


def check_client(
    source: Source, client: Client, contracts: Mapping[str, Contract], connect: Connect
) -> Iterator[Finding]:
    """The findings about one client; what depends on a failed check is left out."""
    subject = f"{source.name} {client.client_id}"
    try:
        api, livemode = connect()
    except RefusedError as error:
        yield Finding(subject, "connection", fix=str(error))
        return
    mode = {True: "live", False: "test", None: "unknown"}[livemode]
    yield Finding(subject, "connection", f"{client.connection}, {mode} mode")
    try:
        now = source.check_account(api, client, livemode)
    except TributaryError as error:
        yield Finding(subject, "account", fix=str(error))
        return
    yield Finding(subject, "account", f"{client.account}, its clock says {now:%Y-%m-%d %H:%M:%S} UTC")
    yield Finding(subject, "API version", source.api_version)
    yield _first_day(subject, source, api, contracts, client)
    if currency := source.account_currency(api):
        yield _currency(subject, client, currency)
    for contract in contracts.values():
        yield _readable(subject, source, api, contract, client, now)


def _first_day(
    subject: str, source: Source, api: ApiClient, contracts: Mapping[str, Contract], client: Client
) -> Finding:
    """Nothing may be older than the account's first day: no run would ever ask for it."""
    before = Window(_DAWN, client.since_at)
    older: dict[str, datetime] = {}
    for contract in contracts.values():
        if contract.time is None or contract.append_only or before.start >= before.end:
            continue
        try:
            if extent := source.extent(api, contract, before):
                older[contract.stream] = extent.oldest
        except TributaryError:
            # Whether the stream can be read is told below.
            continue
    if not older:
        return Finding(subject, "first day", f"nothing is older than {client.since}")
    oldest = min(older.values())
    fix = (
        f"since is {client.since}, but {', '.join(sorted(older))} hold records from {oldest:%Y-%m-%d} on, which no run "
        f"asks for; set since: {oldest:%Y-%m-%d} in clients.yml and trigger a run with *Read everything again*"
    )
    return Finding(subject, "first day", fix=fix)


def _currency(subject: str, client: Client, currency: str) -> Finding:
    """Compare the declared reporting currency with the account's; without one the first movements decide."""
    if client.currency is None:
        return Finding(
            subject, "currency", f"{currency}; `currency: {currency}` in clients.yml makes marts report in it"
        )
    if client.currency != currency:
        return Finding(
            subject,
            "currency",
            fix=f"clients.yml says {client.currency}, the account's default currency is {currency}: correct it. "
            "For marts in another currency set the dbt variable `reporting` instead",
        )
    return Finding(subject, "currency", currency)


def _readable(
    subject: str, source: Source, api: ApiClient, contract: Contract, client: Client, now: datetime
) -> Finding:
    """One page by each way that the stream is read; refused when the key lacks a scope or the version is gone."""
    window = Window(now - _PROBE, now)
    listing = Axis.WHOLE if contract.daily == Axis.WHOLE else Axis.CREATED
    ways = dict.fromkeys((contract.daily, listing))
    try:
        for axis in ways:
            # What the properties are called is answered to whoever may not read the records.
            steps = source.walk(api, contract, axis, window, client, {})
            next((step for step in steps if isinstance(step, Page) and not step.definitions), None)
    except TributaryError as error:
        return Finding(subject, f"read {contract.stream}", fix=str(error))
    return Finding(subject, f"read {contract.stream}", ", ".join(ways))
