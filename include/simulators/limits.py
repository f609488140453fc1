"""Rate limits in real time, as both services have them. They are off unless somebody turns them on."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable


class Window:
    """A sliding window: at most `most` requests in any `seconds`."""

    def __init__(self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.most = most
        self.seconds = seconds
        self._clock = clock
        self._hits: deque[float] = deque()

    @property
    def used(self) -> int:
        while self._hits and self._hits[0] <= self._clock() - self.seconds:
            self._hits.popleft()
        return len(self._hits)

    def hit(self) -> bool:
        """Counts a request; False when it is one too many (which is then not counted)."""
        if self.used >= self.most:
            return False
        self._hits.append(self._clock())
        return True


class Limits:
    """The windows of both services. Headers about them are right only while `enforced`."""

    def __init__(self, livemode: bool = False) -> None:
        self.enforced = False
        self._livemode = livemode
        self.reset()

    def reset(self) -> None:
        # An account in test mode has a quarter of the live one's rate, which is that of a single endpoint.
        self.stripe_global = Window(100 if self._livemode else 25, 1)
        self.stripe_endpoints: dict[str, Window] = {}
        self.hubspot = Window(100, 10)
        self.hubspot_daily = Window(250_000, 86_400)
        self.hubspot_search = Window(5, 1)

    def stripe(self, endpoint: str) -> str | None:
        """Counts a request; returns the reason it is refused for, if it is."""
        if not self.enforced:
            return None
        if not self.stripe_endpoints.setdefault(endpoint, Window(25, 1)).hit():
            return "endpoint-rate"
        return None if self.stripe_global.hit() else "global-rate"

    def hubspot_policy(self, search: bool) -> str | None:
        """Counts a request; returns the name of the policy it breaks, if it does."""
        if not self.enforced:
            return None
        if search and not self.hubspot_search.hit():
            return "SECONDLY"
        if not self.hubspot_daily.hit():
            return "DAILY"
        return None if self.hubspot.hit() else "TEN_SECONDLY_ROLLING"

    def hubspot_headers(self) -> dict[str, str]:
        """Without enforcement they tell of a budget that never shrinks, so that no client holds back."""
        daily, burst = self.hubspot_daily, self.hubspot
        return {
            "X-HubSpot-RateLimit-Daily": str(daily.most),
            "X-HubSpot-RateLimit-Daily-Remaining": str(daily.most - (daily.used if self.enforced else 1)),
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(int(burst.seconds * 1000)),
            "X-HubSpot-RateLimit-Max": str(burst.most),
            "X-HubSpot-RateLimit-Remaining": str(burst.most - (burst.used if self.enforced else 1)),
        }
