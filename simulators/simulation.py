"""Holds what both services share: the world, its clock, the faults and the log of requests."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from simulators.faults import FaultMenu
from simulators.limits import Limits
from simulators.world.build import World
from simulators.world.crm_edits import CrmEdits
from simulators.world.moments import END, START, iso
from simulators.world.resources import Resources

STRIPE_KEY = "sk_test_tributary"
HUBSPOT_TOKEN = "pat-na1-tributary"  # noqa: S105  (it opens nothing but this simulator)
#: Requests beyond this many are forgotten, oldest first.
LOG_SIZE = 200_000


@dataclass(frozen=True, slots=True)
class Logged:
    """One answered request. `ts` is real time (seconds), not the world's."""

    service: str
    method: str
    path: str
    query: str
    status: int
    ts: float
    fault: str | None

    def as_object(self) -> dict[str, Any]:
        return {
            "service": self.service,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "status": self.status,
            "ts": self.ts,
            "fault": self.fault,
        }


@dataclass(slots=True)
class Simulation:
    world: World
    clock: int
    stripe_key: str = STRIPE_KEY
    hubspot_token: str = HUBSPOT_TOKEN
    search_lag: int = 0
    """Milliseconds by which HubSpot's search index is behind."""
    association_page: int = 100
    upgraded_at: int | None = None
    """When the Stripe account moved to the current API version; events from before are in the old shape."""
    answer_limit: int | None = None
    """Bytes that an answer may have: something on the way cuts off what is longer, or says `answer_limit_status`."""
    answer_limit_status: int | None = None
    url_limit: int | None = None
    """Characters that a URL may have, for something on the way that takes fewer than the service."""
    resources: Resources = field(default_factory=Resources)
    """Stripe's collections."""
    faults: FaultMenu = field(default_factory=FaultMenu)
    limits: Limits = field(init=False)
    log: deque[Logged] = field(default_factory=lambda: deque(maxlen=LOG_SIZE))
    crm: CrmEdits = field(init=False)

    def __post_init__(self) -> None:
        self.limits = Limits(self.world.account.livemode)
        self.crm = CrmEdits(self.world.store, self.world.properties)

    def set_clock(self, at: int) -> None:
        """Raises ValueError outside of the generated time."""
        if not START <= at <= END:
            raise ValueError(f"the world runs from {iso(START)} to {iso(END)}; {iso(at)} is outside")
        self.clock = at

    def record(self, service: str, method: str, path: str, query: str, status: int, fault: str | None) -> None:
        self.log.append(Logged(service, method, path, query, status, time.time(), fault))

    def forget_requests(self, service: str) -> None:
        self.log = deque((entry for entry in self.log if entry.service != service), maxlen=LOG_SIZE)
