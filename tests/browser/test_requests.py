"""The officer's day by keyboard: a deletion proved, decided, agreed to by a second officer, certified; the log handed out, verified."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from app import access, erasing, jobs
from privacy.audit import receipts, verify
from tests.browser.conftest import Open
from tests.fakes import known

pytestmark = pytest.mark.slow

GONE = "13711112222"


def second_officer(opened: Open) -> str:
    """A role's name under which another officer's cookies are found."""
    if "second" not in opened.accounts:
        with opened.house.services.begin_console() as tx:
            opened.accounts["second"], _ = access.add_account(tx, "second@example.com", "officer", now=opened.house.clock())
    return "second"


def press(tab: Tab, words: str) -> None:
    """Finds a button or link by its words and presses it with the keyboard alone; the page that it leads to has come."""
    with tab.expect_navigation():
        at(tab, words)


def at(tab: Tab, words: str) -> None:
    """Presses it and waits for nothing."""
    tab.locator(f"main :is(button, a):has-text({json.dumps(words)})").first.focus()
    tab.keyboard.press("Enter")


def test_a_deletion_is_served_by_two_officers_with_the_keyboard_alone(opened: Open, browser: Browser) -> None:
    _, key = opened.house.source("to be gone")
    opened.house.grant(key, [("phone", GONE)])
    opened.house.batch([known.identify(7001, "gone-1", phone=GONE)], key)
    with opened.tab(browser, "officer") as tab:
        tab.goto("/people")
        tab.select_option("#f-type", "phone")
        tab.fill("#f-value", GONE)
        tab.select_option("#f-purpose", "rights_request")
        tab.fill("#f-reason", "she wrote that she wants to be forgotten")
        press(tab, "Look up")
        press(tab, "Open a request")
        tab.select_option("#f-right", "deletion")
        tab.select_option("#f-channel", "letter")
        press(tab, "Open the request")
        address = tab.url
        number = address.rpartition("/")[2]
        assert GONE not in tab.content()
        tab.select_option("#f-method", "in_person")
        press(tab, "Identity is proven")
        press(tab, "Look into every store")
        press(tab, "I looked through it")
        press(tab, "Decide the request")
        assert tab.locator("#plan").inner_text() == "Dry run"
        tab.select_option("#f-outcome", "fulfilled")
        with tab.expect_navigation():
            tab.locator("form.card-form button").focus()
            tab.keyboard.press("Enter")
        assert tab.url == address
        assert "A second person has to agree" in tab.content()
    with opened.tab(browser, second_officer(opened)) as tab:
        tab.goto(f"{address}/delivery")
        tab.locator("input[name=confirmation]").fill(number)
        press(tab, "I agree, as the second person")
    with opened.tab(browser, "officer") as tab:
        tab.goto(f"{address}/delivery")
        tab.locator("input[name=confirmation]").fill(number)
        press(tab, "Carry out what was decided")
        erasing.run(opened.house.services)
        tab.goto(address)
        with tab.expect_download() as waiting:
            at(tab, "Certificate")
        told = json.loads(waiting.value.path().read_text())
        assert told["erasure"].startswith("era_")
        assert told["certificate"].count(".") == 2
        assert GONE not in json.dumps(told)
        keys = tab.request.get("/.well-known/jwks.json").text()
        assert receipts.verify_certificate(told["certificate"], keys)["erasure"] == told["erasure"]


def test_the_log_of_a_day_is_handed_out_by_keyboard_and_verified_offline(opened: Open, browser: Browser, tmp_path: Path) -> None:
    """By the one file that an outsider gets, in a process of its own, with the log's key and nothing else of the deployment."""
    house = opened.house
    with opened.tab(browser, "officer") as tab:
        tab.goto("/evidence/new")
        tab.select_option("#f-scope", "period")
        day = house.clock().date().isoformat()
        tab.fill("#f-since", day)
        tab.fill("#f-until", day)
        press(tab, "Make the pack")
        address = tab.url
        while jobs.run_one(house.services.begin_jobs, house.services.handlers, "test", clock=house.clock):
            pass
        tab.goto(address)
        with tab.expect_download() as waiting:
            at(tab, "Download")
        waiting.value.save_as(tmp_path / "pack.zip")
    keys = [part for key in house.services.oversight.verifier_keys() for part in ("--key", key)]
    command = [sys.executable, "-I", verify.__file__, str(tmp_path / "pack.zip"), *keys]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    changed = bytearray((tmp_path / "pack.zip").read_bytes())
    changed[len(changed) // 2] ^= 1
    (tmp_path / "pack.zip").write_bytes(changed)
    assert subprocess.run(command, capture_output=True, check=False, cwd=tmp_path).returncode != 0
