"""What BigQuery's reasons may say in logs."""

from tributary.hooks.warehouse import redact


def test_values_are_left_out():
    message = (
        "Could not convert value 'string_value: \"jo@example.test\"' to integer. Field: total; Value: jo@example.test"
    )
    assert "jo@" not in redact(message)
    assert "Field: total" in redact(message)
    assert "jo@" not in redact("Couldn't convert value to timestamp: Could not parse 'jo@example.test' as a timestamp")
    assert "Brien" not in redact("Could not convert value 'string_value: \"O'Brien\"' to integer")
    assert "jo@" not in redact("Bad int64 value: jo@example.test")
    assert "jo@" not in redact("Field: total; Value: Dear all;\njo@example.test")
