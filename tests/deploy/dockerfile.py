"""Reads a Dockerfile well enough to do on this machine what a build would do in the image."""

import glob
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Stage:
    """One `FROM … AS name` with its instructions in order."""

    base: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def all(self, instruction: str) -> list[str]:
        return [text for name, text in self.instructions if name == instruction]

    @property
    def variables(self) -> dict[str, str]:
        return dict(pair.split("=", 1) for text in self.all("ENV") for pair in text.split())


def read(path: Path) -> dict[str, Stage]:
    """The stages by name."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    stages: dict[str, Stage] = {}
    for line in "\n".join(lines).replace("\\\n", "").splitlines():
        if not line.strip():
            continue
        name, _, text = line.strip().partition(" ")
        if name == "FROM":
            base, _, alias = text.partition(" AS ")
            current = stages[alias] = Stage(base)
        else:
            current.instructions.append((name, text.strip()))
    return stages


def copy(instruction: str, source: Path, workdir: Path, root: Path | None = None) -> None:
    """A COPY instruction, from the build context `source` to `workdir`; absolute targets lie under `root`."""
    *names, target = re.sub(r"--\w+=\S+ ", "", instruction).split()
    destination = (root or workdir) / target[1:] if target.startswith("/") else workdir / target
    for name in names:
        found = [Path(path) for path in glob.glob(str(source / name))]  # noqa: PTH207 - patterns with a folder in them
        assert found, f"COPY {name}: there is no such file"
        for path in found:
            if path.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "target", "logs")
                shutil.copytree(path, destination, ignore=ignored, dirs_exist_ok=True)
            else:
                destination.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, destination)
