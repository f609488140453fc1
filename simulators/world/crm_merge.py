"""Merges two records into one, property by property."""

from __future__ import annotations

from collections.abc import Mapping

from simulators.world.crm_properties import PROPERTIES
from simulators.world.crm_types import Kind

Values = Mapping[str, str | None]


def merged_properties(
    kind: Kind, first: tuple[str, Values], second: tuple[str, Values], at: int, *, keep_id: bool
) -> dict[str, str]:
    """Properties of what becomes of `first` and `second` (id, properties) at `at` (ms); the first one's win.

    The ids that went are written down in both dialects of HubSpot: `hs_merged_object_ids` as `id;id`, and for contacts
    `hs_calculated_merged_vids` as `id:ms;id:ms`. The losing address stays as an additional one.
    """
    mine = {name: value for name, value in first[1].items() if value is not None}
    theirs = {name: value for name, value in second[1].items() if value is not None}
    properties = {**theirs, **mine}
    gone = [second[0]] if keep_id else [first[0], second[0]]
    earlier = [*_parts(mine, "hs_merged_object_ids"), *_parts(theirs, "hs_merged_object_ids")]
    properties["hs_merged_object_ids"] = _joined([*earlier, *gone])
    if "hs_calculated_merged_vids" in PROPERTIES[kind]:
        dated = [*_parts(mine, "hs_calculated_merged_vids"), *_parts(theirs, "hs_calculated_merged_vids")]
        properties["hs_calculated_merged_vids"] = _joined([*dated, *(f"{id}:{at}" for id in gone)])
    if kind == "contacts":
        known = [*_parts(mine, "hs_additional_emails"), *_parts(theirs, "hs_additional_emails")]
        lost = theirs.get("email")
        emails = _joined([*known, *([lost] if lost and lost != properties.get("email") else [])])
        if emails:
            properties["hs_additional_emails"] = emails
    return properties


def _parts(properties: Mapping[str, str], name: str) -> list[str]:
    return [part for part in properties.get(name, "").split(";") if part]


def _joined(parts: list[str]) -> str:
    return ";".join(dict.fromkeys(parts))
