"""Maps paths to scopes. Any one of those named is enough."""

from __future__ import annotations

_OBJECTS = {
    "contacts": "crm.objects.contacts",
    "companies": "crm.objects.companies",
    "deals": "crm.objects.deals",
    "workspaces": "crm.objects.custom",
}
_SCHEMAS = {kind: scope.replace("objects", "schemas") for kind, scope in _OBJECTS.items()}
OWNERS = ("crm.objects.owners.read",)
ALL: tuple[str, ...] = (
    *(f"{scope}.{verb}" for scope in (*_OBJECTS.values(), *_SCHEMAS.values()) for verb in ("read", "write")),
    "tickets",
    *OWNERS,
    "oauth",
)


def objects(kind: str, verb: str) -> tuple[str, ...]:
    """For records; tickets have one scope for everything."""
    return ("tickets",) if kind == "tickets" else (f"{_OBJECTS[kind]}.{verb}",)


def schemas(kind: str, verb: str) -> tuple[str, ...]:
    """For properties and pipelines; who may read the records may read these too."""
    if kind == "tickets":
        return ("tickets",)
    found = f"{_SCHEMAS[kind]}.{verb}"
    return (found, f"{_OBJECTS[kind]}.read") if verb == "read" else (found,)
