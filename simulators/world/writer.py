"""Base of everything that writes Stripe's objects."""

from __future__ import annotations

from simulators.world.agenda import Agenda
from simulators.world.ids import Ids
from simulators.world.store import JsonObject, Store


class Writer:
    """Saves versions and announces them."""

    def __init__(self, store: Store, agenda: Agenda, ids: Ids) -> None:
        self._store = store
        self._agenda = agenda
        self._ids = ids
        self._numbers: dict[str, int] = {}

    def _create(self, at: int, collection: str, id: str, shape: JsonObject, *types: str) -> None:
        index = self._store[collection].create(id, at, shape)
        self._announce(at, collection, id, index, *types)

    def _save(self, at: int, collection: str, id: str, shape: JsonObject, *types: str) -> None:
        index = self._store[collection].change(id, at, shape)
        self._announce(at, collection, id, index, *types)

    def _remove(self, at: int, collection: str, id: str, *types: str) -> None:
        index = self._store[collection].remove(id, at, "deleted")
        self._announce(at, collection, id, index, *types)

    def _announce(self, at: int, collection: str, id: str, version: int, *types: str) -> None:
        for type in types:
            self._store.announce(at, type, collection, id, version)

    def _announce_again(self, at: int, collection: str, id: str, *types: str) -> None:
        """Announces something about an object that did not change."""
        self._announce(at, collection, id, len(self._store[collection].records[id].versions) - 1, *types)

    def _next(self, *key: str) -> int:
        """Counts from one, for each key apart."""
        name = ":".join(key)
        number = self._numbers[name] = self._numbers.get(name, 0) + 1
        return number
