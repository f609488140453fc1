"""Command line of the simulators: `python -m simulators --help`."""

from __future__ import annotations

import gc
import sys
import time
from collections import Counter
from typing import Annotated

import typer

from simulators.server import PortInUse, bind, serve
from simulators.simulation import HUBSPOT_TOKEN, STRIPE_KEY, Simulation
from simulators.world.account import Account
from simulators.world.build import HUBSPOT_COLLECTIONS, STRIPE_COLLECTIONS, build
from simulators.world.moments import iso, parse

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Stripe and HubSpot, simulated over one made-up world."
)

Seed = Annotated[int, typer.Option(help="Equal seeds give equal worlds.")]
Customers = Annotated[int, typer.Option(min=1, help="Number of accounts in the world.")]
Clock = Annotated[str, typer.Option(help="The world's time at the start, ISO 8601 in UTC.")]


def _instant(text: str) -> int:
    try:
        return parse(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not an ISO 8601 time", param_hint="--clock") from None


@app.command("serve")
def serve_command(
    stripe_port: Annotated[int, typer.Option(help="Port of the Stripe simulator, 0 for any free one.")] = 4010,
    hubspot_port: Annotated[int, typer.Option(help="Port of the HubSpot simulator, 0 for any free one.")] = 4020,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    seed: Seed = 42,
    customers: Customers = 300,
    clock: Clock = "2026-01-04T06:00:00Z",
    stripe_key: Annotated[str, typer.Option(help="The API key that the Stripe simulator takes.")] = STRIPE_KEY,
    hubspot_token: Annotated[str, typer.Option(help="The token that the HubSpot simulator takes.")] = HUBSPOT_TOKEN,
    stripe_account: Annotated[str, typer.Option(help="The id of the Stripe account that is simulated.")] = Account().id,
    stripe_livemode: Annotated[bool, typer.Option(help="Whether that account is live, instead of a test.")] = False,
    rate_limits: Annotated[bool, typer.Option(help="Enforce the services' rate limits.")] = False,
    search_lag: Annotated[float, typer.Option(min=0, help="Seconds by which HubSpot's search index is behind.")] = 0.0,
) -> None:
    """Serve both until SIGTERM or Ctrl-C."""
    at = _instant(clock)
    began = time.perf_counter()
    try:
        # Before the world is generated: a taken port shall be told at once.
        stripe_socket = bind(host, stripe_port, "--stripe-port")
        hubspot_socket = bind(host, hubspot_port, "--hubspot-port")
    except PortInUse as error:
        typer.echo(f"simulators: {error}", err=True)
        raise typer.Exit(1) from None
    account = Account(stripe_account, livemode=stripe_livemode)
    simulation = Simulation(build(seed, customers, account), at, stripe_key, hubspot_token, int(search_lag * 1000))
    # The world is there to stay: the collector need not look through it again and again.
    gc.freeze()
    simulation.limits.enforced = rate_limits
    try:
        simulation.set_clock(at)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--clock") from None

    def ready() -> None:
        took = time.perf_counter() - began
        typer.echo(f"stripe on http://{host}:{stripe_socket.getsockname()[1]}")
        typer.echo(f"hubspot on http://{host}:{hubspot_socket.getsockname()[1]}")
        typer.echo(f"ready in {took:.2f} s: seed {seed}, {customers} customers, it is {iso(simulation.clock)}")
        sys.stdout.flush()

    serve(simulation, stripe_socket, hubspot_socket, ready)


@app.command("world")
def world_command(seed: Seed = 42, customers: Customers = 300, clock: Clock = "2026-01-04T06:00:00Z") -> None:
    """Show what a world holds at a time, without serving it."""
    at = _instant(clock)
    world = build(seed, customers)
    typer.echo(f"seed {seed}, {customers} customers, at {iso(at)}")
    for name in (*STRIPE_COLLECTIONS, *HUBSPOT_COLLECTIONS):
        versions = [record.at(at) for record in world.store[name].records.values()]
        there = [version for version in versions if version]
        gone = Counter(version.gone for version in there if version.gone)
        left = ", ".join(f"{count} {how}" for how, count in sorted(gone.items()))
        typer.echo(f"{name:>14} {len(there) - sum(gone.values()):>6}{f'  ({left})' if left else ''}")
    typer.echo(f"{'events':>14} {sum(1 for event in world.store.events if event.at <= at):>6}")


if __name__ == "__main__":
    app()
