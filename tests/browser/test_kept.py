"""What a browser keeps after somebody opened every page: a ticket, a language, a theme; and how it moves for who wants no movement."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from app import access
from tests.browser.conftest import Open
from tests.browser.pages import PAGES
from tests.browser.walk import Watch, kept
from tests.flow.canary import hits

pytestmark = pytest.mark.slow

NOTHING = {"local": {}, "session": {}, "cookies": "", "databases": [], "caches": [], "workers": 0}


@pytest.mark.parametrize("role", ["", *sorted(access.matrix())])
def test_a_browser_keeps_nothing_of_what_was_shown(opened: Open, browser: Browser, role: str) -> None:
    """Nothing in its stores, no cookie that a script reads or that carries more than its name says, no page that it may put into its cache."""
    names = {str(opened.house.app.config["SESSION_COOKIE_NAME"]), "piying_language", "piying_theme"}
    with opened.tab(browser, role, theme="dark") as tab:
        watch = Watch(tab, opened.address)
        for page in PAGES:
            if page.role == role:
                tab.goto(page.address.format(**opened.things), wait_until="domcontentloaded")
                assert hits(tab.content()) == set()
        assert kept(tab) == NOTHING
        cookies = tab.context.cookies()
        assert {one["name"] for one in cookies} <= names
        assert all(one["httpOnly"] for one in cookies)
        assert [one["name"] for one in cookies if hits(one["value"])] == []
        assert watch.faults == []


def test_whoever_wants_no_movement_gets_none(opened: Open, browser: Browser) -> None:
    moving = """() => { const one = document.body.appendChild(document.createElement("span")); one.className = "skeleton-line";
      return [getComputedStyle(one).animationName, document.getAnimations().length]; }"""
    with opened.tab(browser, "marketer") as tab:
        tab.goto("/")
        assert tab.evaluate(moving) == ["none", 0]
        tab.emulate_media(reduced_motion="no-preference")
        tab.goto("/")
        assert tab.evaluate(moving)[0] == "breathe"
