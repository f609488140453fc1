"""Worlds and clients. Worlds that a test changes are built for that test; the others are shared."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import stripe
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from starlette.testclient import TestClient

from simulators.server import create_apps
from simulators.simulation import HUBSPOT_TOKEN, STRIPE_KEY, Simulation
from simulators.world.build import World, build
from simulators.world.moments import parse
from tests.support.stripe_sdk import Schema, object_schema

API = Path(__file__).resolve().parents[3] / "shared" / "api"
DEMO = parse("2026-01-04T06:00:00Z")
STRIPE_AUTH = {"Authorization": f"Bearer {STRIPE_KEY}"}
HUBSPOT_AUTH = {"Authorization": f"Bearer {HUBSPOT_TOKEN}"}

Validate = Callable[[str, Any], None]


@pytest.fixture(scope="session")
def small_world() -> World:
    """Not to be changed."""
    return build(seed=7, customers=25)


@pytest.fixture(scope="session")
def world() -> World:
    """The default world. Not to be changed."""
    return build()


class Clients:
    """Both services over one simulation, with valid credentials."""

    def __init__(self, simulation: Simulation) -> None:
        stripe, hubspot = create_apps(simulation)
        self.simulation = simulation
        self.stripe = TestClient(stripe, headers=STRIPE_AUTH, raise_server_exceptions=True)
        self.hubspot = TestClient(hubspot, headers=HUBSPOT_AUTH, raise_server_exceptions=True)

    def walk(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """All objects of a Stripe list, page by page."""
        found: list[dict[str, Any]] = []
        while True:
            answer = self.stripe.get(path, params={"limit": 100, **params})
            assert answer.status_code == 200, answer.text
            page = answer.json()
            found += page["data"]
            if not page["has_more"]:
                return found
            params["starting_after"] = page["data"][-1]["id"]

    def walk_crm(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """All records of a HubSpot list, page by page."""
        found: list[dict[str, Any]] = []
        while True:
            answer = self.hubspot.get(path, params={"limit": 100, **params})
            assert answer.status_code == 200, answer.text
            page = answer.json()
            found += page["results"]
            if "paging" not in page:
                return found
            params["after"] = page["paging"]["next"]["after"]

    def books(self, collection: str, **params: str) -> list[dict[str, Any]]:
        answer = self.stripe.get(f"/_sim/books/{collection}", params=params)
        assert answer.status_code == 200, answer.text
        return [json.loads(line) for line in answer.text.splitlines()]


@pytest.fixture
def clients(world: World) -> Clients:
    """Over the default world, which must stay as it is; the simulation's clock may be set."""
    return Clients(Simulation(world, DEMO))


@pytest.fixture
def own() -> Clients:
    """Over a small world that the test may change."""
    return Clients(Simulation(build(seed=7, customers=25), DEMO))


@pytest.fixture(scope="session")
def stripe_schema() -> Validate:
    """Checks a Stripe object against the schema of its type."""
    return _validator(API / "stripe" / "schemas", {"payout": object_schema(stripe.Payout)})


@pytest.fixture(scope="session")
def hubspot_schema() -> Validate:
    return _validator(API / "hubspot" / "schemas")


def _validator(folder: Path, further: Mapping[str, Schema] | None = None) -> Validate:
    if not folder.is_dir():
        pytest.skip(f"no API schemas in {folder}")
    schemas = {path.name: json.loads(path.read_text()) for path in folder.glob("*.schema.json")}
    schemas |= {f"{name}.schema.json": schema for name, schema in (further or {}).items()}
    resources = [(name, Resource.from_contents(schema, DRAFT202012)) for name, schema in schemas.items()]
    registry: Registry[Any] = Registry().with_resources(resources)
    validators = {
        name.removesuffix(".schema.json"): Draft202012Validator(schema, registry=registry)
        for name, schema in schemas.items()
    }

    def check(name: str, value: Any) -> None:
        errors = [f"{error.json_path}: {error.message}" for error in validators[name].iter_errors(value)]
        assert not errors, f"{name} {value.get('id')}: {errors[:5]}"

    return check
