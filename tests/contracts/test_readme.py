"""The two READMEs are one: the same sections, code and pictures in the same order; and what they name exists."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from tests.browser.pictures import LARGEST, PICTURES
from tests.contracts import collect
from tests.contracts.tree import ROOT

ENGLISH, CHINESE = "README.md", "docs/zh/README.md"
BOTH = pytest.mark.parametrize("name", [ENGLISH, CHINESE])
MOST_LINES = 250


def code(text: str) -> list[str]:
    """Fenced and indented blocks, in order."""
    return re.findall(r"^```\n[\s\S]*?^```$|(?:^(?: {4}| {7})(?! )\S.*\n)+", text, re.MULTILINE)


def pictures(text: str) -> list[str]:
    return re.findall(r"(?:\]\(|src=\")[\w./]*pictures/([\w-]+)\.png", text)


def bold(text: str) -> list[str]:
    """The pages that a tour names, in order."""
    return re.findall(r"\*\*(\w[^*]*?)\*\*", re.sub(r"`[^`]*`", "", text))


def test_the_two_have_the_same_sections_steps_and_code() -> None:
    english, chinese = collect.document(ENGLISH), collect.document(CHINESE)
    assert code(english) == code(chinese)
    assert len(code(english)) >= 8
    for mark in (r"^#+ ", r"^\d\. ", r"^- ", r"^ *!\[", r"`[^`\n]+`"):
        found = [len(re.findall(mark, text, re.MULTILINE)) for text in (english, chinese)]
        assert found[0] == found[1], mark


def test_the_two_show_the_same_pictures_but_for_the_language() -> None:
    english, chinese = (pictures(collect.document(name)) for name in (ENGLISH, CHINESE))
    assert english == [name.removeprefix("zh-") for name in chinese]
    assert all(f"zh-{name}" in chinese or name in chinese for name in english)


def test_every_page_that_the_tours_name_is_called_so_in_the_console() -> None:
    from app.console.languages import catalogue
    from app.console.nav import GROUPS

    translated = catalogue("zh_Hans_CN").gettext
    called = {entry.label for _, entries in GROUPS for entry in entries}
    english, chinese = bold(collect.document(ENGLISH)), bold(collect.document(CHINESE))
    assert set(english) <= called
    assert [translated(name) for name in english] == chinese
    assert called - set(english) == set()


@BOTH
def test_a_readme_is_short_and_leads_to_the_other(name: str) -> None:
    text = collect.document(name)
    assert len(text.splitlines()) < MOST_LINES
    assert ("(docs/zh/README.md)" if name == ENGLISH else "(../../README.md)") in text


@BOTH
def test_every_picture_exists_is_made_by_the_command_and_small(name: str) -> None:
    made = {picture.name for picture in PICTURES}
    for picture in pictures(collect.document(name)):
        path = ROOT / "docs" / "pictures" / f"{picture}.png"
        assert picture in made
        assert path.is_file(), picture
        assert path.stat().st_size <= LARGEST, picture
    kept = {path.stem for path in (ROOT / "docs" / "pictures").glob("*.png")}
    assert kept <= made, "a picture that nobody takes again"


@BOTH
def test_every_target_of_make_and_every_route_exists(name: str) -> None:
    text = collect.document(name)
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", text)) <= targets
    routes = {path for _, path, _ in collect.routes()}
    posted = set(re.findall(r"http://127\.0\.0\.1:8700(/[\w/-]*)", text))
    assert {path for path in posted if path not in routes and not path.startswith("/v1/track")} == set()


@BOTH
def test_every_demonstration_command_has_its_options(name: str) -> None:
    known = collect.commands()
    for line in re.findall(r"^ +\.venv/bin/piying (.+)$", collect.document(name), re.MULTILINE):
        words = line.split()
        options = {flag: one for one in known[words[0]].params for flag in one.opts}
        for flag, value in pairwise(words[1:]):
            if flag.startswith("--"):
                assert flag in options, line
                options[flag].type.convert(value, options[flag], None)
