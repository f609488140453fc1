"""Stripe's error answers."""

from __future__ import annotations

from typing import Any

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

    def body(self, request_id: str, account: str) -> dict[str, Any]:
        error: dict[str, Any] = {}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        error["message"] = self.message
        if self.param:
            error["param"] = self.param
        if self.status != 401:
            error["request_log_url"] = f"https://dashboard.stripe.com/{account}/logs/{request_id}"
        error["type"] = self.type
        return {"error": error}


def unknown_parameter(name: str) -> StripeError:
    return StripeError(400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name)


def missing_object(kind: str, id: str, param: str = "id", status: int = 404) -> StripeError:
    return StripeError(status, f"No such {kind}: '{id}'", code="resource_missing", param=param)


def invalid(param: str, message: str, code: str | None = None) -> StripeError:
    return StripeError(400, message, code=code, param=param)
