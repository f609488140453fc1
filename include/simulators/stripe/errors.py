"""Stripe's error answers."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.types import Scope

from include.simulators.faults import Fault
from include.simulators.gate import Answer
from include.simulators.simulation import Simulation

API_VERSION = "2026-10-28.endive"
#: What `Stripe-Rate-Limited-Reason` can say.
RATE_REASONS = ("global-rate", "endpoint-rate", "global-concurrency", "endpoint-concurrency", "resource-specific")


class StripeError(Exception):
    """An answer other than 200. `param` is the parameter at fault."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        type: str = "invalid_request_error",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.type = type
        self.headers = headers or {}

    def body(self, request_id: str) -> dict[str, Any]:
        error: dict[str, Any] = {}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        error["message"] = self.message
        if self.param:
            error["param"] = self.param
        if self.status != 401:
            error["request_log_url"] = f"https://dashboard.stripe.com/acct_tributary/logs/{request_id}"
        error["type"] = self.type
        return {"error": error}


def unknown_parameter(name: str) -> StripeError:
    return StripeError(400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name)


def missing_object(kind: str, id: str, param: str = "id", status: int = 404) -> StripeError:
    return StripeError(status, f"No such {kind}: '{id}'", code="resource_missing", param=param)


def invalid(param: str, message: str, code: str | None = None) -> StripeError:
    return StripeError(400, message, code=code, param=param)


def failure(simulation: Simulation, fault: Fault, scope: Scope) -> Answer:
    """The answer of a fault that replaces Stripe's own."""
    headers = {"content-type": "application/json", "request-id": "req_faulted", "stripe-version": API_VERSION}
    if fault.should_retry is not None:
        headers["stripe-should-retry"] = str(fault.should_retry).lower()
    if fault.kind in ("html_500", "unavailable"):
        status, text = (500, "Internal Server Error") if fault.kind == "html_500" else (503, "Service Unavailable")
        page = f"<html>\n<head><title>{status} {text}</title></head>\n<body><h1>{text}</h1></body>\n</html>\n"
        return Answer(status, {**headers, "content-type": "text/html"}, page.encode())
    if fault.kind == "expired_token":
        error = StripeError(401, "Expired API Key provided: sk_test_*****tary", code="api_key_expired")
    elif fault.kind == "lock_timeout":
        error = StripeError(
            429,
            "This object cannot be accessed right now because another API request or Stripe process is currently "
            "accessing it.",
            code="lock_timeout",
        )
    else:
        error = StripeError(429, "Request rate limit exceeded.", code="rate_limit")
        headers["stripe-rate-limited-reason"] = fault.reason or RATE_REASONS[0]
    return Answer(error.status, headers, msgspec.json.format(msgspec.json.encode(error.body("req_faulted")), indent=2))
