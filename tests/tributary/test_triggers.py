"""How often the ledger is asked while something waits for it."""

from typing import Any

from tributary.triggers.ledger import LedgerTrigger, pause


def looks(seconds: float) -> list[float]:
    moments = [0.0]
    while moments[-1] < seconds:
        moments.append(moments[-1] + pause(moments[-1]))
    return moments


def test_the_longer_it_waits_the_less_often_it_looks():
    moments = looks(12 * 3600)
    assert len(moments) < 800, "every ten seconds would be 4,320 queries"
    assert moments[1] <= 1
    gaps = [pause(moment) for moment in moments[:-1]]
    assert gaps == sorted(gaps) and gaps[-1] == 60
    # what is there is seen after a tenth more than it took to come, or a second
    assert all(gap <= max(1, before / 10) for before, gap in zip(moments, gaps, strict=False))


def test_a_trigger_that_is_started_anew_goes_on_where_it_was():
    given: dict[str, Any] = {
        "window_start": "2026-01-04T00:00:00Z",
        "window_end": "2026-01-05T00:00:00Z",
        "sources": ["stripe"],
        "since": 1_767_600_000.0,
        "deadline": 1_767_643_200.0,
        "labels": {"dag": "build_warehouse"},
    }
    path, arguments = LedgerTrigger(**given).serialize()
    assert path == "tributary.triggers.ledger.LedgerTrigger"
    assert arguments == given
