"""The HTTP client of all sources: one session, a share of the budget per API family, backoff with full jitter."""

import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from datetime import time as clock_time
from http.client import HTTPException
from typing import Any, TypeVar

import msgspec
import requests
from pyrate_limiter import Limiter, Rate
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential
from urllib3.exceptions import HTTPError, ProtocolError

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
#: Answers of a server, or of what lies before it, that a request may be too much for.
HEAVY = (408, 413, 500, 502, 504)
#: Answers to a URL that is too long for somebody on the way.
TOO_LONG = (414, 431)


class ApiError(TributaryError):
    """The API could not be read; another attempt of the task may."""


class HeavyError(ApiError):
    """The answer never comes whole, however little is asked for."""


class ShapeError(ApiError):
    """The answer is JSON, but not what the API is known to answer; the message has the path, and no value."""


class _TransientError(Exception):
    def __init__(self, reason: str, wait: float | None = None, *, heavy: bool = False) -> None:
        super().__init__(reason)
        self.wait = wait
        #: Whether less of the same may succeed.
        self.heavy = heavy


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
        """Set the seconds between two requests of a family, once its real budget is known."""
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
        self,
        method: str,
        path: str,
        type_: type[T],
        *,
        family: str = "default",
        lighter: Iterator[Mapping[str, Any]] | None = None,
        **options: Any,
    ) -> tuple[Answer, T]:
        """One answer, decoded. `lighter`: parameters that ask for less and less, for answers that don't come whole.

        Raises:
            MissingError: the object does not exist.
            RefusedError: no retry can help (credential, permission, parameter); names connection and path.
            InvalidError: the API can't do what the request says.
            PostponedError: a daily quota is used up, or the API asked to wait for long.
            ShapeError: the answer is not what the API is known to answer.
            HeavyError: the answer never came whole, however little was asked for.
            ApiError: still failing after the last attempt.
        """
        attempts = _Attempts(lighter, options)
        retrying = Retrying(
            retry=retry_if_exception_type(_TransientError),
            stop=attempts.are_over,
            wait=self._wait,
            before_sleep=self._log_retry(method, path),
            reraise=True,
            sleep=self._sleep,
        )
        try:
            return retrying(self._once, method, path, type_, family, options)
        except _TransientError as error:
            kind = HeavyError if error.heavy else ApiError
            raise kind(
                f"{method} {path} failed {attempts.number} times, last: {error} (connection {self.connection}); "
                "nothing was loaded, the task's next attempt goes on from the last finished page"
            ) from None

    def _once(
        self, method: str, path: str, type_: type[T], family: str, options: Mapping[str, Any]
    ) -> tuple[Answer, T]:
        self._limiters[family].try_acquire(family)
        self.counts["requests"] += 1
        where = f"{method} {path} with connection {self.connection}"
        try:
            response = self._session.request(method, self._base_url + path, timeout=TIMEOUT, stream=True, **options)
            body = b"".join(response.iter_content(CHUNK))
        # What the HTTP stack says may quote the request, its key among it: only the kind of the error is told.
        except ValueError as error:
            raise RefusedError(
                f"{where}: the request can't be sent ({type(error).__name__}); look at host and password of the "
                "connection for characters that belong in neither"
            ) from None
        except (requests.RequestException, HTTPError, HTTPException, OSError) as error:
            self.counts["connection errors"] += 1
            raise _TransientError(type(error).__name__, heavy=_broke_off(error)) from None
        for former in response.history:
            # An expired token, whose request was sent again with a new one.
            self.counts["requests"] += 1
            self.counts[f"http {former.status_code}"] += 1
        answer = Answer(response.status_code, response.headers, body, datetime.now(UTC))
        judgement = self._judge(answer)
        if answer.status >= 400:
            self.counts[f"http {answer.status} {judgement.kind or ''}".rstrip()] += 1
        match judgement.verdict:
            case Verdict.RETRY:
                reason = f"{answer.status} {judgement.reason}".strip()
                raise _TransientError(reason, judgement.wait, heavy=answer.status in HEAVY)
            case Verdict.REFUSE:
                raise RefusedError(f"{where}: {answer.status} {judgement.reason}")
            case Verdict.DEFER:
                raise PostponedError(f"{where}: {judgement.reason}", self._until(answer, judgement.wait))
            case Verdict.INVALID:
                raise InvalidError(f"{where}: {answer.status} {judgement.reason}", answer.status)
            case Verdict.MISSING:
                raise MissingError(f"{where}: {answer.status} {judgement.reason}", answer)
        return self._decoded(answer, type_, where)

    def _decoded(self, answer: Answer, type_: type[T], where: str) -> tuple[Answer, T]:
        try:
            # What the walk passes by is not looked at by the decoder, and flattening would meet it.
            answer.body.decode()
            return answer, msgspec.json.decode(answer.body or b"null", type=type_)
        except msgspec.ValidationError as error:
            _refuse_shape(answer.body, error, where)
        except UNREADABLE:
            pass
        with suppress(*UNREADABLE):
            if body := mended(answer.body):
                found = _decode_mended(body, type_, where)
                self.counts["mended answers"] += 1
                return replace(answer, body=body, received=answer.body), found
        # The message of the decoder may quote the payload.
        raise _TransientError(f"{answer.status} with a body that is not the expected JSON", heavy=True)

    def _until(self, answer: Answer, wait: float | None) -> datetime:
        """Return when to retry: as the server said, else at the account's next midnight, else in an hour."""
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


