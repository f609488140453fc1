"""Steers the simulators through their control API."""

import json
from dataclasses import dataclass
from typing import Any

import requests

START = "2026-01-04T06:00:00Z"


@dataclass(frozen=True)
class World:
    """The simulated company behind both APIs."""

    stripe: str
    hubspot: str

    @classmethod
    def of(cls, environment: dict[str, str]) -> "World":
        hosts = [json.loads(environment[f"AIRFLOW_CONN_{name}_DEFAULT"])["host"] for name in ("STRIPE", "HUBSPOT")]
        return cls(*hosts)

    def reset(self) -> None:
        self.clock(START)
        for url in (self.stripe, self.hubspot):
            requests.delete(f"{url}/_sim/faults", timeout=10)
            requests.delete(f"{url}/_sim/requests", timeout=10)

    def clock(self, now: str) -> None:
        requests.put(f"{self.stripe}/_sim/clock", json={"now": now}, timeout=10).raise_for_status()

    def fault(self, source: str, **fault: Any) -> None:
        requests.put(f"{getattr(self, source)}/_sim/faults", json=fault, timeout=10).raise_for_status()

    def faults(self, source: str, menu: list[dict[str, Any]]) -> None:
        """Put a whole menu in place of the present one."""
        requests.put(f"{getattr(self, source)}/_sim/faults", json=menu, timeout=10).raise_for_status()

    def struck(self, source: str) -> list[dict[str, Any]]:
        """The menu, each fault with how often it struck."""
        return list(requests.get(f"{getattr(self, source)}/_sim/faults", timeout=10).json()["faults"])

    def hubspot_sim(self, path: str, *, method: str = "POST", **body: Any) -> dict[str, Any]:
        """What only the HubSpot simulator can be told: records, bulk edits, the portal's settings, tokens."""
        answer = requests.request(method, f"{self.hubspot}/_sim/{path}", json=body, timeout=300)
        answer.raise_for_status()
        return dict(answer.json())

    def settings(self, source: str, **settings: Any) -> None:
        requests.put(f"{getattr(self, source)}/_sim/settings", json=settings, timeout=10).raise_for_status()

    def change(self, source: str, collection: str, id_: str, **fields: Any) -> None:
        """Lay fields over an object, or make it, now."""
        url = f"{getattr(self, source)}/_sim/objects/{collection}/{id_}"
        requests.patch(url, json=fields, timeout=30).raise_for_status()

    def delete(self, source: str, collection: str, id_: str) -> None:
        requests.delete(f"{getattr(self, source)}/_sim/objects/{collection}/{id_}", timeout=30).raise_for_status()

    def requests(self, source: str) -> list[dict[str, Any]]:
        answer = requests.get(f"{getattr(self, source)}/_sim/requests", timeout=10).json()
        return list(answer["requests"])

    def books(self, source: str, collection: str) -> list[dict[str, Any]]:
        """Ground truth: every object ever created up to the clock, with what became of it."""
        answer = requests.get(f"{getattr(self, source)}/_sim/books/{collection}", timeout=60)
        answer.raise_for_status()
        return [json.loads(line) for line in answer.text.splitlines()]
