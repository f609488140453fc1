"""Records that no JSON decoder takes: each is a reject, and the rest of their page loads."""

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest
import requests

from tests.conftest import variables
from tests.support.pipeline import HISTORY, Pipeline, bucket, empty, query, warehouse
from tests.support.world import World
from tributary.landing.lake import read_json, read_lines
from tributary.landing.manifest import LandingManifest, manifest_name
from tributary.sources.base import Page
from tributary.warehouse.tables import ensure_tables

pytestmark = pytest.mark.emulators

ODD = {
    "half": b'"Jane \\ud800 Doe"',
    "other half": b'"Jane \\udc00 Doe"',
    "no text": b'"Jane \xff Doe"',
    "deep": b'{"a":' * 2000 + b'"Jane"' + b"}" * 2000,
}
"""What stands in an answer where the simulator, which can't say it, has the name."""


@pytest.fixture
def odd_api(world: World) -> Iterator[None]:
    """Stripe as it is, but for values that no decoder takes."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = requests.get(world.stripe + self.path, headers=dict(self.headers), timeout=30)
            body = answer.content
            for name, value in ODD.items():
                body = body.replace(json.dumps(f"odd: {name}").encode(), value)
            self.send_response_only(answer.status_code)
            for name in ("Date", "Content-Type", "Request-Id", "Stripe-Version"):
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    connection = json.loads(os.environ["AIRFLOW_CONN_STRIPE_DEFAULT"])
    connection["host"] = f"http://127.0.0.1:{server.server_address[1]}"
    with variables({"AIRFLOW_CONN_STRIPE_DEFAULT": json.dumps(connection)}):
        yield
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("names", [["no text"], list(ODD)], ids=["bytes that nobody reads on the way", "all"])
def test_a_record_that_can_not_be_decoded_is_a_reject(world: World, odd_api: None, names: list[str]) -> None:
    pipeline = Pipeline("stripe", "customers")
    ensure_tables(warehouse(), pipeline.contract, {})
    empty("stripe_customers")
    query("delete from ops.rejects where stream = 'customers'")
    ids = [entry["id"] for entry in world.books("stripe", "customers") if not entry.get("gone")][: len(names)]
    for id_, name in zip(ids, names, strict=True):
        world.change("stripe", "customers", id_, description=f"odd: {name}")
    landing = pipeline.extract(*HISTORY, "created")
    counts = pipeline.load(landing)["stripe_customers"]
    assert counts["rejected"] == len(names)
    assert counts["loaded"] == counts["received"] - len(names) > 20
    rejects = query("select record_key, reason, detail from ops.open_rejects where stream = 'customers' order by 1")
    assert [row["record_key"] for row in rejects] == sorted(ids)
    assert {row["reason"] for row in rejects} == {"unreadable"}
    assert "Jane" not in json.dumps(rejects)
    # The landed copy is what was received, byte for byte.
    manifest = read_json(bucket(), manifest_name(landing.folder), LandingManifest)
    assert manifest
    lines = [line for part in manifest.parts for line in read_lines(bucket(), part.name)]
    received = "".join(msgspec.json.decode(line, type=Page).received for line in lines).encode("latin-1")
    assert all(ODD[name] in received for name in names)
    # Mended at the source, they are loaded as any other.
    for id_ in ids:
        world.change("stripe", "customers", id_, description="fine")
    assert pipeline.run(*HISTORY, "created")["stripe_customers"]["rejected"] == 0
    assert query("select record_key from ops.open_rejects where stream = 'customers'") == []
