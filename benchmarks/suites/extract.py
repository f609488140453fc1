"""Extract, flatten and stage: this project, its peers and the limit, in turn, on the same invoices."""

from typing import Any

from benchmarks.contenders import contend, differences, page_server, rows_of
from benchmarks.invoices import LINES
from benchmarks.report import Report, Series, console

SMALL, LARGE, TINY = 20_000, 200_000, 5_000
#: Invoices a second that Stripe answers at most: 25 list requests of 100. The goal is to read them on half a core.
STRIPES_LIMIT = 2_500
PEERS = ("naive", "singer", "dlt")


def run(report: Report, short: bool) -> None:
    """Compare the rows, then the times."""
    if not short:  # first, since the keys of the report are those of the last measurement
        with page_server(lines=0) as url:
            _same_rows(url, TINY, 0)
            _measure(report, url, SMALL, 0, {"tributary": 3, "limit": 3, "naive": 3, "dlt": 2})
    with page_server() as url:
        _same_rows(url, TINY if short else SMALL, LINES)
        if short:
            _measure(report, url, TINY, LINES, dict.fromkeys(("tributary", "limit", "naive", "dlt"), 3))
            return
        _measure(report, url, SMALL, LINES, {"tributary": 3, "limit": 3, "naive": 3, "singer": 1, "dlt": 2})
        _measure(report, url, LARGE, LINES, {"tributary": 2, "limit": 2, "naive": 1, "dlt": 1})


def _same_rows(url: str, invoices: int, lines: int) -> None:
    """
    Raises:
        RuntimeError: a contender's rows are not this project's.
    """
    with contend("tributary", url, invoices) as (_, out):
        expected = rows_of("tributary", out)
    if len(expected) != invoices * (1 + lines):
        raise RuntimeError(f"{len(expected)} rows, expected {invoices * (1 + lines)}")
    for name in PEERS:
        with contend(name, url, invoices) as (_, out):
            if found := differences(expected, rows_of(name, out)):
                raise RuntimeError(f"{name} has other rows than tributary: " + "; ".join(found))
    console.print(f"{len(expected):,} rows of {', '.join(PEERS)} are those of tributary, column by column")


def _measure(report: Report, url: str, invoices: int, lines: int, rounds: dict[str, int]) -> None:
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in rounds}
    for turn in range(max(rounds.values())):
        for name, times in rounds.items():
            if turn < times:
                with contend(name, url, invoices) as (result, _):
                    found[name].append(result)
    seconds = {name: Series([one["seconds"] for one in results]) for name, results in found.items()}
    cpu = {name: Series([one["cpu"] for one in results]) for name, results in found.items()}
    peak = {name: Series([one["peak_mib"] for one in results]) for name, results in found.items()}
    rows = invoices * (1 + lines)
    report.table(
        f"extract + flatten + stage, {invoices:,} invoices with {lines} lines each",
        [
            {
                "": name,
                "seconds": seconds[name],
                "CPU seconds": cpu[name],
                "rows/s": round(rows / seconds[name].median),
                "peak MiB": peak[name],
                "times slower": round(seconds[name].median / seconds["tributary"].median, 2),
                "times the CPU": round(cpu[name].median / cpu["tributary"].median, 2),
            }
            for name in rounds
        ],
    )
    report.key("extract_vs_dlt_rows_per_s", seconds["dlt"].median / seconds["tributary"].median)
    report.key("extract_vs_dlt_cpu", cpu["dlt"].median / cpu["tributary"].median)
    report.key("extract_vs_limit", seconds["limit"].median / seconds["tributary"].median)
    report.key("extract_vs_limit_cpu", cpu["limit"].median / cpu["tributary"].median)
    report.key("extract_cores_at_stripes_limit", cpu["tributary"].median / invoices * STRIPES_LIMIT)
    report.key("peak_rss_vs_dlt", peak["tributary"].median / peak["dlt"].median)
    report.save()
