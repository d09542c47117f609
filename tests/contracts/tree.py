"""The source tree as the contract tests see it: modules, their names and their syntax."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("app", "privacy", "ingestion", "analytics", "migrations")


def modules(*packages: str) -> Iterator[tuple[str, Path]]:
    """(dotted name, file) of every module of ours, packages included."""
    for package in packages or PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


def files() -> Iterator[Path]:
    """Every file of Python in the tree: packages, tests and whatever else; not what is built or hidden."""
    yield from sorted(ROOT.glob("*.py"))
    for folder in sorted(path for path in ROOT.iterdir() if path.is_dir() and path.name != "build" and not path.name.startswith(".")):
        yield from sorted(folder.rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    """Dotted names that a file imports, wherever in the file."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def called(node: ast.Call) -> str:
    """The last name of what is called: `records.RawBatch(…)` and `RawBatch(…)` are both RawBatch."""
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
