"""The commands of the local stack."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from local import manifest, stack, warehouse
from local.airflow import home
from local.environment import AIRFLOW_USER, environment, past_proxies, sourceable
from local.errors import LocalStackError
from local.services import EVERYTHING, Service
from local.settings import LocalSettings

if TYPE_CHECKING:
    from local.demo.airflow_api import AirflowApi

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
# What is for the next program goes to standard output, what is for the reader to standard error.
console = Console(stderr=True, highlight=False, soft_wrap=True)


@app.callback()
def main() -> None:
    """The local stack: emulators, simulators and Airflow on this machine."""
    os.environ.update(past_proxies(LocalSettings()))


@app.command()
def up(
    services: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(EVERYTHING)}; all by default.")] = None,
) -> None:
    """Start the services that do not run yet and wait until they answer."""
    settings = LocalSettings()
    unknown = sorted(set(services or ()) - set(EVERYTHING))
    with _readable_errors():
        if unknown:
            raise LocalStackError(f"There is no service {', '.join(unknown)}. Choose of {', '.join(EVERYTHING)}.")
        stack.up(settings, services or EVERYTHING, _say)
    if "airflow" in stack.running(settings):
        login = f"user {AIRFLOW_USER}, password {home.password(settings.airflow_home)}"
        console.print(f"  Airflow: {settings.airflow_url}  {login}")


@app.command()
def down() -> None:
    """Stop what `up` started, and nothing else."""
    stopped = stack.down(LocalSettings())
    console.print(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")


@app.command()
def reset() -> None:
    """Stop the services and delete their data, logs and metadata; the environments stay."""
    down()
    stack.wipe(LocalSettings())
    console.print("The local data is gone.")


@app.command()
def env() -> None:
    """Print the environment that points any Airflow, dbt or Google client at the local stack, ready to be sourced."""
    sys.stdout.write(sourceable(environment(LocalSettings())))


@app.command()
def query(sql: str) -> None:
    """Print a query's rows as CSV, from the warehouse that the environment points at (the local one by default)."""
    with _readable_errors():
        warehouse.query(sql, sys.stdout, warehouse.pointed_at(environment(LocalSettings())))


@app.command(name="exec", context_settings={"ignore_unknown_options": True})
def execute(command: list[str]) -> None:
    """Run a command in the local stack's environment: `exec airflow dags list`."""
    settings = LocalSettings()
    if command[0] == "airflow":
        with _readable_errors():
            home.prepare(settings.airflow_home)
            if not (settings.airflow_home / "airflow.db").exists():
                raise LocalStackError("Airflow has no metadata database yet. Start the services first: `make up`.")
            manifest.refresh()
    # The commands meant here lie beside this interpreter, whether or not its environment is activated.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    os.execvpe(command[0], command, {**os.environ, **environment(settings)})  # noqa: S606


@app.command(name="manifest")
def write_manifest() -> None:
    """Write the dbt manifest that the DAGs are rendered from, if the dbt project has changed."""
    with _readable_errors():
        manifest.refresh()


@app.command()
def demo(
    setup_seconds: Annotated[float, typer.Option(help="How long the setup before took, for the report.")] = 0.0,
) -> None:
    """Start everything, load the history and two days, show what came of it. The services stay up."""
    from local.demo.run import Demo

    settings = LocalSettings()
    screen = Console(highlight=False)
    if not screen.is_terminal:
        # A log has no width; this one fits the tables.
        screen = Console(highlight=False, width=130)
    try:
        with _readable_errors():
            succeeded = Demo(settings, screen, setup_seconds).run()
    except KeyboardInterrupt:
        left = stack.running(settings)
        stay = f"Still running: {', '.join(left)}. `make demo` goes on from here, `make down` stops them."
        console.print(f"\nInterrupted. {stay if left else 'Nothing is left running.'}")
        raise typer.Exit(130) from None
    raise typer.Exit(0 if succeeded else 1)


@app.command()
def backfill(
    dag: str,
    first: Annotated[str, typer.Option("--from", help="First day, UTC.")],
    last: Annotated[str, typer.Option("--to", help="Last day, UTC, included.")],
    chunk: Annotated[int | None, typer.Option(min=1, help="One run, cut into chunks of so many days.")] = None,
    backwards: Annotated[bool, typer.Option(help="The newest days first.")] = False,
    stream: Annotated[list[str] | None, typer.Option(help="Only this stream; can be given again.")] = None,
    url: Annotated[str | None, typer.Option(help="Another Airflow than the local one.")] = None,
    user: Annotated[str, typer.Option(help="Who signs in; the password is read from AIRFLOW_PASSWORD.")] = AIRFLOW_USER,
) -> None:
    """Load days that are over, and wait for it: a run for each day of a short range, one run for a long one."""
    from local.backfill import Backfill, Range

    with _readable_errors():
        try:
            days = date.fromisoformat(first), date.fromisoformat(last)
        except ValueError as problem:
            raise LocalStackError(f"{problem}. Write days as 2025-01-31.") from None
        wanted = Range(dag, *days, chunk, backwards, tuple(stream or ()))
        succeeded = Backfill(_airflow_api(url, user), wanted, console).run()
    raise typer.Exit(0 if succeeded else 1)


@app.command()
def replay(
    dag: str,
    stream: Annotated[list[str] | None, typer.Option(help="Only this stream; can be given again.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="Only windows that touch these days: the first.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="The last, included.")] = None,
    url: Annotated[str | None, typer.Option(help="Another Airflow than the local one.")] = None,
    user: Annotated[str, typer.Option(help="Who signs in; the password is read from AIRFLOW_PASSWORD.")] = AIRFLOW_USER,
) -> None:
    """Read what was rejected again from the lake, under the contract as it is now, and wait for it."""
    from local.replay import replay as run

    choice: dict[str, Any] = {"streams": list(stream)} if stream else {}
    with _readable_errors():
        if bool(first) != bool(last):
            raise LocalStackError("FROM and TO go together; leave both out for all that is open.")
        if first and last:
            try:
                end = date.fromisoformat(last) + timedelta(days=1)
                choice |= {"window_start": str(date.fromisoformat(first)), "window_end": str(end)}
            except ValueError as problem:
                raise LocalStackError(f"{problem}. Write days as 2025-01-31.") from None
        succeeded = run(_airflow_api(url, user), dag, choice, console)
    raise typer.Exit(0 if succeeded else 1)


def _airflow_api(url: str | None, user: str) -> AirflowApi:
    from local.demo.airflow_api import AirflowApi

    settings = LocalSettings()
    if url is None and "airflow" not in stack.running(settings):
        raise LocalStackError("Airflow does not run here. Start it with `make up`, or name another with --url.")
    password = os.environ.get("AIRFLOW_PASSWORD", "") if url else home.password(settings.airflow_home)
    return AirflowApi(url or settings.airflow_url, password, user)


@contextmanager
def _readable_errors() -> Iterator[None]:
    try:
        yield
    except LocalStackError as problem:
        # Logs and stack traces in the message may look like markup.
        console.print("error:", str(problem), markup=False, style=None)
        raise typer.Exit(1) from None


def _say(service: Service, what: str, seconds: float) -> None:
    if what == "ready":
        console.print(f"  {service.title}: ready after {seconds:.1f} s")
