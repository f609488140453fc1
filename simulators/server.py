"""Runs both services in one process, each on its own port."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from simulators import hubspot, stripe  # noqa: F401  (packages of the two services)
from simulators.control import Control
from simulators.hubspot.app import create_app as create_hubspot
from simulators.simulation import Simulation
from simulators.stripe.app import create_app as create_stripe


class PortInUse(RuntimeError):
    """A port that should be listened on is taken."""


class OpenConnections:
    """Finds the transport of a request, so that a fault can close it."""

    def __init__(self) -> None:
        self.by_client: dict[Any, asyncio.Transport] = {}

    def protocol(self) -> type[H11Protocol]:
        """A protocol class for uvicorn that keeps the books."""
        known = self.by_client

        class Watched(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                known[transport.get_extra_info("peername")[:2]] = transport
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                known.pop(self.transport.get_extra_info("peername")[:2], None)
                super().connection_lost(exc)

        return Watched

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """Puts the transport into the scope's extensions."""

        async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and scope.get("client"):
                transport = self.by_client.get(tuple(scope["client"]))
                scope = {**scope, "extensions": {**scope.get("extensions", {}), "tributary.transport": transport}}
            await app(scope, receive, send)

        return wrapped


def create_apps(simulation: Simulation) -> tuple[ASGIApp, ASGIApp]:
    """The Stripe and the HubSpot service over one simulation."""
    return (
        create_stripe(simulation, Control(simulation, "stripe").routes()),
        create_hubspot(simulation, Control(simulation, "hubspot").routes()),
    )


def bind(host: str, port: int, setting: str) -> socket.socket:
    """Listens on a port, 0 for any free one. Raises PortInUse naming the port and the option that changes it."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise PortInUse(f"port {port} is in use ({error.strerror}); choose another with {setting}") from error
    # Listening from now on, so that a second process cannot take the port while the world is generated.
    sock.listen(512)
    sock.set_inheritable(True)
    return sock


def serve(
    simulation: Simulation, stripe_socket: socket.socket, hubspot_socket: socket.socket, ready: Callable[[], None]
) -> None:
    """Serves until SIGTERM or SIGINT. `ready` is called once both services answer."""
    asyncio.run(_serve(simulation, [stripe_socket, hubspot_socket], ready))


async def _serve(simulation: Simulation, sockets: list[socket.socket], ready: Callable[[], None]) -> None:
    servers = [_server(app) for app in create_apps(simulation)]

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    pairs = zip(servers, sockets, strict=True)
    # `_serve` is `serve` without uvicorn's own signal handlers, of which there can be only one.
    tasks = [asyncio.create_task(server._serve([sock])) for server, sock in pairs]
    while not all(server.started for server in servers):
        if any(task.done() for task in tasks):
            break
        await asyncio.sleep(0.01)
    else:
        ready()
    await asyncio.gather(*tasks)


def _server(app: ASGIApp) -> uvicorn.Server:
    connections = OpenConnections()
    config = uvicorn.Config(
        connections.wrap(app),
        http=connections.protocol(),
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        date_header=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
        h11_max_incomplete_event_size=256 * 1024,
    )
    return uvicorn.Server(config)
