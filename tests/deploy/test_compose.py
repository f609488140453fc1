"""The compose file: valid, every setting explained, no secret in it, and the same stack as the local one."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.environment import environment
from local.services import declare
from local.settings import LocalSettings
from tests.conftest import ROOT

TEXT = (ROOT / "docker-compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EXAMPLE = (ROOT / ".env.example").read_text()
OF_COMPOSE_ITSELF = {"COMPOSE_PROFILES"}


def test_it_is_a_valid_compose_file():
    check = str(Path(sys.executable).parent / "check-jsonschema")
    command = [check, "--builtin-schema", "vendor.compose-spec", str(ROOT / "docker-compose.yaml")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def used() -> set[str]:
    """Variables that compose takes from .env: `${NAME}`, and names in an environment that have no value there."""
    names = set(re.findall(r"(?<!\$)\$\{(\w+)", TEXT))
    for service in SERVICES.values():
        names |= {name for name, value in service.get("environment", {}).items() if value is None}
    return names


def explained() -> set[str]:
    return set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", EXAMPLE, re.MULTILINE))


def test_every_variable_that_is_used_is_explained_and_the_other_way_round():
    assert used() - explained() == set(), "used but not in .env.example"
    assert explained() - used() == OF_COMPOSE_ITSELF, "in .env.example but not used"


def test_every_variable_of_the_example_has_a_comment():
    before = ""
    for line in EXAMPLE.splitlines():
        if re.match(r"#?[A-Z][A-Z0-9_]+=", line):
            # One comment may speak of the few lines right behind it.
            assert before.startswith("#") or re.match(r"#?[A-Z]", before), f"{line} is not explained"
        before = line


def test_no_secret_has_a_default():
    for name in ("POSTGRES_PASSWORD", "AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__API__SECRET_KEY",
                 "AIRFLOW__API_AUTH__JWT_SECRET", "ADMIN_PASSWORD"):  # fmt: skip
        uses = re.findall(rf"(?<!\$)\$\{{{name}([^}}]*)\}}", TEXT)
        assert uses
        assert all(use.startswith(":?") for use in uses), f"{name} must be given"
        assert re.search(rf"^{name}=$", EXAMPLE, re.MULTILINE)


def profile(*profiles: str) -> set[str]:
    return {name for name, service in SERVICES.items() if set(service.get("profiles", profiles)) & set(profiles)
            or not service.get("profiles")}  # fmt: skip


def test_profiles():
    airflow = {"postgres", "init", "api-server", "scheduler", "dag-processor", "triggerer"}
    assert profile() == airflow
    assert profile("local") - airflow == {"bigquery", "gcs", "simulators", "datasets"}
    assert profile("celery") - airflow == {"redis", "worker"}


def test_images_are_pinned():
    for name, service in SERVICES.items():
        image = re.sub(r"\$\{[^}]*\}", "X", service["image"])
        own = image.startswith(("X", "tributary-"))
        assert own or re.search(r":\d+\.\d+\.\d+|:\d+\.\d+-", image), f"{name}: {image}"


def test_containers_have_no_more_rights_than_they_need():
    for name, service in SERVICES.items():
        assert not service.get("privileged")
        assert "/var/run/docker.sock" not in str(service.get("volumes"))
        if name not in ("postgres", "redis"):
            assert service["cap_drop"] == ["ALL"], name
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"api-server": ["127.0.0.1:${AIRFLOW_PORT:-8080}:8080"]}, "reachable from this machine only"


def test_services_that_others_wait_for_have_a_health_check():
    stages = (ROOT / "Dockerfile").read_text()
    assert stages.count("HEALTHCHECK") == 2  # Airflow's and the emulators' images bring their own
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy" and other in ("postgres", "redis", "simulators"):
                assert "test" in SERVICES[other]["healthcheck"], f"{name} waits for {other}"


def test_the_example_points_at_the_services_of_the_profile_local():
    """The same variables as `make env` prints, with the containers' names in place of 127.0.0.1."""
    settings = LocalSettings()
    hosts = {
        str(settings.bigquery_port): "bigquery", str(settings.gcs_port): "gcs",
        str(settings.stripe_port): "simulators", str(settings.hubspot_port): "simulators",
    }  # fmt: skip
    example = dict(re.findall(r"^([A-Z][A-Z0-9_]+)='?(.*?)'?$", EXAMPLE, re.MULTILINE))
    for name, value in environment(settings).items():
        if name == "AIRFLOW_CONN_PII_DEFAULT":
            # Every stack makes its own key.
            assert json.loads(example[name]).keys() == json.loads(value).keys()
        elif name in example and (name.startswith(("TRIBUTARY_", "AIRFLOW_CONN_")) or "127.0.0.1" in value):
            expected = re.sub(r"127\.0\.0\.1:(\d+)", lambda match: f"{hosts[match[1]]}:{match[1]}", value)
            assert example[name] == expected, name


@pytest.mark.parametrize("name", ["bigquery", "gcs"])
def test_the_emulators_get_the_options_of_the_local_stack(name: str):
    def options(command: tuple[str, ...] | list[str]) -> set[str]:
        return {word for word in command if word.startswith("-") and word != "-m"}

    assert options(SERVICES[name]["command"]) == options(declare(LocalSettings())[name].command)
