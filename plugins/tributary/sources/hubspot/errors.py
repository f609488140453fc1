"""Judges HubSpot's error answers. Every field of them is optional, and some answers are not even JSON."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec

from tributary.api.answers import Answer, Judgement, Verdict, retry_after

#: 423: the record is locked; HubSpot asks for two seconds at least.
LOCK_WAIT = 2.0
#: A wait that a server asks for and that is longer is not sat out in the task (477: up to a day, while a portal moves).
PATIENCE = 120.0
#: Seconds until a burst budget is renewed, where the headers don't say; searches have none.
BURST_WAIT = {"TEN_SECONDLY_ROLLING": 10.0, "SECONDLY": 1.0}
_TEXTS = ("category", "policyName")


class _Error(NamedTuple):
    category: str | None = None
    policy_name: str | None = None
    errors: Any = None

    @property
    def reason(self) -> str:
        return " ".join(filter(None, (self.category, self.policy_name)))


def judge(answer: Answer) -> Judgement:
    """The verdict on any answer. The message of an error may quote what was sent, so it is never repeated."""
    status = answer.status
    if status < 400:
        return Judgement(Verdict.OK)
    error = _read(answer.body)
    match status:
        case 401:
            reason = "the token was not accepted; put a valid one into the connection's password"
            return Judgement(Verdict.REFUSE, f"{error.reason}: {reason}".removeprefix(": "))
        case 403:
            scopes = ", ".join(sorted(_scopes(error.errors)))
            wanted = f"grant the scope {scopes}" if scopes else "grant read access to this object type"
            return Judgement(Verdict.REFUSE, f"{error.reason}: the token lacks a scope; {wanted}".removeprefix(": "))
        case 404:
            return Judgement(Verdict.MISSING, error.reason)
        case 400 | 414 | 431:
            return Judgement(Verdict.INVALID, error.reason)
        case 429 if error.policy_name == "DAILY":
            return Judgement(Verdict.DEFER, "the daily quota of the account is used up")
    if status in (408, 413, 423, 429, 477) or status >= 500:
        wait = retry_after(answer.headers, answer.observed_at) or _wait(answer, error)
        if wait and wait > PATIENCE:
            return Judgement(Verdict.DEFER, f"{error.reason} asked to wait {wait:.0f} s".strip(), wait)
        return Judgement(Verdict.RETRY, error.reason, wait, error.policy_name)
    return Judgement(Verdict.REFUSE, error.reason or "refused")


def _wait(answer: Answer, error: _Error) -> float | None:
    if answer.status == 423:
        return LOCK_WAIT
    if answer.status != 429:
        return None
    interval = answer.headers.get("X-HubSpot-RateLimit-Interval-Milliseconds", "")
    return int(interval) / 1000 if interval.isdigit() else BURST_WAIT.get(error.policy_name or "")


def _scopes(errors: Any) -> Iterator[str]:
    """The scopes that are missing: the texts in any `errors[].context` list whose name speaks of scopes."""
    for error in errors if isinstance(errors, list) else ():
        context = error.get("context") if isinstance(error, dict) else None
        for name, values in context.items() if isinstance(context, dict) else ():
            if "scope" in name.lower() and isinstance(values, list):
                yield from (value for value in values if isinstance(value, str))


def _read(body: bytes) -> _Error:
    """Decode the error object, as far as it is as documented; an empty one for HTML: a missing record, or a proxy in
    between."""
    with suppress(msgspec.DecodeError, UnicodeDecodeError):
        found = msgspec.json.decode(body)
        if isinstance(found, dict):
            category, policy = (text if isinstance(text := found.get(name), str) else None for name in _TEXTS)
            return _Error(category, policy, found.get("errors"))
    return _Error()
