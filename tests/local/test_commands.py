"""The commands behind the Makefile, as a shell runs them."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.environment import environment, sourceable
from local.settings import PORT_FIELDS, LocalSettings
from tests.conftest import ROOT


def run(*arguments: str, settings: LocalSettings | None = None, **variables: str) -> "subprocess.CompletedProcess[str]":
    pointed = {"TRIBUTARY_LOCAL_HOME": str(settings.home)} if settings else {}
    for field in PORT_FIELDS if settings else ():
        pointed[LocalSettings().variable(field)] = str(getattr(settings, field))
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TRIBUTARY_", "BIGQUERY_"))}
    return subprocess.run(
        [sys.executable, "-m", "local", *arguments],
        cwd=ROOT,
        env={**clean, **pointed, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_env_can_be_sourced_and_keeps_every_value() -> None:
    wanted = {**environment(LocalSettings()), "AWKWARD": 'it\'s "quoted" $HOME `date` \\ {}'}
    script = f"{sourceable(wanted)}\n{sys.executable} -c 'import os, json; print(json.dumps(dict(os.environ)))'"
    got = json.loads(subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout)
    assert {name: got.get(name) for name in wanted} == wanted


def test_env_prints_nothing_else() -> None:
    printed = run("env")
    assert printed.returncode == 0
    assert all(line.startswith("export ") for line in printed.stdout.splitlines())
    names = {line.removeprefix("export ").partition("=")[0] for line in printed.stdout.splitlines()}
    assert names >= {
        "BIGQUERY_EMULATOR_HOST",
        "STORAGE_EMULATOR_HOST",
        "AIRFLOW_HOME",
        "AIRFLOW__CORE__DAGS_FOLDER",
        "AIRFLOW__CORE__PLUGINS_FOLDER",
        "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT",
        "AIRFLOW_CONN_STRIPE_DEFAULT",
        "AIRFLOW_CONN_HUBSPOT_DEFAULT",
        "TRIBUTARY_PROJECT",
        "TRIBUTARY_LOCATION",
        "TRIBUTARY_LAKE_BUCKET",
        "DBT_PROFILES_DIR",
        "DBT_TARGET",
        "DBT_BIGQUERY_ENDPOINT",
    }


def test_a_setting_that_makes_no_sense_is_refused_by_name() -> None:
    refused = run("env", TRIBUTARY_LOCAL_AIRFLOW_PORT="ninety")
    assert refused.returncode != 0
    assert "airflow_port" in refused.stderr


def test_an_unknown_service_is_refused() -> None:
    refused = run("up", "bigtable")
    assert refused.returncode == 1
    assert "bigtable" in refused.stderr
    assert "simulators" in refused.stderr


def test_airflow_before_the_first_start_says_what_to_do(tmp_path: Path) -> None:
    refused = run("exec", "airflow", "version", TRIBUTARY_LOCAL_HOME=str(tmp_path))
    assert refused.returncode == 1
    assert "make up" in refused.stderr


@pytest.mark.emulators
class TestQuery:
    SQL = "select 1 as a, 'x, \"y\"' as b, cast(null as string) as c, numeric '1.5' as d union all select 2, 'z', '', 0"

    def test_prints_csv(self, emulated: tuple[LocalSettings, dict[str, str]]) -> None:
        printed = run("query", f"{self.SQL} order by a", settings=emulated[0])
        assert printed.returncode == 0, printed.stderr
        rows = list(csv.reader(io.StringIO(printed.stdout)))
        assert rows[0] == ["a", "b", "c", "d"]
        assert rows[1:] == [["1", 'x, "y"', "", "1.5"], ["2", "z", "", "0"]]

    def test_uses_the_callers_warehouse_when_one_is_named(self, emulated: tuple[LocalSettings, dict[str, str]]) -> None:
        settings, variables = emulated
        # The stack that `settings` would point at is another one, where nothing listens.
        printed = run(
            "query",
            "select @@project_id is null as x",
            TRIBUTARY_PROJECT="some-project",
            BIGQUERY_EMULATOR_HOST="http://127.0.0.1:9",
            settings=settings,
        )
        assert printed.returncode == 1
        assert "http://127.0.0.1:9" in printed.stderr
        assert "Traceback" not in printed.stderr
        chosen = {name: variables[name] for name in ("TRIBUTARY_PROJECT", "BIGQUERY_EMULATOR_HOST")}
        assert run("query", "select 7 as x", settings=None, **chosen).stdout == "x\n7\n"

    def test_asks_no_proxy_for_the_local_warehouse(self, emulated: tuple[LocalSettings, dict[str, str]]) -> None:
        nowhere = "http://127.0.0.1:9"
        printed = run("query", "select 7 as x", settings=emulated[0], HTTP_PROXY=nowhere, http_proxy=nowhere)
        assert printed.stdout == "x\n7\n", printed.stderr

    def test_says_what_the_warehouse_says(self, emulated: tuple[LocalSettings, dict[str, str]]) -> None:
        refused = run("query", "select nothing from nowhere.none", settings=emulated[0])
        assert refused.returncode == 1
        assert "nowhere" in refused.stderr
        assert "Traceback" not in refused.stderr


class TestSetup:
    """scripts/setup.sh in a copy of the checkout that has just what it reads."""

    @pytest.fixture
    def checkout(self, tmp_path: Path) -> Path:
        (tmp_path / "scripts").mkdir()
        shutil.copy(ROOT / "scripts" / "setup.sh", tmp_path / "scripts")
        for lock in ROOT.glob("requirements*.txt"):
            shutil.copy(lock, tmp_path)
        return tmp_path

    def test_without_python_3_11_it_says_so(self, checkout: Path) -> None:
        tools = checkout / "tools"
        tools.mkdir()
        for tool in ("bash", "cat", "cksum", "dirname", "mkdir"):
            (tools / tool).symlink_to(str(shutil.which(tool)))
        for name in ("python3.11", "python3", "python"):
            (tools / name).write_text("#!/bin/sh\nexit 1\n")
            (tools / name).chmod(0o755)
        outcome = subprocess.run(
            ["bash", "scripts/setup.sh"], cwd=checkout, env={"PATH": str(tools)}, capture_output=True, text=True
        )
        assert outcome.returncode == 1
        assert "Python 3.11 is needed" in outcome.stderr
        assert outcome.stdout == ""

    @pytest.mark.parametrize("parses", [True, False])
    def test_at_its_end_dbt_has_parsed_the_project(self, checkout: Path, parses: bool) -> None:
        """So that the services needn't; a project that doesn't parse leaves an environment to mend it with."""
        python = checkout / "tools" / "shim"
        python.parent.mkdir()
        python.write_text(
            f'#!/bin/sh\necho "$@" >>{checkout}/calls\ncase "$*" in *manifest*) exit {int(not parses)};; esac\n'
        )
        uv = checkout / "tools" / "uv"
        uv.write_text(
            '#!/bin/sh\nfor last; do :; done\n[ "$1" = venv ] || exit 0\n'
            f'mkdir -p "$last/bin" "$last/lib/python3.11/site-packages" && cp {python} "$last/bin/python"\n'
        )
        for tool in (python, uv):
            tool.chmod(0o755)
        variables = {"PATH": f"{checkout}/tools:{os.environ['PATH']}", "PYTHON": sys.executable, "HOME": ""}
        outcome = subprocess.run(
            ["bash", "scripts/setup.sh"], cwd=checkout, env=variables, capture_output=True, text=True
        )
        assert (outcome.returncode, outcome.stdout) == (0, ""), outcome.stderr
        assert (checkout / "calls").read_text().splitlines()[-1] == "-m local manifest"
        assert ("could not parse" in outcome.stderr) != parses
        assert (checkout / ".local" / "setup.stamp").exists()

    def test_with_both_environments_up_to_date_it_does_nothing(self, checkout: Path) -> None:
        for environment_ in (".venv", ".local/emulators"):
            (checkout / environment_ / "bin").mkdir(parents=True)
            (checkout / environment_ / "bin" / "python").symlink_to(sys.executable)
        locks = "requirements.txt requirements-dev.txt requirements-emulators.txt scripts/setup.sh"
        stamp = subprocess.run(f"cat {locks} | cksum", shell=True, cwd=checkout, capture_output=True, text=True).stdout
        (checkout / ".local" / "setup.stamp").write_text(stamp.strip())
        outcome = subprocess.run(["bash", "scripts/setup.sh"], cwd=checkout, capture_output=True, text=True)
        assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "", "")


def test_every_target_of_the_makefile_has_a_line_in_help() -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = {line.split()[1] for line in shown.splitlines()}
    declared = {line.split()[1] for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith(".PHONY:")}
    assert listed == declared
    assert listed >= {"setup", "demo", "up", "down", "env", "airflow", "dbt", "query", "reset", "lint", "test"}
