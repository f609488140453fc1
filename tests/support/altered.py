"""An API whose answers are altered on the way, for what its simulator can't say."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

from tests.conftest import variables

#: Given the path with its query, and the body: the body that arrives.
Alter = Callable[[str, bytes], bytes]
_KEPT = ("Date", "Content-Type", "Request-Id", "Stripe-Version")


@contextmanager
def altered(source: str, alter: Alter) -> Iterator[None]:
    """The source's default connection leads through a server that alters what comes back."""
    variable = f"AIRFLOW_CONN_{source.upper()}_DEFAULT"
    connection = json.loads(os.environ[variable])
    upstream = connection["host"]

    class Handler(BaseHTTPRequestHandler):
        def _pass_on(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name: value for name, value in self.headers.items() if name != "Host"}
            answer = requests.request(self.command, upstream + self.path, headers=headers, data=sent, timeout=60)
            body = alter(self.path, answer.content)
            self.send_response_only(answer.status_code)
            for name in _KEPT:
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _pass_on

        def log_message(self, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    connection["host"] = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        with variables({variable: json.dumps(connection)}):
            yield
    finally:
        server.shutdown()
        server.server_close()


def in_json(path: str, change: Callable[[Any], Any]) -> Alter:
    """Alters the JSON of answers to requests whose path is this one; `change` returns it anew, or changes it."""

    def alter(asked: str, body: bytes) -> bytes:
        if asked.partition("?")[0] != path:
            return body
        found = json.loads(body)
        return json.dumps(change(found) or found).encode()

    return alter
