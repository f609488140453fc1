"""The result of a check."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One line of the report. `fix` says what to do and is empty where all is well."""

    subject: str
    check: str
    found: str = ""
    fix: str = ""

    @property
    def ok(self) -> bool:
        return not self.fix
