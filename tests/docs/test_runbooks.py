"""The runbooks, followed on a local stack: what they break is confirmed by them and mended by them."""

import os
import re
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlglot

from tests.conftest import ROOT
from tests.docs.following import follow
from tests.docs.runbooks import FILES, FOLDER, SECTIONS, blocks, sections
from tests.support.airflow import ENDED, Airflow
from tests.support.world import World

ALL = {path.stem: sections(path) for path in FILES}
MOMENT = "2026-01-04 05:59:00+00"
"""Stands in the runbooks for the moment before the accident."""
#: By tests/e2e, where a whole warehouse is built.
FOLLOWED_ELSEWHERE = {"model-failed"}
EVERY_BLOCK = [block for parts in ALL.values() for part in parts.values() for block in blocks(part)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem))
def test_a_runbook_has_its_sections(path: Path):
    titles = list(sections(path))
    assert titles == [title for title in SECTIONS if title in titles], "in this order, and no others"
    assert set(SECTIONS) - set(titles) <= {"Practise"}
    for title in ("Confirm", "Do", "Fixed when"):
        assert blocks(sections(path)[title]), f"{title} needs a command or a query"


def test_the_list_of_runbooks_is_complete():
    linked = set(re.findall(r"\(([\w-]+\.md)\)", (FOLDER / "README.md").read_text()))
    assert linked == {path.name for path in FILES}


def test_five_of_them_can_be_practised():
    assert sum("Practise" in parts for parts in ALL.values()) >= 5


PAGES = [*sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md")), ROOT / "terraform" / "README.md"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_page_refers_to_exists(path: Path):
    text = path.read_text()
    for target in re.findall(r"\]\(([^)#\s]+)\)", text):
        assert target.startswith("http") or (path.parent / target).exists(), target
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make (?:-s )?([a-z-]+)", text, re.MULTILINE)) <= targets


def test_every_block_says_what_it_is():
    assert {block.language for block in EVERY_BLOCK} == {"sql", "bash"}
    assert {block.place for block in EVERY_BLOCK} == {"", "production"}
    for block in EVERY_BLOCK:
        if (block.language, block.place) == ("sql", "production"):
            assert sqlglot.parse(block.text, read="bigquery")
        if block.language == "bash":
            done = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True)
            assert done.returncode == 0, f"{block.text}\n{done.stderr}"


@pytest.mark.airflow
@pytest.mark.emulators
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", sorted(set(ALL) - FOLLOWED_ELSEWHERE))
def test_following_it(name: str, stack: Airflow, company: World):
    moment = MOMENT
    for title in SECTIONS[1:]:
        for block in blocks(ALL[name].get(title, "")):
            if title == "Practise":
                moment = str(datetime.now(UTC))
            follow(block, block.text.replace(MOMENT, moment), f"{name}, {title}", stack, STRIPE=company.stripe)
            settle(stack)


def settle(stack: Airflow, seconds: float = 240) -> None:
    """Wait until every run has ended, as the reader of a runbook does."""
    deadline = time.monotonic() + seconds
    while any(run["state"] not in ENDED for run in stack.runs("ingest_stripe")):
        assert time.monotonic() < deadline, stack.runs("ingest_stripe")
        time.sleep(0.5)


@pytest.mark.airflow
@pytest.mark.emulators
@pytest.mark.timeout(400)
def test_the_smoke_run_of_a_release(stack: Airflow, company: World, tmp_path: Path):
    """scripts/deploy.sh against this Airflow: it passes with a working key and fails without one."""
    shutil.copy(ROOT / "scripts" / "deploy.sh", tmp_path)
    (tmp_path / "current").write_text("one\n")
    docker = tmp_path / "docker"
    # `docker compose exec -T scheduler airflow …`, without the container around it.
    docker.write_text('#!/bin/bash\nexec "${@:5}"\n')
    docker.chmod(0o755)
    path = os.pathsep.join([str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]])
    conf = '{"streams": ["products"], "window_start": "2026-01-02", "window_end": "2026-01-03"}'
    environment = {**os.environ, **stack.environment, "PATH": path, "SMOKE_CONF": conf, "SMOKE_SECONDS": "150"}

    def smoke() -> subprocess.CompletedProcess[str]:
        command = ["bash", str(tmp_path / "deploy.sh"), "smoke"]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180)

    good = smoke()
    assert good.returncode == 0, good.stderr
    company.fault("stripe", kind="expired_token", times=99)
    bad = smoke()
    assert bad.returncode == 1
    assert "failed" in bad.stderr.splitlines()[-1]
    # What the alert looks for stands in the scheduler's output.
    alerts = (ROOT / "terraform" / "modules" / "monitoring" / "alerts.tf").read_text()
    wanted = re.search(r'jsonPayload\.message=~\\"(.+?)\\"', alerts)
    assert wanted
    log = Path(stack.environment["AIRFLOW_HOME"]).parent / "run" / "airflow.log"
    assert re.search(wanted[1], log.read_text())
