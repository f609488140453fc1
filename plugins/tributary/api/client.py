"""The HTTP client that every source shares: one session, a budget per API family, backoff with full jitter."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
import requests
from pyrate_limiter import Limiter, Rate
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from tributary.api.answers import Answer, Judge, Verdict
from tributary.errors import RefusedError, TributaryError

log = logging.getLogger(__name__)
T = TypeVar("T")

ATTEMPTS = 7
LONGEST_WAIT = 60.0
#: Bytes read at once; in requests' own ten thousand, a page takes twice the time.
CHUNK = 1024**2
TIMEOUT = (10.0, 60.0)
"""Seconds to connect and between two bytes of an answer."""


class ApiError(TributaryError):
    """The API could not be read; another attempt of the task may."""


class QuotaExhaustedError(ApiError):
    """A daily quota is used up; the task must wait until it is renewed, not retry."""


class _TransientError(Exception):
    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class ApiClient:
    """Requests to one client's account.

    Args:
        session: carries the credential; the caller closes it.
        connection: Airflow connection id, for error messages.
        budgets: requests per second by API family, already this process's share.
        judge: how the source's answers are to be read.
        sleep: for tests of waiting.
    """

    def __init__(
        self,
        session: requests.Session,
        base_url: str,
        connection: str,
        budgets: Mapping[str, float],
        judge: Judge,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.connection = connection
        self.counts: Counter[str] = Counter()
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._judge = judge
        self._limiters = {family: Limiter(_rate(budget)) for family, budget in budgets.items()}
        self._backoff = wait_random_exponential(multiplier=0.5, max=30)
        self._sleep = sleep

    def get(
        self, path: str, type_: type[T], params: Mapping[str, Any] | None = None, **options: Any
    ) -> tuple[Answer, T]:
        """GET and decode; see `request`."""
        return self.request("GET", path, type_, params=params, **options)

    def post(self, path: str, type_: type[T], json: Any, **options: Any) -> tuple[Answer, T]:
        """POST a JSON body and decode; only for reads, since it is repeated on failure."""
        return self.request("POST", path, type_, json=json, **options)

    def request(
        self, method: str, path: str, type_: type[T], *, family: str = "default", **options: Any
    ) -> tuple[Answer, T]:
        """One answer, decoded.

        Raises:
            MissingError: the object does not exist.
            RefusedError: no retry can help (credential, permission, parameter); names connection and path.
            QuotaExhaustedError: the daily quota is used up.
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
        answer = Answer(response.status_code, response.headers, body, datetime.now(UTC))
        if answer.status >= 400:
            self.counts[f"http {answer.status}"] += 1
        judgement = self._judge(answer)
        where = f"{method} {path} with connection {self.connection}"
        match judgement.verdict:
            case Verdict.RETRY:
                raise _TransientError(f"{answer.status} {judgement.reason}".strip(), judgement.wait)
            case Verdict.REFUSE:
                raise RefusedError(f"{where}: {answer.status} {judgement.reason}")
            case Verdict.DEFER:
                raise QuotaExhaustedError(f"{where}: {judgement.reason}")
            case Verdict.MISSING:
                raise MissingError(f"{where}: {answer.status} {judgement.reason}", answer)
        try:
            return answer, msgspec.json.decode(answer.body, type=type_)
        except msgspec.DecodeError:
            # The message of the decoder may quote the payload.
            raise _TransientError(f"{answer.status} with a body that is not the expected JSON") from None

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


class MissingError(ApiError):
    """What was asked for does not exist (any more)."""

    def __init__(self, message: str, answer: Answer) -> None:
        super().__init__(message)
        self.answer = answer


def _rate(per_second: float) -> Rate:
    """A rate as the limiter wants it: whole requests per milliseconds."""
    if per_second >= 1:
        return Rate(int(per_second), 1000)
    return Rate(1, int(1000 / per_second))
