"""Each fix of the BigQuery emulator, with the deviation it mends: the stock emulator must still be wrong.

When a stock case begins to be right, upstream has mended it and the fix can go.
"""

import datetime
import io
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from google.api_core.exceptions import GoogleAPIError
from google.cloud import bigquery, storage
from requests.exceptions import ConnectionError as NoConnection

from local.settings import LocalSettings
from tests.local.conftest import Tables

pytestmark = pytest.mark.emulators

DAY = datetime.date

EXPRESSIONS: dict[str, tuple[str, Any]] = {
    "a NUMERIC cast keeps nine decimals": ("cast('0.123456789' as numeric)", Decimal("0.123456789")),
    "so does a NUMERIC in a struct": ("struct(cast('0.1234567' as numeric) as x).x", Decimal("0.1234567")),
    "DIV takes its arguments whole": ("div(10 - 4, 3)", 2),
    "TIMESTAMP_DIFF counts full days": (
        "timestamp_diff(timestamp '2026-01-02 00:00:00', timestamp '2026-01-01 00:00:01', day)",
        0,
    ),
    "and full hours": ("timestamp_diff(timestamp '2026-01-01 02:00:00', timestamp '2026-01-01 00:59:59', hour)", 1),
    "a DATE column truncated is a DATE": (
        "(select date_trunc(d, month) from (select date '2026-02-15' d))",
        DAY(2026, 2, 1),
    ),
    "weeks begin on Sunday": ("(select date_trunc(d, week) from (select date '2026-01-07' d))", DAY(2026, 1, 4)),
    "or on the day named": ("date_trunc(date '2026-01-07', week(monday))", DAY(2026, 1, 5)),
    "or on Monday in ISO": ("(select date_trunc(d, isoweek) from (select date '2026-01-04' d))", DAY(2025, 12, 29)),
    "weeks between dates": ("date_diff(date '2026-01-05', date '2026-01-04', isoweek)", 1),
    "CURRENT_DATETIME() exists": ("current_datetime() > datetime '2026-01-01'", True),
    "ARRAY_AGG(DISTINCT … IGNORE NULLS)": (
        "(select array_length(array_agg(distinct x ignore nulls)) from unnest([1, 1, null, 2]) x)",
        2,
    ),
    "GROUP BY means the alias": (
        "(select count(*) from (select coalesce(a.k, b.k) as k, count(*) as n"
        " from (select 1 k) a full join (select 2 k) b on a.k = b.k group by k))",
        2,
    ),
}


def value(client: bigquery.Client, expression: str) -> Any:
    return next(iter(client.query(f"select {expression} as x", retry=None, job_retry=None).result(retry=None)))[0]


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression_has_bigquerys_value(name: str, mended: bigquery.Client) -> None:
    expression, expected = EXPRESSIONS[name]
    got = value(mended, expression)
    assert (type(got), got) == (type(expected), expected)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_which_stock_has_not(name: str, stock: bigquery.Client) -> None:
    expression, expected = EXPRESSIONS[name]
    try:
        got = value(stock, expression)
    except (GoogleAPIError, NoConnection):
        return  # After an error 500 the stock emulator drops the connection.
    assert (type(got), got) != (type(expected), expected), "stock is right: the fix can go"


def test_numeric_columns_keep_nine_decimals(tables: Tables) -> None:
    tables.run("create table {d}.t (a numeric)")
    tables.run("alter table {d}.t add column b numeric")
    tables.run("insert into {d}.t (a, b) values (numeric '0.123456789', numeric '0.000000001')")
    assert tables.run("select a, b from {d}.t") == [(Decimal("0.123456789"), Decimal("0.000000001"))]


def test_json_columns_stay_json(tables: Tables) -> None:
    tables.run("create table {d}.t (id int64, j json)")
    tables.run("insert into {d}.t (id, j) values (1, json '[1]')")
    tables.run("create table {d}.copied as select * from {d}.t")
    assert tables.fields("t") == tables.fields("copied") == [("id", "INTEGER"), ("j", "JSON")]


