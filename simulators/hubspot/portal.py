"""The HubSpot account: its settings that tests may turn, and the tokens that open it."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulators.hubspot.tokens import Tokens
from simulators.world.crm_types import PORTAL_ID


@dataclass(slots=True)
class Portal:
    tokens: Tokens
    id: int = PORTAL_ID
    merge_keeps_id: bool = False
    """Whether a merge leaves the primary record's id (HubSpot's beta), or makes a record with a new one."""
    bad_ids: dict[str, str] = field(default_factory=dict)
    """Ids that associations cannot be read for: `batch` refuses the batch with 400, `row` is an error of the row."""
    endless_ids: frozenset[str] = frozenset()
    """Ids whose list of associations gives the same cursor again and again."""
    sparse_archive: bool = False
    """True where the recycle bin answers with the ids and times of its records alone."""
    sensitive: frozenset[str] = frozenset()
    """Properties that are in no catalogue, and that this app may not ask for."""
    odd_errors: int = 0
    """How often the errors of a batch come in other shapes than are documented; counts down."""
