"""One JSON value into one column's type."""

import pytest

from tributary.contracts.model import ColumnType as T
from tributary.flatten.values import UnfitError, converter


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
        (T.NUMERIC, "0.0000000001", "outside NUMERIC"),
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
