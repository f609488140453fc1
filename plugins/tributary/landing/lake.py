"""Objects in the lake bucket: gzip lines written and read in bounded memory."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import msgspec
from isal import igzip, isal_zlib

from tributary.errors import RefusedError

T = TypeVar("T")

#: An object is closed when this much compressed data is in it.
PART_BYTES = 8 * 1024**2
#: Lines are compressed in blocks: a call per line costs as much as the compression.
BLOCK_BYTES = 256 * 1024
_COMPRESSION = 1  # ISA-L's levels end at 3; this one is as small as zlib's first and takes a seventh of its time
_GZIP_FORMAT = 31
_GZIP = "application/gzip"


class Part(msgspec.Struct, frozen=True):
    """One written object."""

    name: str
    lines: int
    bytes: int
    crc32c: str


class LineWriter:
    """Collects lines into one gzip object at a time.

    The caller decides when a part may end: `full` says that it should.
    """

    def __init__(self, bucket: Any, prefix: str, first: int = 1) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._number = first
        self._open()

    def _open(self) -> None:
        # The header has no time: the same lines make the same bytes, and so the same checksum.
        self._gzip = isal_zlib.compressobj(_COMPRESSION, isal_zlib.DEFLATED, _GZIP_FORMAT)
        self._done: list[bytes] = []
        self._waiting: list[bytes] = []
        self._lines = self._size = self._waiting_size = 0

    def write(self, line: bytes) -> None:
        self._waiting += (line, b"\n")
        self._waiting_size += len(line)
        self._lines += 1
        if self._waiting_size >= BLOCK_BYTES:
            self._compress()

    def _compress(self) -> None:
        data = self._gzip.compress(b"".join(self._waiting))
        self._done.append(data)
        self._size += len(data)
        self._waiting.clear()
        self._waiting_size = 0

    @property
    def _name(self) -> str:
        return f"{self._prefix}-{self._number:05d}.ndjson.gz"

    @property
    def full(self) -> bool:
        return self._size + self._waiting_size >= PART_BYTES

    def close(self) -> Part | None:
        """Upload what was collected as one object; None if there was nothing."""
        if not self._lines:
            return None
        self._compress()
        data = b"".join((*self._done, self._gzip.flush()))
        blob = self._bucket.blob(self._name)
        blob.upload_from_string(data, content_type=_GZIP, checksum="crc32c")
        part = Part(self._name, self._lines, len(data), blob.crc32c or "")
        self._number += 1
        self._open()
        return part


def read_lines(bucket: Any, name: str) -> Iterator[bytes]:
    """The lines of a gzip object, read as a stream; each ends in its line break, which no JSON decoder minds."""
    unzipped: Any = igzip.IGzipFile  # has no types
    with bucket.blob(name).open("rb", chunk_size=PART_BYTES, raw_download=True) as raw, unzipped(fileobj=raw) as lines:
        yield from lines


def check_parts(bucket: Any, parts: Iterable[Part], remedy: str) -> None:
    """Compare objects with what was noted when they were written.

    Raises:
        RefusedError: one is missing, cut off or altered; names it and says what to do.
    """
    for part in parts:
        blob = bucket.get_blob(part.name)
        if blob is None:
            found = "is gone"
        elif blob.size != part.bytes:
            found = f"has {blob.size} bytes, expected {part.bytes}"
        elif blob.crc32c != part.crc32c:
            found = f"has the checksum {blob.crc32c}, expected {part.crc32c}"
        else:
            continue
        raise RefusedError(f"gs://{bucket.name}/{part.name} {found}; nothing was loaded. {remedy}")


def write_json(bucket: Any, name: str, value: Any) -> None:
    """A small object in one request, so that readers see all of it or nothing."""
    bucket.blob(name).upload_from_string(msgspec.json.encode(value), content_type="application/json")


def read_json(bucket: Any, name: str, type_: type[T]) -> T | None:
    """A small object, or None where there is none."""
    blob = bucket.get_blob(name)
    return msgspec.json.decode(blob.download_as_bytes(), type=type_) if blob else None
