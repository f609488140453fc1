"""The shape of a contract. `loader.py` reads one from YAML; nothing here touches a file."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from hashlib import blake2b
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, WithJsonSchema, model_validator


class ColumnType(StrEnum):
    """The BigQuery types that a contract may use."""

    STRING = "STRING"
    INT64 = "INT64"
    NUMERIC = "NUMERIC"
    BIGNUMERIC = "BIGNUMERIC"
    FLOAT64 = "FLOAT64"
    BOOL = "BOOL"
    TIMESTAMP = "TIMESTAMP"
    DATE = "DATE"
    JSON = "JSON"


#: BigQuery makes the wider type of the narrower one in place, and whoever reads this one can read that one.
WIDENINGS = {
    (ColumnType.INT64, ColumnType.NUMERIC),
    (ColumnType.INT64, ColumnType.BIGNUMERIC),
    (ColumnType.INT64, ColumnType.FLOAT64),
    (ColumnType.NUMERIC, ColumnType.BIGNUMERIC),
}


class Pii(StrEnum):
    """The kind of personal data in a column."""

    EMAIL = "email"
    NAME = "name"
    PHONE = "phone"
    ADDRESS = "address"
    FREE_TEXT = "free_text"


class Rule(StrEnum):
    """The rule for personal data before it is staged: kept, hashed with a key, or dropped."""

    CLEAR = "clear"
    HASH = "hash"
    DROP = "drop"


class Mode(StrEnum):
    """The effect of drift: kept in `_extra`, the task fails, or the record is rejected."""

    EVOLVE = "evolve"
    FREEZE = "freeze"
    QUARANTINE = "quarantine"


class Axis(StrEnum):
    """The time axis of a window. `whole` has no window: the collection is read from end to end."""

    CREATED = "created"
    CHANGED = "changed"
    WHOLE = "whole"


class Granularity(StrEnum):
    """The partition granularity of a raw table."""

    DAY = "DAY"
    MONTH = "MONTH"
    YEAR = "YEAR"


class EmptyWindow(StrEnum):
    """The meaning of a window without any record."""

    OK = "ok"
    FAIL = "fail"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _as_duration(value: Any) -> Any:
    """`3d`, `26h`, `15m` as a timedelta."""
    units = {"d": "days", "h": "hours", "m": "minutes"}
    if isinstance(value, str) and value[-1:] in units and value[:-1].isdigit():
        return timedelta(**{units[value[-1]]: int(value[:-1])})
    raise ValueError(f"{value!r} is no duration; write a number with d, h or m, such as 3d")


Duration = Annotated[
    timedelta, BeforeValidator(_as_duration), WithJsonSchema({"type": "string", "pattern": r"^\d+[dhm]$"})
]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,99}$")]
#: One text or several.
Texts = Annotated[tuple[str, ...], BeforeValidator(_as_tuple, json_schema_input_type=str | tuple[str, ...])]


_RANGED: dict[ColumnType, type] = {
    ColumnType.INT64: float,
    ColumnType.NUMERIC: float,
    ColumnType.BIGNUMERIC: float,
    ColumnType.FLOAT64: float,
    ColumnType.TIMESTAMP: date,
    ColumnType.DATE: date,
}


class Column(_Model):
    """One column: where its value stands in the record and what it is in the warehouse."""

    name: Name
    type: ColumnType
    description: str = Field(min_length=10)
    #: Dotted paths in the record; the first that is present wins. Defaults to the name.
    path: Texts = ()
    #: `id`: the value is an id, the object of that id, its deleted stub or null, and lands as the id.
    #: `list`: the value is text of several, `a;b`, and lands as a JSON list.
    #: `domain`: the value is an e-mail address, and its domain lands, in lower case.
    #: `rest`: the members of the object at `path` that no other column takes, typed as the account defines them.
    as_: str | None = Field(default=None, alias="as", pattern="^(id|list|domain|rest)$")
    unit: str | None = None
    pii: Pii | None = None
    #: What becomes of the values of a person. Left out: what personal_data.yml says of their kind.
    rule: Rule | None = None
    #: The least and the greatest value, both allowed; days for a TIMESTAMP or DATE. What is outside is a reject.
    min: float | date | None = None
    max: float | date | None = None
    required: bool = False

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, data: Any, info: ValidationInfo) -> Any:
        if isinstance(data, dict):
            if not data.get("path") and "name" in data:
                data = {**data, "path": (data["name"],)}
            if data.get("pii") and not data.get("rule"):
                data = {**data, "rule": (info.context or {}).get(data["pii"], Rule.CLEAR)}
        return data

    @model_validator(mode="after")
    def _range_fits_type(self) -> Self:
        bounds = [bound for bound in (self.min, self.max) if bound is not None]
        wanted = _RANGED.get(self.type)
        if bounds and (wanted is None or self.as_ or not all(isinstance(bound, wanted) for bound in bounds)):
            kind = "no range" if wanted is None or self.as_ else "days" if wanted is date else "numbers"
            raise ValueError(f"column {self.name!r} of type {self.type} takes {kind} as min and max")
        if len(bounds) == 2 and bounds[0] > bounds[1]:  # type: ignore[operator]  # two of a kind
            raise ValueError(f"column {self.name!r}: min {bounds[0]} is above max {bounds[1]}")
        return self

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.rule and not self.pii:
            raise ValueError(f"{self.name!r} has a rule for personal data, but no `pii`")
        if self.rule == Rule.HASH and (self.type != ColumnType.STRING or self.as_):
            raise ValueError(f"{self.name!r} can't be hashed, only plain text can; its rule may be clear or drop")
        if self.rule == Rule.DROP and self.required:
            raise ValueError(f"{self.name!r} can't be required and dropped")
        return self

    @property
    def expandable(self) -> bool:
        return self.as_ == "id"


class _Table(_Model):
    """Base of a stream and of a child: the declaration of a raw table."""

    stream: Name
    description: str = Field(min_length=10)
    key: tuple[Name, ...] = Field(min_length=1)
    columns: tuple[Column, ...] = Field(min_length=1)
    known: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _no_duplicates(self) -> Self:
        seen: set[str] = set()
        for column in self.columns:
            if column.name in seen:
                raise ValueError(f"duplicate column {column.name!r}")
            seen.add(column.name)
        return self


class Child(_Table):
    """Records nested in a parent record, which fill a table of their own."""

    #: Dotted path of the nested list: a plain array, or a list object with `data`. `merged`: what `merged_ids` name.
    path: str
    #: Whether the list object is cut off and has further pages at its `url`.
    follow: bool = False
    #: HubSpot: the object type whose associations are read for every parent and attached at `path`.
    associate: str | None = None
    #: Whether items that are no longer in their record stay as tombstones: others go on referring to them.
    keeps_vanished: bool = False
    #: Child column -> parent column, copied onto every child row.
    inherit: dict[Name, Name] = Field(min_length=1)


class Time(_Model):
    """Names the columns that carry the record's times."""

    created: Name
    changed: Name | None = None
    #: Whether the creation time can never be edited; if not, a record may have to be looked for in any partition.
    immutable: bool = True