def test_a_bignumeric_column_can_be_created_by_the_api(tables: Tables) -> None:
    schema = [bigquery.SchemaField("n", "BIGNUMERIC")]
    tables.client.create_table(bigquery.Table(f"{tables.client.project}.{tables.dataset}.t", schema=schema), retry=None)
    assert tables.run("select count(*) from {d}.t") == [(0,)]


def test_merge_insert_row(tables: Tables) -> None:
    tables.run("create table {d}.t as select 1 as id, 'old' as v")
    tables.run("merge {d}.t t using (select 2 as id, 'new' as v) s on t.id = s.id when not matched then insert row")
    assert tables.run("select id, v from {d}.t order by id") == [(1, "old"), (2, "new")]


def test_create_table_with_columns_as_a_select_in_parentheses(tables: Tables) -> None:
    tables.run("create table {d}.t (id int64, v string) as (select 1 as id, 'x' as v)")
    assert tables.fields("t") == [("id", "INTEGER"), ("v", "STRING")]


def test_arguments_of_a_sql_function_have_their_declared_type(tables: Tables) -> None:
    tables.run("create function {d}.half(x float64) as (x / 2)")
    tables.run("create function {d}.month_of(d date) as (date_trunc(d, month))")
    assert tables.run("select {d}.half(1), {d}.month_of('2026-02-15')") == [(0.5, DAY(2026, 2, 1))]


def test_rollback_in_an_exception_handler_undoes(tables: Tables) -> None:
    tables.run("create table {d}.t as select 1 as id")
    tables.run(
        "begin begin transaction; insert into {d}.t values (2); select error('stop'); commit transaction; "
        "exception when error then rollback transaction; end"
    )
    assert tables.run("select id from {d}.t") == [(1,)]


def test_set_takes_the_fields_of_a_struct(tables: Tables) -> None:
    tables.run(
        "declare a int64; declare b string; set (a, b) = (select as struct 1, 'x'); "
        "create table {d}.t as select a as a, b as b"
    )
    assert tables.run("select a, b from {d}.t") == [(1, "x")]


def test_alter_table_shows_in_the_catalog(tables: Tables) -> None:
    schema = [bigquery.SchemaField("id", "INTEGER", description="kept"), bigquery.SchemaField("gone", "STRING")]
    tables.client.create_table(bigquery.Table(f"{tables.client.project}.{tables.dataset}.t", schema=schema))
    tables.run("alter table {d}.t add column n int64")
    tables.run("alter table {d}.t drop column gone")
    tables.run("alter table {d}.t rename column n to number")
    assert tables.fields("t") == [("id", "INTEGER"), ("number", "INTEGER")]
    assert tables.client.get_table(f"{tables.dataset}.t").schema[0].description == "kept"
    columns = tables.run("select column_name from {d}.INFORMATION_SCHEMA.COLUMNS where table_name = 't' order by 1")
    assert columns == [("id",), ("number",)]
    tables.run("alter table {d}.t alter column number set data type bignumeric")
    assert tables.fields("t") == [("id", "INTEGER"), ("number", "BIGNUMERIC")]
    tables.run("alter table {d}.t rename to u")
    assert tables.fields("u") == [("id", "INTEGER"), ("number", "BIGNUMERIC")]


def test_columns_can_have_options_under_the_compiled_parser(tables: Tables) -> None:
    tables.run(
        "create table {d}.t (id int64 not null options (description = 'key'), v string options (description = 'v'))"
    )
    assert [(f.name, f.mode) for f in tables.client.get_table(f"{tables.dataset}.t").schema] == [
        ("id", "REQUIRED"),
        ("v", "NULLABLE"),
    ]


