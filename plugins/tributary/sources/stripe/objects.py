"""Single objects, read in full by their ids."""

from collections.abc import Generator, Iterable
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from tributary.api.client import ApiClient, HeavyError, MissingError, ShapeError
from tributary.api.session import below
from tributary.contracts.model import Contract
from tributary.sources.base import Page, landed
from tributary.sources.stripe.pages import nested_pages, set_aside, single_params
from tributary.sources.stripe.shapes import record_types


class Count(NamedTuple):
    """Counts of what was landed."""

    records: int = 0
    children: int = 0
    gone: int = 0

    def plus(self, other: "Count") -> "Count":
        return Count(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


def fetched(api: ApiClient, contract: Contract, id_: str, deleted: int | None = None) -> Generator[Page, None, Count]:
    """One object in full; what is not there any more, or was deleted (epoch seconds) after it had been created, is
    gone. What can't be read is landed as its id, and set aside when it is flattened."""
    record_type, _ = record_types(contract)
    only_id = msgspec.Raw(msgspec.json.encode({"id": id_}))
    try:
        answer, record = api.get(below(contract.request["path"], id_), record_type, single_params(contract))
    except MissingError as error:
        yield Page(observed_at=error.answer.observed_at, body=only_id, gone=True)
        return Count(gone=1)
    except (HeavyError, ShapeError) as error:
        set_aside(api, f"{contract.name} {id_} can't be read", error)
        yield Page(observed_at=datetime.now(UTC), body=only_id, incomplete=(id_,))
        return Count(records=1)
    # The same id can be given out again (a coupon's is chosen by people): then the object is younger than the deletion.
    if deleted is not None and not record.is_stub and (record.moment or 0) < deleted:
        yield Page(observed_at=answer.observed_at, body=only_id, gone=True)
        return Count(gone=1)
    yield landed(answer)
    children = 0
    for page, count in nested_pages(api, contract, record, []):
        children += count
        yield page
    return Count(int(not record.is_stub), children, int(record.is_stub))


def all_fetched(api: ApiClient, contract: Contract, ids: Iterable[str]) -> Generator[Page, None, Count]:
    """The objects, one after the other."""
    found = Count()
    for id_ in ids:
        found = found.plus((yield from fetched(api, contract, id_)))
    return found
