"""The account itself and its balance."""

from __future__ import annotations

from collections import Counter

from simulators.simulation import Simulation
from simulators.world.account import Account
from simulators.world.store import JsonObject


def account_object(account: Account) -> JsonObject:
    return {
        "id": account.id,
        "object": "account",
        "business_profile": {"name": account.name, "url": "https://tributary.example"},
        "business_type": "company",
        "charges_enabled": True,
        "country": "US",
        "created": 1_719_000_000,
        "default_currency": "usd",
        "details_submitted": True,
        "email": "billing@tributary.example",
        "metadata": {},
        "payouts_enabled": True,
        "settings": {"dashboard": {"display_name": account.name, "timezone": "Etc/UTC"}},
        "type": "standard",
    }


def balance_object(simulation: Simulation) -> JsonObject:
    """Return the balance, as the sum of its transactions. An amount on its way to the bank is no longer available."""
    sums: Counter[str] = Counter()
    for row in simulation.world.store["balance_transactions"].snapshot(simulation.clock).rows:
        shape = row.object
        sums["available" if shape["type"] == "payout" else shape["status"]] += shape["net"]

    def of(status: str) -> list[JsonObject]:
        return [{"amount": sums[status], "currency": "usd", "source_types": {"card": sums[status]}}]

    return {
        "object": "balance",
        "available": of("available"),
        "livemode": simulation.world.account.livemode,
        "pending": of("pending"),
    }
