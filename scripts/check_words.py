"""Fails for docstrings that begin with a question word instead of saying what the thing does.

    python scripts/check_words.py [FILE ...]     (default: all Python files of the folders below)

Prints file, line and the sentence. "Decides which partitions a dbt build must rebuild", not "What has to be rebuilt".
"""

import argparse
import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("plugins", "dags", "local", "simulators", "scripts", "benchmarks")
QUESTIONS = {"What", "Where", "Who", "Whom", "How", "Whether", "Which", "When", "Why", "Whose", "From", "Until"}
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def questions(file: Path) -> Iterator[tuple[int, str]]:
    """Yield line and first line of each docstring that begins with a question word."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, _DOCUMENTED) and (text := ast.get_docstring(node)):
            first = text.partition("\n")[0]
            if first.partition(" ")[0].strip(":,") in QUESTIONS:
                yield node.body[0].lineno, first


def main() -> int:
    """Check the files; return 1 if any docstring has to be rewritten."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", nargs="*", type=Path)
    files = parser.parse_args().files or [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]
    found = [(file, line, text) for file in files for line, text in questions(file)]
    for file, line, text in found:
        sys.stdout.write(f"{file}:{line}: begin with a verb: {text}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
