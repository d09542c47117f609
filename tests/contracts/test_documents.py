"""The documents say what the code does: everything is named, nothing is invented, links and commands lead somewhere."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import click
import pytest

from app import access
from app.doctor import CHECKS
from app.errors import STATUS_BY_CODE
from app.wiring import Services
from privacy.dictionary import catalogue
from privacy.identity import keys
from privacy.vocabulary import FormRule, LogKind, Reason, Verdict
from tests.contracts import collect, reference, words
from tests.contracts.tree import ROOT, modules, parsed

DOCUMENTS = ("README.md", "CHANGELOG.md", *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*.md"))))
WRITTEN = tuple(name for name in DOCUMENTS if name != "docs/reference.md")


# ── the reference ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_reference_is_what_the_code_says_today() -> None:
    """Where it differs: `python -m tests.contracts.reference > docs/reference.md`."""
    kept, now = collect.document("docs/reference.md").splitlines(), reference.page().splitlines()
    differing = [line for line in now if line not in kept] + [line for line in kept if line not in now]
    assert differing == []
    assert kept == now


def section(title: str) -> str:
    return collect.document("docs/reference.md").partition(f"## {title}\n")[2].partition("\n## ")[0]


def named(title: str) -> set[str]:
    """The first cells of a section's tables."""
    return set(re.findall(r"^\| `([^`]+)`\*? \|", section(title), re.MULTILINE))


def test_every_setting_command_permission_and_code_is_in_the_reference_and_nothing_else() -> None:
    leaves = {name for name, command in collect.commands().items() if not isinstance(command, click.Group)}
    assert named("Settings") - set(words.VARIABLES) == set(collect.setting_keys())
    assert set(re.findall(r"^### (.+)$", section("Commands"), re.MULTILINE)) == leaves
    assert named("Permissions by role") == set().union(*access.matrix().values())
    assert named("Error codes") == set(collect.codes())


def test_every_word_metric_kind_and_record_is_in_the_reference_and_nothing_else() -> None:
    assert named("Verdicts") == {one.value for kind in (Verdict, Reason, FormRule) for one in kind}
    assert named("Metrics") == {name for name, *_ in collect.metrics()}
    assert named("Kinds of log entries") == {one.value for one in LogKind}
    dictionary = catalogue.load()
    assert set(re.findall(r"^### Record `(\w+)`$", section("Dictionary: records"), re.MULTILINE)) == set(dictionary.records)
    assert set(re.findall(r"^### Table `(\w+)`$", section("Dictionary: tables of the lake"), re.MULTILINE)) == set(dictionary.tables)


def test_the_words_of_the_reference_are_those_of_the_code() -> None:
    """A word more would describe what is not there; a word less stops the writing."""
    assert set(words.REASONS) == {one.value for one in Reason}
    assert set(words.FORM_RULES) == {one.value for one in FormRule}
    assert set(words.VERDICTS) == {one.value for one in Verdict}
    assert set(words.LOG_KINDS) == {one.value for one in LogKind}
    assert set(words.KEYS) == set(keys.KINDS)
    assert set(words.CHECKS) == set(CHECKS)
    assert set(words.CODES) <= set(collect.codes())
    assert set(Services.schedule) <= set(words.JOBS)
    assert {*words.SETTINGS, *words.SETTINGS_FIXED} <= set(collect.setting_keys())
    in_force = {key for key in collect.setting_keys() if collect.in_force(key)}
    assert not in_force & set(words.SETTINGS_FIXED)


def test_every_code_with_a_status_of_its_own_is_raised_somewhere() -> None:
    assert set(STATUS_BY_CODE) <= set(collect.codes())


# ── the manual ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_manual_names_no_setting_code_or_verdict_that_does_not_exist() -> None:
    text = collect.document("docs/manual.md")
    groups = {key.partition(".")[0] for key in collect.setting_keys() if "." in key}
    settings = {word for word in re.findall(r"`([a-z]+\.[a-z_]+)`", text) if word.partition(".")[0] in groups}
    assert settings <= set(collect.setting_keys())
    known = {*collect.codes(), *(one.value for kind in (Verdict, Reason, FormRule) for one in kind)}
    assert set(re.findall(r"\(`([a-z]+(?:_[a-z]+)+)`(?: for the others| otherwise)?\)", text)) <= known


