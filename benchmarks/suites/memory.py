"""Peak memory against the number of records, and for a single large one."""

from typing import Any

from benchmarks.contenders import contend, page_server
from benchmarks.report import Report

SIZES, SHORT_SIZES = (10_000, 100_000, 1_000_000), (5_000, 50_000)
LARGE_RECORD = 5


def run(report: Report, short: bool) -> None:
    """Measure once at each size: what is allocated doesn't depend on how busy the machine is."""
    rows, peaks = [], []
    with page_server() as url:
        for invoices in SHORT_SIZES if short else SIZES:
            with contend("tributary", url, invoices) as (result, _):
                peaks.append(result["peak_mib"])
                rows.append(_row(f"{invoices:,} invoices", result))
    with page_server(large=LARGE_RECORD) as url, contend("tributary", url, 1) as (result, _):
        rows.append(_row(f"one invoice of {LARGE_RECORD} MB", result))
    report.table("peak memory of extract + flatten, and how its time grows", rows)
    report.key("peak_rss_1m_vs_100k", peaks[-1] / peaks[-2])
    report.save()


def _row(name: str, result: dict[str, Any]) -> dict[str, Any]:
    return {"": name, "peak MiB": round(result["peak_mib"], 1), "CPU seconds": round(result["cpu"], 2)}
