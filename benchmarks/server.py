"""A page server that costs as little as one can: `/<invoices>/v1/invoices`, so many invoices, whole pages from memory.

It runs in a process of its own, and prints its URL when it listens:
`python -m benchmarks.server [--large MEGABYTES] [--lines NUMBER]`.
"""

import argparse
import asyncio
import json
import re
from urllib.parse import parse_qs, urlsplit

from benchmarks.invoices import LINES, PAGE_SIZE, TEMPLATES, TOKEN, large, templates

_ACCOUNT = json.dumps({"id": "acct_benchmark", "object": "account"}).encode()
_LAST_ID = re.compile(rb'"id": "in_1Q~{6}(\w{16})"')


class Pages:
    """Numbered pages, each followed by the one that its last id asks for."""

    def __init__(self, bodies: list[bytes]) -> None:
        self._bodies = bodies
        self._last = {_LAST_ID.findall(body)[-1].decode(): number for number, body in enumerate(bodies)}

    def body(self, invoices: int, after: str | None) -> bytes:
        """The page behind an id; the first one without."""
        number = 0
        if after:
            mark = len("in_1Q")
            cycle, name = int(after[mark : mark + len(TOKEN)]), after[mark + len(TOKEN) :]
            number = cycle * len(self._bodies) + self._last[name] + 1
        cycle, template = divmod(number, len(self._bodies))
        body = self._bodies[template].replace(TOKEN.encode(), b"%0*d" % (len(TOKEN), cycle))
        if (number + 1) * PAGE_SIZE >= invoices:
            body = body.replace(b'"has_more": true, "url": "/v1/invoices"', b'"has_more": false')
            body = body.replace(b'"has_more": true', b'"has_more": false')
        return body


async def _answer(pages: Pages, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            url = urlsplit(head.split(b" ", 2)[1].decode())
            after = parse_qs(url.query).get("starting_after", [None])[0]
            _, invoices, _, name = url.path.split("/")
            body = _ACCOUNT if name == "account" else pages.body(int(invoices), after)
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            writer.write(head + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def _serve(bodies: list[bytes]) -> None:
    pages = Pages(bodies)
    server = await asyncio.start_server(lambda *streams: _answer(pages, *streams), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", type=int, default=0, help="one page with one record of so many megabytes")
    parser.add_argument("--lines", type=int, default=LINES, help="of each invoice")
    asked = parser.parse_args()
    asyncio.run(_serve([large(asked.large)] if asked.large else templates(TEMPLATES, asked.lines)))
