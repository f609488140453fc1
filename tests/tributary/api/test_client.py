"""What the client makes of what the HTTP stack says, which may quote the request with its key."""

import socket
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
import requests
from requests.auth import AuthBase

from tributary.api.answers import Judgement, Verdict
from tributary.api.client import ATTEMPTS, ApiClient, ApiError, HeavyError, ShapeError
from tributary.errors import RefusedError, TributaryError

KEY = "rk_live_Tz5Lq8"


class Page(msgspec.Struct):
    n: int


class Auth(AuthBase):
    """Puts into the request what a hook would, and what it would not."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


@contextmanager
def answering(*answers: bytes) -> Iterator[str]:
    """A server that gives these answers, byte for byte, one to a connection, the last one again and again."""
    left = list(answers)
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.recv(65_536)
                connection.sendall(left.pop(0) if len(left) > 1 else left[0])

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    finally:
        server.close()


def client(url: str, key: str = KEY) -> ApiClient:
    session = requests.Session()
    session.auth = Auth(key)

    def judge(answer: Any) -> Judgement:
        return Judgement(Verdict.OK if answer.status < 400 else Verdict.RETRY)

    return ApiClient(session, url, "stripe_default", {"default": 0.001}, judge, sleep=lambda _: None)


def told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def body(text: bytes, length: int | None = None) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (length or len(text), text)


@pytest.mark.parametrize("key", [f"{KEY}\n", f"{KEY}\r\nX: 1", f" {KEY}", f"{KEY}\u2013", f"{KEY}\x00"])
def test_a_request_that_can_not_be_sent_is_refused_without_the_key(key: str) -> None:
    with answering(body(b'{"n":1}')) as url, pytest.raises(TributaryError) as caught:
        client(url, key).get("/v1/x", Page)
        raise TributaryError("sent")  # requests strips a blank in front by itself, in some versions
    assert KEY not in told(caught.value)


@pytest.mark.parametrize(
    "answer",
    [b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"", b"HTTP/1.1 999\r\n"],
)
def test_a_server_that_speaks_no_http_fails_like_one_that_is_down(answer: bytes) -> None:
    with answering(answer) as url, pytest.raises(ApiError, match=rf"GET /v1/x failed {ATTEMPTS} times") as caught:
        client(url).get("/v1/x", Page)
    assert KEY not in told(caught.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999", "http://[::1", "nothing://x", "http://"])
def test_a_host_that_can_be_none_is_refused(url: str) -> None:
    with pytest.raises(RefusedError, match="look at host and password of the connection") as caught:
        client(url).get("/v1/x", Page)
    assert KEY not in told(caught.value)


def test_json_of_another_shape_is_no_fault_of_the_transport() -> None:
    with answering(body(b'{"n": "Jane"}')) as url:
        api = client(url)
        with pytest.raises(ShapeError, match=r"Expected `int`, got `str` - at `\$\.n`") as caught:
            api.get("/v1/x", Page)
    assert api.counts["requests"] == 1
    assert "Jane" not in told(caught.value)


def test_an_answer_that_is_cut_off_is_asked_for_in_smaller_pieces() -> None:
    """Also where what came by then would not fit, and where nobody says how long it should have been."""
    asked = iter([{"limit": 50}, {"limit": 25}])
    answers = body(b'{"n": 1', 900), body(b'{"n": "1"'), body(b'{"n": 3}')
    with answering(*answers) as url:
        api = client(url)
        _, page = api.get("/v1/x", Page, {"limit": 100}, lighter=asked)
    assert page.n == 3
    assert api.counts["requests"] == 3
    assert next(asked, None) is None


def test_what_never_comes_whole_says_so() -> None:
    with answering(body(b'{"n": 1', 900)) as url:
        api = client(url)
        with pytest.raises(HeavyError, match=f"failed {ATTEMPTS + 2} times"):
            api.get("/v1/x", Page, lighter=iter([{"limit": 50}, {"limit": 25}]))


def test_a_server_that_is_down_is_not_asked_for_less() -> None:
    down = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    lighter = iter([{"limit": 50}])
    with answering(down) as url, pytest.raises(ApiError, match="503") as caught:
        client(url).get("/v1/x", Page, lighter=lighter)
    assert not isinstance(caught.value, HeavyError)
    assert next(lighter) == {"limit": 50}