class _Attempts:
    """Counts attempts of a request; an attempt after which a smaller page is asked for doesn't count."""

    def __init__(self, lighter: Iterator[Mapping[str, Any]] | None, options: dict[str, Any]) -> None:
        self.number = 0
        self._lighter = lighter or iter(())
        self._options = options
        self._counted = 0

    def are_over(self, state: RetryCallState) -> bool:
        self.number = state.attempt_number
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, _TransientError) and error.heavy and (params := next(self._lighter, None)) is not None:
            self._options["params"] = params
            return False
        self._counted += 1
        return self._counted >= ATTEMPTS


def _broke_off(error: Exception) -> bool:
    """Return True if a request was sent and its answer did not arrive, or not to its end."""
    if isinstance(error, requests.ConnectionError):
        return bool(error.args) and isinstance(error.args[0], ProtocolError)
    return not isinstance(error, requests.ConnectTimeout)


def _decode_mended(body: bytes, type_: type[T], where: str) -> T:
    try:
        return msgspec.json.decode(body, type=type_)
    except msgspec.ValidationError as error:
        _refuse_shape(body, error, where)
        raise


def _refuse_shape(body: bytes, error: msgspec.ValidationError, where: str) -> None:
    """Tell what doesn't fit, unless the answer was cut off behind it.

    Raises:
        ShapeError: naming types and the path. The decoder quotes no value but a word that a closed list lacks.
    """
    with suppress(*UNREADABLE):
        msgspec.json.decode(body, type=msgspec.Raw)
        raise ShapeError(
            f"{where}: the answer is JSON of another shape than expected: {error}; nothing was loaded. Look at what "
            "the API answers there: it may have changed, or something in between answers in its place"
        ) from None


def _limiter(seconds: float) -> Limiter:
    """One request at a time, so many seconds apart."""
    # No buffer: its 50 ms between two requests would leave a quarter of a budget of 5 a second unused.
    return Limiter(Rate(1, math.ceil(1000 * seconds)), buffer_ms=0)


class InvalidError(RefusedError):
    """The API can't do what the request says; part of it may be what is wrong."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class MissingError(ApiError):
    """The requested object does not exist, or no longer."""

    def __init__(self, message: str, answer: Answer) -> None:
        super().__init__(message)
        self.answer = answer
