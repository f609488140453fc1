"""What is sent as it is written."""

import pytest
from requests import Request

from tributary.api.session import ExactSession, below, is_sendable, trimmed


@pytest.mark.parametrize(
    ("id_", "path"),
    [
        ("SPRING", "SPRING"),
        ("A#1", "A%231"),
        ("100%AB", "100%25AB"),
        ("%2E", "%252E"),
        ("BLACK/FRIDAY", "BLACK%2FFRIDAY"),
        (".", "%2E"),
        ("..", "%2E%2E"),
        ("...", "..."),
        ("../charges/ch_1", "..%2Fcharges%2Fch_1"),
        ("a b", "a%20b"),
        ("ÿ€", "%C3%BF%E2%82%AC"),
    ],
)
def test_an_id_stays_one_part_of_the_path(id_: str, path: str) -> None:
    url = "https://api.example" + below("/v1/coupons", id_)
    prepared = ExactSession().prepare_request(Request("GET", url, params={"starting_after": id_}))
    assert str(prepared.url).partition("?")[0] == f"https://api.example/v1/coupons/{path}"


@pytest.mark.parametrize("around", ["\n", "\r\n", "\u200b", "\ufeff", "\u00a0\u2009", "\u2060 \t"])
def test_what_copying_puts_around_a_key_does_not_count(around: str) -> None:
    assert trimmed(f"{around}sk_test_1{around}") == "sk_test_1"
    assert is_sendable("sk_test_1")
    assert not is_sendable(f"sk_test{around}_1")


def test_no_key_is_no_key() -> None:
    assert trimmed(None) == trimmed(" \n") == ""
    assert not is_sendable("")
