"""The web UI in a real browser: a finished run is readable, and a run triggered in the form succeeds.

Runs after the tests of the pipeline, whose runs it looks at; alone it makes its own.
"""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from local.environment import AIRFLOW_USER
from tests.conftest import ROOT
from tests.support.airflow import Airflow
from tests.support.pipeline import query
from tests.support.world import World
from tributary.contracts.loader import load_contracts

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
STREAMS = tuple(load_contracts("stripe"))
TASKS = 5 * len(STREAMS)
"""Of a run with one client and one chunk each."""
SCREENSHOTS = ROOT / ".local" / "screenshots"
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

pytestmark = [
    pytest.mark.airflow,
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def page(airflow: Airflow, company: World) -> Iterator[Any]:
    """A signed-in page on an Airflow that has at least one finished run."""
    from playwright.sync_api import sync_playwright

    company.clock("2026-01-07T00:10:00Z")
    if airflow.run_state("ingest_stripe", "history") is None:
        airflow.start("ingest_stripe", "history", window_start="2024-07-01", window_end="2026-01-04")
        airflow.wait("ingest_stripe", "history")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        page = browser.new_page(viewport={"width": 1600, "height": 3000})
        page.set_default_timeout(60_000)
        page.goto(airflow.environment["AIRFLOW__API__BASE_URL"])
        page.fill("input[name=username]", AIRFLOW_USER)
        page.fill("input[name=password]", airflow.password)
        page.click("button[type=submit]")
        page.get_by_role("link", name="Dags").first.wait_for()
        yield page
        browser.close()


def url(airflow: Airflow, path: str) -> str:
    return airflow.environment["AIRFLOW__API__BASE_URL"] + path


def expand(page: Any) -> None:
    """Open all task groups, unless the page remembers them as open."""
    button = page.get_by_label("Expand all task groups")
    button.wait_for()
    if button.is_enabled():
        button.click()


def test_the_grid_of_a_finished_run_is_readable(airflow: Airflow, page: Any) -> None:
    page.goto(url(airflow, "/dags/ingest_stripe/runs/history"))
    page.get_by_text(f"{TASKS} Task Instances").wait_for()
    expand(page)
    page.get_by_text("extract").first.wait_for()
    page.screenshot(path=SCREENSHOTS / "grid.png")
    text = page.inner_text("body")
    for stream in STREAMS:
        assert stream in text
    assert "acme 2024-07-01..2026-01-04" in text.replace("\n", ""), "mapped tasks carry no readable name"


def test_the_graph_shows_the_lanes(airflow: Airflow, page: Any) -> None:
    page.goto(url(airflow, "/dags/ingest_stripe/runs/history"))
    page.get_by_label("Show Graph").click()
    page.locator(".react-flow__node").first.wait_for()
    expand(page)
    page.get_by_text("PartitionReplaceOperator").first.wait_for()
    page.screenshot(path=SCREENSHOTS / "graph.png")
    nodes = page.locator(".react-flow__node").count()
    assert nodes >= len(STREAMS) * 6, f"{nodes} nodes: a lane has plan, window, extract, flatten, stage and replace"
    page.get_by_label("Show Grid").click()


def test_a_run_triggered_in_the_form_succeeds(airflow: Airflow, page: Any) -> None:
    before = {run["dag_run_id"] for run in airflow.runs("ingest_stripe")}
    page.goto(url(airflow, "/dags/ingest_stripe"))
    page.get_by_role("button", name="Trigger").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Run Parameters").wait_for()
    dialog.locator("input[name=element_window_start]").fill("2026-01-04")
    dialog.locator("input[name=element_window_end]").fill("2026-01-05")
    page.screenshot(path=SCREENSHOTS / "trigger.png")
    dialog.get_by_role("button", name="Trigger").click()
    dialog.wait_for(state="hidden")
    [run_id] = {run["dag_run_id"] for run in airflow.runs("ingest_stripe")} - before
    page.goto(url(airflow, f"/dags/ingest_stripe/runs/{run_id}"))
    page.get_by_text(f"{TASKS} Task Instances").wait_for(timeout=120_000)
    page.locator("h2, div").get_by_text("Success", exact=True).first.wait_for(timeout=180_000)
    airflow.wait("ingest_stripe", run_id)
    page.screenshot(path=SCREENSHOTS / "triggered.png")
    windows = query(
        "select distinct window_start, window_end from ops.ledger "
        f"where run_id = '{run_id}' and table_name = 'stripe_products'"
    )
    assert [(str(row["window_start"])[:10], str(row["window_end"])[:10]) for row in windows] == [
        ("2026-01-03", "2026-01-05")
    ]
