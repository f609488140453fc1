"""Judges query jobs before they run: by GoogleSQL, and by BigQuery's limits on a statement's text."""

from __future__ import annotations

import asyncio
import json
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from local.emulator import memory, partitions, templates
from local.emulator.googlesql import (
    catalog,
    gaps,
    information_schema,
    limits,
    named,
    resolved,
    script,
    statements,
)
from local.emulator.googlesql.catalog import Path
from local.emulator.googlesql.service import Refused, analyzer

_T = TypeVar("_T")
_POSITION = re.compile(r"\[at (\d+:\d+)\]")
_PSEUDO_COLUMN = re.compile("|".join(gaps.PSEUDO_COLUMNS), re.IGNORECASE)
_NAME = r"((?:`[^`]+`|[\w-]+)(?:\.(?:`[^`]+`|\w+))*)"
_MADE = re.compile(rf"\bcreate\s+(?:or\s+replace\s+)?(?:table|view)\s+(?:if\s+not\s+exists\s+)?{_NAME}", re.IGNORECASE)
REGISTERED = 24
"""Tables of earlier statements that stay in the analyzer's catalog. Registering costs half a millisecond for each, on
top of 20 ms for the functions."""
_VIEWED = re.compile(rf"\b(?:from|join)\s+{_NAME}", re.IGNORECASE)


def apply() -> None:
    """Answer 400 `invalidQuery` to a statement that BigQuery would refuse, in Google's words, before it runs."""
    from bqemulator.api.routes import jobs
    from bqemulator.domain.errors import InvalidQueryError

    run = jobs.execute_query_job
    judge = Judge()

    async def run_if_accepted(
        project_id: str, job_id: str, bq_sql: str, query_params: Any, ctx: Any, **options: Any
    ) -> Any:
        try:
            written = await judge.check(bq_sql, query_params or (), project_id, ctx.catalog)
        except Refused as refusal:
            raise InvalidQueryError(str(refusal)) from None
        before: dict[tuple[str, str, str], int] = {}
        for name, replaced in written.items():
            if reference := named.reference(name, project_id):
                before[reference] = 0 if replaced else partitions.count(*reference, ctx)
        done = await run(project_id, job_id, bq_sql, query_params, ctx, **options)
        for reference, number in before.items():
            partitions.refuse_too_many(*reference, number, ctx)
        return done

    jobs.execute_query_job = run_if_accepted


