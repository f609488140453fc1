"""Measures Airflow's own time per task, before and after the task's work: a chain of tasks that do nothing."""

import itertools
import tempfile
from datetime import datetime
from pathlib import Path

from benchmarks.report import Report, Series
from local.airflow import home
from local.services import AIRFLOW
from local.settings import on_free_ports
from local.stack import start_stack
from tests.support.airflow import Airflow

LENGTH = 10
_DAG = f"""
from airflow.sdk import DAG, BaseOperator, chain

class Nothing(BaseOperator):
    def execute(self, context):
        return None

with DAG("chain", schedule=None):
    chain(*[Nothing(task_id=f"n{{number}}") for number in range({LENGTH})])
"""


def run(report: Report, short: bool) -> None:
    """Measure from the end of one task to the end of the next: scheduling, forking, running nothing, reporting."""
    gaps: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        for name in ("dags", "plugins"):
            (base / name).mkdir()
        (base / "dags" / "chain.py").write_text(_DAG)
        settings = on_free_ports(base / "stack", dags=base / "dags", plugins=base / "plugins")
        with start_stack(AIRFLOW, base_dir=settings.home, settings=settings) as environment:
            airflow = Airflow(environment, home.password(settings.airflow_home))
            airflow.wait_for_dags(("chain",), 60)
            airflow.unpause("chain")
            for number in range(1 if short else 3):
                airflow.start("chain", f"run{number}")
                airflow.wait("chain", f"run{number}", 120)
                gaps += _gaps(airflow, f"run{number}")
    report.table("a task that does nothing, on the local stack", [{"": "seconds per task", "seconds": Series(gaps)}])
    report.key("task_overhead_s", Series(gaps).median)
    report.save()


def _gaps(airflow: Airflow, run_id: str) -> list[float]:
    tasks = airflow.instances("chain", run_id)
    ends = sorted(datetime.fromisoformat(task["end_date"].replace("Z", "+00:00")).timestamp() for task in tasks)
    return [later - earlier for earlier, later in itertools.pairwise(ends)]
