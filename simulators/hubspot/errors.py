"""HubSpot's error answers, some of which are not even JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from simulators.web import compact

CORRELATION_ID = "aeb5f871-7f07-4993-9211-075dc63e7cbf"
NOT_FOUND_PAGE = (
    "<html>\n<head>\n"
    '<meta http-equiv="Content-Type" content="text/html;charset=utf-8"/>\n'
    "<title>Error 404 Not Found</title>\n</head>\n"
    "<body><h2>HTTP ERROR 404</h2>\n<p>Resource not found</p>\n</body>\n</html>\n"
)
_POLICIES = {
    "TEN_SECONDLY_ROLLING": "You have reached your ten_secondly_rolling limit.",
    "DAILY": "You have reached your daily limit.",
    "SECONDLY": "You have reached your secondly limit.",
}


class HubSpotError(Exception):
    """An answer other than 200. Without a category some of HubSpot's errors have none either."""

    def __init__(
        self, status: int, message: str, category: str | None = None, *, status_text: str = "error", **more: Any
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.category = category
        self.status_text = status_text
        self.more = more

    def body(self) -> dict[str, Any]:
        found = {"status": self.status_text, "message": self.message, "correlationId": CORRELATION_ID, **self.more}
        return {**found, "category": self.category} if self.category else found

    def response(self, headers: dict[str, str]) -> Response:
        return compact(self.body(), self.status, headers)


class NotFound(HubSpotError):
    """A record or path that isn't there: HTML."""

    def __init__(self) -> None:
        super().__init__(404, "Resource not found")

    def response(self, headers: dict[str, str]) -> Response:
        return Response(NOT_FOUND_PAGE, 404, headers, media_type="text/html;charset=iso-8859-1")


def bad_request(message: str) -> HubSpotError:
    return HubSpotError(400, message, "VALIDATION_ERROR")


def unauthorized(expired: bool = False) -> HubSpotError:
    if expired:
        return HubSpotError(401, "The OAuth token used to make this call expired.", "EXPIRED_AUTHENTICATION")
    return HubSpotError(
        401,
        "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more "
        "details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
        "INVALID_AUTHENTICATION",
    )


def missing_scopes(any_of: Sequence[str]) -> HubSpotError:
    return HubSpotError(
        403,
        "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: "
        "https://developers.hubspot.com/scopes.",
        "MISSING_SCOPES",
        errors=[
            {
                "message": "One or more of the following scopes are required.",
                "context": {"requiredGranularScopes": list(any_of)},
            }
        ],
        links={"scopes": "https://developers.hubspot.com/scopes"},
    )


def rate_limited(policy: str) -> HubSpotError:
    more: dict[str, Any] = {"errorType": "RATE_LIMIT", "policyName": policy}
    if policy == "TEN_SECONDLY_ROLLING":
        more["groupName"] = "publicapi:private-app-api-calls-ten-secondly:0000000"
    return HubSpotError(429, _POLICIES.get(policy, "You have reached your limit."), "RATE_LIMITS", **more)
