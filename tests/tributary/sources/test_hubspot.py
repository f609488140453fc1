"""What the HubSpot source decides without a request: verdicts, values, paths, which properties to ask for how."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from tributary.api.answers import Answer, Verdict
from tributary.contracts.loader import load_contracts
from tributary.contracts.values import UnfitError
from tributary.flatten.merges import merged_into
from tributary.flatten.rest import rests_of
from tributary.sources.hubspot.errors import judge
from tributary.sources.hubspot.paths import Paths
from tributary.sources.hubspot.values import conversions
from tributary.sources.hubspot.wanted import Wanted, wanted

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def answer(status: int, body: Any = None, **headers: str) -> Answer:
    content = body.encode() if isinstance(body, str) else msgspec.json.encode(body or {})
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, content, NOW)


@pytest.mark.parametrize(
    ("given", "verdict", "wait"),
    [
        (answer(200, {"results": []}), Verdict.OK, None),
        (answer(207, {"errors": [{}]}), Verdict.OK, None),
        (answer(400, {"category": "VALIDATION_ERROR"}), Verdict.INVALID, None),
        (answer(400, {"message": "Unable to infer object type from: x"}), Verdict.INVALID, None),
        (answer(401, {}), Verdict.REFUSE, None),
        (answer(403, {}), Verdict.REFUSE, None),
        (answer(404, "<html>no such thing</html>"), Verdict.MISSING, None),
        (answer(404, ""), Verdict.MISSING, None),
        (answer(414, "<html/>"), Verdict.INVALID, None),
        (answer(423, {}), Verdict.RETRY, 2.0),
        (answer(429, {"policyName": "TEN_SECONDLY_ROLLING"}), Verdict.RETRY, 10.0),
        (
            answer(429, {"policyName": "TEN_SECONDLY_ROLLING"}, X_HubSpot_RateLimit_Interval_Milliseconds="4000"),
            Verdict.RETRY,
            4.0,
        ),
        (answer(429, {"policyName": "SECONDLY"}), Verdict.RETRY, 1.0),
        (answer(429, {"policyName": "SECONDLY"}, Retry_After="7"), Verdict.RETRY, 7.0),
        (answer(429, {"policyName": "DAILY"}), Verdict.DEFER, None),
        (answer(429, "<html>Cloudflare</html>"), Verdict.RETRY, None),
        (answer(477, {}, Retry_After="20"), Verdict.RETRY, 20.0),
        (answer(477, {}, Retry_After="86400"), Verdict.DEFER, 86400.0),
        (answer(500, "<html/>"), Verdict.RETRY, None),
        (answer(521, "<html/>"), Verdict.RETRY, None),
        (answer(524, "<html/>"), Verdict.RETRY, None),
    ],
)
def test_verdicts(given: Answer, verdict: Verdict, wait: float | None) -> None:
    judgement = judge(given)
    assert (judgement.verdict, judgement.wait) == (verdict, wait)


def test_the_reason_names_scopes_and_never_repeats_a_message() -> None:
    body = {
        "category": "MISSING_SCOPES",
        "message": "ada@example.com may not",
        "errors": [{"message": "x", "context": {"requiredGranularScopes": ["crm.objects.deals.read"]}}],
    }
    reason = judge(answer(403, body)).reason
    assert "MISSING_SCOPES" in reason and "grant the scope crm.objects.deals.read" in reason
    assert "ada" not in reason
    assert "ada" not in judge(answer(400, body)).reason


def rest(properties: dict[str, Any], *definitions: dict[str, str]) -> Any:
    """What a ticket keeps of its properties beside its columns, and what doesn't fit."""
    [found] = rests_of(load_contracts("hubspot")["tickets"]).values()
    found.conversions = conversions(definitions)
    return msgspec.json.decode(msgspec.json.encode(found.read(msgspec.json.encode(properties))), type=tuple[Any, Any])


def definition(type_: str, field: str = "text") -> dict[str, str]:
    return {"name": "p", "type": type_, "fieldType": field}


