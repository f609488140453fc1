"""The least that any program of this kind does: fetch, decode what the contract names, encode it, compress it.

It keeps no landing copy, flattens nothing, checks nothing, hashes nothing.
"""

import sys
from pathlib import Path

import msgspec

from benchmarks.directory import Directory
from benchmarks.peers.clock import clocked
from benchmarks.peers.pages import bodies
from tributary.contracts.loader import load_contracts
from tributary.flatten.fast import FastReader
from tributary.landing.lake import LineWriter
from tributary.sources import source


def run(url: str, out: Path) -> dict[str, int]:
    """Read all invoices of the server and write them again."""
    reader = FastReader(source("stripe"), load_contracts("stripe")["invoices"])
    writer = LineWriter(Directory(out), "invoices")
    encode, rows = msgspec.json.Encoder().encode, 0
    for body in bodies(url):
        for record in reader.records(body, "data"):
            writer.write(encode(record))
            rows += 1
        if writer.full:
            writer.close()
    writer.close()
    return {"stripe_invoices": rows}


if __name__ == "__main__":
    clocked(lambda: run(sys.argv[1], Path(sys.argv[2])))
