from __future__ import annotations

from pathlib import Path

import pytest
from babel.support import Translations

from app.console.languages import LANGUAGES, N_, TAGS, catalogue, current, preferred

HEAD = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'


def test_every_language_has_its_tag() -> None:
    assert LANGUAGES.keys() == TAGS.keys()


def test_all_parts_of_a_language_are_one_catalogue(tmp_path: Path) -> None:
    folder = tmp_path / "zh_Hans_CN"
    folder.mkdir()
    (folder / "one.po").write_text(HEAD + 'msgid "Sources"\nmsgstr "来源"\n', "utf-8")
    (folder / "two.po").write_text(HEAD + 'msgid "%(n)s row"\nmsgid_plural "%(n)s rows"\nmsgstr[0] "%(n)s 行"\n', "utf-8")
    found = catalogue("zh_Hans_CN", tmp_path)
    assert isinstance(found, Translations)
    assert (found.gettext("Sources"), found.ngettext("%(n)s row", "%(n)s rows", 2)) == ("来源", "%(n)s 行")
    assert found.gettext("Imports") == "Imports", "what nobody translated shows in English"


def test_a_guess_is_not_shown(tmp_path: Path) -> None:
    folder = tmp_path / "zh_Hans_CN"
    folder.mkdir()
    (folder / "one.po").write_text(HEAD + '#, fuzzy\nmsgid "Sources"\nmsgstr "?"\n', "utf-8")
    assert catalogue("zh_Hans_CN", tmp_path).gettext("Sources") == "Sources"


@pytest.mark.parametrize(
    ("tags", "language"),
    [
        (["zh-CN", "en"], "zh_Hans_CN"),
        (["zh"], "zh_Hans_CN"),
        (["zh-Hans"], "zh_Hans_CN"),
        (["fr", "en-GB", "zh"], "en"),
        (["de"], "en"),
        ([], "en"),
    ],
)
def test_a_browser_gets_the_first_language_that_we_speak(tags: list[str], language: str) -> None:
    assert preferred(tags) == language


def test_outside_a_request_everything_is_english() -> None:
    assert current() == "en"
    assert N_("Sources") == "Sources"
