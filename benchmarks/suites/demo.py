"""`make demo` after installation, by phase, in a home and on ports of its own."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.contenders import ROOT
from benchmarks.report import Report
from local.settings import PORT_FIELDS, on_free_ports

CUSTOMERS = 50


def run(report: Report, short: bool) -> None:
    """Once, since it takes minutes."""
    with tempfile.TemporaryDirectory() as folder:
        settings = on_free_ports(Path(folder))
        own = {settings.variable(name): str(getattr(settings, name)) for name in ("home", *PORT_FIELDS)}
        if short:
            own[settings.variable("world_customers")] = str(CUSTOMERS)
        local = [sys.executable, "-m", "local"]
        try:
            done = subprocess.run(
                [*local, "demo"], cwd=ROOT, env=os.environ | own, capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise RuntimeError(f"the demo failed:\n{done.stdout[-3000:]}{done.stderr[-2000:]}")
            found = json.loads(settings.demo_report.read_text())
        finally:
            subprocess.run([*local, "down"], cwd=ROOT, env=os.environ | own, capture_output=True, check=False)
    seconds = {name: value for name, value in found["seconds"].items() if name not in ("setup", "total")}
    runs = [
        {"": f"{one['step']}, {one['dag_id']}", "seconds": round(one["seconds"], 1), "tasks": one["tasks"]}
        for one in found["runs"]
    ]
    report.table("the demo by phase", [{"": name, "seconds": value} for name, value in seconds.items()])
    report.table("the demo by DAG run (the build's begins with waiting for the others)", runs)
    report.key("demo_after_install_s", sum(seconds.values()))
    report.save()
