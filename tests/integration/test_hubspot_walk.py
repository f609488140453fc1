"""How the HubSpot source walks: every hole that other connectors fall into, on a portal of the test's own."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.pipeline import HISTORY, Pipeline, bucket, empty, query
from tributary.api.client import ApiError
from tributary.contracts.loader import load_contracts
from tributary.errors import PostponedError, RefusedError
from tributary.landing.lake import read_lines
from tributary.sources.hubspot.search import UnsettledError

pytestmark = pytest.mark.emulators

DAY = ("2026-01-04T00:00:00Z", "2026-01-05T00:00:00Z")
NOON, LATER = "2026-01-04T12:00:00Z", "2026-01-05T06:00:00Z"


def pages(manifest: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for part in manifest.parts for line in read_lines(bucket(), part.name)]


def records(manifest: Any) -> list[dict[str, Any]]:
    return [
        record
        for page in pages(manifest)
        if "child" not in page and not page.get("definitions")
        for record in page["body"]["results"]
    ]


def live(manifest: Any) -> list[str]:
    return [record["id"] for record in records(manifest) if not record["archived"]]


def changed(world: Any, collection: str = "contacts") -> set[str]:
    """Ids of the live records whose modified date lies in DAY."""
    name = "lastmodifieddate" if collection == "contacts" else "hs_lastmodifieddate"
    return {
        entry["id"]
        for entry in world.books("hubspot", collection)
        if not entry["deleted_at"] and DAY[0][:10] <= entry["object"]["properties"][name] < DAY[1][:10]
    }


def covered(manifest: Any) -> str:
    """Up to where the manifest says that the window was read."""
    return str(manifest.covered_until.isoformat())


def searches(world: Any) -> int:
    return len([request for request in world.requests("hubspot") if request["path"].endswith("/search")])


def tables(stream: str) -> list[str]:
    return [table.name for table in load_contracts("hubspot")[stream].tables]


@pytest.fixture
def bulk(own_world: Any) -> Any:
    """5,000 contacts that somebody edited in one instant at noon; it is the next morning."""
    own_world.clock(NOON)
    own_world.hubspot_sim("bulk/contacts/import", count=5_000)
    own_world.clock(LATER)
    return own_world


def test_more_records_than_a_search_returns_with_one_timestamp_are_all_read(own_world):
    own_world.clock(NOON)
    own_world.hubspot_sim("bulk/contacts/import", count=12_000)
    own_world.clock(LATER)
    manifest = Pipeline("hubspot", "contacts").extract(*DAY)
    found = live(manifest)
    assert len(found) == len(set(found))
    assert set(found) == changed(own_world)
    assert len(found) > 12_000
    # 200 ids a page, and one count for every ten pages.
    assert searches(own_world) <= -(-len(found) // 200) * 1.1 + 2


def test_a_record_that_the_index_shows_late_is_read_again_and_not_lost(bulk):
    """The index learns of the last edits while it is walked: the segment holds more after than before."""
    bulk.faults("hubspot", [{"kind": "edit_between_pages", "path": "*/contacts/search", "count": 40, "times": 1}])
    manifest = Pipeline("hubspot", "contacts").extract(*DAY)
    assert manifest.requests["segments read again"] == 1
    found = live(manifest)
    assert len(found) == len(set(found))
    assert changed(bulk) <= set(found), "an edited record left the window, the others must be there"


def test_a_window_that_never_settles_fails_with_all_the_numbers(bulk):
    bulk.faults("hubspot", [{"kind": "edit_between_pages", "path": "*/contacts/search", "count": 4, "times": 90}])
    with pytest.raises(
        UnsettledError,
        match=r"lastmodifieddate in \[2026-01-04.*attempt 1: \d+ to read, \d+ read, \d+ counted after; attempt 2.*3:",
    ):
        Pipeline("hubspot", "contacts").extract(*DAY)
    assert not bucket().blob("landing/hubspot/contacts/acme/x/manifest.json").exists()


def test_what_is_edited_between_two_runs_is_found_by_the_next(bulk):
    pipeline = Pipeline("hubspot", "contacts")
    first = set(live(pipeline.extract(*DAY)))
    edited = bulk.hubspot_sim("bulk/contacts/edit", count=300, properties={"internal_note": "moved on"})["ids"]
    bulk.clock("2026-01-06T06:00:00Z")
    second = set(live(pipeline.extract("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z")))
    assert set(edited) <= second
    assert changed(bulk) <= first | second


def test_an_end_that_the_index_may_not_know_yet_is_waited_for_outside_of_the_task(own_world):
    """Edited at 23:58, run at 00:02, and the index is four and a half minutes behind: the run comes back at 00:05."""
    own_world.clock("2026-01-04T23:58:00Z")
    [edited] = own_world.hubspot_sim("bulk/contacts/edit", count=1, properties={"internal_note": "late"})["ids"]
    _settings(own_world, search_lag_seconds=270)
    pipeline = Pipeline("hubspot", "contacts")
    own_world.clock("2026-01-05T00:02:00Z")
    for start in (DAY[0], "2026-01-04T23:59:00Z"):
        with pytest.raises(PostponedError, match=r"hubspot.contacts for client acme: .* not know the end of") as caught:
            pipeline.extract(start, DAY[1])
        assert timedelta(minutes=2, seconds=30) < caught.value.until - datetime.now(UTC) <= timedelta(minutes=3)
    own_world.clock("2026-01-05T00:05:00Z")
    assert edited in live(pipeline.extract(*DAY))


def test_a_list_is_never_behind(own_world):
    own_world.clock(LATER)
    listed = Pipeline("hubspot", "contacts").extract("2024-07-01T00:00:00Z", "2026-01-05T06:00:00Z")
    assert covered(listed) == "2026-01-05T06:00:00+00:00"


def test_a_window_beyond_the_clock_of_the_source_is_covered_as_far_as_that(own_world):
    """Where the two clocks are days apart, as in a simulated world, the ledger may not claim what has not happened."""
    own_world.clock("2026-01-05T06:00:00Z")
    manifest = Pipeline("hubspot", "contacts").extract("2026-01-04T00:00:00Z", "2026-01-09T00:00:00Z")
    assert covered(manifest) == "2026-01-05T05:55:00+00:00"
    with pytest.raises(RefusedError, match="its clock says 2026-01-05T06:00:00Z; run it again later"):
        Pipeline("hubspot", "contacts").extract("2026-01-07T00:00:00Z", "2026-01-09T00:00:00Z")


def test_nine_hundred_properties_never_make_a_url_too_long(own_world):
    made = own_world.hubspot_sim("bulk/contacts/properties", count=900, fill=5)
    own_world.clock(LATER)
    for window in (HISTORY, DAY):
        manifest = Pipeline("hubspot", "contacts").extract(*window)
        assert "http 414" not in manifest.requests
        filled = [record for record in records(manifest) if record["id"] in made["filled"]]
        assert len(filled) == 5
        assert set(made["created"]) <= set(filled[0]["properties"])
    assert max(len(request["query"]) for request in own_world.requests("hubspot")) < 8_000


def test_few_properties_come_with_the_list(own_world):
    Pipeline("hubspot", "companies").extract(*HISTORY)
    assert not [request for request in own_world.requests("hubspot") if request["path"].endswith("/batch/read")]


@pytest.mark.parametrize("how", ["batch", "row"])
def test_one_bad_id_is_found_and_its_record_set_aside_whole(own_world, how):
    empty(*tables("deals"))
    pipeline = Pipeline("hubspot", "deals")
    pipeline.run(*HISTORY)
    before = {row["deal_id"]: row["n"] for row in query(_EDGES)}
    bad = max(before)
    own_world.hubspot_sim("portal", method="PUT", bad_ids={bad: how})
    manifest = pipeline.extract(*HISTORY)
    assert manifest.requests["records with unreadable associations"] == 2, "contacts and companies"
    counts = pipeline.load(manifest)
    assert counts["hubspot_deals"]["rejected"] == 1
    assert {row["deal_id"]: row["n"] for row in query(_EDGES)} == before, "the bad record keeps its last good edges"
    [reject] = query(f"select distinct reason, column_path from ops.rejects where record_key = '{bad}'")
    assert reject == {"reason": "unreadable", "column_path": "associations"}


_EDGES = "select deal_id, count(*) as n from raw.hubspot_deal_contacts where _deleted_at is null group by 1"


def test_a_hundred_and_fifty_associations_are_paged(own_world):
    own_world.hubspot_sim("bulk/contacts/import", count=200)
    deal = own_world.books("hubspot", "deals")[0]["id"]
    linked = own_world.hubspot_sim("bulk/deal_contacts/link", id=deal, count=150)["ids"]
    manifest = Pipeline("hubspot", "deals").extract(*HISTORY)
    to = [
        str(edge["toObjectId"])
        for page in pages(manifest)
        if page.get("child") == "deal_contacts"
        for edges in page["body"]["results"]
        if edges["from"]["id"] == deal
        for edge in edges["to"]
    ]
    assert len(to) == len(set(to))
    assert set(linked) <= set(to)


def test_a_cursor_that_stays_is_an_error_that_names_it(own_world):
    own_world.hubspot_sim("bulk/contacts/import", count=200)
    own_world.fault("hubspot", kind="paging_cycle", path="/crm/objects/2026-09/contacts", times=1000)
    with pytest.raises(
        ApiError, match=r"GET /crm/objects/2026-09/contacts with connection hubspot_default: the cursor '\d+' came 4"
    ):
        Pipeline("hubspot", "contacts").extract(*HISTORY)
    assert len(own_world.requests("hubspot")) < 50


def test_a_list_of_edges_that_does_not_end_sets_its_record_aside(own_world):
    empty(*tables("contacts"))
    id_ = own_world.books("hubspot", "contact_companies")[0]["id"].partition(":")[0]
    own_world.hubspot_sim("portal", method="PUT", endless_ids=[id_])
    counts = Pipeline("hubspot", "contacts").run(*HISTORY)["hubspot_contacts"]
    assert counts["rejected"] == 1
    rejects = query(
        f"select record_key, reason, column_path from ops.rejects where stream = 'contacts' and record_key = '{id_}'"
    )
    assert rejects == [{"record_key": id_, "reason": "unreadable", "column_path": "associations"}]


def test_errors_of_other_shapes_inform_and_stop_nothing(own_world):
    """Records go away between the search and the batch, and each batch says so in its own way."""
    own_world.clock(NOON)
    first = int(own_world.hubspot_sim("bulk/contacts/import", count=400)["first"])
    own_world.clock(LATER)
    # The index is behind by an hour, so it still shows what goes now.
    _settings(own_world, search_lag_seconds=3600)
    own_world.hubspot_sim("portal", method="PUT", odd_errors=4)
    for number in range(4):
        own_world.hubspot_sim(f"records/contacts/{first + 70 + 50 * number}/archive")
    manifest = Pipeline("hubspot", "contacts").extract(*DAY)
    assert set(live(manifest)) == changed(own_world)
    assert own_world.hubspot_sim("portal", method="PUT")["odd_errors"] == 0
    assert manifest.requests["records gone since they were found"] == 4


def test_an_object_type_that_is_forbidden_stops_none_of_the_others(own_world):
    """Its properties stay as they were known: what may not be seen is not gone."""
    empty(*tables("properties"))
    lane = Pipeline("hubspot", "properties")
    lane.run(*HISTORY)
    count = "select object_type, countif(_deleted_at is null) as n from raw.hubspot_properties group by 1 order by 1"
    before = query(count)
    own_world.fault("hubspot", kind="missing_scopes", path="/crm/properties/2026-09/tickets", times=1, reason="tickets")
    manifest = lane.extract("2026-01-04T00:00:00Z", "2026-01-05T00:00:00Z")
    assert manifest.unread == ["tickets"]
    assert manifest.requests["object types that could not be read"] == 1
    lane.load(manifest)
    assert query(count) == before
    own_world.fault("hubspot", kind="missing_scopes", path="/crm/properties/*", times=10, reason="tickets")
    with pytest.raises(RefusedError, match="grant the scope tickets"):
        lane.extract("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z")


@pytest.mark.parametrize("axis", ["created", "changed"])
def test_a_property_that_the_portal_keeps_to_itself_leaves_its_column_null(own_world, axis, caplog):
    """It is in no catalogue, and whoever asks for it is refused as a whole."""
    empty(*tables("contacts"))
    own_world.hubspot_sim("portal", method="PUT", sensitive=["stripe_customer_id"])
    window = HISTORY if axis == "created" else ("2025-06-01T00:00:00Z", "2026-01-04T00:00:00Z")
    manifest = Pipeline("hubspot", "contacts").extract(*window, axis)
    assert manifest.requests["properties refused by the portal"] == 1
    assert manifest.requests["http 403"] == 1
    assert live(manifest)
    assert all("email" in record["properties"] for record in records(manifest))
    assert not any("stripe_customer_id" in record["properties"] for record in records(manifest))
    assert "may not see" in caplog.text and "stripe_customer_id" in caplog.text


def test_an_edge_that_goes_without_touching_the_record_goes_with_the_next_listing(own_world):
    """Neither the contact's nor the company's modified date moves; a whole listing reads all edges again."""
    empty(*tables("contacts"))
    pipeline = Pipeline("hubspot", "contacts")
    pipeline.run(*HISTORY)
    edges = "select contact_id, company_id from raw.hubspot_contact_companies where _deleted_at is null order by 1, 2"
    before = query(edges)
    gone = before[0]
    own_world.hubspot_sim(f"objects/contact_companies/{gone['contact_id']}:{gone['company_id']}", method="DELETE")
    pipeline.run(*HISTORY)
    assert query(edges) == before[1:]


@pytest.mark.parametrize("keep_id", [False, True])
def test_merged_records_collapse_and_every_old_id_leads_to_the_survivor(own_world, keep_id):
    empty(*tables("companies"))
    pipeline = Pipeline("hubspot", "companies")
    pipeline.run(*HISTORY)
    first, second, third = [row["id"] for row in query(_COMPANIES)][:3]
    own_world.clock(NOON)
    middle = own_world.hubspot_sim(f"records/companies/{first}/merge", other=second, keep_id=keep_id)["id"]
    survivor = own_world.hubspot_sim(f"records/companies/{middle}/merge", other=third, keep_id=keep_id)["id"]
    own_world.clock(LATER)
    pipeline.run(*DAY)
    left = {row["id"] for row in query(_COMPANIES)}
    gone = {first, second, third, middle} - {survivor}
    assert survivor in left and not gone & left
    leads = {
        row["merged_id"]: row["company_id"]
        for row in query("select merged_id, company_id from raw.hubspot_company_merges where _deleted_at is null")
    }
    assert leads == dict.fromkeys(gone, survivor)


_COMPANIES = "select id from raw.hubspot_companies where _deleted_at is null order by id"


def test_an_archived_record_becomes_a_tombstone_and_comes_back_when_restored(own_world):
    empty(*tables("companies"))
    pipeline = Pipeline("hubspot", "companies")
    pipeline.run(*HISTORY)
    id_ = query(_COMPANIES)[0]["id"]
    for day, what, there in ((4, "archive", False), (5, "restore", True), (6, "archive", False)):
        own_world.clock(f"2026-01-0{day}T12:00:00Z")
        own_world.hubspot_sim(f"records/companies/{id_}/{what}")
        own_world.clock(f"2026-01-0{day + 1}T06:00:00Z")
        pipeline.run(f"2026-01-0{day}T00:00:00Z", f"2026-01-0{day + 1}T00:00:00Z")
        assert (id_ in {row["id"] for row in query(_COMPANIES)}) is there, f"after {what}"
    own_world.hubspot_sim(f"records/companies/{id_}/purge")
    pipeline.run("2024-07-01T00:00:00Z", "2026-01-07T00:00:00Z", "created")
    assert id_ not in {row["id"] for row in query(_COMPANIES)}


def test_a_record_that_is_archived_while_it_breaks_its_contract_is_dead(own_world):
    """It gets more employees than there are people, and then it goes into the recycle bin."""
    empty(*tables("companies"))
    contract = load_contracts("hubspot")["companies"]
    columns = tuple(c.model_copy(update={"max": 8e9} if c.name == "num_employees" else {}) for c in contract.columns)
    strict = contract.model_copy(update={"columns": columns})
    vars(strict).pop("tables", None)
    pipeline = Pipeline("hubspot", "companies", strict)
    pipeline.run(*HISTORY)
    id_ = query("select id from raw.hubspot_companies where _deleted_at is null order by id")[0]["id"]
    own_world.clock(NOON)
    own_world.hubspot_sim(f"objects/companies/{id_}", method="PATCH", properties={"numberofemployees": "9000000000"})
    own_world.hubspot_sim(f"records/companies/{id_}/archive")
    own_world.clock(LATER)
    counts = pipeline.run(*DAY)["hubspot_companies"]
    assert (counts["rejected"], counts["tombstoned"]) == (1, 1)
    rows = query(
        "select name is not null as named, _deleted_at is not null as gone from raw.hubspot_companies "
        f"where id = '{id_}'"
    )
    assert rows == [{"named": True, "gone": True}], "the last good row, dead"
    settled = query(
        f"select resolution from ops.reject_resolutions where stream = 'companies' and record_key = '{id_}'"
    )
    assert settled == [{"resolution": "gone"}]


def test_an_archived_record_that_tells_only_its_id_keeps_what_was_known(own_world):
    """The recycle bin may answer with less than the list of the living; what was emptied before is empty."""
    empty(*tables("companies"))
    pipeline = Pipeline("hubspot", "companies")
    pipeline.run(*HISTORY)
    attributes = "name, domain, industry, properties_other, createdate"
    known, other = query(f"select id, {attributes} from raw.hubspot_companies where name is not null order by id")[:2]
    own_world.hubspot_sim("portal", method="PUT", sparse_archive=True)
    for day in (4, 5):
        own_world.clock(f"2026-01-0{day}T12:00:00Z")
        if day == 4:
            own_world.hubspot_sim(f"objects/companies/{other['id']}", method="PATCH", properties={"domain": ""})
            own_world.hubspot_sim(f"records/companies/{known['id']}/archive")
        own_world.clock(f"2026-01-0{day + 1}T06:00:00Z")
        pipeline.run(f"2026-01-0{day}T00:00:00Z", f"2026-01-0{day + 1}T00:00:00Z")
        rows = query(f"select id, {attributes}, archived from raw.hubspot_companies where _deleted_at is not null")
        assert [row for row in rows if row["id"] == known["id"]] == [{**known, "archived": True}], f"day {day}"
    own_world.hubspot_sim("portal", method="PUT", sparse_archive=False)
    own_world.hubspot_sim(f"records/companies/{other['id']}/archive")
    pipeline.run("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z")
    rows = query(
        f"select name, domain from raw.hubspot_companies where id = '{other['id']}' and _deleted_at is not null"
    )
    assert rows == [{"name": other["name"], "domain": ""}], "emptied, not unknown"


@pytest.mark.parametrize(
    "edited", [{"createdate": ""}, {"createdate": "2019-05-05T00:00:00Z"}, {"createdate": "2098-01-01"}]
)
def test_a_listing_of_everything_needs_no_date_to_find_what_is_gone(own_world, edited):
    """The create date is none, lies before the first day of the client, or behind the end of the window."""
    empty(*tables("deals"))
    pipeline = Pipeline("hubspot", "deals")
    id_ = own_world.books("hubspot", "deals")[0]["id"]
    own_world.clock("2026-01-03T12:00:00Z")
    own_world.hubspot_sim(f"objects/deals/{id_}", method="PATCH", properties=edited)
    own_world.clock("2026-01-04T06:00:00Z")
    pipeline.run(*HISTORY, "created")
    mine = f"select _deleted_at is not null as gone from raw.hubspot_deals where id = '{id_}'"
    assert query(mine) == [{"gone": False}]
    own_world.hubspot_sim(f"records/deals/{id_}/purge")
    own_world.clock(LATER)
    counts = pipeline.run("2024-07-01T00:00:00Z", "2026-01-05T00:00:00Z", "created")["hubspot_deals"]
    assert query(mine) == [{"gone": True}]
    assert counts["tombstoned"] == 1


def test_a_record_that_is_listed_alive_outweighs_the_notice_of_its_merge(own_world):
    """One that names a living record, and two that name each other; a true merge beside them still counts."""
    empty(*tables("companies"))
    pipeline = Pipeline("hubspot", "companies")
    ids = [entry["id"] for entry in own_world.books("hubspot", "companies") if not entry["deleted_at"]][:6]
    own_world.clock(NOON)
    merged = {ids[0]: ids[1], ids[2]: ids[3], ids[3]: ids[2]}
    for id_, other in merged.items():
        properties = {"hs_merged_object_ids": other}
        own_world.hubspot_sim(f"objects/companies/{id_}", method="PATCH", properties=properties)
    survivor = own_world.hubspot_sim(f"records/companies/{ids[4]}/merge", other=ids[5], keep_id=True)["id"]
    own_world.clock(LATER)
    pipeline.run("2024-07-01T00:00:00Z", "2026-01-05T00:00:00Z", "created")
    living = {row["id"] for row in query(_COMPANIES)}
    assert living >= {*ids[:4], survivor}
    assert ids[5] not in living
    told = "select records, column_path, found from ops.schema_drift where kind = 'merge' and stream = 'companies'"
    found = {"column_path": "properties.hs_merged_object_ids", "found": "the id of a record that is listed alive"}
    assert query(told) == [{"records": 3, **found}]


def test_a_stage_that_was_taken_out_keeps_its_name(own_world):
    """And comes back as itself; a pipeline that goes as a whole takes none of what was known of its stages."""
    empty(*tables("deal_pipelines"))
    lane = Pipeline("hubspot", "deal_pipelines")
    lane.run("2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z")
    pipeline = own_world.books("hubspot", "pipelines")[0]["object"]
    stages = pipeline["stages"]
    lost = stages[1]
    mine = (
        "select label, _deleted_at is not null as gone from raw.hubspot_deal_pipeline_stages "
        f"where pipeline_id = '{pipeline['id']}' and id = '{lost['id']}'"
    )
    all_ = f"select count(*) as n from raw.hubspot_deal_pipeline_stages where pipeline_id = '{pipeline['id']}'"
    history = f"select count(*) as n from raw_history.hubspot_deal_pipeline_stages where id = '{lost['id']}'"
    for day, left, gone, versions in (
        (4, [stages[0], *stages[2:]], True, 1),
        (5, [stages[0]], True, 1),
        (6, stages, False, 2),
    ):
        own_world.clock(f"2026-01-0{day}T12:00:00Z")
        own_world.change("hubspot", "pipelines", pipeline["id"], stages=left)
        own_world.clock(f"2026-01-0{day + 1}T06:00:00Z")
        lane.run(f"2026-01-0{day}T00:00:00Z", f"2026-01-0{day + 1}T00:00:00Z")
        assert query(mine) == [{"label": lost["label"], "gone": gone}], f"day {day}"
        assert query(all_) == [{"n": len(stages)}]
        assert query(history) == [{"n": versions}], f"day {day}"


def test_an_edited_create_date_leaves_one_row_in_its_first_partition(own_world):
    empty(*tables("tickets"))
    pipeline = Pipeline("hubspot", "tickets")
    pipeline.run(*HISTORY)
    one = "select id, _record_date, createdate from raw.hubspot_tickets where _deleted_at is null order by id limit 1"
    [before] = query(one)
    own_world.clock(NOON)
    moved = {"createdate": "2020-02-02T00:00:00Z"}
    own_world.hubspot_sim(f"objects/tickets/{before['id']}", method="PATCH", properties=moved)
    own_world.clock(LATER)
    pipeline.run(*DAY)
    rows = query(f"select _record_date, createdate from raw.hubspot_tickets where id = '{before['id']}'")
    assert len(rows) == 1
    assert rows[0]["_record_date"] == before["_record_date"]


@pytest.mark.parametrize(
    ("fault", "wait"),
    [
        ({"kind": "rate_limit", "reason": "TEN_SECONDLY_ROLLING"}, 10),
        ({"kind": "lock_timeout"}, 2),
        ({"kind": "migration", "seconds": 30}, 30),
        ({"kind": "cloudflare", "status": 524}, 0),
        ({"kind": "cloudflare", "status": 521}, 0),
        ({"kind": "http_error", "status": 502}, 0),
        ({"kind": "html_500"}, 0),
        ({"kind": "truncated"}, 0),
        ({"kind": "reset"}, 0),
    ],
)
def test_what_passes_is_waited_for_as_long_as_the_server_says(world, fault, wait):
    clean = Pipeline("hubspot", "owners").extract(*HISTORY)
    world.fault("hubspot", **fault, times=2, path="/crm/owners/*")
    waits: list[float] = []
    manifest = Pipeline("hubspot", "owners").extract(*HISTORY, sleep=waits.append)
    assert manifest.records == clean.records
    assert len(waits) == 2 == manifest.requests["retries"]
    assert all(wait <= seconds <= wait + 31 for seconds in waits)


def test_a_search_limit_waits_a_second_since_searches_have_no_headers(bulk):
    bulk.fault("hubspot", kind="rate_limit", reason="SECONDLY", times=2, path="*/contacts/search")
    waits: list[float] = []
    Pipeline("hubspot", "contacts").extract(*DAY, sleep=waits.append)
    assert len(waits) == 2
    assert all(1 <= seconds < 10 for seconds in waits)


def test_a_daily_quota_is_waited_for_outside_of_the_task(bulk):
    """The task comes back at the account's midnight and goes on in the same extraction."""
    _settings(bulk, rate_limits=True)
    bulk.hubspot_sim("portal", method="PUT", requests_per_ten_seconds=100_000, requests_left_today=15)
    pipeline = Pipeline("hubspot", "contacts")
    with pytest.raises(PostponedError, match="daily quota") as caught:
        pipeline.extract(*DAY, name="quota")
    until = caught.value.until
    assert (until.hour, until.minute, until.second) == (0, 0, 0), "midnight of an account in UTC"
    asked = [request for request in bulk.requests("hubspot") if request["path"].endswith("/batch/read")]
    assert [request["status"] for request in asked][-1] == 429
    assert len([request for request in asked if request["status"] == 429]) == 1, "it was retried"
    bulk.clock("2026-01-06T00:00:00Z")
    assert set(live(pipeline.extract(*DAY, name="quota"))) >= changed(bulk)


