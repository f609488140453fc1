"""The ASGI layer in front of each service: the world's date, the request log and the fault menu."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulators.faults import DISTURBING, INSTEAD, Fault
from simulators.simulation import Simulation
from simulators.web import with_whole_ids
from simulators.world.moments import http_date

_CURSORS = ("starting_after", "ending_before", "after")
_REMEMBERED = 64


@dataclass(slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Service:
    """A service as the gate sees it, to fail in the service's own manner."""

    name: str
    lists: re.Pattern[str]
    """Matches the paths that GET answers with a page of a list."""
    failure: Callable[[Simulation, Fault, Scope], Answer]
    empty_page: Callable[[Any, str | None], Any]
    """Given a page and the cursor it was asked with: the same page without objects but with a next one."""
    delete_next: Callable[[Simulation, str, Any, str | None], None]
    """Given the path and the page just served: delete an object that the next request depends on."""
    create_next: Callable[[Simulation, str, Any], None] | None = None
    """Given the path and the page just served: create an object that belongs to the list."""
    disturb: Callable[[Simulation, Fault, str, Any], None] | None = None
    """Given the fault, the path and the page just served: change what the rest of the walk would see."""


class Gate:
    """Wraps a service. `/_sim` passes through untouched, apart from the date."""

    def __init__(self, app: ASGIApp, simulation: Simulation, service: Service) -> None:
        self._app = app
        self._simulation = simulation
        self._service = service
        self._pages: OrderedDict[str, Answer] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = with_whole_ids(scope)
        if scope["path"].startswith("/_sim"):
            await self._app(scope, receive, self._dated(send))
            return
        limit = self._simulation.url_limit
        if limit is not None and len(scope["raw_path"]) + len(scope["query_string"]) > limit:
            await self._answer(_in_between(414), "url_limit", scope, send)
            return
        body = await _read(receive) if scope["method"] in ("POST", "PUT", "PATCH") else b""
        fault, page_key, cursor = self._choose(scope, body)
        if fault is not None and fault.kind in INSTEAD:
            await self._break_off(fault, scope, receive, send)
            return
        if fault is not None and fault.kind == "paging_cycle":
            scope = {**scope, "query_string": _without_cursor(scope["query_string"])}
        answer = await self._ask(scope, body)
        if page_key is not None and answer.status == 200:
            self._remember(page_key, answer, fault)
        await self._deliver(fault, answer, page_key, cursor, scope, receive, send)

    def _choose(self, scope: Scope, body: bytes) -> tuple[Fault | None, str | None, str | None]:
        """The fault for this request, the key of the list it pages through (None: no list) and its cursor."""
        method, path = scope["method"], scope["path"]
        if not self._simulation.faults.faults:
            # Pages of an earlier menu are nobody's page before.
            self._pages.clear()
            return None, None, None
        page_key, cursor = self._page_of(method, path, scope["query_string"].decode("latin-1"), body)
        known = page_key is not None and cursor is not None and page_key in self._pages
        fault = self._simulation.faults.next(
            self._service.name, method, path, paged=page_key is not None, previous=known
        )
        return fault, page_key, cursor

    def _page_of(self, method: str, path: str, query: str, body: bytes) -> tuple[str | None, str | None]:
        """Names the list that a request pages through, whatever its cursor, and gives the cursor."""
        pairs = parse_qsl(query, keep_blank_values=True)
        cursor = next((value for key, value in pairs if key in _CURSORS), None)
        rest = urlencode(sorted(pair for pair in pairs if pair[0] not in _CURSORS))
        if method == "GET" and self._service.lists.search(path):
            return f"{path}?{rest}", cursor
        if method == "POST" and path.endswith("/search"):
            try:
                asked = msgspec.json.decode(body)
            except msgspec.DecodeError:
                return None, None
            if not isinstance(asked, dict):
                return None, None
            after = asked.pop("after", None)
            return f"{path}?{msgspec.json.encode(asked).decode()}", None if after in (None, "0", 0) else str(after)
        return None, None

    async def _ask(self, scope: Scope, body: bytes) -> Answer:
        """Lets the service answer, into memory."""
        answer = Answer(500, {}, b"")
        parts: list[bytes] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {key.decode(): value.decode("latin-1") for key, value in message["headers"]}
            else:
                parts.append(message.get("body", b""))

        await self._app(scope, receive, send)
        answer.body = b"".join(parts)
        return answer

    def _remember(self, page_key: str, answer: Answer, fault: Fault | None) -> None:
        if fault is not None and fault.kind == "duplicate_page":
            return
        self._pages[page_key] = answer
        self._pages.move_to_end(page_key)
        if len(self._pages) > _REMEMBERED:
            self._pages.popitem(last=False)

    async def _deliver(
        self,
        fault: Fault | None,
        answer: Answer,
        page_key: str | None,
        cursor: str | None,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        kind = fault.kind if fault else None
        if kind == "duplicate_page" and page_key is not None and page_key in self._pages:
            answer = self._pages[page_key]
        elif kind == "empty_page" and answer.status == 200:
            page = self._service.empty_page(msgspec.json.decode(answer.body), cursor)
            answer = Answer(200, answer.headers, msgspec.json.encode(page))
        elif kind == "delete_between_pages" and fault and answer.status == 200:
            self._service.delete_next(self._simulation, scope["path"], msgspec.json.decode(answer.body), fault.id)
        elif kind == "created_between_pages" and self._service.create_next and answer.status == 200:
            self._service.create_next(self._simulation, scope["path"], msgspec.json.decode(answer.body))
        elif kind in DISTURBING and fault and self._service.disturb and answer.status == 200:
            self._service.disturb(self._simulation, fault, scope["path"], msgspec.json.decode(answer.body))
        limit = self._simulation.answer_limit
        if limit is not None and len(answer.body) > limit:
            if self._simulation.answer_limit_status:
                await self._answer(_in_between(self._simulation.answer_limit_status), "answer_limit", scope, send)
                return
            kind = "answer_limit"
        await self._send(kind, answer, fault, scope, receive, send)

    async def _send(
        self, kind: str | None, answer: Answer, fault: Fault | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._log(scope, answer.status, kind)
        answer.headers["content-length"] = str(len(answer.body))
        await self._start(answer, send)
        if kind in ("truncated", "answer_limit"):
            end = len(answer.body) // 2 if kind == "truncated" else self._simulation.answer_limit
            await send({"type": "http.response.body", "body": answer.body[:end], "more_body": True})
            await close(scope, receive, abruptly=False)
        elif kind == "slow" and fault:
            await self._trickle(answer.body, fault.seconds, send)
        else:
            await send({"type": "http.response.body", "body": answer.body})

    async def _trickle(self, body: bytes, seconds: float, send: Send) -> None:
        """Sends the body in ten pieces over `seconds`."""
        size = max(1, -(-len(body) // 10))
        for start in range(0, len(body), size):
            await asyncio.sleep(seconds / 10)
            await send({"type": "http.response.body", "body": body[start : start + size], "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _break_off(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.kind == "reset":
            self._log(scope, 0, fault.kind)
            await close(scope, receive, abruptly=True)
            return
        await self._answer(self._service.failure(self._simulation, fault, scope), fault.kind, scope, send)

    async def _answer(self, answer: Answer, kind: str, scope: Scope, send: Send) -> None:
        """Sends an answer that is not the service's own."""
        self._log(scope, answer.status, kind)
        answer.headers["content-length"] = str(len(answer.body))
        await self._start(answer, send)
        await send({"type": "http.response.body", "body": answer.body})

    async def _start(self, answer: Answer, send: Send) -> None:
        headers = {**answer.headers, "date": http_date(self._simulation.clock)}
        raw = [(key.lower().encode(), value.encode("latin-1")) for key, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": raw})

    def _dated(self, send: Send) -> Send:
        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = (b"date", http_date(self._simulation.clock).encode())
                message = {**message, "headers": [*message["headers"], date]}
            await send(message)

        return dated

    def _log(self, scope: Scope, status: int, fault: str | None) -> None:
        query = scope["query_string"].decode("latin-1")
        self._simulation.record(self._service.name, scope["method"], scope["path"], query, status, fault)


def _in_between(status: int) -> Answer:
    """Answer in the service's place, as a proxy does."""
    return Answer(status, {"content-type": "text/html"}, f"<html><body><h1>{status}</h1></body></html>".encode())


def _without_cursor(query: bytes) -> bytes:
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    return urlencode([pair for pair in pairs if pair[0] not in _CURSORS]).encode()


async def close(scope: Scope, receive: Receive, *, abruptly: bool) -> None:
    """Closes the connection of a request: with a reset, or after what was written has gone out."""
    transport: asyncio.Transport | None = scope.get("extensions", {}).get("tributary.transport")
    if transport is None:
        return
    raw = transport.get_extra_info("socket") if abruptly else None
    if raw is not None:
        # Closing with a linger time of zero makes the kernel send RST instead of FIN.
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if abruptly:
        transport.abort()
    else:
        transport.close()
    # The server complains of an unfinished answer unless it has noticed that nobody is there any more.
    while (await receive())["type"] != "http.disconnect":
        pass


async def _read(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)
