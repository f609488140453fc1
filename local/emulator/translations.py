"""Speed: a statement is translated to DuckDB's SQL once, and that is remembered on disk.

Translating takes longer than running: the emulator parses a statement about twenty times on the way. What comes out
depends on the text and the columns of the tables that it names, and on nothing else but for what `_STANDS_ALONE` names.
"""

from __future__ import annotations

import re
from typing import Any

from local.emulator import memory, templates
from local.emulator.googlesql import named
from local.emulator.googlesql.service import Refused

_STANDS_ALONE = re.compile(r"information_schema|system_time|session_user|@|\*`", re.IGNORECASE)
"""Statements whose translation depends on more: the catalogue, the clock, the caller, parameters, wildcard tables."""


def apply() -> None:
    """To be called after all other modules have wrapped the translation."""
    from bqemulator.jobs import executor
    from bqemulator.scripting import interpreter

    translate, qualify = executor.rewrite_and_translate_statement, executor.rewrite_table_refs

    async def translate_once(bq_sql: str, *, project_id: str, ctx: Any, **options: Any) -> str:
        template, values = templates.lifted(bq_sql)
        key = _key(template, values, project_id, ctx.catalog)
        found = memory.memory().get(key) if key else None
        if found is None:
            found = await translate(template if key else bq_sql, project_id=project_id, ctx=ctx, **options)
            if key is None:
                return str(found)
            if not all(placeholder in found for placeholder in values):
                return str(await translate(bq_sql, project_id=project_id, ctx=ctx, **options))
            memory.memory().put(key, found)
        return templates.filled(found, values)

    def qualify_once(duckdb_sql: str, project_id: str) -> str:
        template, values = templates.lifted(duckdb_sql)
        key = memory.key("qualified", template, project_id)
        found = memory.memory().get(key)
        if found is None:
            found = qualify(template, project_id)
            memory.memory().put(key, found)
        return templates.filled(found, values)

    for module in (executor, interpreter):
        module.rewrite_and_translate_statement = translate_once
        module.rewrite_table_refs = qualify_once


def _key(template: str, values: dict[str, str], project: str, catalog: Any) -> str | None:
    """The key of a translation; None of a statement whose translation isn't to be remembered."""
    if _STANDS_ALONE.search(template) or catalog.list_all_row_access_policies():
        return None
    if catalog.list_all_materialized_views():
        return None
    try:
        tables = named.tables(template)
    except Refused:
        return None
    digests = []
    for path in tables:
        name = ".".join(path)
        table = named.reference(templates.filled(name, values), project)
        digests.append(f"{name} {named.digest(table, catalog.get_table(*table)) if table else named.ABSENT}")
    return memory.key("translated", template, project, *digests)
