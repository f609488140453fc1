"""BigQuery's concurrency in front of the emulator, which runs one job after the other and never cancels one.

A proxy that every client of the emulator can go through. It knows which jobs overlap, from the arrival of the request
to the moment its answer is sent (`hold` draws that out), and treats them as BigQuery does:

- a transaction that changes rows of a table cancels others that want to, with BigQuery's own message;
- single statements that would, wait; inserts never conflict;
- transactions that don't conflict read what was committed before they began, and not each other's rows;
- a job id is used once: a second request with it is answered 409, and the client asks what became of the first.

It also loses answers on demand.
"""

import http.client
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_CHANGES = re.compile(r"\b(?:update|delete\s+from|merge(?:\s+into)?|truncate\s+table)\s+`([^`]+)`", re.IGNORECASE)
_INSERTS = re.compile(r"\binsert\s+into\s+`([^`]+)`", re.IGNORECASE)
_ALWAYS = re.compile(r"\bupdate\s+`([^`]+)`\s+set\b[^;]*\bwhere\s+true\s*;", re.IGNORECASE)
_TRANSACTION = re.compile(r"\bbegin\s+transaction\b", re.IGNORECASE)
_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "date", "server"}


@dataclass
class _Job:
    """What a script does to tables."""

    id: str
    transaction: bool
    #: Tables of which rows are updated or deleted, if any match; those of which one always is; those written at all.
    changes: set[str]
    certain: set[str]
    writes: set[str]
    config: dict[str, Any]

    @classmethod
    def of(cls, body: dict[str, Any]) -> "_Job | None":
        config = body.get("configuration", {})
        sql = config.get("query", {}).get("query", "")
        changes, inserts = set(_CHANGES.findall(sql)), set(_INSERTS.findall(sql))
        if not changes | inserts:
            return None
        job_id = body.get("jobReference", {}).get("jobId", "")
        certain = set(_ALWAYS.findall(sql))
        return cls(job_id, bool(_TRANSACTION.search(sql)), changes, certain, changes | inserts, config)


@dataclass
class Conflicts:
    """What the proxy has done; and what it is told to do."""

    #: Seconds for which a transaction stays open after its last statement.
    hold: float = 0.0
    #: Answers to jobs that still are to be lost, after the job was done.
    lose: int = 0
    cancelled: list[str] = field(default_factory=list)
    lost: int = 0
    #: Transactions that ran beside another one.
    beside: int = 0


class _Before:
    """Copies of the tables that a transaction without a certain conflict writes: what a second one has to read."""

    def __init__(self, run: Any, job: _Job) -> None:
        self._run, self.tables = run, sorted(job.writes)
        for table in self.tables:
            self._copy(table, "before")

    def _copy(self, table: str, when: str) -> None:
        self._run(f"create or replace table `{table}__{when}` as select * from `{table}`")

    def _set(self, table: str, when: str) -> None:
        self._run(f"delete from `{table}` where true; insert into `{table}` select * from `{table}__{when}`;")

    def _removed(self, table: str, now: str) -> int:
        sql = f"select count(*) as n from (select * from `{table}__before` except distinct select * from `{now}`)"
        return int(self._run(sql)["rows"][0]["f"][0]["v"])

    def second(self, send: Any) -> tuple[bytes, str | None]:
        """Run another transaction on the state before the first; its answer, and the table on which they conflict."""
        for table in self.tables:
            self._copy(table, "after")
            self._set(table, "before")
        answer: bytes = send()
        conflict = next((t for t in self.tables if self._removed(t, f"{t}__after") and self._removed(t, t)), None)
        for t in self.tables:
            if conflict or _failed(answer):
                self._set(t, "after")
                continue
            self._run(
                f"delete from `{t}` where to_json_string(`{t}`) in (select to_json_string(b) from "
                f"(select * from `{t}__before` except distinct select * from `{t}__after`) b)"
                if self._removed(t, f"{t}__after")
                else "select 1"
            )
            self._run(f"insert into `{t}` select * from `{t}__after` except distinct select * from `{t}__before`")
        return answer, conflict


