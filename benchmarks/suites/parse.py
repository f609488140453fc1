"""Measures how long Airflow takes to parse each DAG file, beyond importing Airflow itself."""

import json
import os
import subprocess
import sys
import tempfile

from benchmarks.contenders import ROOT
from benchmarks.report import Report, Series

# One process for all files, as the DAG processor's parent has Airflow imported and forks for each file.
_SCRIPT = """
import json, sys, time
from pathlib import Path
from airflow.dag_processing.dagbag import DagBag
import airflow.sdk
found = {}
for path in sorted(Path(sys.argv[1]).glob("*.py")):
    begun = time.perf_counter()
    bag = DagBag(path, bundle_path=path.parent, bundle_name="dags")
    found[path.name] = time.perf_counter() - begun
    assert not bag.import_errors, bag.import_errors
print(json.dumps(found))
"""


def run(report: Report, short: bool) -> None:
    """Parse everything in fresh processes."""
    runs = [_parse() for _ in range(1 if short else 5)]
    files = [{"": name, "seconds": Series([one[name] for one in runs])} for name in runs[0]]
    total = Series([sum(one.values()) for one in runs])
    report.table("DAG parse time, beyond importing Airflow", [*files, {"": "all files", "seconds": total}])
    report.key("dag_parse_s", total.median)
    report.save()


def _parse() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {
            "AIRFLOW_HOME": home,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "PYTHONPATH": f"{ROOT}:{ROOT / 'plugins'}",
        }
        command = [sys.executable, "-W", "ignore", "-c", _SCRIPT, str(ROOT / "dags")]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return found
