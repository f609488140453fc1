"""Google's own SQL analyzer judges what the local BigQuery is asked; what BigQuery would refuse is refused."""

import json
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, GoogleAPICallError, NotFound
from google.cloud import bigquery

from local import warehouse
from local.settings import ROOT, LocalSettings, on_free_ports
from local.stack import start_stack
from tests.local.conftest import Tables

pytestmark = pytest.mark.emulators

DAYS = "unnest(generate_date_array(date '2010-01-01', date_add(date '2010-01-01', interval {last} day))) as day"

REFUSED = {
    "a table's name is the whole row, not its column of that name": (
        "select sum(mrr) from `{p}`.`{d}`.`mrr`",
        "No matching signature for aggregate function SUM",
    ),
    "GROUP BY takes the select list's alias before the table's": (
        "select mrr.client_id, sum(mrr.mrr) as mrr from `{p}`.`{d}`.`mrr` as mrr group by mrr.client_id",
        "contains an aggregation function",
    ),
    "an unknown function": ("select no_such(month) from {d}.mrr as m", "Function not found: no_such at [1:8]"),
    "an unknown column, on its line": ("select\n  m.clientid\nfrom {d}.mrr as m", "Name clientid not found inside m"),
    "a comparison of two types": ("select m.month = m.mrr from {d}.mrr as m", "No matching signature for operator ="),
    "a column of another type": ("insert into {d}.mrr (mrr) select 'much'", "Query column 1 has type STRING"),
    "too many values": ("insert into {d}.mrr (mrr, month) select numeric '1'", "Inserted row has wrong column count"),
    "a reserved word as an alias": ("select 1 as qualify", "Unexpected keyword QUALIFY"),
    "a parameter that is not given": ("select @month", "Query parameter 'month' not found"),
    "a name that no temporary table of the script has": (
        "create temp table t1 as select 1 as a; select b from t1",
        "Unrecognized name: b at [1:47]",
    ),
    "a delete without a condition": ("delete from {d}.mrr", "DELETE must have a WHERE clause"),
    "permanent tables in a transaction": (
        "begin transaction;\ncreate table {d}.other (a int64);\ncommit transaction",
        "DDL on permanent entities is not supported in a transaction at [2:1]",
    ),
    "changed tables in a transaction": (
        "begin transaction; alter table {d}.mrr add column a int64; commit transaction",
        "DDL on permanent entities",
    ),
    "columns that differ in case only": (
        "create table {d}.other as select 1 as a, 2 as A",
        "columns with duplicate name A",
    ),
    "a reserved prefix": ("create table {d}.other as select 1 as _partition_id", "reserved prefix"),
    "partitions by a type that none has": (
        "create table {d}.other (a string) partition by a",
        "PARTITION BY expression references column a of type STRING",
    ),
    "clusters by a type that none has": (
        "create table {d}.other cluster by a as select 1.5 as a",
        "CLUSTER BY expression may not be a floating point type",
    ),
    "five columns to cluster by": (
        "create table {d}.other cluster by a, b, c, e, f as select 1 as a, 2 as b, 3 as c, 4 as e, 5 as f",
        "CLUSTER BY has 5 columns",
    ),
    "a long description": (
        "create table {d}.other (a int64 options (description='" + "x" * 1025 + "'))",
        "description for column a is too long",
    ),
    "a label in capitals": (
        "create table {d}.other (a int64) options (labels=[('Team', 'x')])",
        "requirements for labels",
    ),
    "a long text": ("select 1 -- " + "x" * 1024**2, "The query is too large"),
    "more partitions than a job may change": (
        "create table {d}.other partition by day as select day from " + DAYS.format(last=4000),
        "Too many partitions produced by query, allowed 4,000, query produces at least 4,001",
    ),
}


@pytest.fixture
def recurring(tables: Tables) -> Tables:
    """A dataset with a table that has a column of its own name."""
    tables.run("create table {d}.mrr (client_id string, month date, mrr numeric)")
    return tables


@pytest.mark.parametrize("name", REFUSED)
def test_bigquery_refuses(name: str, recurring: Tables) -> None:
    sql, message = REFUSED[name]
    with pytest.raises(BadRequest) as refusal:
        recurring.run(sql.replace("{p}", recurring.client.project))
    assert message in refusal.value.message
    assert refusal.value.errors[0]["reason"] == "invalidQuery"