def test_a_patched_schema_shows_in_the_data(tables: Tables) -> None:
    tables.run("create table {d}.t as select 1 as id")
    table = tables.client.get_table(f"{tables.dataset}.t")
    table.schema = [
        *table.schema,
        bigquery.SchemaField("tags", "STRING", "REPEATED"),
        bigquery.SchemaField("place", "RECORD", fields=[bigquery.SchemaField("city", "STRING")]),
    ]
    tables.client.update_table(table, ["schema"])
    tables.run("insert into {d}.t (id, tags, place) values (2, ['a'], struct('Bonn' as city))")
    assert tables.run("select array_length(tags), place.city from {d}.t where id = 2") == [(1, "Bonn")]


class TestLoads:
    """Load jobs from the lake."""

    @pytest.fixture
    def lake(self, emulated: tuple[LocalSettings, dict[str, str]], dataset: str) -> Any:
        settings, environment = emulated
        from google.auth.credentials import AnonymousCredentials

        client = storage.Client(
            project=settings.project,
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": environment["STORAGE_EMULATOR_HOST"]},
        )
        bucket = client.bucket(environment["TRIBUTARY_LAKE_BUCKET"])

        def put(name: str, text: str | bytes) -> str:
            path = f"{dataset}/{name}"
            bucket.blob(path).upload_from_string(text, content_type="application/octet-stream")
            return f"gs://{bucket.name}/{path}"

        return put

    @pytest.fixture
    def target(self, tables: Tables) -> Tables:
        tables.run("create table {d}.t (id int64 not null, day date) partition by day")
        tables.run("insert into {d}.t values (1, date '2026-01-01'), (2, date '2026-01-02')")
        return tables

    def load(self, tables: Tables, uris: list[str], table: str = "t", **options: Any) -> None:
        config = bigquery.LoadJobConfig(
            **{"source_format": "NEWLINE_DELIMITED_JSON", "write_disposition": "WRITE_TRUNCATE", **options}
        )
        reference = f"{tables.client.project}.{tables.dataset}.{table}"
        tables.client.load_table_from_uri(uris, reference, job_config=config, retry=None).result(retry=None)

    def rows(self, tables: Tables) -> list[Any]:
        return [row[0] for row in tables.run("select id from {d}.t order by id")]

    def test_of_all_files_or_of_none(self, target: Tables, lake: Any) -> None:
        good, bad = lake("a.ndjson", '{"id": 7}\n'), lake("b.ndjson", '{"id": "seven"}\n')
        with pytest.raises(GoogleAPIError):
            self.load(target, [good, bad])
        with pytest.raises(GoogleAPIError):
            self.load(target, [good, bad], write_disposition="WRITE_APPEND")
        assert self.rows(target) == [1, 2]
        self.load(target, [good, lake("c.ndjson", '{"id": 8}\n')])
        assert self.rows(target) == [7, 8]

    def test_an_unknown_field_is_refused(self, target: Tables, lake: Any) -> None:
        uri = lake("a.ndjson", '{"id": 7, "surprise": true}\n')
        with pytest.raises(GoogleAPIError, match="No such field: surprise"):
            self.load(target, [uri])
        self.load(target, [uri], ignore_unknown_values=True)
        assert self.rows(target) == [7]

    def test_a_null_in_a_required_column_is_refused(self, target: Tables, lake: Any) -> None:
        with pytest.raises(GoogleAPIError, match="Required field id cannot be null"):
            self.load(target, [lake("a.ndjson", '{"day": "2026-01-01"}\n')])
        assert self.rows(target) == [1, 2]

    def test_an_empty_file_empties_the_table(self, target: Tables, lake: Any) -> None:
        self.load(target, [lake("a.ndjson", "")])
        assert self.rows(target) == []

    def test_one_partition_is_replaced(self, target: Tables, lake: Any) -> None:
        self.load(target, [lake("a.ndjson", '{"id": 9, "day": "2026-01-02"}\n')], table="t$20260102")
        assert self.rows(target) == [1, 9]

    def test_rows_of_another_partition_are_refused(self, target: Tables, lake: Any) -> None:
        with pytest.raises(GoogleAPIError, match="belong to different partitions"):
            self.load(target, [lake("a.ndjson", '{"id": 9, "day": "2026-01-03"}\n')], table="t$20260102")
        with pytest.raises(GoogleAPIError, match="Invalid partition id"):
            self.load(target, [lake("b.ndjson", '{"id": 9, "day": "2026-01-03"}\n')], table="t$202601")
        assert self.rows(target) == [1, 2]

    def test_parquet_is_read_by_name(self, target: Tables, lake: Any) -> None:
        import pyarrow  # type: ignore[import-untyped]
        import pyarrow.parquet  # type: ignore[import-untyped]

        # The columns are in another order than the table's.
        table = pyarrow.table({"day": [DAY(2026, 1, 5)], "id": [5]})
        out = io.BytesIO()
        pyarrow.parquet.write_table(table, out)
        self.load(target, [lake("a.parquet", out.getvalue())], source_format="PARQUET")
        assert target.run("select id, day from {d}.t") == [(5, DAY(2026, 1, 5))]

    def test_a_partition_is_copied(self, target: Tables) -> None:
        target.run("create table {d}.u (id int64 not null, day date) partition by day")
        target.run("insert into {d}.u values (8, date '2026-01-02'), (9, date '2026-01-03')")
        here = f"{target.client.project}.{target.dataset}"
        config = bigquery.CopyJobConfig(write_disposition="WRITE_TRUNCATE")
        job = target.client.copy_table(f"{here}.u$20260102", f"{here}.t$20260102", job_config=config, retry=None)
        job.result(retry=None)
        assert self.rows(target) == [1, 8]


