"""Figures in a browser: a picture for everybody, the same specification drawn by the script, nothing that the policy blocks."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Open
from tests.browser.walk import csp_violations

pytestmark = pytest.mark.slow


def test_the_script_draws_every_figure_without_a_violation_and_tells_a_number_with_its_interval(opened: Open, browser: Browser) -> None:
    with opened.tab(browser, "marketer") as tab:
        tab.goto(f"/releases/{opened.things['release']}", wait_until="domcontentloaded")
        tab.locator("[data-drawn] svg").nth(2).wait_for(state="attached", timeout=120_000)
        bar = tab.locator("[data-drawn] svg [aria-roledescription='tick']").first
        bar.hover(force=True)
        tip = tab.locator("#vg-tooltip-element.visible")
        tip.wait_for(timeout=10_000)
        assert "S1" in tip.inner_text()
        assert "between" in tip.inner_text()
        assert csp_violations(tab) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_without_a_script_each_figure_is_a_picture_with_its_sentence(opened: Open, browser: Browser, theme: str) -> None:
    with opened.tab(browser, "marketer", theme=theme, script=False) as tab:
        tab.goto(f"/releases/{opened.things['release']}")
        pictures = tab.locator("figure img")
        assert pictures.count() == 3
        for place in range(3):
            picture = pictures.nth(place)
            assert f"theme={theme}" in (picture.get_attribute("src") or "")
            assert len(picture.get_attribute("alt") or "") > 20


def test_only_pages_with_figures_load_the_script(opened: Open, browser: Browser) -> None:
    with opened.tab(browser, "marketer") as tab:
        tab.goto("/reports/new/funnel?from=2026-05")
        assert tab.locator("script[data-vega]").count() == 0
