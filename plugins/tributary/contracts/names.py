"""Names of columns in Python, and dotted paths into a record."""

import keyword
from collections.abc import Iterable


def attribute(column: str) -> str:
    """Return a column's name as an attribute in Python: `_from` for `from`."""
    return f"_{column}" if keyword.iskeyword(column) else column


def overlaps(path: str, others: Iterable[str]) -> bool:
    """Return True if a dotted path equals one of others, or stands above or below one."""
    return any(f"{path}.".startswith(f"{other}.") or other.startswith(f"{path}.") for other in others)