def test_nothing_of_a_refused_script_runs(recurring: Tables) -> None:
    with pytest.raises(BadRequest):
        recurring.run("insert into {d}.mrr (mrr) values (numeric '1'); select nothing from {d}.mrr as m")
    assert recurring.run("select count(*) from {d}.mrr as m") == [(0,)]


ACCEPTED = {
    "temporary tables in a transaction": (
        "begin transaction; create or replace temp table made as select 3 as a; drop table made; commit transaction;"
        "select 3",
        3,
    ),
    "functions that the open analyzer lacks": ("select min_by(a.x, a.y) from (select 3 as x, 1.5 as y) as a", 3),
    "columns that an earlier statement added": (
        "alter table {d}.mrr add column more int64; alter table {d}.mrr add column if not exists month date;"
        "insert into {d}.mrr (more) values (3);"
        "select max(m.more) from {d}.mrr as m",
        3,
    ),
    "a wider type of a column": ("alter table {d}.mrr alter column mrr set data type bignumeric; select 3", 3),
    "a number of sixteen digits": ("select if(abs(m.mrr) > 9007199254740992, 0, 3) from (select 1 as mrr) as m", 3),
    "variables": ("declare a int64 default 2; select a + 1", 3),
    "functions of the script": ("create temp function plus(a int64) as (a + 1); select plus(2)", 3),
    "a view over views": (
        "create view {d}.one as select 1 as a; create view {d}.two as select a + 2 as a from {d}.one;"
        "select a from {d}.two",
        3,
    ),
    "INFORMATION_SCHEMA": ("select count(*) + 2 from {d}.INFORMATION_SCHEMA.TABLES where table_name = 'mrr'", 3),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_bigquery_accepts(name: str, recurring: Tables) -> None:
    sql, expected = ACCEPTED[name]
    assert recurring.run(sql) == [(expected,)]


def test_a_view_reads_one_location(recurring: Tables) -> None:
    elsewhere = bigquery.Dataset(f"{recurring.client.project}.elsewhere")
    elsewhere.location = "EU"
    recurring.client.create_dataset(elsewhere, retry=None)
    with pytest.raises(BadRequest, match="no job reads both"):
        recurring.run("create view elsewhere.v as select m.mrr from {d}.mrr as m")


def test_parameters_have_their_types(recurring: Tables) -> None:
    parameters = [bigquery.ScalarQueryParameter("since", "STRING", "x")]
    settings = bigquery.QueryJobConfig(query_parameters=parameters)
    sql = f"select 1 from {recurring.dataset}.mrr as m where m.mrr > @since"
    with pytest.raises(BadRequest, match="No matching signature for operator >"):
        recurring.client.query(sql, settings, retry=None, job_retry=None).result(retry=None)


def test_a_table_that_is_not_there_is_not_found(recurring: Tables) -> None:
    with pytest.raises(NotFound):
        recurring.run("select nothing from {d}.nowhere")


def test_a_table_has_at_most_ten_thousand_partitions(recurring: Tables) -> None:
    recurring.run("create table {d}.days (day date) partition by day")
    for start in (0, 3500, 7000):
        shifted = f"select date_add(day, interval {start} day) from {DAYS.format(last=3499)}"
        insert = "insert into {d}.days (day) " + shifted
        if start < 7000:
            recurring.run(insert)
        else:
            with pytest.raises(BadRequest, match="Too many total leaf partitions: 10,500"):
                recurring.run(insert)


WRONG_REQUESTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "a field that no query has": (
        "/jobs",
        {"configuration": {"query": {"query": "select 1", "useLegacySQL": False}}},
        "Unknown name \"useLegacySQL\" at 'configuration.query'",
    ),
    "a number for a text": (
        "/jobs",
        {"configuration": {"labels": {"a": 1}}},
        "Invalid value at 'configuration.labels.a'",
    ),
    "a disposition that there isn't": (
        "/jobs",
        {"configuration": {"load": {"writeDisposition": "WRITE_REPLACE"}}},
        '"WRITE_REPLACE" is none of',
    ),
    "a label with a blank": ("/jobs", {"configuration": {"labels": {"a": "b c"}}}, "requirements for labels"),
    "a type that there isn't": (
        "/datasets/{d}/tables",
        {"tableReference": {"tableId": "t"}, "schema": {"fields": [{"name": "a", "type": "INT"}]}},
        '"INT" is none of',
    ),
    "clusters by a float": (
        "/datasets/{d}/tables",
        {"schema": {"fields": [{"name": "a", "type": "FLOAT"}]}, "clustering": {"fields": ["a"]}},
        "can't be used for clustering",
    ),
    "partitions by a column that there isn't": (
        "/datasets/{d}/tables",
        {"schema": {"fields": [{"name": "a", "type": "DATE"}]}, "timePartitioning": {"type": "DAY", "field": "b"}},
        "cannot be found in the schema: b",
    ),
}


