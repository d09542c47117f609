"""Every page, in both languages, by day and by night, wide and narrow, with and without a script, on paper and under a keyboard."""

from __future__ import annotations

import os
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from tests.browser.conftest import SHOTS, Open
from tests.browser.pages import PAGES, Page
from tests.browser.walk import (
    HEIGHT,
    NARROW,
    PSEUDO,
    WIDE,
    axe_violations,
    clipped,
    csp_violations,
    every_focus,
    overflow,
    printed,
    readable,
    untranslated,
    wear,
)

pytestmark = pytest.mark.slow

PAIRWISE = {"en": (("light", WIDE), ("dark", NARROW)), "zh_Hans_CN": (("dark", WIDE), ("light", NARROW))}
"""Each page in both values of language, theme and width, and in each pair of values of any two of them."""
EVERY = tuple(product(("light", "dark"), (WIDE, NARROW)))
LOOKS = dict.fromkeys(PAIRWISE, EVERY) if os.environ.get("LONG_TESTS") == "1" else PAIRWISE
"""`LONG_TESTS=1`: each page in all eight."""

EACH = pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.role or 'nobody'} {page.address}")


def test_the_quick_looks_hold_every_pair_of_values() -> None:
    looks = [(language, *look) for language, worn in PAIRWISE.items() for look in worn]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert len({(look[first], look[second]) for look in looks}) == 4


def go(tab: Tab, opened: Open, page: Page) -> None:
    answer = tab.goto(page.address.format(**opened.things))
    assert answer is not None
    assert answer.status == page.status
    assert tab.locator("h1").count() == 1


@EACH
def test_a_page_has_no_fault_of_access_and_nothing_blocked_and_fits(opened: Open, browser: Browser, page: Page) -> None:
    """In each look: axe, the page's width, its policy, its console, its requests, every stop of the keyboard; and what is printed."""
    faults: dict[str, list[str]] = {}
    for language, worn in LOOKS.items():
        tab, watch = opened.look(browser, page.role, language=language, theme=worn[0][0], width=worn[0][1])
        go(tab, opened, page)
        for theme, width in worn:
            wear(tab, theme, width)
            if SHOTS:
                tab.screenshot(path=Path(SHOTS) / f"{_name(page)}-{language[:2]}-{theme}-{width}.png", full_page=True)
            faults[f"{language} {theme} {width}"] = [*axe_violations(tab), *overflow(tab), *every_focus(tab)]
        tab.emulate_media(media="print")
        faults[f"{language} on paper"] = printed(tab)
        tab.emulate_media(media="screen")
        faults[f"{language} in the browser"] = [*csp_violations(tab), *watch.faults]
    assert {look: found for look, found in faults.items() if found} == {}


def _name(page: Page) -> str:
    return f"{page.role or 'nobody'}{page.address.replace('/', '_').replace('?', '_')[:40]}"


@EACH
def test_every_word_of_a_page_comes_from_a_catalogue_and_is_shown_whole(opened: Open, browser: Browser, page: Page) -> None:
    """In a language whose words are longer; the translations are longer, too."""
    tab, _ = opened.look(browser, page.role, language=PSEUDO, width=NARROW)
    go(tab, opened, page)
    assert untranslated(tab) == [], "\n".join(["LEFT", *untranslated(tab)])
    for width in (NARROW, WIDE):
        tab.set_viewport_size({"width": width, "height": HEIGHT})
        assert overflow(tab) == [], width
        assert clipped(tab) == [], width


@EACH
def test_a_page_reads_without_a_script_and_says_the_same(opened: Open, browser: Browser, page: Page) -> None:
    """Headings, tables, links and forms of the content are there before any script runs."""
    seen = []
    for script in (False, True):
        tab, _ = opened.look(browser, page.role, script=script)
        go(tab, opened, page)
        seen.append(readable(tab))
    assert seen[0] == seen[1]
    assert seen[0]["h1"] == 1
