"""Values as BigQuery literals: a script takes no parameters."""

from datetime import date, datetime

from tributary.windows import stamp


def literal(value: str | int | datetime | date | None) -> str:
    """The value as SQL text."""
    if value is None:
        return "cast(null as string)"
    if isinstance(value, datetime):
        return f"timestamp '{stamp(value)}'"
    if isinstance(value, date):
        return f"date '{value.isoformat()}'"
    if isinstance(value, int):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"
