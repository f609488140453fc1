"""The HubSpot account: its settings that tests may turn, and the tokens that open it."""

from __future__ import annotations

from dataclasses import dataclass, field

from include.simulators.hubspot.tokens import Tokens
from include.simulators.world.crm_types import PORTAL_ID


@dataclass(slots=True)
class Portal:
    tokens: Tokens
    id: int = PORTAL_ID
    merge_keeps_id: bool = False
    """Whether a merge leaves the primary record's id (HubSpot's beta), or makes a record with a new one."""
    bad_ids: dict[str, str] = field(default_factory=dict)
    """Ids that associations cannot be read for: `batch` refuses the batch with 400, `row` is an error of the row."""
