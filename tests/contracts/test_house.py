"""The house rules that a machine can look after: size, opening words, loose ends, mirrored tests."""

from __future__ import annotations

import ast
import re

from tests.contracts.tree import ROOT, files, modules, parsed

MODULE_LINES = 400
FUNCTION_LINES = 60
"""STYLE, rule 10: the limits, not the habits."""

WALKED = ("app.api.", "app.cli.", "app.console.")
"""Views, pages and commands: thin, and walked route by route and command by command in tests/flow and tests/browser."""


def test_a_module_opens_by_saying_what_it_promises() -> None:
    wrong = [f"{name} does not open by saying what it promises" for name, path in modules() if not ast.get_docstring(parsed(path))]
    assert wrong == []


def test_no_file_of_python_is_over_the_limit() -> None:
    """Tests and revisions are read as often as modules are."""
    wrong = []
    for path in files():
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > MODULE_LINES:
            wrong.append(f"{path.relative_to(ROOT)} has {lines} lines")
    assert wrong == []


def test_a_function_fits_on_a_screen() -> None:
    wrong = []
    for name, path in modules():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not is_revision(name):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES:
                    wrong.append(f"{name}.{node.name} has {lines} lines")
    assert wrong == []


def is_revision(name: str) -> bool:
    """A revision, or a part of one, is a frozen list of tables, as long as they are many."""
    return re.match(r"migrations\.(vault|platform)\.\w", name) is not None


def test_no_loose_end_stays_behind() -> None:
    """A loose end names its issue; these words name nothing."""
    words = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError")
    for name, path in modules():
        found = words.search(path.read_text(encoding="utf-8"))
        assert found is None, f"{name}: {found.group() if found else ''}"


def test_every_module_has_its_test_in_the_mirrored_place_or_is_named_by_one() -> None:
    words = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests").rglob("test_*.py")))
    missing = []
    for name, path in modules():
        if path.name in ("__init__.py", "__main__.py") or is_revision(name) or name.startswith(WALKED):
            continue
        mirrored = ROOT / "tests" / "unit" / path.relative_to(ROOT).parent / f"test_{path.stem}.py"
        package, _, module = name.rpartition(".")
        if not mirrored.is_file() and name not in words and not re.search(rf"from {re.escape(package)} import .*\b{module}\b", words):
            missing.append(name)
    assert missing == []


def test_no_file_names_a_machine() -> None:
    """No absolute path of one machine and no package index stands in the tree."""
    machine = re.compile(r"/(?:work|root|home/\w+)/|pypi\.org|files\.pythonhosted|index-url", re.IGNORECASE)
    for path in [
        *ROOT.glob("*.toml"),
        *ROOT.glob("*.md"),
        *ROOT.glob("requirements*.lock"),
        *ROOT.glob("Makefile"),
        *(item for _, item in modules()),
    ]:
        found = machine.search(path.read_text(encoding="utf-8"))
        assert found is None, f"{path.relative_to(ROOT)}: {found.group() if found else ''}"


def test_a_handler_of_every_error_says_why_beside_it() -> None:
    silent = []
    for name, path in modules():
        lines = path.read_text(encoding="utf-8").splitlines()
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ExceptHandler):
                kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
                broad = any(kind is None or (isinstance(kind, ast.Name) and kind.id in ("Exception", "BaseException")) for kind in kinds)
                if broad and "  # " not in lines[node.lineno - 1]:
                    silent.append((name, node.lineno))
    assert silent == []


def test_a_log_line_or_a_message_never_formats_an_exception_into_a_text() -> None:
    """`f"… {error}"` carries what a driver or a parser says, and that may be a person's value."""
    wrong = []
    for name, path in modules():
        if name == "privacy.dictionary.catalogue":
            continue  # it names a key of our own files, before any person's data is there
        for handler in (node for node in ast.walk(parsed(path)) if isinstance(node, ast.ExceptHandler) and node.name):
            for node in ast.walk(handler):
                if isinstance(node, ast.FormattedValue) and isinstance(node.value, ast.Name) and node.value.id == handler.name:
                    wrong.append(f"{name}:{node.lineno}")
    assert wrong == []
