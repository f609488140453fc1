"""A portal's two budgets of requests."""

from tributary.api.answers import Answer

#: Requests in ten seconds where the portal doesn't say, and searches in one, of which it says nothing.
CRM_BUDGET, SEARCH_BUDGET = 100.0, 5.0


def burst(answer: Answer) -> tuple[float, float] | None:
    """Return the portal's burst limit from the headers: requests, and the seconds they are for."""
    most = answer.headers.get("X-HubSpot-RateLimit-Max", "")
    interval = answer.headers.get("X-HubSpot-RateLimit-Interval-Milliseconds", "")
    if not (most.isdigit() and interval.isdigit() and int(most) and int(interval)):
        return None
    return float(most), int(interval) / 1000
