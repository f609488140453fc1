"""The fault menu: what goes wrong on demand. Every fault counts down and then is gone."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random
from typing import Any, Literal, get_args

Kind = Literal[
    "rate_limit",
    "lock_timeout",
    "html_500",
    "unavailable",
    "expired_token",
    "missing_permission",
    "truncated",
    "reset",
    "slow",
    "duplicate_page",
    "empty_page",
    "delete_between_pages",
    "created_between_pages",
    "paging_cycle",
    "edit_between_pages",
    "merge_between_pages",
    "http_error",
    "cloudflare",
    "migration",
    "missing_scopes",
    "not_found",
]
KINDS: tuple[str, ...] = get_args(Kind)
#: Kinds that answer instead of the service.
INSTEAD = (
    "rate_limit",
    "lock_timeout",
    "html_500",
    "unavailable",
    "expired_token",
    "missing_permission",
    "reset",
    "http_error",
    "cloudflare",
    "migration",
    "missing_scopes",
    "not_found",
)
#: Kinds that change several objects after a page was served, before the next one is asked for.
DISTURBING = ("edit_between_pages", "merge_between_pages")
#: Kinds that happen to a page of a list, of which the first need not be the first one.
_TO_PAGES = ("empty_page", "delete_between_pages", "created_between_pages", *DISTURBING)
#: Kinds that only one service knows.
_ONLY = {"missing_permission": "stripe", "created_between_pages": "stripe"}
_ONLY |= dict.fromkeys((*DISTURBING, "http_error", "cloudflare", "migration", "missing_scopes", "not_found"), "hubspot")

_FIELDS = {
    "kind": str,
    "times": int,
    "after": int,
    "path": str,
    "method": str,
    "reason": str,
    "seconds": (int, float),
    "probability": (int, float),
    "seed": int,
    "id": str,
    "should_retry": bool,
    "status": int,
    "count": int,
}


@dataclass(slots=True)
class Fault:
    """One item of the menu.

    `path` is a prefix or a pattern with `*`; `after` lets that many matching requests pass first; `reason` is
    Stripe's rate-limit reason, the permission or scope that is missing, or HubSpot's policy name; `seconds` belongs to
    `slow` and, as what the client is told to wait, to `migration`; `probability` and `seed` make it strike at random
    but the same way each time; `id` names the object that `delete_between_pages` takes, `count` how many
    `edit_between_pages` changes; `status` is that of `http_error` and `cloudflare`.
    """

    kind: str
    times: int = 1
    after: int = 0
    path: str = "*"
    method: str = "*"
    service: str = ""
    reason: str | None = None
    seconds: float = 2.0
    probability: float = 1.0
    seed: int = 0
    id: str | None = None
    should_retry: bool | None = None
    status: int | None = None
    count: int = 20
    struck: int = 0
    _random: Random = field(default_factory=Random)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)

    def matches(self, service: str, method: str, path: str) -> bool:
        if self.service != service or self.method not in ("*", method):
            return False
        return fnmatchcase(path, self.path) if "*" in self.path else path.startswith(self.path)

    def strikes(self) -> bool:
        """Count a matching request; return True if the fault hits it."""
        if self.after > 0:
            self.after -= 1
            return False
        if self.probability < 1.0 and self._random.random() >= self.probability:
            return False
        self.times -= 1
        self.struck += 1
        return True

    def as_object(self) -> dict[str, Any]:
        names = (*_FIELDS, "service", "struck")
        return {name: getattr(self, name) for name in names}


def parse_fault(given: object, service: str) -> Fault:
    """Reads one fault of a service from the control API. Raises ValueError saying what is wrong with it."""
    if not isinstance(given, dict):
        raise ValueError('a fault is an object such as {"kind": "rate_limit", "times": 2}')
    for name, value in given.items():
        if name not in _FIELDS:
            raise ValueError(f"unknown key {name!r} in a fault; known: {', '.join(_FIELDS)}")
        if not isinstance(value, _FIELDS[name]):  # type: ignore[arg-type]
            raise ValueError(f"{name} of a fault has the wrong type: {value!r}")
    if given.get("kind") not in KINDS:
        raise ValueError(f"unknown kind of fault {given.get('kind')!r}; known: {', '.join(KINDS)}")
    if _ONLY.get(given["kind"], service) != service:
        raise ValueError(f"{service} has no fault {given['kind']!r}")
    return Fault(**given, service=service)


class FaultMenu:
    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def next(self, service: str, method: str, path: str, *, paged: bool, previous: bool) -> Fault | None:
        """The fault that hits this request, if any.

        `paged`: the request asks for a page of a list; `previous`: it has a cursor and the page before is known.
        Faults about pages wait for a request that they can happen to.
        """
        for fault in self.faults:
            if fault.times < 1 or not fault.matches(service, method, path):
                continue
            if fault.kind in _TO_PAGES and not paged:
                continue
            if fault.kind in ("duplicate_page", "paging_cycle") and not previous:
                continue
            if fault.strikes():
                return fault
        return None
