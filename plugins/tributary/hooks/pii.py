"""The key for personal data from an Airflow connection, and the people whom a client has erased."""

from typing import Any

from airflow.sdk import BaseHook

from tributary.contracts.model import Contract
from tributary.erasure.suppressions import suppressed
from tributary.errors import RefusedError
from tributary.privacy.keys import Keys
from tributary.privacy.rows import Personal
from tributary.settings import settings

_SHORTEST = 32


def pii_keys() -> Keys:
    """The keys: the connection's password, and the former ones in `previous` of its extra.

    Raises:
        RefusedError: no such connection, or a key that could be guessed.
    """
    name = settings().pii_conn_id
    wanted = (
        f"set AIRFLOW_CONN_{name.upper()} or add it under Admin > Connections: type generic, and the output of "
        "`openssl rand -hex 32` as password"
    )
    try:
        connection = BaseHook.get_connection(name)
    except Exception as error:
        if type(error).__name__ not in ("AirflowNotFoundException", "AirflowRuntimeError"):
            raise
        raise RefusedError(f"connection {name}, the key for personal data, does not exist; {wanted}") from None
    previous = connection.extra_dejson.get("previous", [])
    if any(len(key) < _SHORTEST for key in (connection.password or "", *previous)):
        raise RefusedError(f"connection {name} has a key of less than {_SHORTEST} characters; {wanted}")
    return Keys(str(connection.password).encode(), tuple(str(key).encode() for key in previous))


def personal(contract: Contract, client_id: str, warehouse: Any) -> Personal:
    """Return the rules for a client's personal data. Raises RefusedError if a rule hashes and no key is configured."""
    erased = suppressed(warehouse, contract.source, client_id)
    keys = pii_keys() if contract.hashes or erased.mailboxes else None
    return Personal(contract, keys, erased)