def test_a_long_migration_is_waited_for_outside_of_the_task(world):
    world.fault("hubspot", kind="migration", seconds=3600, times=1, path="/crm/owners/*")
    with pytest.raises(PostponedError, match="asked to wait 3600 s"):
        Pipeline("hubspot", "owners").extract(*HISTORY)


def test_a_missing_scope_is_named_at_once(own_world):
    own_world.hubspot_sim("tokens/pat-na1-tributary", method="PUT", scopes=["crm.objects.contacts.read"])
    with pytest.raises(
        RefusedError, match=r"connection hubspot_default: 403 MISSING_SCOPES.*grant the scope crm.objects.owners.read"
    ):
        Pipeline("hubspot", "owners").extract(*HISTORY)
    assert len([request for request in own_world.requests("hubspot") if request["status"] == 403]) == 1


def test_a_404_with_html_says_what_is_missing(world):
    world.fault("hubspot", kind="not_found", times=1, path="/crm/objects/*")
    with pytest.raises(RefusedError, match=r"GET /crm/objects/2026-09/tickets.*404.*no such object type"):
        Pipeline("hubspot", "tickets").extract(*HISTORY)


def test_a_token_that_expires_stops_at_once_without_oauth(world):
    world.fault("hubspot", kind="expired_token", times=1, path="/crm/owners/*")
    with pytest.raises(RefusedError, match=r"connection hubspot_default: 401 EXPIRED_AUTHENTICATION"):
        Pipeline("hubspot", "owners").extract(*HISTORY)