@pytest.mark.parametrize("name", WRONG_REQUESTS)
def test_the_api_refuses(name: str, tables: Tables) -> None:
    path, body, message = WRONG_REQUESTS[name]
    path = f"/projects/{tables.client.project}{path.replace('{d}', tables.dataset)}"
    with pytest.raises(GoogleAPICallError) as refusal:
        tables.client._connection.api_request("POST", path, data=body)
    assert refusal.value.code == 400
    assert message in str(refusal.value)


@pytest.fixture
def remembering(tmp_path: Path) -> Iterator[LocalSettings]:
    """An emulator whose memory is empty."""
    yield on_free_ports(tmp_path / "stack", memory=tmp_path / "memory")


def test_a_verdict_is_asked_for_once_and_shared(remembering: LocalSettings) -> None:
    for _ in range(2):
        with start_stack(("bigquery",), base_dir=remembering.home, settings=remembering) as environment:
            client = warehouse.client(environment)
            client.create_dataset("d", exists_ok=True)
            client.query("create or replace table d.t as select 1 as a", retry=None).result(retry=None)
            for moment in ("2026-01-05T06:00:00Z", "2026-01-06T07:00:00Z"):
                sql = f"select t.a from d.t as t where timestamp '{moment}' > timestamp '2020-01-01T00:00:00Z'"
                client.query(sql, retry=None).result(retry=None)
            # Another schema is another question.
            client.query("create or replace table d.t as select 'x' as b", retry=None).result(retry=None)
            with pytest.raises(BadRequest, match="Name a not found inside t"):
                client.query("select t.a from d.t as t", retry=None).result(retry=None)
        # one for each job and for its only statement
        assert len(remembered(remembering)) == 3 + 3


def remembered(settings: LocalSettings) -> list[str]:
    """Return what is known of jobs, and of single statements (their texts begin with `{"written"`)."""
    (file,) = settings.memory.glob("*.sqlite")
    values = [value for (value,) in sqlite3.connect(file).execute("select value from memory")]
    return [value for value in values if value.startswith("{")]


def test_a_script_is_judged_by_what_is_new_in_it(remembering: LocalSettings) -> None:
    """Also where a statement names a temporary table, whose columns another statement of the script has made."""
    with start_stack(("bigquery",), base_dir=remembering.home, settings=remembering) as environment:
        client = warehouse.client(environment)

        def run(*statements: str) -> int:
            before = len(remembered(remembering)) if any(remembering.memory.glob("*.sqlite")) else 0
            client.query(";\n".join(statements) + ";", retry=None).result(retry=None)
            return len(remembered(remembering)) - before

        made, asked = "create or replace temp table made as select 1 as a", "select a from made"
        assert run(made, asked) == 1 + 2
        assert run(made, asked, "select a + 1 as b from made") == 1 + 1
        assert run(made.replace("select 1", "select 'x'"), "select 1 as c", asked) == 1 + 3, "another schema"
        with pytest.raises(BadRequest, match="No matching signature for operator"):
            run(made.replace("select 1", "select 'x'"), asked, "select a + 1 as b from made")


def test_all_sql_of_the_runbooks_is_accepted() -> None:
    """The queries for INFORMATION_SCHEMA.JOBS run in no emulator."""
    python = LocalSettings().emulators / "bin" / "python"
    texts = [
        block
        for page in sorted((ROOT / "docs").rglob("*.md"))
        for block in re.findall(r"```sql production\n(.*?)```", page.read_text(), re.DOTALL)
    ]
    assert texts
    program = "import asyncio, json, sys; from local.emulator.googlesql.judge import Judge\n"
    program += "class Nothing:\n    get_table = lambda *_: None\n    list_datasets = lambda *_: []\n"
    program += "for sql in json.load(sys.stdin): asyncio.run(Judge().check(sql, (), 'p', Nothing()))"
    done = subprocess.run(
        [str(python), "-c", program], input=json.dumps(texts), cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
