"""The part of Airflow's REST API that backfills are made with: one of a DAG at a time; its runs end when told."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Backfills:
    """What there is. A backfill ends when `finish` is called."""

    def __init__(self) -> None:
        self.made: list[dict[str, Any]] = []
        self.runs: dict[str, str] = {}
        self._lock = threading.Lock()

    def dates(self, body: dict[str, Any]) -> list[str]:
        """The days for which a backfill would start a run."""
        first, last = (datetime.fromisoformat(body[name]) for name in ("from_date", "to_date"))
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        texts = [f"{day:%Y-%m-%dT%H:%M:%SZ}" for day in days]
        return [text for text in texts if self.runs.get(text) in (None, "failed")]

    def create(self, body: dict[str, Any]) -> dict[str, Any] | None:
        """The backfill; None while there is another one."""
        with self._lock:
            if any(one["completed_at"] is None for one in self.made):
                return None
            dates = self.dates(body)
            known = {name: body[name] for name in ("dag_id", "from_date", "to_date", "dag_run_conf")}
            self.made.append({**known, "id": len(self.made) + 1, "is_paused": False, "completed_at": None})
            self.runs |= dict.fromkeys(dates, "running")
            return self.made[-1]

    def finish(self) -> None:
        """End the runs of the backfill that is active, and then itself."""
        with self._lock:
            self.runs |= {day: "success" for day, state in self.runs.items() if state == "running"}
            for one in self.made:
                one["completed_at"] = one["completed_at"] or "2026-01-01T00:00:00Z"


@contextmanager
def serving(backfills: Backfills) -> Iterator[str]:
    """Its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            if url.path.endswith("/dagRuns"):
                asked = parse_qs(url.query)
                low, high = asked["logical_date_gte"][0], asked["logical_date_lte"][0]
                runs = [(day, state) for day, state in backfills.runs.items() if low <= day <= high]
                self._send(200, {"dag_runs": [{"logical_date": day, "state": state} for day, state in runs]})
            else:
                self._send(200, {"backfills": list(reversed(backfills.made))})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path.endswith("/token"):
                self._send(201, {"access_token": "x"})
            elif self.path.endswith("/dry_run"):
                self._send(200, {"backfills": [{"logical_date": day} for day in backfills.dates(body)]})
            else:
                made = backfills.create(body)
                self._send(200 if made else 409, made or {"detail": "There is another running backfill for dag"})

        def do_PATCH(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._send(200, {})

        def _send(self, status: int, found: Any) -> None:
            body = json.dumps(found).encode()
            self.send_response_only(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
