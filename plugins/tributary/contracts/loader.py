"""Reads contracts from YAML; every complaint names file, line and reason."""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from tributary.contracts.model import Contract, Pii, Rule
from tributary.errors import RefusedError
from tributary.settings import settings

_Rules = TypeAdapter(dict[Pii, Rule])
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class ContractError(RefusedError):
    """A contract file that can't be used."""


def load_contract(path: Path) -> Contract:
    """Read one contract.

    Raises:
        ContractError: with file, line and reason, for YAML that can't be parsed, an unknown or missing key, a
            duplicate column or key, an unknown type, or a file that is not where its source and stream say.
    """
    text = path.read_text(encoding="utf-8")
    try:
        node = yaml.compose(text, Loader=_Loader)
        _refuse_duplicate_keys(path, node)
        data = yaml.load(text, Loader=_Loader)  # noqa: S506  (a safe loader, the C one where it exists)
        contract = Contract.model_validate(data, context=_rules(path.parents[1] / "personal_data.yml"))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise ContractError(f"{path}:{line}: {getattr(error, 'problem', None) or error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        line = _line(node, first["loc"], reason)
        raise ContractError(f"{path}:{line}: {where + ': ' if where else ''}{reason}") from None
    if (path.parent.name, path.stem) != (contract.source, contract.stream):
        raise ContractError(f"{path}:1: holds {contract.name}; expected {contract.source}/{contract.stream}.yml")
    return contract


@lru_cache(maxsize=8)
def load_contracts(source: str, directory: Path | None = None) -> dict[str, Contract]:
    """All contracts of a source by stream, in alphabetical order."""
    folder = (directory or settings().contracts_dir) / source
    contracts = {path.stem: load_contract(path) for path in sorted(folder.glob("*.yml"))}
    if not contracts:
        raise ContractError(f"{folder}: no contract found for source {source!r}")
    tables = [table.name for contract in contracts.values() for table in contract.tables]
    for name in tables:
        if tables.count(name) > 1:
            raise ContractError(f"{folder}: two streams or children fill the table {name!r}")
    return contracts


def load_all(directory: Path | None = None) -> dict[str, dict[str, Contract]]:
    """All contracts: source -> stream -> contract."""
    return {source: load_contracts(source, directory) for source in declared_sources(directory)}


def declared_sources(directory: Path | None = None) -> list[str]:
    """Return the sources that have contracts, in alphabetical order."""
    folder = directory or settings().contracts_dir
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


@lru_cache(maxsize=8)
def _rules(path: Path) -> dict[str, Rule]:
    """Kind of personal data -> what becomes of it; everything stays where there is no such file."""
    if not path.exists():
        return {}
    try:
        rules = _Rules.validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        raise ContractError(f"{path}: {error}") from None
    if rules.get(Pii.FREE_TEXT) == Rule.HASH:
        raise ContractError(f"{path}: free_text can't be hashed, since most of it is JSON; clear or drop")
    return {str(kind): rule for kind, rule in rules.items()}


def _refuse_duplicate_keys(path: Path, node: Any) -> None:
    """YAML keeps the last of two equal keys without a word."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise ContractError(f"{path}:{key.start_mark.line + 1}: duplicate key {key.value!r}")
            seen.add(key.value)
            _refuse_duplicate_keys(path, value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_duplicate_keys(path, item)


def _line(node: Any, location: tuple[int | str, ...], reason: str) -> int:
    """The line of the deepest node on the way to `location`, or of the name in there that the reason quotes last."""
    line = int(node.start_mark.line)
    for part in location:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == part), None)
            if found is None:
                return line + 1
            line, node = found[0].start_mark.line, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line
    quoted = re.findall(r"'([^']+)'", reason)
    if quoted and isinstance(node, yaml.MappingNode):
        # A stream's own part comes first: its children may use the same names rightly.
        for children in (False, True):
            parts = [value for key, value in node.value if (key.value == "children") == children]
            named = [scalar for value in parts for scalar in _scalars(value) if scalar.value == quoted[-1]]
            if named:
                return int(named[-1].start_mark.line) + 1
    return line + 1


def _scalars(node: Any) -> Iterator[Any]:
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield from _scalars(value)
    else:
        for item in node.value:
            yield from _scalars(item)