@pytest.mark.parametrize(
    ("given", "text", "expected"),
    [
        (definition("number"), "1,234.50", 1234.5),
        (definition("number"), "12000", 12000),
        (definition("number"), "3.0", 3),
        (definition("number"), "1.2E7", 12_000_000),
        (definition("number"), "9007199254740993", 9007199254740993),
        (definition("number"), "0.1", 0.1),
        (definition("number"), "12345678901234567.25", "12345678901234567.25"),
        (definition("number"), "100000000000000000000", 1e20),
        (definition("number"), "123456789012345678901", "123456789012345678901"),
        (definition("number"), "0.200000000000000011102230246251565404236316680908203125", 0.2),
        (definition("number"), "917.43119266055", 917.43119266055),
        (definition("number"), "1,234,567", 1234567),
        (definition("number"), "", None),
        (definition("bool", "booleancheckbox"), "true", True),
        (definition("bool", "booleancheckbox"), "FALSE", False),
        (definition("bool", "booleancheckbox"), "", None),
        (definition("date", "date"), "2026-01-05", "2026-01-05"),
        (definition("date", "date"), "1767571200000", "2026-01-05"),
        (definition("date", "date"), "-631152000000", "1950-01-01"),
        (definition("datetime", "date"), "1767571200123", "2026-01-05T00:00:00.123000Z"),
        (definition("datetime", "date"), "2026-01-05T01:02:03+01:00", "2026-01-05T00:02:03Z"),
        (definition("datetime", "date"), "", None),
        (definition("enumeration", "checkbox"), "a;b", ["a", "b"]),
        (definition("enumeration", "checkbox"), ";a", ["a"]),
        (definition("enumeration", "checkbox"), "", []),
        (definition("enumeration", "select"), "a;b", "a;b"),
        (definition("string"), "", ""),
        (definition("string"), "007", "007"),
        (definition("phone_number"), "+1 2", "+1 2"),
    ],
)
def test_values_are_typed_by_the_catalogue(given: dict[str, str], text: str, expected: Any) -> None:
    left, unfit = rest({"p": text}, given)
    assert (left, unfit) == ({"p": expected}, [])
    assert type(left["p"]) is type(expected)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (definition("number"), "12.5%"),
        (definition("number"), "NaN"),
        (definition("number"), "Infinity"),
        (definition("number"), "1e400"),
        (definition("number"), "2E40000000"),
        (definition("number"), "8,5"),
        (definition("number"), "3_500"),
        (definition("date"), "20270315"),
        (definition("datetime"), "1801000000"),
        (definition("datetime"), "0"),
        (definition("bool"), "yes"),
        (definition("date"), "05.01.2026"),
        (definition("datetime"), "soon"),
    ],
)
def test_what_does_not_fit_its_type_is_told_and_kept_as_it_came(given: dict[str, str], text: str) -> None:
    with pytest.raises(UnfitError):
        conversions([given])["p"](text)
    left, [(path, found, value)] = rest({"p": text}, given)
    assert (left, path, found.split()[0], value) == (None, "properties.p", "string", text)


def test_empty_null_and_absent_are_three_things() -> None:
    left, _ = rest({"empty": "", "null": None, "__proto__": "x", "subject": "has a column"})
    assert left == {"empty": "", "__proto__": "x"}


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"hs_merged_object_ids": "2;3"}, [{"id": "2"}, {"id": "3"}]),
        ({"hs_merged_object_ids": "2;1"}, [{"id": "2"}]),
        (
            {"hs_merged_object_ids": None, "hs_calculated_merged_vids": "2:5;3:6"},
            [{"id": "2", "at": "5"}, {"id": "3", "at": "6"}],
        ),
        ({"hs_merged_object_ids": "2;4", "hs_calculated_merged_vids": "2:5"}, [{"id": "2", "at": "5"}, {"id": "4"}]),
        ({"hs_merged_object_ids": "9007199254740993"}, [{"id": "9007199254740993"}]),
        ({"hs_merged_object_ids": ""}, []),
        ({}, []),
    ],
)
def test_merged_ids_in_both_dialects(properties: dict[str, Any], expected: list[dict[str, str]]) -> None:
    texts = [properties.get(name) for name in ("hs_merged_object_ids", "hs_calculated_merged_vids")]
    assert merged_into("1", texts) == expected


def test_paths_of_both_forms() -> None:
    dated, legacy = Paths("2026-09"), Paths("v3")
    assert (dated.search("contacts"), legacy.search("contacts")) == (
        "/crm/objects/2026-09/contacts/search",
        "/crm/v3/objects/contacts/search",
    )
    assert (dated.associations("deals", "contacts"), legacy.associations("deals", "contacts")) == (
        "/crm/associations/2026-09/deals/contacts/batch/read",
        "/crm/v4/associations/deals/contacts/batch/read",
    )
    assert (dated.owners, legacy.owners) == ("/crm/owners/2026-09", "/crm/v3/owners/")
    assert (dated.token, legacy.token) == ("/oauth/2026-09/token", "/oauth/v3/token")


def test_properties_are_asked_for_in_the_url_only_where_that_is_safe() -> None:
    assert Wanted(("email",)).fits_in_url
    assert not Wanted(("a,b",)).fits_in_url, "a comma separates names"
    assert not Wanted(tuple(f"a_property_with_number_{n}" for n in range(900))).fits_in_url
    assert not Wanted(tuple(f"größe_{n}" for n in range(400))).fits_in_url, "percent signs take room"
    assert (Wanted(("a",)).page, Wanted(("a",), ("b",)).page) == (100, 50)


def test_the_contract_chooses_and_the_catalogue_adds() -> None:
    contract = load_contracts("hubspot")["deals"]
    asked = wanted(contract, ["dealname", "custom_7"])
    assert asked.names.count("dealname") == 1
    assert {"dealname", "custom_7", "hs_merged_object_ids"} <= set(asked.names)
    assert asked.history == ("dealstage",)
    without = contract.model_copy(update={"columns": tuple(c for c in contract.columns if c.as_ != "rest")})
    assert "custom_7" not in wanted(without, ["custom_7"]).names
