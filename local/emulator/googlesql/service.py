"""Runs Google's SQL analyzer: the local service of GoogleSQL, compiled to WebAssembly (PyPI: `zetasql`).

Talks to it in protocol buffers, without the package's own Python objects: those copy requests byte by byte and build a
tree of every answer, which takes longer than the analysis.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.metadata
import os
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

ALSO_IN_BIGQUERY = ("ALTER_COLUMN_SET_DATA_TYPE", "CREATE_TABLE_CLONE", "CREATE_VIEWS_WITH_COLUMN_OPTIONS")
"""Features that the analyzer's maximum leaves out and BigQuery has: its reference of data definition language."""


class Refused(Exception):
    """Raised for a statement that GoogleSQL doesn't accept; the message is Google's, with line and column."""


class Analyzer:
    """The analyzer's service in this process. Starting it takes a tenth of a second once the module is compiled."""

    def __init__(self, wasm: Any) -> None:
        from zetasql.types import LanguageOptions, ResolvedNodeKind
        from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2

        self._wasm, self._messages = wasm, local_service_pb2
        language = LanguageOptions.maximum_features()
        language.supported_statement_kinds = [kind for kind in ResolvedNodeKind if kind.name.endswith("_STMT")]
        language.reserved_keywords = ["QUALIFY"]  # as in BigQuery
        self.language = language.to_proto()
        features = self.language.DESCRIPTOR.fields_by_name["enabled_language_features"].enum_type.values_by_name
        self.language.enabled_language_features.extend(features[f"FEATURE_{name}"].number for name in ALSO_IN_BIGQUERY)
        self._registered: int | None = None
        self._one_at_a_time = Lock()

    def parse(self, sql: str) -> Any:
        """Return the syntax tree of a script (a protocol buffer). Raises Refused where the syntax is wrong."""
        request = self._messages.ParseRequest(sql_statement=sql, options=self.language, allow_script=True)
        return self._call("Parse", request, self._messages.ParseResponse).parsed_script

    def tables(self, sql: str) -> list[tuple[str, ...]]:
        """Return the tables that a script names, as written: `a.b.c` in one pair of backquotes is one part."""
        request = self._messages.ExtractTableNamesFromStatementRequest(
            sql_statement=sql, options=self.language, allow_script=True
        )
        answer = self._messages.ExtractTableNamesFromStatementResponse
        found = self._call("ExtractTableNamesFromStatement", request, answer)
        return [tuple(name.table_name_segment) for name in found.table_name]

    def register(self, catalog: Any) -> None:
        """Make a catalog (SimpleCatalogProto) the one that statements are analyzed against."""
        request = self._messages.RegisterCatalogRequest(simple_catalog=catalog)
        before = self._registered
        self._registered = self._call("RegisterCatalog", request, self._messages.RegisterResponse).registered_id
        if before is not None:
            self._call("UnregisterCatalog", self._messages.UnregisterRequest(registered_id=before), None)

    def analyze(self, sql: str, start: int, options: Any) -> Any:
        """Resolve the statement that begins at byte `start` of a script; return it (AnyResolvedStatementProto)."""
        request = self._messages.AnalyzeRequest(options=options, registered_catalog_id=self._registered)
        request.parse_resume_location.input = sql
        request.parse_resume_location.byte_position = start
        return self._call("Analyze", request, self._messages.AnalyzeResponse).resolved_statement

    def _call(self, method: str, request: Any, answer: Any) -> Any:
        from google.protobuf import empty_pb2
        from zetasql.core.exceptions import ServerError

        try:
            with self._one_at_a_time:
                return self._wasm.call_grpc_func(f"ZetaSqlLocalService_{method}", request, answer or empty_pb2.Empty)
        except ServerError as problem:
            raise Refused(str(problem)) from None


@cache
def analyzer() -> Analyzer:
    """Start the analyzer, compiling its module if that wasn't done yet."""
    from zetasql.core import local_service, wasm_client

    compiled = compile_module()

    class Module:
        @staticmethod
        def from_file(engine: Any, path: str) -> Any:
            from wasmtime import Module

            return Module.deserialize_file(engine, str(compiled))

    wasm_client.Module = Module
    wasm_client.WasmClient.write_bytes = _write
    wasm_client.WasmClient.read_bytes = _read
    return Analyzer(local_service.ZetaSqlLocalService.get_instance().wasm_client)


def compile_module() -> Path:
    """Compile the analyzer's WebAssembly to machine code beside it, unless that was done (about 20 CPU seconds)."""
    import wasmtime
    from zetasql.wasi import get_wasm_path

    source = Path(get_wasm_path())
    versions = " ".join(importlib.metadata.version(package) for package in ("wasmtime", "zetasql"))
    digest = hashlib.blake2b(versions.encode(), digest_size=8).hexdigest()
    compiled = source.with_name(f"{source.stem}-{digest}.cwasm")
    if not compiled.exists():
        config = wasmtime.Config()
        config.shared_memory = True
        module = wasmtime.Module.from_file(wasmtime.Engine(config), str(source))
        unfinished = compiled.with_suffix(f".{os.getpid()}")
        unfinished.write_bytes(module.serialize())
        unfinished.rename(compiled)
    return compiled


def _write(self: Any, pointer: int, data: bytes) -> None:
    ctypes.memmove(_address(self) + pointer, data, len(data))


def _read(self: Any, pointer: int, size: int) -> bytes:
    return ctypes.string_at(_address(self) + pointer, size)


def _address(client: Any) -> int:
    return ctypes.addressof(client.memory.data_ptr().contents)


if __name__ == "__main__":
    compile_module()