class Judge:
    """Asks the analyzer once per distinct statement and schema of the tables that it names."""

    def __init__(self) -> None:
        #: What the analyzer's catalog holds, by path, the last used at the end: a digest of the columns, and these.
        self._registered: OrderedDict[Path, tuple[str, list[Any]]] = OrderedDict()
        self._variables: dict[str, Any] | None = None
        #: The analyzer runs beside the server's one thread, which meanwhile executes the statements of other requests.
        self._thread = ThreadPoolExecutor(1, "googlesql")

    async def check(
        self, sql: str, parameters: Sequence[Mapping[str, Any]], project: str, tables: Any
    ) -> dict[str, bool]:
        """Judge a job's text; `tables` is the emulator's catalogue.

        Return the tables that it writes, each with whether it replaces the table as a whole.

        Raises Refused with BigQuery's kind of message.
        """
        limits.check_text(sql)
        template, values = templates.lifted(sql)
        try:
            known = _Known(project, tables)
            for path in await self._beside(named.known_tables(template), named.tables, template):
                known.add(path, templates.filled(".".join(path), values))
            limits.check_resolved_text(sql, known.views())
            limits.check_locations(known.locations(_MADE.findall(sql)))
            told = json.dumps([sorted(known.digests.items()), _types(parameters)])
            passed = memory.Shape("verdict", template, told)
            written = passed.recall()
            if written is None:
                written = await self._beside(None, self._analyze, template, parameters, known, set(known.routines()))
                passed.learn(written)
            return {templates.filled(name, values): replaced for name, replaced in json.loads(written).items()}
        except Refused as refusal:
            message = templates.filled(str(refusal).removeprefix("[INVALID_ARGUMENT] "), values)
            raise Refused(_POSITION.sub(r"at [\1]", message)) from None

    async def _beside(self, known: _T | None, compute: Callable[..., _T], *arguments: Any) -> _T:
        """Return what is known, else what a function of the analyzer says."""
        if known is not None:
            return known
        return await asyncio.get_running_loop().run_in_executor(self._thread, compute, *arguments)

    def _analyze(
        self, template: str, parameters: Sequence[Mapping[str, Any]], known: _Known, functions: set[str]
    ) -> str:
        """Analyze every statement of a script; return the tables that it writes, as `check` does, in JSON."""
        google = analyzer()
        options = _options(google.language, parameters)
        script_ = _Script(functions)
        for part, text in script.with_texts(script.take_apart(google.parse(template)), template):
            if isinstance(part, script.Variable):
                if part.type is not None:
                    script_.variables[part.name] = catalog.simple_type(part.type)
                continue
            limits.check_statement(part, script_.tables, template)
            passed = statements.Passed(text, script_.told(text, known, parameters))
            effect = passed.recall()
            if effect is None:
                self._tell(google, known, script_)
                try:
                    statement = google.analyze(template, part.start, options)
                except Refused as refusal:
                    if _cannot_be_judged(str(refusal), template, script_.functions):
                        continue
                    raise
                effect = statements.Effect(resolved.written(statement), resolved.made(statement))
                if effect.made is not None:
                    limits.check_made(effect.made)
                passed.learn(effect)
            if effect.written is not None:
                script_.written.setdefault(effect.written, False)
            if effect.made is not None:
                script_.remember(effect.made, known)
        return json.dumps(script_.written)

    def _tell(self, google: Any, known: _Known, script_: _Script) -> None:
        """Register a catalog with what the statement may name, unless the one that is registered has just that."""
        needed: dict[Path, tuple[str, list[Any] | None]] = {}
        for path, digest in known.digests.items():
            needed[path] = script_.tables.get(".".join(path)) or (digest, None)
        changed = script_.variables != self._variables
        for path, (digest, columns) in needed.items():
            if self._registered.get(path, (named.ABSENT, ()))[0] != digest:
                told = known.columns(path) if columns is None else columns
                if told is None:
                    changed |= self._registered.pop(path, None) is not None
                    continue
                self._registered[path], changed = (digest, told), True
            if path in self._registered:
                self._registered.move_to_end(path)
        if not changed:
            return
        while len(self._registered) > len(needed) + REGISTERED:
            self._registered.popitem(last=False)
        self._variables = dict(script_.variables)
        tables = {path: columns for path, (_, columns) in self._registered.items()}
        google.register(catalog.catalog(tables, self._variables, google.language))


