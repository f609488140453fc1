"""Rate limits in real time, as both services have them. They are off unless somebody turns them on."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from simulators.world.moments import DAY


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


class Quota:
    """A budget for each day of the world's time: at most `most` requests, renewed at midnight (UTC)."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._day = 0
        self._used = 0

    def used(self, at: int) -> int:
        return self._used if at // DAY == self._day else 0

    def hit(self, at: int, count: int = 1) -> bool:
        """Counts requests at an instant (ms); False when it is one too many (which is then not counted)."""
        self._day, self._used = at // DAY, self.used(at)
        if self._used + count > self.most:
            return False
        self._used += count
        return True

    def exhausted(self, at: int) -> bool:
        return self.used(at) >= self.most


class Limits:
    """The windows of both services. Headers about them are right only while `enforced`."""

    def __init__(self, livemode: bool = False) -> None:
        self.enforced = False
        self._livemode = livemode
        self.hubspot_burst = 100
        """Requests per ten seconds: 190 in the larger editions."""
        self.reset()

    def reset(self) -> None:
        # An account in test mode has a quarter of the live one's rate, which is that of a single endpoint.
        self.stripe_global = Window(100 if self._livemode else 25, 1)
        self.stripe_endpoints: dict[str, Window] = {}
        self.hubspot = Window(self.hubspot_burst, 10)
        self.hubspot_oauth = Window(110, 10)
        self.hubspot_search = Window(5, 1)
        self.hubspot_daily = Quota(250_000)

    def stripe(self, endpoint: str) -> str | None:
        """Counts a request; returns the reason it is refused for, if it is."""
        if not self.enforced:
            return None
        if not self.stripe_endpoints.setdefault(endpoint, Window(25, 1)).hit():
            return "endpoint-rate"
        return None if self.stripe_global.hit() else "global-rate"

    def hubspot_policy(self, at: int, *, search: bool, oauth: bool) -> str | None:
        """Counts a request at the world's time (ms); returns the name of the policy it breaks, if it does.

        A day whose quota is used up refuses everything, also while the limits are not enforced.
        """
        if self.hubspot_daily.exhausted(at):
            return "DAILY"
        if not self.enforced:
            return None
        if search and not self.hubspot_search.hit():
            return "SECONDLY"
        if not search and not self._burst(oauth).hit():
            return "TEN_SECONDLY_ROLLING"
        return None if self.hubspot_daily.hit(at) else "DAILY"

    def _burst(self, oauth: bool) -> Window:
        return self.hubspot_oauth if oauth else self.hubspot

    def hubspot_headers(self, at: int, *, oauth: bool) -> dict[str, str]:
        """Without enforcement they tell of a budget that never shrinks, so that no client holds back."""
        daily, burst = self.hubspot_daily, self._burst(oauth)
        headers = {
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(int(burst.seconds * 1000)),
            "X-HubSpot-RateLimit-Max": str(burst.most),
            "X-HubSpot-RateLimit-Remaining": str(burst.most - (burst.used if self.enforced else 1)),
        }
        if oauth:
            # The daily quota doesn't hold for apps, and nothing is told of it.
            return headers
        left = daily.most - max(daily.used(at), 0 if self.enforced else 1)
        return {
            "X-HubSpot-RateLimit-Daily": str(daily.most),
            "X-HubSpot-RateLimit-Daily-Remaining": str(left),
            **headers,
        }
