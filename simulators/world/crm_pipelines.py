"""Pipelines of deals and tickets."""

from __future__ import annotations

from simulators.world.moments import START, iso
from simulators.world.store import JsonObject

#: Stages by pipeline: id, label, chance of winning.
STAGES = {
    "default": (
        ("appointmentscheduled", "Appointment Scheduled", "0.2"),
        ("qualifiedtobuy", "Qualified To Buy", "0.4"),
        ("presentationscheduled", "Presentation Scheduled", "0.6"),
        ("contractsent", "Contract Sent", "0.9"),
        ("closedwon", "Closed Won", "1.0"),
        ("closedlost", "Closed Lost", "0.0"),
    ),
    "38211904": (
        ("81190421", "Renewal due", "0.5"),
        ("81190422", "In conversation", "0.7"),
        ("81190423", "Renewed", "1.0"),
        ("81190424", "Lost", "0.0"),
    ),
}
#: The same of tickets: id, label, whether that is the end.
TICKET_STAGES = {
    "0": (
        ("1", "New", False),
        ("2", "Waiting on contact", False),
        ("3", "Waiting on us", False),
        ("4", "Closed", True),
    ),
    "61102377": (("150011", "Reported", False), ("150012", "In repair", False), ("150013", "Solved", True)),
}


def pipeline_object(id: str, label: str, order: int, modified: int, renamed: dict[str, str]) -> JsonObject:
    """A deal pipeline. `renamed` maps stage ids to labels that differ from the first ones."""
    stages = [
        _stage(
            stage,
            renamed.get(stage, name),
            position,
            {"isClosed": str(chance in ("1.0", "0.0")).lower(), "probability": chance},
            modified if stage in renamed else START,
        )
        for position, (stage, name, chance) in enumerate(STAGES[id])
    ]
    return _pipeline(id, label, order, modified, stages)


def ticket_pipeline_object(id: str, label: str, order: int, modified: int) -> JsonObject:
    stages = [
        _stage(
            stage,
            name,
            position,
            {"ticketState": "CLOSED" if closed else "OPEN", "isClosed": str(closed).lower()},
            START,
        )
        for position, (stage, name, closed) in enumerate(TICKET_STAGES[id])
    ]
    return _pipeline(id, label, order, modified, stages)


def _stage(id: str, label: str, order: int, metadata: dict[str, str], modified: int) -> JsonObject:
    return {
        "id": id,
        "label": label,
        "displayOrder": order,
        "metadata": metadata,
        "createdAt": iso(START),
        "updatedAt": iso(modified),
        "archived": False,
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
    }


def _pipeline(id: str, label: str, order: int, modified: int, stages: list[JsonObject]) -> JsonObject:
    return {
        "id": id,
        "label": label,
        "displayOrder": order,
        "stages": stages,
        "createdAt": iso(START),
        "updatedAt": iso(modified),
        "archived": False,
    }
