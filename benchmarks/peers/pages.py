"""Fetching, as plainly as it goes: what the contenders share that bring no client of their own."""

from collections.abc import Iterator

import requests


def bodies(url: str) -> Iterator[bytes]:
    """The pages of the server, undecoded."""
    params: dict[str, str] = {"limit": "100"}
    with requests.Session() as session:
        while True:
            answer = session.get(f"{url}/v1/invoices", params=params, timeout=60, stream=True)
            body = b"".join(answer.iter_content(1024**2))
            yield body
            if b'"has_more": true' not in body[-100:]:
                return
            start = body.rindex(b'"id": "in_') + len(b'"id": "')
            params["starting_after"] = body[start : body.index(b'"', start)].decode()
