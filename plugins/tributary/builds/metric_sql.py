"""Saved queries of dbt's semantic manifest -> SQL. No warehouse is asked, and no dbt is started."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tributary.errors import RefusedError


@dataclass(frozen=True)
class MetricTable:
    """One export of a saved query: the table (`dataset.name`) that it is for, and the query that fills it."""

    saved_query: str
    table: str
    description: str
    sql: str


def metric_tables(manifest: Path, project: str) -> list[MetricTable]:
    """Compile every export that the semantic manifest (`dbt parse` writes it) declares, over the tables of `project`.

    An image is built once and runs in several projects, so the one that the manifest was parsed with means nothing.

    Raises:
        RefusedError: naming the file or the saved query, and what to do.
    """
    from metricflow.engine.metricflow_engine import MetricFlowQueryRequest

    declared, engine = _declared(manifest, project)
    tables = []
    for query in sorted(declared.saved_queries, key=lambda query: query.name):
        request = MetricFlowQueryRequest.create(saved_query_name=query.name)
        sql = engine.explain(request).sql_statement.sql
        for export in query.exports:
            if not export.config.schema_name:
                raise RefusedError(f"saved query {query.name}: an export names no schema; add `schema: mart`")
            table = f"{export.config.schema_name}.{export.config.alias or export.name}"
            tables.append(MetricTable(query.name, table, query.description or "", _table_sql(sql)))
    return tables


def compiled_metrics(manifest: Path, project: str, metrics: Sequence[str], group_by: Sequence[str]) -> str:
    """Compile metrics by dimensions such as `metric_time__quarter` or `movement__client_id` for BigQuery."""
    from metricflow.engine.metricflow_engine import MetricFlowQueryRequest

    _, engine = _declared(manifest, project)
    request = MetricFlowQueryRequest.create(metric_names=list(metrics), group_by_names=list(group_by))
    return _table_sql(engine.explain(request).sql_statement.sql)


def _declared(manifest: Path, project: str) -> tuple[Any, Any]:
    """Return what a semantic manifest declares, its tables in `project`, and an engine that compiles it."""
    from metricflow.engine.metricflow_engine import MetricFlowEngine
    from metricflow_semantics.model.dbt_manifest_parser import parse_manifest_from_dbt_generated_manifest
    from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

    try:
        read = json.loads(manifest.read_text(encoding="utf-8"))
    except OSError as error:
        raise RefusedError(f"{manifest}: {error.strerror}; `dbt parse` writes it") from None
    for table in _relations(read):
        table["database"] = project
        table["relation_name"] = f"`{project}`.`{table['schema_name']}`.`{table['alias']}`"
    declared = parse_manifest_from_dbt_generated_manifest(manifest_json_string=json.dumps(read))
    return declared, MetricFlowEngine(SemanticManifestLookup(declared), _bigquery())


def _relations(declared: Any) -> Iterator[dict[str, str]]:
    """Yield every table that a semantic manifest names, of models and time spines."""
    if isinstance(declared, list):
        for part in declared:
            yield from _relations(part)
    elif isinstance(declared, dict):
        for name, part in declared.items():
            if name == "node_relation":
                yield part
            else:
                yield from _relations(part)


def _bigquery() -> Any:
    """Return a MetricFlow SQL client that only renders BigQuery's dialect."""
    from metricflow.protocols.sql_client import SqlEngine
    from metricflow.sql.render.big_query import BigQuerySqlPlanRenderer

    class Dialect:
        sql_engine_type = SqlEngine.BIGQUERY
        sql_plan_renderer = BigQuerySqlPlanRenderer()

    return Dialect()


def _table_sql(sql: str) -> str:
    """The compiled query with plain column names (`month` for `metric_time__month`), and grouped by positions.

    MetricFlow groups by the alias of an expression over columns of the same name, and engines differ in which of the
    two such a name means.
    """
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(sql, read="bigquery", into=exp.Select)
    for select in tree.find_all(exp.Select):
        group = select.args.get("group")
        if group:
            places = {e.alias: i for i, e in enumerate(select.expressions, 1) if isinstance(e, exp.Alias)}
            named = [e.name if isinstance(e, exp.Column) and not e.table else "" for e in group.expressions]
            by = zip(named, group.expressions, strict=True)
            group.set("expressions", [exp.Literal.number(places[n]) if n in places else e for n, e in by])
    columns = ", ".join(_renamed(name) for name in tree.named_selects)
    inner = tree.sql(dialect="bigquery", pretty=True, comments=False)
    return f"select {columns}\nfrom (\n{inner}\n)"


def _renamed(column: str) -> str:
    owner, _, name = column.rpartition("__")
    if owner == "metric_time":
        return f"date({column}) as {name}"
    return f"{column} as {name}" if owner else column
