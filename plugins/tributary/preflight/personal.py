"""The key for personal data."""

from collections.abc import Mapping

from tributary.contracts.model import Contract
from tributary.errors import RefusedError
from tributary.hooks.pii import pii_keys
from tributary.preflight.findings import Finding
from tributary.settings import settings


def check_key(contracts: Mapping[str, Mapping[str, Contract]]) -> Finding:
    """Wanted in any case: whoever hashes nothing needs it to erase somebody. Says which streams fail without it."""
    name = settings().pii_conn_id
    hashing = [one.name for streams in contracts.values() for one in streams.values() if one.hashes]
    try:
        keys = pii_keys()
    except RefusedError as error:
        use = f"{len(hashing)} streams hash with it ({', '.join(hashing)})" if hashing else "erasing somebody needs it"
        return Finding("personal data", "key", fix=f"{error}; {use}")
    former = f" and {len(keys.previous)} former" if keys.previous else ""
    return Finding("personal data", "key", f"connection {name}{former}; {len(hashing)} streams hash with it")