class BigQueryProxy:
    """One proxy; its settings and what it counted are in `conflicts`."""

    def __init__(self, upstream: str) -> None:
        address = urlsplit(upstream)
        assert address.hostname and address.port
        self.upstream = (address.hostname, address.port)
        self.conflicts = Conflicts()
        self.running: list[_Job] = []
        self.known: set[str] = set()
        #: Bodies of the requests that change a table.
        self.patches: list[dict[str, Any]] = []
        self.state = threading.Condition()
        #: The emulator's one worker; whoever holds it sees nobody else's statements in between.
        self.engine = threading.RLock()
        self.before: tuple[_Job, _Before] | None = None
        #: As if another transaction were always there.
        self.cancel_all = False
        #: Transactions are accepted and go on until somebody cancels them.
        self.park = False
        #: Job -> whether it was cancelled.
        self.parked: dict[str, bool] = {}
        #: Lines that load jobs refuse, as it were, and how many of them `errors[]` names.
        self.refuses: Callable[[bytes], bool] = lambda line: False
        self.names_refused = 5
        #: Object -> its lines; and how often a load was refused.
        self.lines_of: Callable[[str], Iterator[bytes]] | None = None
        self.refused = 0

    def job(self, path: str, body: bytes, send: Any) -> bytes | None:
        """A jobs.insert: the answer, or None where it is to be lost."""
        request = json.loads(body)
        job_id = request.get("jobReference", {}).get("jobId", "")
        project = path.split("/projects/")[1].split("/", maxsplit=1)[0]
        with self.state:
            if job_id in self.known:
                return _error(409, "duplicate", f"Already Exists: Job {project}:US.{job_id}")
            self.known.add(job_id)
        if answer := self._refuse(request, project):
            return answer
        job = _Job.of(request)
        if self.park and job and job.transaction:
            self.parked[job.id] = False
            return json.dumps(_resource(job.id, project, job.config, {"state": "RUNNING"})).encode()
        answer = send() if job is None else self._mutate(job, project, send)
        with self.state:
            if self.conflicts.lose and job is not None:
                self.conflicts.lose -= 1
                self.conflicts.lost += 1
                return None
        return answer

    def _refuse(self, request: dict[str, Any], project: str) -> bytes | None:
        """What a load job says that met lines it can't take; past `maxBadRecords` it fails, up to them it leaves them
        out. Either way `errors[]` names a sample, each by object and by the position of its first byte."""
        load = request.get("configuration", {}).get("load", {})
        problems = []
        for uri in load.get("sourceUris", []) if self.lines_of else []:
            assert self.lines_of
            position = 0
            for line in self.lines_of(uri):
                if self.refuses(line):
                    message = (
                        f"Error while reading data, error message: JSON parsing error in row starting at position "
                        f"{position}: Could not convert value to float. Field: metadata; Value: {line[:40]!r} "
                        f"File: {uri}"
                    )
                    problems.append({"reason": "invalid", "message": message})
                position += len(line)
        if not problems:
            return None
        self.refused += 1
        status: dict[str, Any] = {"state": "DONE", "errors": problems[: self.names_refused]}
        if len(problems) > int(load.get("maxBadRecords", 0)):
            many = f"JSON table encountered too many errors, giving up. Rows: 9; errors: {len(problems)}."
            status["errorResult"] = {"reason": "invalid", "message": f"Error while reading data, error message: {many}"}
            status["errors"] = [status["errorResult"], *status["errors"]]
        job_id = request.get("jobReference", {}).get("jobId", "")
        resource = _resource(job_id, project, request["configuration"], status)
        resource["configuration"]["jobType"] = "LOAD"
        return json.dumps(resource).encode()

    def _mutate(self, job: _Job, project: str, send: Any) -> bytes:
        with self.state:
            if not job.transaction:
                # A single statement waits for its turn.
                self.state.wait_for(lambda: not any(r.transaction and r.changes & job.changes for r in self.running))
            elif table := next((t for r in self._others(job) for t in sorted(r.certain & job.certain)), None):
                self.conflicts.cancelled.append(table)
                return _aborted(job, project, table)
            self.running.append(job)
        try:
            answer = self._transaction(job, project, send) if job.transaction else send()
            time.sleep(self.conflicts.hold if job.transaction else 0)
            return answer
        finally:
            with self.state:
                self.running.remove(job)
                if self.before and self.before[0] is job:
                    self.before = None
                self.state.notify_all()

    def ask_parked(self, path: str) -> bytes | None:
        """The answer to a request about a job that is parked; None about any other."""
        names = path.split("/")
        job_id = next((name for name in names if name in self.parked), None)
        if job_id is None:
            return None
        project = path.split("/projects/")[1].split("/", maxsplit=1)[0]
        if names[-1] == "cancel":
            self.parked[job_id] = True
            job = _resource(job_id, project, {"query": {}}, {"state": "RUNNING"})
            return json.dumps({"kind": "bigquery#jobCancelResponse", "job": job}).encode()
        stopped = {"reason": "stopped", "message": "Job execution was cancelled: User requested cancellation"}
        cancelled = self.parked[job_id]
        if "queries" in names:
            if cancelled:
                return _error(499, stopped["reason"], stopped["message"])
            time.sleep(0.05)
            reference = {"projectId": project, "jobId": job_id, "location": "US"}
            return json.dumps({"jobComplete": False, "jobReference": reference}).encode()
        status = {"state": "DONE", "errorResult": stopped} if cancelled else {"state": "RUNNING"}
        return json.dumps(_resource(job_id, project, {"query": {}}, status)).encode()

    def _others(self, job: _Job) -> list[_Job]:
        return [job] if self.cancel_all else self.running

    def _transaction(self, job: _Job, project: str, send: Any) -> bytes:
        with self.engine:
            if job.certain:
                return bytes(send())
            if self.before and self.before[0].writes & job.writes:
                self.conflicts.beside += 1
                answer, table = self.before[1].second(send)
                if table:
                    self.conflicts.cancelled.append(table)
                    return _aborted(job, project, table)
                return answer
            self.before = (job, _Before(lambda sql: self._run(project, sql), job))
            return bytes(send())

    def _run(self, project: str, sql: str) -> Any:
        body = json.dumps({"query": sql, "useLegacySql": False}).encode()
        path = f"/bigquery/v2/projects/{project}/queries"
        status, _, answer = self.forward("POST", path, {"Content-Type": "application/json"}, body)
        found = json.loads(answer)
        assert status == 200 and not found.get("errors"), f"{sql}: {answer[:500]!r}"
        return found

    def forward(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        if method == "PATCH":
            self.patches.append(json.loads(body))
        connection = http.client.HTTPConnection(*self.upstream, timeout=300)
        try:
            connection.request(method, path, body or None, headers)
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()


def _failed(answer: bytes) -> bool:
    return "errorResult" in json.loads(answer).get("status", {})


def _error(status: int, reason: str, message: str) -> bytes:
    return json.dumps(
        {"error": {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}}
    ).encode()


def _aborted(job: _Job, project: str, table: str) -> bytes:
    name = table.replace(".", ":", 1)
    message = (
        f"Query error: Transaction is aborted due to concurrent update against table {name}. "
        "Transaction ID: 00000000-0000-0000-0000-000000000000 at [1:1]"
    )
    problem = {"reason": "invalidQuery", "location": "query", "message": message}
    status = {"state": "DONE", "errorResult": problem, "errors": [problem]}
    return json.dumps(_resource(job.id, project, job.config, status)).encode()


def _resource(job_id: str, project: str, config: dict[str, Any], status: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": "bigquery#job",
        "id": f"{project}:US.{job_id}",
        "jobReference": {"projectId": project, "jobId": job_id, "location": "US"},
        "configuration": {**config, "jobType": "QUERY"},
        "status": status,
        "statistics": {"creationTime": "0", "startTime": "0", "endTime": "0"},
    }


def _handler(proxy: BigQueryProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
            headers.pop("Host", None)
            headers["Accept-Encoding"] = "identity"
            answer: bytes | None
            if self.command == "POST" and urlsplit(self.path).path.endswith("/jobs"):
                status, fields = 200, [("Content-Type", "application/json")]

                def send() -> bytes:
                    nonlocal status, fields
                    with proxy.engine:
                        status, fields, got = proxy.forward(self.command, self.path, headers, body)
                    return got

                answer = proxy.job(self.path, body, send)
            elif answer := proxy.ask_parked(urlsplit(self.path).path):
                status, fields = 200, [("Content-Type", "application/json")]
            else:
                status, fields, answer = proxy.forward(self.command, self.path, headers, body)
            if answer and answer.startswith(b'{"error"'):
                status = json.loads(answer)["error"]["code"]
            if answer is None:
                self.close_connection = True
                with suppress(OSError):
                    self.connection.shutdown(2)
                return
            self.send_response(status)
            for name, value in fields:
                if name.lower() not in _HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the tests look at what the proxy counted."""

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


@contextmanager
def bigquery_proxy(upstream: str) -> Iterator[tuple[str, BigQueryProxy]]:
    """A proxy in front of the emulator at `upstream`; its address and itself."""
    proxy = BigQueryProxy(upstream)
    server = _Server(("127.0.0.1", 0), _handler(proxy))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", proxy
    finally:
        server.shutdown()
        server.server_close()
