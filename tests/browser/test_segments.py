"""The builder in a real browser: the sentence follows the rows, and the same segment is written where no script runs."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from tests.browser.conftest import Open

pytestmark = pytest.mark.slow

SAID = "People with a number of orders of at least 4 within the last 90 days."


def first_row(tab: Tab) -> None:
    """Adds a row about orders."""
    tab.goto("/segments/new")
    tab.fill("#f-name", "Regulars")
    tab.select_option("select[name=g0-add]", "count:orders")
    tab.click("button[value='add:0']")
    tab.wait_for_selector("input[name=g0-0-least]")


def test_the_sentence_follows_what_is_typed(opened: Open, browser: Browser) -> None:
    with opened.tab(browser, "marketer") as tab:
        first_row(tab)
        assert tab.input_value("#f-name") == "Regulars"
        tab.fill("input[name=g0-0-least]", "4")
        tab.wait_for_function("text => document.getElementById('said').innerText.includes(text)", arg=SAID)
        assert tab.evaluate("document.activeElement.name") == "g0-0-least", "the focus stays where somebody types"
        tab.click("button[value=save]")
        tab.wait_for_url("**/segments/seg_*")
        assert SAID in tab.inner_text("main")
        assert "Nobody bought this number yet" in tab.inner_text("main")


def test_without_a_script_every_button_brings_the_form_back(opened: Open, browser: Browser) -> None:
    with opened.tab(browser, "marketer", script=False, language="zh_Hans_CN") as tab:
        first_row(tab)
        tab.fill("input[name=g0-0-least]", "4")
        tab.select_option("select[name=g0-add]", "stage")
        tab.click("button[value='add:0']")
        tab.check("input[name=g0-1-values][value=lost]")
        tab.click("button[value='up:0:1']")
        assert tab.locator("input[name=g0-0-what]").input_value() == "stage"
        assert tab.input_value("input[name=g0-1-least]") == "4"
        assert "流失" in tab.inner_text("#said")
        tab.click("button[value=save]")
        tab.wait_for_url("**/segments/seg_*")
        assert "订单数不少于 4" in tab.inner_text("main")