#: Below so many affected records a share says nothing: one of three is no outage.
SHARE_FLOOR = 10


class Limits(_Model):
    """Largest shares that a load accepts; above them it fails, since a lost scope looks just like mass deletion.

    A few are accepted whatever their share; a limit of 0 means none at all.
    """

    rejects: float = Field(default=0.01, ge=0, le=1)
    tombstones: float = Field(default=0.25, ge=0, le=1)

    @staticmethod
    def floor(share: float) -> int:
        """So many are accepted whatever their share is."""
        return SHARE_FLOOR if share else 0


_WORDS = {"description", "unit"}


class Contract(_Table):
    """A stream: one collection of one source."""

    source: Name
    version: int = Field(ge=1)
    owner: str
    freshness: Duration
    mode: Mode = Mode.EVOLVE
    partition: Granularity = Granularity.MONTH
    time: Time | None = None
    daily: Axis
    lookback: Duration = timedelta(0)
    #: How far the source may be behind in telling what changed: what is younger is left to the next run.
    index_lag: Duration = timedelta(0)
    empty_window: EmptyWindow = EmptyWindow.OK
    #: Facts that are never deleted: one that is no longer listed has only left the source's memory.
    append_only: bool = False
    #: Whether the source's list leaves out records that exist, so that it proves no deletion: any of them (`true`), or
    #: those with something in this column. Whether they are still there is asked by id.
    unlisted: bool | Name = False
    #: Columns of other raw tables (`table.column`) that hold ids of this stream. What they name and raw lacks is read.
    named_by: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")], ...] = ()
    limits: Limits = Limits()
    #: What becomes of fields that the contract doesn't know. They count as free text until somebody has looked at them.
    extra: Rule = Rule.CLEAR
    #: Columns that hold the id of the person whom a record is about, or a member of a JSON column that does.
    subject: Texts = ()
    #: Members of JSON columns that hold an address of that person: the column's name and the path in it, dotted.
    mailboxes: Texts = ()
    #: Dotted paths of the ids that were merged into this record and no longer exist on their own.
    merged_ids: Texts = ()
    #: Whether the answer about an archived record may lack what it had, so that its last known attributes are kept.
    sparse_when_archived: bool = False
    #: How to ask for the collection; only the source's module reads it.
    request: dict[str, Any]
    children: tuple[Child, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _default_extra(cls, data: Any, info: ValidationInfo) -> Any:
        if isinstance(data, dict) and not data.get("extra"):
            return {**data, "extra": (info.context or {}).get(Pii.FREE_TEXT, Rule.CLEAR)}
        return data

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = {column.name for column in self.columns}
        missing = set(self.key) - names
        if missing:
            raise ValueError(f"key column {sorted(missing)[0]!r} is not declared")
        if self.daily != Axis.WHOLE and self.time is None:
            raise ValueError("a stream that is read in windows needs `time`")
        for name in filter(None, (self.time.created, self.time.changed) if self.time else ()):
            if name not in names:
                raise ValueError(f"time column {name!r} is not declared")
        for child in self.children:
            own = {column.name for column in child.columns}
            for name, parent in child.inherit.items():
                if parent not in names:
                    raise ValueError(f"child {child.stream!r} inherits {name!r} from the unknown column {parent!r}")
                if name in own:
                    raise ValueError(f"child {child.stream!r}: duplicate column {name!r}")
            missing = set(child.key) - own - set(child.inherit)
            if missing:
                raise ValueError(f"child {child.stream!r}: key column {sorted(missing)[0]!r} is not declared")
        return self

    @model_validator(mode="after")
    def _known_to_be_unlisted(self) -> Self:
        if isinstance(self.unlisted, str) and self.unlisted not in {column.name for column in self.columns}:
            raise ValueError(f"column {self.unlisted!r} of `unlisted` is not declared")
        if (self.unlisted or self.named_by) and len(self.key) > 1:
            raise ValueError("what is read by id has a key of one column")
        return self

    @model_validator(mode="after")
    def _personal(self) -> Self:
        names = {column.name for column in self.columns}
        for subject in (*self.subject, *self.mailboxes):
            if subject.partition(".")[0] not in names:
                raise ValueError(f"subject column {subject!r} is not declared")
        if self.extra == Rule.HASH:
            raise ValueError("`extra` can't be hashed; clear or drop")
        for table in self.tables:
            for column in table.columns:
                if column.name in table.key and column.rule not in (None, Rule.CLEAR):
                    raise ValueError(f"key column {column.name!r} has to stay clear")
        return self

    @cached_property
    def tables(self) -> tuple["TableSpec", ...]:
        """The raw tables that this stream fills, its own first."""
        own = TableSpec(self, None)
        return (own, *(TableSpec(self, child) for child in self.children))

    @property
    def hashes(self) -> bool:
        """True if any column is hashed, so that a key is needed."""
        return any(column.rule == Rule.HASH for table in self.tables for column in table.columns)

    @cached_property
    def fingerprint(self) -> str:
        """Changes with whatever decides how a record becomes rows, the rules for personal data among it; not with
        descriptions."""
        tables = [
            (table.name, table.key, table.known, [c.model_dump(mode="json", exclude=_WORDS) for c in table.columns])
            for table in self.tables
        ]
        decisive = self.model_dump(mode="json", include={"mode", "extra", "subject", "mailboxes", "merged_ids", "time"})
        return blake2b(json.dumps([tables, decisive]).encode(), digest_size=8).hexdigest()

    @property
    def name(self) -> str:
        """`stripe.invoices`, as people say it."""
        return f"{self.source}.{self.stream}"


class TableSpec:
    """One raw table of a stream: the stream's own or a child's, with inherited columns in place."""

    def __init__(self, contract: Contract, child: Child | None) -> None:
        self.contract = contract
        self.child = child
        spec: _Table = child or contract
        self.name = f"{contract.source}_{spec.stream}"
        self.stream = spec.stream
        self.description = spec.description
        self.key = spec.key
        self.known = spec.known
        self.columns: tuple[Column, ...] = tuple(self._columns(contract, child))

    @staticmethod
    def _columns(contract: Contract, child: Child | None) -> Iterator[Column]:
        if child is None:
            yield from contract.columns
            return
        parents = {column.name: column for column in contract.columns}
        for name, parent in child.inherit.items():
            yield parents[parent].model_copy(update={"name": name})
        yield from child.columns

    @property
    def subject(self) -> tuple[str, ...]:
        """The contract's `subject` as this table has it."""
        if self.child is None:
            return self.contract.subject
        return tuple(name for name, parent in self.child.inherit.items() if parent in self.contract.subject)

    @property
    def mailboxes(self) -> tuple[str, ...]:
        """The contract's `mailboxes`; a child has none."""
        return () if self.child else self.contract.mailboxes

    @property
    def parent_key(self) -> tuple[str, ...]:
        """For a child: its columns that hold the parent's key, in the order of that key."""
        if self.child is None:
            return ()
        by_parent = {parent: name for name, parent in self.child.inherit.items()}
        return tuple(by_parent[column] for column in self.contract.key)
