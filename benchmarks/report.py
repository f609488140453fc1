"""Figures as they are printed and written: always with how many there are and how far they lie apart."""

import json
import os
import platform
import statistics
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

console = Console(stderr=True)


class Series:
    """Repeated measurements of one thing."""

    def __init__(self, values: Sequence[float]) -> None:
        self.n = len(values)
        self.median = statistics.median(values)
        self.min, self.max = min(values), max(values)

    def __str__(self) -> str:
        spread = f" ({self.min:,.3g}-{self.max:,.3g}, n={self.n})" if self.n > 1 else " (n=1)"
        return f"{self.median:,.4g}{spread}"


class Report:
    """Collects tables and flat keys, and keeps the file up to date after each suite."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # Suites can be run one by one; what the others found before stays.
        self._data: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        self._data["machine"] = machine()
        self._data["versions"] = {name: version(name) for name in ("msgspec", "isal", "requests", "apache-airflow")}
        self._data["versions"]["python"] = platform.python_version()

    def key(self, name: str, value: float) -> None:
        """One of the flat keys."""
        self._data[name] = round(value, 4)

    def table(self, title: str, rows: list[dict[str, Any]]) -> None:
        """Print rows of Series and plain values, and keep them."""
        table = Table(title=title, title_justify="left")
        for name in rows[0]:
            table.add_column(name, justify="left" if name == next(iter(rows[0])) else "right")
        for row in rows:
            table.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row.values()))
        console.print(table)
        plain = [{k: vars(v) if isinstance(v, Series) else v for k, v in row.items()} for row in rows]
        self._data.setdefault("tables", {})[title] = plain
        self.save()

    def save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self._data, indent=2) + "\n")


def machine() -> dict[str, Any]:
    """Return the machine's description, and how busy it was."""
    cpu = "unknown"
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text().splitlines()
        cpu = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), cpu)
    return {"system": platform.platform(), "cpu": cpu, "cores": os.cpu_count(), "load": os.getloadavg()[0]}
