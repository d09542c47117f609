"""Every page, in both languages, by day and by night, wide and narrow."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import SHOTS, Open
from tests.browser.pages import PAGES, Page
from tests.browser.walk import PSEUDO, axe_violations, csp_violations, overflow, untranslated

pytestmark = pytest.mark.slow

EACH = pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.role or 'nobody'} {page.address}")
WIDTHS = (1280, 320)


@EACH
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh_Hans_CN"])
def test_a_page_has_no_fault_of_access_and_nothing_blocked_and_fits(
    opened: Open, browser: Browser, page: Page, language: str, theme: str
) -> None:
    with opened.tab(browser, page.role, language=language, theme=theme) as tab:
        answer = tab.goto(page.address.format(**opened.things))
        assert answer is not None
        assert answer.status == page.status
        assert tab.locator("h1").count() == 1
        for width in WIDTHS:
            tab.set_viewport_size({"width": width, "height": 900})
            if SHOTS:
                name = f"{page.role or 'nobody'}{page.address.replace('/', '_').replace('?', '_')[:40]}-{language[:2]}-{theme}-{width}.png"
                tab.screenshot(path=Path(SHOTS) / name, full_page=True)
            assert axe_violations(tab) == [], width
            assert overflow(tab) == [], width
        assert csp_violations(tab) == []


@EACH
def test_every_word_of_a_page_comes_from_a_catalogue(opened: Open, browser: Browser, page: Page) -> None:
    with opened.tab(browser, page.role, language=PSEUDO) as tab:
        tab.goto(page.address.format(**opened.things))
        assert untranslated(tab) == []
        assert overflow(tab) == []


@EACH
def test_a_page_reads_without_a_script(opened: Open, browser: Browser, page: Page) -> None:
    with opened.tab(browser, page.role, script=False) as tab:
        tab.goto(page.address.format(**opened.things))
        assert tab.locator("main h1").inner_text() != ""
