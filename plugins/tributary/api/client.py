"""The HTTP client of all sources: one session, a share of the budget per API family, backoff with full jitter."""

import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from datetime import time as clock_time
from typing import Any, TypeVar

import msgspec
import requests
from pyrate_limiter import Limiter, Rate
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from tributary.api.answers import Answer, Judge, Verdict
from tributary.api.mending import UNREADABLE, mended
from tributary.errors import PostponedError, RefusedError, TributaryError

log = logging.getLogger(__name__)
# It announces each limiter that is made, which tells nobody anything.
logging.getLogger("pyrate_limiter").setLevel(logging.WARNING)
T = TypeVar("T")

ATTEMPTS = 7
LONGEST_WAIT = 60.0
#: Bytes read at once; in requests' own ten thousand, a page takes twice the time.
CHUNK = 1024**2
TIMEOUT = (10.0, 60.0)
"""Seconds to connect and between two bytes of an answer."""


class ApiError(TributaryError):
    """The API could not be read; another attempt of the task may."""


class _TransientError(Exception):
    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class ApiClient:
    """Requests to one client's account.

    Args:
        session: carries the credential; the caller closes it.
        connection: Airflow connection id, for error messages.
        spacing: seconds between two requests by API family, this process's share of the account's budget.
        judge: how the source's answers are to be read.
        sleep: for tests of waiting.
    """

    def __init__(
        self,
        session: requests.Session,
        base_url: str,
        connection: str,
        spacing: Mapping[str, float],
        judge: Judge,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.connection = connection
        self.counts: Counter[str] = Counter()
        #: Where the account is: its daily quota is renewed at midnight there. The source sets it when it knows.
        self.quota_zone: tzinfo | None = None
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._judge = judge
        self._limiters = {family: _limiter(seconds) for family, seconds in spacing.items()}
        self._backoff = wait_random_exponential(multiplier=0.5, max=30)
        self._sleep = sleep

    def pace(self, family: str, seconds: float) -> None:
        """From now on so many seconds between two requests of a family: its budget turned out to be another one."""
        self._limiters[family] = _limiter(seconds)
        # The request that has told is one of them.
        self._limiters[family].try_acquire(family)

    def get(
        self, path: str, type_: type[T], params: Mapping[str, Any] | None = None, **options: Any
    ) -> tuple[Answer, T]:
        """GET and decode; see `request`."""
        return self.request("GET", path, type_, params=params, **options)

    def post(self, path: str, type_: type[T], json: Any, **options: Any) -> tuple[Answer, T]:
        """POST a JSON body and decode; only for what may be done twice, since it is repeated on failure."""
        return self.request("POST", path, type_, json=json, **options)

    def request(
        self, method: str, path: str, type_: type[T], *, family: str = "default", **options: Any
    ) -> tuple[Answer, T]:
        """One answer, decoded.

        Raises:
            MissingError: the object does not exist.
            RefusedError: no retry can help (credential, permission, parameter); names connection and path.
            InvalidError: the API can't do what the request says.
            PostponedError: a daily quota is used up, or the API asked to wait for long.
            ApiError: still failing after the last attempt.
        """
        retrying = Retrying(
            retry=retry_if_exception_type(_TransientError),
            stop=stop_after_attempt(ATTEMPTS),
            wait=self._wait,
            before_sleep=self._log_retry(method, path),
            reraise=True,
            sleep=self._sleep,
        )
        try:
            return retrying(self._once, method, path, type_, family, options)
        except _TransientError as error:
            raise ApiError(
                f"{method} {path} failed {ATTEMPTS} times, last: {error} (connection {self.connection}); "
                "nothing was loaded, the task's next attempt goes on from the last finished page"
            ) from None

    def _once(
        self, method: str, path: str, type_: type[T], family: str, options: Mapping[str, Any]
    ) -> tuple[Answer, T]:
        self._limiters[family].try_acquire(family)
        self.counts["requests"] += 1
        try:
            response = self._session.request(method, self._base_url + path, timeout=TIMEOUT, stream=True, **options)
            body = b"".join(response.iter_content(CHUNK))
        except requests.RequestException as error:
            self.counts["connection errors"] += 1
            raise _TransientError(type(error).__name__) from None
        for former in response.history:
            # An expired token, whose request was sent again with a new one.
            self.counts["requests"] += 1
            self.counts[f"http {former.status_code}"] += 1
        answer = Answer(response.status_code, response.headers, body, datetime.now(UTC))
        judgement = self._judge(answer)
        if answer.status >= 400:
            self.counts[f"http {answer.status} {judgement.kind or ''}".rstrip()] += 1
        where = f"{method} {path} with connection {self.connection}"
        match judgement.verdict:
            case Verdict.RETRY:
                raise _TransientError(f"{answer.status} {judgement.reason}".strip(), judgement.wait)
            case Verdict.REFUSE:
                raise RefusedError(f"{where}: {answer.status} {judgement.reason}")
            case Verdict.DEFER:
                raise PostponedError(f"{where}: {judgement.reason}", self._until(answer, judgement.wait))
            case Verdict.INVALID:
                raise InvalidError(f"{where}: {answer.status} {judgement.reason}")
            case Verdict.MISSING:
                raise MissingError(f"{where}: {answer.status} {judgement.reason}", answer)
        return self._decoded(answer, type_)

    def _decoded(self, answer: Answer, type_: type[T]) -> tuple[Answer, T]:
        with suppress(*UNREADABLE):
            # What the walk passes by is not looked at by the decoder, and flattening would meet it.
            answer.body.decode()
            return answer, msgspec.json.decode(answer.body or b"null", type=type_)
        with suppress(*UNREADABLE):
            if body := mended(answer.body):
                found = msgspec.json.decode(body, type=type_)
                self.counts["mended answers"] += 1
                return replace(answer, body=body, received=answer.body), found
        # The message of the decoder may quote the payload.
        raise _TransientError(f"{answer.status} with a body that is not the expected JSON")

    def _until(self, answer: Answer, wait: float | None) -> datetime:
        """When to come back: as the server said, else at the account's next midnight, else in an hour."""
        if wait is not None:
            return answer.observed_at + timedelta(seconds=wait)
        if self.quota_zone is None:
            return answer.observed_at + timedelta(hours=1)
        today = answer.observed_at.astimezone(self.quota_zone).date()
        midnight = datetime.combine(today + timedelta(days=1), clock_time(), self.quota_zone)
        return midnight.astimezone(UTC)

    def _wait(self, state: RetryCallState) -> float:
        """The server's hint where it gave one, plus full jitter so that waiting tasks don't return together."""
        error = state.outcome.exception() if state.outcome else None
        hint = error.wait if isinstance(error, _TransientError) and error.wait else 0.0
        return min(hint, LONGEST_WAIT) + self._backoff(state)

    def _log_retry(self, method: str, path: str) -> Callable[[RetryCallState], None]:
        def before_sleep(state: RetryCallState) -> None:
            self.counts["retries"] += 1
            error = state.outcome.exception() if state.outcome else None
            seconds = state.next_action.sleep if state.next_action else 0.0
            log.warning(
                "%s %s: %s; attempt %d of %d in %.1f s",
                method,
                path,
                error,
                state.attempt_number + 1,
                ATTEMPTS,
                seconds,
            )

        return before_sleep


def _limiter(seconds: float) -> Limiter:
    """One request at a time, so many seconds apart."""
    # No buffer: its 50 ms between two requests would leave a quarter of a budget of 5 a second unused.
    return Limiter(Rate(1, math.ceil(1000 * seconds)), buffer_ms=0)


class InvalidError(RefusedError):
    """The API can't do what the request says; part of it may be what is wrong."""


class MissingError(ApiError):
    """What was asked for does not exist (any more)."""

    def __init__(self, message: str, answer: Answer) -> None:
        super().__init__(message)
        self.answer = answer