class _Script:
    """Keeps what the statements of a script so far have declared, made and written."""

    def __init__(self, functions: set[str]) -> None:
        self.functions = functions
        self.variables: dict[str, Any] = {}
        #: By full name: a digest of the columns, and these.
        self.tables: dict[str, tuple[str, list[Any]]] = {}
        self.written: dict[str, bool] = {}

    def told(self, text: str, known: _Known, parameters: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Return what the analysis of a statement depends on beside its text."""
        tables = [
            (path, self.tables.get(".".join(path), (digest, None))[0])
            for path, digest in known.digests.items()
            if path[-1] in text
        ]
        variables = sorted((name, kind.SerializeToString().hex()) for name, kind in self.variables.items())
        return [sorted(tables), variables, _types(parameters)]

    def remember(self, made: resolved.Made, known: _Known) -> None:
        """Take note of a table or function for the statements that come after it."""
        if made.columns is None:
            self.functions.add(made.name.split(".")[-1].lower())
            return
        before: list[Any] = []
        if made.added:
            path = next((path for path in known.digests if ".".join(path) == made.name), None)
            before = self.tables[made.name][1] if made.name in self.tables else known.columns(path) or []
        there = {column.name.lower() for column in before}
        new = [(name, kind) for name, kind, _ in made.columns if name.lower() not in there]  # IF NOT EXISTS
        columns = before + [catalog.column(name, kind) for name, kind in new]
        digest = memory.key(*(column.SerializeToString().hex() for column in columns))
        self.tables[made.name] = digest, columns
        self.written[made.name] = not made.added


class _Known:
    """The tables that a job names and that exist."""

    def __init__(self, project: str, tables: Any) -> None:
        self.project, self.tables = project, tables
        self.digests: dict[Path, str] = {}
        self.fields: dict[Path, Any] = {}
        self.names: list[str] = []

    def add(self, path: Path, name: str) -> None:
        """Take note of a table that the template names by `path` and the text by `name`."""
        parts = name.split(".")
        if len(parts) > 1 and parts[-2].upper() == "INFORMATION_SCHEMA":
            view = information_schema.fields(parts[-1])
            self.digests[path] = f"{name} {view is not None}"
            if view is not None:
                self.fields[path] = view
            return
        self.names.append(name)
        reference = named.reference(name, self.project)
        table = self.tables.get_table(*reference) if reference else None
        if table is not None:
            self.fields[path] = table
        self.digests[path] = named.digest(reference, table) if reference else named.ABSENT

    def locations(self, made: Sequence[str]) -> dict[str, str]:
        """Return the location of each dataset whose tables the job reads, or in which it makes those of these names."""
        found = {}
        for name in (*self.names, *made):
            reference = named.reference(name.replace("`", ""), self.project)
            dataset = self.tables.get_dataset(*reference[:2]) if reference else None
            if dataset is not None:
                found[dataset.dataset_id] = dataset.location
        return found

    def views(self) -> Iterator[str]:
        """Yield the text of every view that the job reads, and of those below it, as often as each is read."""
        waiting = [found for found in self.fields.values() if not isinstance(found, list)]
        while waiting:
            table = waiting.pop()
            if table.view_query:
                yield table.view_query
                for name in set(_VIEWED.findall(table.view_query)):
                    parts = name.replace("`", "").split(".")
                    below = self.tables.get_table(*(self.project, *parts)[-3:]) if len(parts) > 1 else None
                    if below is not None and below.view_query:
                        waiting.append(below)

    def columns(self, path: Path | None) -> list[Any] | None:
        """Return a table's columns for the analyzer; None where there is none, or one that can't be told."""
        found = self.fields.get(path) if path is not None else None
        if found is None:
            return None
        fields = found if isinstance(found, list) else found.schema_.model_dump()["fields"]
        try:
            return catalog.columns(fields)
        except catalog.UnknownType:
            return None

    def routines(self) -> list[str]:
        """Return the names of all functions that somebody made, in small letters."""
        return [
            routine.routine_id.lower()
            for dataset in self.tables.list_datasets(self.project)
            for routine in self.tables.list_routines(self.project, dataset.dataset_id)
        ]


def _cannot_be_judged(message: str, script: str, functions: set[str]) -> bool:
    """True for what the emulator answers better (a table that doesn't exist: 404), or the analyzer can't know."""
    if "Table not found" in message or "Dataset not found" in message:
        return True
    if function := re.search(r"Function not found: `?([\w.`-]+)", message):
        return function.group(1).replace("`", "").split(".")[-1].lower() in functions
    return bool(_PSEUDO_COLUMN.search(script))


def _options(language: Any, parameters: Sequence[Mapping[str, Any]]) -> Any:
    from zetasql.wasi._pb2.zetasql.proto import options_pb2

    modes = options_pb2.AnalyzerOptionsProto.DESCRIPTOR.fields_by_name["error_message_mode"].enum_type
    options = options_pb2.AnalyzerOptionsProto(language_options=language)
    options.error_message_mode = modes.values_by_name["ERROR_MESSAGE_ONE_LINE"].number
    for parameter in parameters:
        kind = catalog.parameter_type(parameter["parameterType"])
        if parameter.get("name"):
            options.query_parameters.add(name=parameter["name"]).type.CopyFrom(kind)
        else:
            options.positional_query_parameters.append(kind)
    if options.positional_query_parameters:
        parameter_modes = options_pb2.AnalyzerOptionsProto.DESCRIPTOR.fields_by_name["parameter_mode"].enum_type
        options.parameter_mode = parameter_modes.values_by_name["PARAMETER_POSITIONAL"].number
    return options


def _types(parameters: Sequence[Mapping[str, Any]]) -> list[Any]:
    return [[each.get("name"), each.get("parameterType")] for each in parameters]