def test_pages_that_come_twice_or_empty_lose_and_double_nothing(bulk):
    expected = changed(bulk)
    bulk.faults(
        "hubspot",
        [
            {"kind": "empty_page", "path": "*/contacts/search", "after": 2, "times": 2},
            {"kind": "duplicate_page", "path": "*/objects/2026-09/contacts", "times": 2},
            {"kind": "empty_page", "path": "*/objects/2026-09/contacts", "after": 4, "times": 1},
        ],
    )
    found = live(Pipeline("hubspot", "contacts").extract(*DAY))
    assert len(found) == len(set(found))
    assert set(found) == expected
    empty(*tables("contacts"))
    counts = Pipeline("hubspot", "contacts").run(*HISTORY)["hubspot_contacts"]
    assert counts["duplicate"] == 100, "two pages of 50 came twice"
    assert [fault["struck"] for fault in bulk.struck("hubspot")] == [2, 2, 1]


def test_a_record_that_is_merged_or_archived_during_the_walk_ends_where_it_belongs(bulk):
    empty(*tables("contacts"))
    pipeline = Pipeline("hubspot", "contacts")
    bulk.faults(
        "hubspot",
        [
            {"kind": "merge_between_pages", "path": "*/objects/2026-09/contacts", "times": 2},
            {"kind": "delete_between_pages", "path": "*/objects/2026-09/contacts", "after": 5, "times": 2},
        ],
    )
    pipeline.run("2024-07-01T00:00:00Z", "2026-01-05T06:00:00Z", "created")
    bulk.clock("2026-01-06T06:00:00Z")
    pipeline.run("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z")
    alive = {
        entry["id"]
        for entry in bulk.books("hubspot", "contacts")
        if not entry["deleted_at"] and entry["created"] < "2026-01-06"
    }
    assert {row["id"] for row in query("select id from raw.hubspot_contacts where _deleted_at is null")} == alive


