"""The marketer's day and the officer's approval in a real browser, by keyboard where a hand would be: a list is asked for, and leaves."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from app import sessions
from tests.browser.conftest import Open
from tests.browser.test_keyboard import press, to, type_into
from tests.flow.entering import PASSWORD, account, quick
from tests.gatehouse import PHONES
from tests.gatehouse import opened as unsealed

pytestmark = pytest.mark.slow

expect.set_options(timeout=60_000)
PATIENCE = 120_000
"""Milliseconds for what a busy machine takes long to do: it proves nothing that a decision about everybody is quick."""

HERE = re.compile(r"//[^/]+/exports/exp_\w+$")
SAID = "Telephone of people in “Regulars of spring” would go to Tea Messages (invented)."


def approver(made: Open) -> str:
    """An officer of their own, whose password was typed eleven minutes ago: whatever is sensitive asks for it again."""
    house = quick(made.house)
    made.accounts["approver"] = account(house, "officer", "approver@example.com")
    with house.services.begin_console() as tx:
        since = house.clock() - timedelta(minutes=11)
        made.tickets["approver"] = sessions.open_(tx, made.accounts["approver"], complete=True, now=since, random=secrets.token_bytes)
    return "approver"


def test_the_marketers_day_and_the_officers_approval(opened: Open, browser: Browser) -> None:
    """Segment, sentence, audience, list; then the queue, every reason, approval, release, the sealed file, and back again."""
    assert opened.post is not None
    with opened.tab(browser, "marketer") as tab:
        tab.set_default_timeout(PATIENCE)
        tab.goto("/segments/new?example=lookers")
        to(tab, "#f-name")
        tab.keyboard.press("Control+a")
        tab.keyboard.insert_text("Regulars of spring")
        press(tab, "button[value=save]:visible")
        tab.wait_for_url(re.compile(r"/segments/seg_\w+$"))
        segment = opened.post.means(tab.url.rpartition("/")[2])
        press(tab, "a[href$='/audiences/new']")
        press(tab, "main form button[type=submit]")
        tab.wait_for_url("**/audiences/aud_*")
        tab.goto(f"/segments/{segment}")
        press(tab, "a[href^='/exports/new']")
        tab.select_option("#f-recipient", opened.things["post"])
        press(tab, "main form[method=get] button")
        expect(tab.locator("#f-channel")).to_have_value("sms")
        expect(tab.locator("input[name=fields][value=phone]")).to_be_checked()
        type_into(tab, "#f-justification", "A message about the new tea")
        expect(tab.locator("#said")).to_contain_text(SAID)
        press(tab, "button[value=ask]")
        tab.wait_for_url(HERE)
        expect(tab.locator(".lead")).to_contain_text("Waits for a second person")
        page = tab.url
        press(tab, "form[action$='/numbers'] button")
        expect(tab.get_by_text("Surely enough")).to_be_visible()
        expect(tab.locator(".estimate .margin")).to_be_visible()
        assert "Who is left out" not in tab.content()
    opened.post.allow(PHONES[2:4], opened.post.share, "withdrawn")
    with opened.tab(browser, approver(opened)) as tab:
        tab.set_default_timeout(PATIENCE)
        tab.goto("/exports?state=requested")
        press(tab, f"main td a[href$='{page.rpartition('/')[2]}']")
        press(tab, "form[action$='/numbers'] button")
        expect(tab.get_by_role("row", name=f"Everybody who is meant {len(PHONES)}")).to_be_visible()
        expect(tab.get_by_role("row", name="No separate consent to the recipient 2")).to_be_visible()
        expect(tab.get_by_role("row", name=f"Would leave now {len(PHONES) - 4}")).to_be_visible()
        press(tab, "button[value=approve]")
        type_into(tab, "#f-password", PASSWORD)
        tab.keyboard.press("Enter")
        tab.wait_for_url(HERE)
        press(tab, "button[value=approve]")
        press(tab, "button[value=release]")
        with tab.expect_download() as waiting:
            press(tab, "form[action$='/file'] button")
        assert {row["phone"] for row in unsealed([waiting.value.path().read_bytes()])} == set(PHONES[4:])
        tab.reload()
        expect(tab.locator("dl.facts", has_text="Downloads")).to_contain_text(re.compile(r"Downloads\s*1"))
        press(tab, "a.btn-danger[href$='/revocation']")
        type_into(tab, "#f-confirmation", page.rpartition("/")[2])
        press(tab, "main form button.btn-danger")
        expect(tab.locator(".lead")).to_contain_text("Called back")


def test_whoever_asked_cannot_decide_and_a_no_says_why(opened: Open, browser: Browser) -> None:
    """The buttons of one's own request are off, and the reason stands beside them; the queue has a way to the next."""
    assert opened.post is not None
    other = opened.post.ask(opened.things["women"], opened.accounts["marketer"])
    own = opened.post.ask(opened.things["women"], opened.accounts["officer"])
    with opened.tab(browser, "officer", width=320) as tab:
        tab.set_default_timeout(PATIENCE)
        tab.goto(f"/exports/{own}")
        for button in ("button[value=approve]", "button:has-text('Reject')"):
            expect(tab.locator(button)).to_be_disabled()
        assert "Nobody decides about what they asked for themselves." in tab.inner_text("#own")
        press(tab, "nav a[rel]")
        tab.wait_for_url(lambda address: HERE.search(address) is not None and not address.endswith(own))
        tab.goto(f"/exports/{other}")
        type_into(tab, "#f-reason", "The notice does not say so.")
        press(tab, "button:has-text('Reject')")
        expect(tab.locator(".lead")).to_contain_text("Rejected")
        assert "The notice does not say so." in tab.inner_text("main")
    opened.post.door.cancel(own, actor=opened.accounts["officer"])
