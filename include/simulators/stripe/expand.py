"""`expand[]`: replaces ids by the objects they stand for."""

from __future__ import annotations

from typing import Any

from include.simulators.stripe.errors import StripeError
from include.simulators.stripe.events import present
from include.simulators.world.build import World
from include.simulators.world.catalog import tier_objects
from include.simulators.world.store import JsonObject

MAX_DEPTH = 4
_COLLECTIONS = {
    "cus_": "customers",
    "prod_": "products",
    "price_": "prices",
    "sub_": "subscriptions",
    "in_": "invoices",
    "di_": "discounts",
}


class Expander:
    """Expands the objects of one answer at one instant."""

    def __init__(self, world: World, clock: int) -> None:
        self._world = world
        self._clock = clock

    def expand(self, shape: JsonObject, paths: list[str]) -> JsonObject:
        """Returns the answer with every path expanded. Raises StripeError on paths that lead nowhere."""
        for path in paths:
            steps = path.split(".")
            if len([step for step in steps if step != "data"]) > MAX_DEPTH:
                raise StripeError(
                    400,
                    f"You cannot expand more than {MAX_DEPTH} levels of a property. Property: {path}.",
                    param="expand",
                )
            shape = self._walk(shape, steps, path)
        return shape

    def _walk(self, value: Any, steps: list[str], path: str) -> Any:
        if value is None:
            return None
        if isinstance(value, list):
            return [self._walk(part, steps, path) for part in value]
        if isinstance(value, str):
            value = self._resolve(value)
        if not isinstance(value, dict) or not steps:
            return value
        if value.get("deleted"):
            return value
        step, rest = steps[0], steps[1:]
        if step == "tiers" and value.get("object") == "price":
            price = self._world.catalog.by_id.get(value["id"])
            return {**value, "tiers": tier_objects(price)} if price and price.tiers else value
        if step == "coupon" and value.get("type") == "coupon":
            return {**value, "coupon": self._world.store["coupons"].latest(value["coupon"])}
        if step not in value or not self._expandable(value[step], rest):
            raise StripeError(400, f"This property cannot be expanded ({path}).", param="expand")
        return {**value, step: self._walk(value[step], rest, path)}

    def _expandable(self, value: Any, rest: list[str]) -> bool:
        if isinstance(value, list):
            return all(self._expandable(part, rest) for part in value)
        if isinstance(value, str):
            return value.startswith(tuple(_COLLECTIONS))
        return value is None or isinstance(value, dict)

    def _resolve(self, id: str) -> Any:
        """The object with an id; a stub for a deleted one; the id itself if nothing of that name exists."""
        name = next((name for prefix, name in _COLLECTIONS.items() if id.startswith(prefix)), None)
        record = self._world.store[name].records.get(id) if name else None
        version = record.at(self._clock) if record else None
        if version is None:
            return id
        if version.gone:
            return {"id": id, "object": version.object["object"], "deleted": True}
        return present(version.object)