def test_the_manual_names_every_report() -> None:
    from analytics.reports.kinds import KINDS

    text = collect.document("docs/manual.md")
    named = set(re.findall(r"`([a-z_-]+)[ `]", text))
    assert [kind for kind in KINDS if not named & {kind, kind.replace("_", "-")}] == []


# ── all documents ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def spoken(text: str) -> Iterator[list[str]]:
    """The words of every `piying …` command in a document, inline or in an indented block."""
    inline = re.findall(r"`(?:echo [^`|]*\| )?piying ([^`]+)`", text)
    blocks = re.findall(r"^    (?:.*\| *)?piying (.+)$", text, re.MULTILINE)
    for line in [*inline, *blocks]:
        yield shlex.split(re.split(r" [|>#] ", " ".join(line.split()))[0])


@pytest.mark.parametrize("name", WRITTEN)
def test_every_command_in_a_document_exists_with_its_options(name: str) -> None:
    known = collect.commands()
    for said in spoken(collect.document(name)):
        if said[0] == "…" or said[0].startswith("-"):
            continue
        two = " ".join(said[:2])
        command = known.get(two) or known.get(said[0])
        assert command is not None, f"{name}: piying {two}"
        options = {flag for one in command.params for flag in (*one.opts, *one.secondary_opts)} | {"--help"}
        for word in said:
            if word.startswith("-") and not isinstance(command, click.Group):
                assert word.partition("=")[0] in options, f"{name}: piying {' '.join(said)}"


def test_the_choices_that_documents_name_are_choices() -> None:
    for name in WRITTEN:
        for said in spoken(collect.document(name)):
            command = collect.commands().get(" ".join(said[:2])) or collect.commands().get(said[0])
            for one in command.params if command else ():
                if isinstance(one.type, click.Choice):
                    for flag, value in pairwise(said):
                        if flag in one.opts and value != "ROLE":
                            assert value.split("|")[0] in one.type.choices, f"{name}: {flag} {value}"


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_relative_link_leads_somewhere(name: str) -> None:
    home = (ROOT / name).parent
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", collect.document(name))):
        if not re.match(r"[a-z]+:", target):
            place, _, anchor = target.partition("#")
            path = home / place if place else ROOT / name
            assert path.exists(), f"{name}: {target}"
            assert not anchor or anchor in anchors(path), f"{name}: {target}"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_file_of_ours_that_a_document_names_exists(name: str) -> None:
    for place in re.findall(r"`((?:app|privacy|ingestion|analytics|migrations|docs|tests)/[\w/.\-]*)`", collect.document(name)):
        assert (ROOT / place).exists(), f"{name}: {place}"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_document_names_a_machine_or_a_package_index(name: str) -> None:
    machine = re.compile(r"/(?:work|root|home/\w+)/|\bpypi\b|pythonhosted|index-url|registry\.|npmjs", re.IGNORECASE)
    found = machine.search(collect.document(name))
    assert found is None, name


def test_the_changelog_has_a_place_for_what_is_not_released() -> None:
    assert re.search(r"^## Unreleased\n\n- ", collect.document("CHANGELOG.md"), re.MULTILINE)


def test_every_decision_says_what_was_left_and_what_it_costs() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [path.name[:4] for path in decisions] == [f"{number:04}" for number in range(1, len(decisions) + 1)]
    for path in decisions:
        text = path.read_text("utf-8")
        assert text.startswith(f"# {path.name[:4]} "), path.name
        for part in ("Context", "Decision", "Left", "Price"):
            assert f"**{part}.**" in text, f"{path.name}: {part}"
        assert len(text.splitlines()) <= 60, path.name


# ── the code's own words ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_module_opens_by_saying_what_it_is_for() -> None:
    """A sentence at least; a module that decides or holds something says what it promises."""
    silent = []
    for name, path in modules():
        words_ = (ast.get_docstring(parsed(path)) or "").split()
        if len(words_) < (2 if path.name == "__init__.py" else 4):
            silent.append(name)
    assert silent == []
    promising = [name for name, path in modules("privacy") if "/" not in name and path.name != "__init__.py"]
    missing = [name for name, path in modules("privacy") if name in promising and not _promises(path)]
    assert missing == []


def _promises(path: Path) -> bool:
    return bool(re.search(r"\b(promise|promises|must never|never|pure)\b", ast.get_docstring(parsed(path)) or "", re.IGNORECASE))
