"""A directory that answers like a Cloud Storage bucket, so that every contender writes to the same disk."""

from pathlib import Path
from typing import Any, BinaryIO


class Directory:
    """The part of `google.cloud.storage.Bucket` that the lake uses."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.path = path

    def blob(self, name: str) -> "File":
        return File(self.path / name)

    def get_blob(self, name: str) -> "File | None":
        file = self.blob(name)
        return file if file.path.exists() else None


class File:
    """The part of `google.cloud.storage.Blob` that the lake uses."""

    crc32c = ""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    def upload_from_string(self, data: bytes, **_: Any) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(data)

    def download_as_bytes(self) -> bytes:
        return self.path.read_bytes()

    def open(self, *_: Any, **__: Any) -> BinaryIO:
        return self.path.open("rb")
