"""Builds the dbt models that changed since a commit, into datasets of their own.

build: `dbt build` of the changed models and everything behind them, into datasets with a prefix; what did not change is
read from where it was built before (`--defer`). drop: deletes those datasets. The project is that of TRIBUTARY_PROJECT,
and both sides are parsed with the same environment, so that nothing but the code can differ.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
Prefix = Annotated[str, typer.Option(help="Begins the name of every dataset, such as pr_12_.")]


@app.command()
def build(
    prefix: Prefix,
    since: Annotated[str, typer.Option(help="Commit or tag to compare with; unknown: everything is built.")],
    project: Annotated[Path, typer.Option(help="The dbt project to build.")] = ROOT / "dbt",
) -> None:
    """Build what changed."""
    _refuse_no_prefix(prefix)
    with tempfile.TemporaryDirectory() as folder:
        state = _manifest(since, Path(folder))
        selection = ["--select", "state:modified+", "--defer", "--state", str(state)] if state else []
        done = _dbt("build", *selection, project=project, target=Path(folder) / "build", DBT_DATASET_PREFIX=prefix)
    raise typer.Exit(done)


@app.command()
def drop(prefix: Prefix) -> None:
    """Delete the datasets of a prefix with all that is in them."""
    from local.warehouse import client

    _refuse_no_prefix(prefix)
    warehouse = client(os.environ)
    for dataset in list(warehouse.list_datasets()):
        if dataset.dataset_id.startswith(prefix):
            warehouse.delete_dataset(dataset.reference, delete_contents=True, not_found_ok=True)
            typer.echo(f"dropped {dataset.dataset_id}")


def _refuse_no_prefix(prefix: str) -> None:
    """Without one the datasets would be the warehouse's own."""
    if not prefix.endswith("_") or not prefix.strip("_"):
        raise typer.BadParameter(f"{prefix!r}; a prefix is a name and an underscore, such as pr_12_")


def _manifest(since: str, folder: Path) -> Path | None:
    """Folder with the manifest of the dbt project at that commit."""
    if subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", since], cwd=ROOT, stdout=subprocess.DEVNULL
    ).returncode:
        typer.echo(f"{since} is unknown: building everything", err=True)
        return None
    archive = subprocess.run(["git", "archive", since, "dbt"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    subprocess.run(["tar", "--extract", "--directory", str(folder)], input=archive, check=True)
    target = folder / "state"
    if code := _dbt("parse", project=folder / "dbt", target=target):
        raise typer.Exit(code)
    return target


def _dbt(command: str, *arguments: str, project: Path, target: Path, **variables: str) -> int:
    options = ["--project-dir", str(project), "--profiles-dir", str(project), "--target-path", str(target)]
    program = str(Path(sys.executable).with_name("dbt"))
    done = subprocess.run([program, command, *arguments, *options], env={**os.environ, **variables}, cwd=project)
    return done.returncode


if __name__ == "__main__":
    app()
