"""Walks with nothing but a keyboard: every stop shows its focus and is covered by nothing; whatever opens can be closed and gives the focus back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FileChooser, expect
from playwright.sync_api import Page as Tab

from app import choices, jobs
from tests.browser.conftest import Open
from tests.browser.walk import at_focus
from tests.fakes import known
from tests.flow.entering import ADA, PASSWORD, account, code, enter, quick, second_step
from tests.flow.importer import MAPPING, run_jobs, till_file

pytestmark = pytest.mark.slow

expect.set_options(timeout=20_000)
MOST = 120
"""Stops on the way to anything."""


def to(tab: Tab, wanted: str) -> None:
    """Presses Tab until the wanted element has the focus; every stop on the way is looked at."""
    place = tab.locator(wanted).first
    expect(place).to_be_visible()
    for _ in range(MOST):
        tab.keyboard.press("Tab")
        if place.evaluate("one => one === document.activeElement"):
            assert at_focus(tab) == []
            return
        if tab.evaluate("document.activeElement !== document.body"):
            assert at_focus(tab) == []
    raise AssertionError(f"the keyboard does not reach {wanted}")


def press(tab: Tab, wanted: str, key: str = "Enter") -> None:
    to(tab, wanted)
    tab.keyboard.press(key)


def type_into(tab: Tab, wanted: str, text: str) -> None:
    to(tab, wanted)
    tab.keyboard.insert_text(text)


def choose(tab: Tab, file: Path) -> None:
    """Enter on a file field, and the file.

    The browser is told asynchronously that the chooser is the test's: an Enter that comes before is answered by a chooser of the browser's own
    that nobody sees. Then Enter is pressed again.
    """
    choosers: list[FileChooser] = []
    tab.on("filechooser", lambda one: choosers.append(one))
    for _ in range(10):
        tab.keyboard.press("Enter")
        tab.wait_for_timeout(500)
        if choosers:
            choosers[0].set_files(file)
            return
    raise AssertionError("Enter opens no chooser of files")


def test_signing_in_with_a_second_step_leads_to_the_page_that_was_wanted(opened: Open, browser: Browser) -> None:
    house = quick(opened.house)
    account(house, "marketer")
    sealed, _ = second_step(house, enter(house)[0])
    house.clock.forward(minutes=1)
    with opened.tab(browser) as tab:
        tab.goto("/reports?kind=store_month")
        type_into(tab, "#f-email", ADA)
        type_into(tab, "#f-password", "not this one")
        tab.keyboard.press("Enter")
        expect(tab.get_by_role("alert")).to_be_visible()
        type_into(tab, "#f-password", PASSWORD)
        tab.keyboard.press("Enter")
        type_into(tab, "#f-code", code(house, sealed))
        tab.keyboard.press("Enter")
        tab.wait_for_url("**/reports?kind=store_month")
        press(tab, "details.menu-account > summary")
        press(tab, ".menu-sheet button")
        tab.wait_for_url("**/sign-in")


def test_the_first_stop_leads_past_the_navigation(opened: Open, browser: Browser) -> None:
    with opened.tab(browser, "officer") as tab:
        tab.goto("/access-log")
        press(tab, "a.skip")
        assert tab.evaluate("document.activeElement.id") == "main"
        tab.keyboard.press("Tab")
        assert tab.evaluate("document.activeElement.closest('main') !== null && document.activeElement.id !== 'main'")


def test_the_find_box_a_list_and_its_filter(opened: Open, browser: Browser) -> None:
    with opened.tab(browser, "marketer") as tab:
        tab.goto("/")
        type_into(tab, "#find", opened.things["release"])
        tab.keyboard.press("Enter")
        tab.wait_for_url(f"**/releases/{opened.things['release']}")
        press(tab, "nav.side a[href='/reports']")
        to(tab, "select[name=kind]")
        tab.keyboard.press("ArrowDown")
        press(tab, "form.filters button")
        tab.wait_for_url(re.compile(r"/reports\?.*kind=\w"))
        press(tab, ".chip")
        tab.wait_for_url(re.compile(r"/reports(\?(?!.*kind=\w).*)?$"))


def test_the_language_and_the_narrow_menu(opened: Open, browser: Browser) -> None:
    with opened.tab(browser, "marketer", width=320) as tab:
        tab.goto("/budget")
        press(tab, "button[value=zh_Hans_CN]")
        expect(tab.locator("html")).to_have_attribute("lang", "zh-Hans-CN")
        press(tab, "button[name=language][value=en]")
        expect(tab.locator("html")).to_have_attribute("lang", "en")
        press(tab, "details.menu-narrow > summary")
        to(tab, "details.menu-narrow a[href='/reports']")
        tab.keyboard.press("Escape")
        assert tab.evaluate("document.activeElement.closest('details.menu-narrow').open") is False
        assert tab.evaluate("document.activeElement.tagName") == "SUMMARY"
    choices.keep(opened.house.services, opened.accounts["marketer"], language="")


def test_a_question_its_price_and_its_answer(opened: Open, browser: Browser) -> None:
    house = opened.house
    with opened.tab(browser, "marketer") as tab:
        tab.goto("/reports")
        press(tab, "a.kind[href='/reports/new/funnel']")
        press(tab, "form[method=get].card-form button[type=submit]")
        expect(tab.get_by_role("button", name="Run for")).to_be_visible()
        press(tab, "section form[method=post] button")
        tab.wait_for_url("**/jobs/job_*")
        while jobs.run_one(house.services.begin_jobs, house.services.handlers, "worker", clock=house.clock):
            pass
        tab.wait_for_url("**/releases/rel_*", timeout=20_000)
        expect(tab.get_by_role("heading", name="What was found")).to_be_visible()


def test_a_file_from_the_chooser_to_the_sum_that_adds_up(opened: Open, browser: Browser, tmp_path: Path) -> None:
    house = opened.house
    file = tmp_path / "till 2026-07.csv"
    file.write_bytes(till_file(100, first=5_000))
    with opened.tab(browser, "integrator") as tab:
        tab.goto("/imports")
        press(tab, "a[href='/imports/new']")
        to(tab, "#f-source")
        tab.keyboard.type("till")
        to(tab, "#f-file")
        choose(tab, file)
        press(tab, "form[action='/imports/new'] button[type=submit]")
        tab.wait_for_url("**/imports/imp_*/mapping")
        to(tab, "#f-mapping")
        tab.keyboard.press("Control+a")
        tab.keyboard.insert_text(MAPPING)
        press(tab, "form.card-wide button[type=submit]")
        tab.wait_for_url("**/imports/imp_*/check")
        press(tab, "form[action$='/start'] button")
        tab.wait_for_url(re.compile(r"/imports/imp_[^/]*$"))
        run_jobs(house, "import")
        expect(tab.get_by_role("heading", name="What became of its rows")).to_be_visible()
        read, stored, duplicate, held, refused = (int(one) for one in tab.locator("dl.equation dd").all_inner_texts())
        assert (read, read) == (100, stored + duplicate + held + refused)


def test_a_look_up_a_case_and_one_identifier_shown_once(opened: Open, browser: Browser) -> None:
    with opened.tab(browser, "officer") as tab:
        tab.goto("/people")
        to(tab, "#f-type")
        tab.keyboard.press("ArrowDown")
        type_into(tab, "#f-value", known.PHONE)
        to(tab, "#f-purpose")
        tab.keyboard.press("ArrowDown")
        type_into(tab, "#f-reason", "asks what is held")
        press(tab, "form[action='/people'] button[type=submit]")
        tab.wait_for_url("**/people/cas_*")
        press(tab, "a[href$='/reveals']")
        to(tab, "input[name=ref]")
        tab.keyboard.press("Space")
        to(tab, "#f-purpose")
        tab.keyboard.press("ArrowDown")
        type_into(tab, "#f-reason", "asks what is held")
        press(tab, "button.btn-danger")
        expect(tab.locator("output.revealed")).to_be_visible()
        assert known.PHONE not in tab.url
        press(tab, "main a.btn-primary")
        tab.wait_for_url("**/people/cas_*")
        assert tab.locator("output.revealed").count() == 0


def test_the_dialog_before_the_session_ends_takes_the_focus_and_gives_it_back(opened: Open, browser: Browser) -> None:
    with opened.tab(browser, "officer") as tab:
        tab.clock.install()
        tab.goto("/dictionary")
        to(tab, "#find")
        for way in ("Escape", "stay"):
            tab.clock.run_for(28 * 60_000 + 1_000)
            dialog = tab.locator("dialog#expiry")
            expect(dialog).to_be_visible()
            assert tab.evaluate("document.activeElement.closest('dialog') !== null")
            if way == "stay":
                press(tab, "[data-stay]")
            else:
                tab.keyboard.press(way)
            expect(dialog).to_be_hidden()
            if way == "Escape":
                assert tab.evaluate("document.activeElement.id") == "find"
                tab.reload()
                to(tab, "#find")
        expect(tab.locator("h1")).to_be_visible()
        assert tab.evaluate("document.activeElement.id") == "find"