def test_a_query_that_is_repeated_is_not_spoiled_by_the_remembered_parse(tables: Tables) -> None:
    sql = (
        "select date_trunc(d, month) as m, cast('1.5' as numeric) as n from (select date '2026-02-15' as d) group by m"
    )
    assert [tables.run(sql) for _ in range(3)] == [[(DAY(2026, 2, 1), Decimal("1.5"))]] * 3


def mixed_up(client: bigquery.Client) -> bool:
    """Whether listing a table's rows gives anything else while other requests are answered."""
    client.create_dataset("busy", exists_ok=True)
    for name, rows in (("few", 1), ("many", 500)):
        numbered = f"select '{name}' as name, n from unnest(generate_array(1, {rows})) n"
        sql = f"create or replace table busy.{name} as {numbered}"
        client.query(sql).result()
    few, many = (client.get_table(f"busy.{name}") for name in ("few", "many"))

    def read(number: int) -> bool:
        try:
            rows = list(client.list_rows(few if number % 2 else many, retry=None))
            return [row["name"] for row in rows] != (["few"] if number % 2 else ["many"] * 500)
        except (GoogleAPIError, NoConnection, IndexError):
            return True

    with ThreadPoolExecutor(4) as pool:
        return any(pool.map(read, range(300)))


def test_rows_are_those_of_the_table_that_was_asked_for(mended: bigquery.Client) -> None:
    assert not mixed_up(mended)


def test_which_in_stock_they_are_not(stock: bigquery.Client) -> None:
    assert mixed_up(stock), "stock is right: the fix can go"


def test_a_view_is_read_through_after_its_table_gained_a_column(tables: Tables) -> None:
    tables.run("create table {d}.t as select 1 as id")
    tables.run("create view {d}.v as select * from {d}.t")
    tables.run("create view {d}.w as select id + 1 as next from {d}.v")
    tables.run("alter table {d}.t add column name string")
    assert tables.run("select next from {d}.w") == [(2,)]
    tables.run("create or replace view {d}.v as select * from {d}.t")
    assert tables.run("select w.next, v.name from {d}.v v cross join {d}.w w") == [(2, None)]
