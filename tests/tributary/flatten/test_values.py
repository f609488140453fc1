"""One JSON value into one column's type."""

from decimal import Decimal
from time import process_time

import pytest

from tributary.contracts.model import ColumnType as T
from tributary.contracts.values import RoundedError, UnfitError, converter


@pytest.mark.parametrize(
    ("type_", "value", "expected"),
    [
        (T.STRING, "x", "x"),
        (T.STRING, "", ""),
        (T.STRING, 9007199254740993, "9007199254740993"),
        (T.INT64, 5, 5),
        (T.INT64, "-5", -5),
        (T.INT64, 5.0, 5),
        (T.INT64, "", None),
        (T.NUMERIC, "1,234.50", "1234.50"),
        (T.NUMERIC, 0.1, "0.1"),
        (T.NUMERIC, "1e3", "1000"),
        (T.NUMERIC, "-12,345,678.5E2", "-1234567850"),
        (T.NUMERIC, ".5", "0.5"),
        (T.NUMERIC, "7e-9", "0.000000007"),
        (T.NUMERIC, f"{'9' * 29}.{'9' * 9}", f"{'9' * 29}.{'9' * 9}"),
        (T.NUMERIC, "0.0000000000", "0.0000000000"),
        (T.BIGNUMERIC, "0.0000000001", "0.0000000001"),
        (T.BIGNUMERIC, 10**37, str(10**37)),
        (T.FLOAT64, "1.5", 1.5),
        (T.FLOAT64, 2**53, 2.0**53),
        (T.BOOL, "true", True),
        (T.BOOL, False, False),
        (T.TIMESTAMP, 1767225600, "2026-01-01T00:00:00Z"),
        (T.TIMESTAMP, "1767225600123", "2026-01-01T00:00:00.123000Z"),
        (T.TIMESTAMP, "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00Z"),
        (T.TIMESTAMP, "2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00.500000Z"),
        (T.DATE, "2026-01-31", "2026-01-31"),
        (T.DATE, "1767225600000", "2026-01-01"),
        (T.DATE, "-631152000000", "1950-01-01"),
        (T.DATE, "1767225600000.0", "2026-01-01"),
        (T.TIMESTAMP, "1767225600123.75", "2026-01-01T00:00:00.123000Z"),
        (T.TIMESTAMP, "2026-01-05 10:11:12", "2026-01-05T10:11:12Z"),
        (T.JSON, {"a": [1]}, {"a": [1]}),
    ],
)
def test_fits(type_, value, expected):
    assert converter(type_)(value) == expected


@pytest.mark.parametrize(
    ("type_", "value", "found"),
    [
        (T.STRING, {"id": "x"}, "object"),
        (T.STRING, True, "boolean"),
        (T.INT64, "1.5", "string"),
        (T.INT64, 1.5, "number"),
        (T.INT64, True, "boolean"),
        (T.INT64, 2**63, "integer"),
        (T.NUMERIC, "abc", "string"),
        (T.NUMERIC, "0.0000000001", "more than 9 decimals"),
        (T.BIGNUMERIC, "1e38", "outside BIGNUMERIC"),
        (T.FLOAT64, 2**53 + 1, "beyond 2^53"),
        (T.BOOL, "yes", "string"),
        (T.TIMESTAMP, "soon", "string"),
        (T.TIMESTAMP, 10**17, "integer"),
        (T.DATE, "2026-02-30", "string"),
    ],
)
def test_unfit_names_the_json_type_and_never_the_value(type_, value, found):
    with pytest.raises(UnfitError) as caught:
        converter(type_)(value)
    assert found in str(caught.value)
    assert str(value) not in str(caught.value)


#: Doubles whose digits are all written out, as HubSpot's calculated properties come.
DOUBLES = [0.2, 0.1, 0.7, 1 / 4, 99.99, -0.6, 1e-9, 123456.789, 3.0]


@pytest.mark.parametrize("double", DOUBLES)
def test_every_digit_of_a_double_stands_for_its_shortest_form(double):
    assert Decimal(converter(T.NUMERIC)(format(Decimal(double), "f"))) == Decimal(repr(double))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("917.43119266055", "917.431192661"),
        ("0.33333333333333331", "0.333333333"),
        ("2.0000000005", "2.000000001"),
        ("-2.0000000005", "-2.000000001"),
        ("-2.00000000049999", "-2.000000000"),
        ("1,234.5678901234", "1234.567890123"),
        ("1e-12", "0.000000000"),
        (f"{'9' * 28}.9999999995", f"1{'0' * 28}.000000000"),
        (1.1e-12, "0.000000000"),
    ],
)
def test_further_decimals_are_rounded_half_away_from_zero_and_told(value, expected):
    with pytest.raises(RoundedError) as caught:
        converter(T.NUMERIC)(value)
    assert caught.value.value == expected
    assert str(value) not in str(caught.value)


#: Numbers whose arithmetic would not end, or that are infinite as a double.
ENDLESS = ["7e5000000", "2E40000000", "-1e1000", "1e-5000000", f"1e{'9' * 5000}"]
#: As people elsewhere write them, and as only Python reads them.
FOREIGN = ["2.750,90", "8,5", "98,70", "0,500", "1,2345", "12,34,567", "1,234,", ",123", "1 234", "1'234", "3_500"]
FOREIGN += [
    "\uff14\uff15",
    "\u0664\u0665",
    "45 ",
    "\u00a045",
    "inf",
    "-Infinity",
    "NaN",
    "0x10",
    "1e",
    "e5",
    ".",
    "+-1",
    "--1",
    "½",
    "5%",
]


@pytest.mark.parametrize("type_", [T.INT64, T.NUMERIC, T.BIGNUMERIC, T.FLOAT64])
@pytest.mark.parametrize("value", [*ENDLESS, *FOREIGN])
def test_what_is_no_plain_number_is_unfit_at_once(type_, value):
    started = process_time()
    with pytest.raises(UnfitError):
        converter(type_)(value)
    assert process_time() - started < 0.5


@pytest.mark.parametrize(("type_", "value"), [(T.INT64, "1e999"), (T.NUMERIC, "1e999"), (T.FLOAT64, "1e309")])
def test_what_is_too_large_for_its_type_is_unfit(type_, value):
    with pytest.raises(UnfitError):
        converter(type_)(value)


@pytest.mark.parametrize("type_", [T.TIMESTAMP, T.DATE])
@pytest.mark.parametrize(
    "value",
    [
        "0",
        "-1",
        "20270315",
        "1801000000",
        "1801000000.5",
        "9999999999",
        "20270315120000",
        "1767225600000000",
        "9" * 5000,
        "\uff11" * 13,
    ],
)
def test_a_whole_number_that_is_no_epoch_milliseconds_is_no_time(type_, value):
    with pytest.raises(UnfitError):
        converter(type_)(value)