def test_the_version_is_one_setting(own_world, monkeypatch):
    from tributary.settings import settings

    manifests = {}
    for version in ("2026-09", "v3"):
        monkeypatch.setenv("TRIBUTARY_HUBSPOT_VERSION", version)
        settings.cache_clear()
        try:
            manifests[version] = {
                stream: Pipeline("hubspot", stream).extract(*HISTORY) for stream in load_contracts("hubspot")
            }
        finally:
            monkeypatch.undo()
            settings.cache_clear()
    for stream, manifest in manifests["v3"].items():
        assert records(manifest) == records(manifests["2026-09"][stream])
        assert (manifest.api_version, manifest.children) == ("v3", manifests["2026-09"][stream].children)
    assert [request for request in own_world.requests("hubspot") if request["path"].startswith("/crm/v3/objects/")]


def _settings(world: Any, **values: Any) -> None:
    world.hubspot_sim("settings", method="PUT", **values)


def test_an_api_that_stays_down_keeps_what_was_landed(world):
    world.fault("hubspot", kind="unavailable", times=50, path="/crm/owners/*")
    with pytest.raises(ApiError, match=r"GET /crm/owners/2026-09 failed 7 times, last: 503"):
        Pipeline("hubspot", "owners").extract(*HISTORY, sleep=lambda _: None)


def test_the_ledger_claims_what_was_read_and_nothing_young_is_taken_for_gone(own_world):
    """A search of creation dates that ends beyond the source's clock, and a contact that is younger than it reaches."""
    empty(*tables("contacts"))
    own_world.clock("2026-01-04T23:58:00Z")
    young = own_world.hubspot_sim("bulk/contacts/import", count=1)["first"]
    own_world.clock("2026-01-05T00:02:00Z")
    pipeline = Pipeline("hubspot", "contacts")
    pipeline.run("2024-07-01T00:00:00Z", "2026-01-05T00:00:00Z", "created")
    manifest = pipeline.flatten(pipeline.extract(DAY[0], "2026-01-06T00:00:00Z", axis="created"))
    pipeline.replace([(pipeline.stage(manifest), manifest)], load_id="heldback")
    [row] = query(
        "select window_end, tombstoned from ops.ledger where load_id = 'heldback' and table_name = 'hubspot_contacts'"
    )
    assert (str(row["window_end"]), row["tombstoned"]) == ("2026-01-04 23:57:00+00:00", 0)
    assert query(f"select id from raw.hubspot_contacts where _deleted_at is null and id = '{young}'")
