"""The columns that every raw table has beside those of its contract."""

from tributary.contracts.model import ColumnType as T

#: name -> (type, description), in table order.
SYSTEM_COLUMNS: dict[str, tuple[T, str]] = {
    "client_id": (T.STRING, "Tenant of the source that the record belongs to; part of every key."),
    "_record_date": (T.DATE, "Partition: the record's creation date, fixed when it is first loaded."),
    "_observed_at": (T.TIMESTAMP, "When the API answered with this row; a load never overwrites a later observation."),
    "_extracted_at": (T.TIMESTAMP, "When the extraction that brought this row began."),
    "_window_start": (T.TIMESTAMP, "Start of the window that brought this row, inclusive; null when read whole."),
    "_window_end": (T.TIMESTAMP, "End of the window that brought this row, exclusive."),
    "_run_id": (T.STRING, "Airflow run that loaded this row last."),
    "_row_hash": (T.STRING, "Hash over the contract's columns and _extra; equal hashes are equal records."),
    "_contract_version": (T.INT64, "Version of the contract that typed this row."),
    "_deleted_at": (T.TIMESTAMP, "When the record was found gone at the source; null while it exists."),
    "_valid_from": (T.TIMESTAMP, "When this version of the row was first observed."),
    "_extra": (T.JSON, "Fields that the contract doesn't know; treated as personal data."),
}

HISTORY_COLUMNS: dict[str, tuple[T, str]] = {
    "_valid_to": (T.TIMESTAMP, "When a later version of the row was observed, exclusive end of its validity."),
}
