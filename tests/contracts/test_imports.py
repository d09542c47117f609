"""The import contracts of pyproject.toml hold, and so does what import-linter cannot see (its five blind spots)."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.tree import PACKAGES, ROOT, called, imports, modules, parsed

MAKERS = {
    "RawBatch": ("ingestion.sources", "ingestion.pipeline", "ingestion.together"),
    "CanonicalBatch": ("ingestion.canonical",),
    "DeidentifiedBatch": ("privacy.admission",),
    "Refusals": ("privacy.admission",),
    "Aggregate": ("analytics.aggregate",),
    "Release": ("privacy.release",),
    "Audience": ("analytics.audiences",),
    "ExportBatch": ("privacy.export",),
}
"""Who alone may construct a stage type (DESIGN §2)."""


def lint(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-c",
        "import sys; from importlinter.cli import lint_imports_command as run; run()",
        "--no-cache",
        *arguments,
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_every_contract_is_kept() -> None:
    answer = lint(ROOT)
    assert answer.returncode == 0, answer.stdout[-6000:] + answer.stderr[-2000:]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("ingestion/mapping.py", "import privacy.identity.vault", "No path, however long"),
        ("analytics/metrics.py", "import ingestion.inbox", "Imports point down"),
        ("privacy/consent/gate.py", "import time", "Decisions are pure"),
        ("privacy/consent/gate.py", "import privacy.identity.pseudonyms", "Inside privacy"),
        ("privacy/release.py", "import numpy", "Noise comes from OpenDP"),
        ("app/settings.py", "import app.wiring", "Only the entry points know the wiring"),
        ("migrations/run.py", "import app.settings", "Imports point down"),
        ("ingestion/elsewhere.py", "", "Inside ingestion"),
    ],
)
def test_a_planted_import_is_caught(tmp_path: Path, module: str, line: str, contract: str) -> None:
    """Guards the guards: a copy of the tree with one wrong line breaks the contract that is meant to stop it."""
    for package in PACKAGES:
        for _, path in modules(package):
            target = tmp_path / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    with (tmp_path / module).open("a") as file:
        file.write(f"\n{line}\n")
    answer = lint(tmp_path)
    assert answer.returncode != 0
    assert contract in answer.stdout.partition("Broken contracts")[2]


def test_an_init_file_holds_a_docstring_and_nothing_else() -> None:
    """Blind spot 1: it runs when a child is imported, and that is not an edge. (At the edge a command group may stand in one.)"""
    for name, path in modules("privacy", "ingestion", "analytics", "migrations"):
        if path.name == "__init__.py":
            body = parsed(path).body
            assert len(body) == 1, name
            assert ast.get_docstring(parsed(path)), name


def test_every_folder_with_modules_is_a_package() -> None:
    """Blind spot 2: a folder of .py files without __init__.py is invisible to the contracts and to the packaging."""
    for package in (*PACKAGES, "tests"):
        for path in (ROOT / package).rglob("*.py"):
            assert (path.parent / "__init__.py").is_file(), path.parent.relative_to(ROOT)
    known = {*PACKAGES, "tests", "build"}
    strays = [path for path in ROOT.glob("*/**/*.py") if path.relative_to(ROOT).parts[0] not in known and ".venv" not in path.parts]
    assert [path for path in strays if not path.relative_to(ROOT).parts[0].startswith(".")] == []


def test_nothing_outside_app_imports_by_name() -> None:
    """Blind spot 3: importlib, __import__, entry points and flask's `import_name` build edges that nobody sees."""
    words = {"__import__", "import_module", "entry_points", "import_string", "exec", "eval", "find_spec", "run_module", "run_path"}
    for name, path in modules("privacy", "ingestion", "analytics", "migrations"):
        assert not [imported for imported in imports(path) if imported.split(".")[0] in ("pkgutil", "runpy", "pkg_resources")], name
        by_name = [imported for imported in imports(path) if imported == "importlib" or imported.startswith("importlib.")]
        assert all(imported == "importlib.resources" for imported in by_name), name
        calls = [called(node) for node in ast.walk(parsed(path)) if isinstance(node, ast.Call)]
        assert not [call for call in calls if call in words], name


def test_nothing_of_a_person_is_loaded_with_the_workshops() -> None:
    """Blind spot 4: what a vendor's package imports in its turn. A fresh interpreter loads both workshops and looks."""
    names = [name for name, _ in modules("ingestion", "analytics")]
    forbidden = ("privacy.identity", "privacy.consent", "privacy.admission", "privacy.preferences", "privacy.oversight", "app")
    script = (
        "import importlib, sys\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        f"print([m for m in sys.modules for f in {forbidden!r} if m == f or m.startswith(f + '.')])\n"
    )
    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr[-2000:]
    assert answer.stdout.strip() == "[]"


def test_a_stage_type_is_made_only_by_its_maker() -> None:
    """Blind spot 5: who constructs a batch says what status it has."""
    for name, path in modules():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and called(node) in MAKERS:
                makers = MAKERS[called(node)]
                right = any(name == maker or name.startswith(maker + ".") for maker in makers)
                assert right, f"{name}:{node.lineno} makes a {called(node)}; only {' and '.join(makers)} may"


def test_nothing_runs_on_the_standard_librarys_sqlite() -> None:
    """Its build on many machines can corrupt a database in WAL mode (DESIGN §3)."""
    for name, path in modules():
        assert "sqlite3" not in set(imports(path)), name
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not node.value.startswith(("sqlite://", "sqlite+pysqlite:")), f"{name}:{node.lineno}"


def test_a_revision_imports_nothing_of_ours() -> None:
    """Its file name begins with a digit, which import-linter may pass over. It may have parts, which are frozen with it as strictly."""
    strangers = {"sqlalchemy", "alembic", "__future__"}
    for name, path in modules("migrations/vault", "migrations/platform"):
        parts = {f"migrations.{path.parent.name}.first"} if path.name.startswith("0001") else set()
        assert set(imports(path)) <= strangers | parts, name
