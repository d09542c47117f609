"""Signing in to the console, tried by people who may and by people who may not.

Walks app.console.gate, app.console.sign_in, app.console.start, app.console.account, app.console.users, app.wiring.entrance and
app.answers.accounts.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import sqlalchemy as sa

from app import accounts, acts, signin, throttle
from tests.flow.entering import ADA, OTHER, PASSWORD, account, code, enter, log, second_step, who
from tests.house import House

# ── the way in ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_link_leads_to_a_password_and_the_password_leads_in(door: House) -> None:
    made = acts.add_user(door.services, ADA, "officer", actor="test")
    browser = door.browser()
    one_time = made["link"].partition("#")[2]
    done = browser.post("/start", {"code": one_time, "password": PASSWORD, "repeated": PASSWORD})
    assert done.status_code == 200
    assert ADA in done.get_data(as_text=True)
    browser.renew()
    answer = browser.post("/sign-in", {"email": " " + ADA.upper(), "password": PASSWORD, "next": "/account"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
    assert ADA in browser.get("/account").get_data(as_text=True)
    again = browser.client.post("/api/tokens/redemptions", json={"code": one_time})
    assert (again.status_code, again.get_json()["code"]) == (401, "bad_setup_code")


def test_there_is_no_default_password_and_no_way_in_before_the_link_was_used(small: House) -> None:
    acts.add_user(small.services, ADA, "officer", actor="test")
    for password in ("", "admin", "password", ADA):
        assert enter(small, password)[1].status_code == 401


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "ada.officer12345", "x" * 300])
def test_a_password_that_is_too_easy_uses_up_no_link(small: House, password: str) -> None:
    one_time = acts.add_user(small.services, ADA, "officer", actor="test")["link"].partition("#")[2]
    browser = small.browser()
    refused = browser.post("/start", {"code": one_time, "password": password, "repeated": password})
    assert refused.status_code == 422
    assert password not in refused.get_data(as_text=True)
    assert browser.post("/start", {"code": one_time, "password": PASSWORD, "repeated": OTHER}).status_code == 422
    assert browser.post("/start", {"code": one_time, "password": PASSWORD, "repeated": PASSWORD}).status_code == 200


def test_one_password_typed_on_two_keyboards_is_one_password(small: House) -> None:
    account(small, password="ｃｏｒｒｅｃｔ horse battery")
    assert enter(small, "correct horse battery")[1].status_code == 303


def test_the_page_of_the_link_asks_the_server_for_nothing_with_the_code(small: House) -> None:
    page = small.browser().get("/start")
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert 'name="code"' in page.get_data(as_text=True), "without a script the code is pasted"


# ── who learns what ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_wrong_password_an_unknown_address_and_an_ended_account_get_one_answer(small: House) -> None:
    """Attack: enumeration of accounts by the answer. Timing: the same hash is computed for all three (the next test)."""
    account(small)
    gone = account(small, email="gone@example.com")
    acts.disable_user(small.services, gone, actor="test")

    def plain(answer: Any) -> str:
        text = answer.get_data(as_text=True)
        for vary in (ADA, "nobody@example.com", "gone@example.com"):
            text = text.replace(vary, "")
        return re.sub(r'name="csrf_token" value="[^"]+"|req_[0-9a-f]+', "", text)

    answers = [
        enter(small, "wrong", ADA)[1], enter(small, "wrong", "nobody@example.com")[1], enter(small, PASSWORD, "gone@example.com")[1],
    ]  # fmt: skip
    assert {answer.status_code for answer in answers} == {401}
    assert len({plain(answer) for answer in answers}) == 1
    assert len({tuple(sorted(set(answer.headers.keys()))) for answer in answers}) == 1


def test_a_hash_is_computed_whoever_knocks(small: House) -> None:
    account(small)
    hasher, seen = small.services.hasher, []

    class Counting:
        def hash(self, password: str, /) -> str:
            return str(hasher.hash(password))

        def verify(self, hashed: str, password: str, /) -> bool:
            seen.append(hashed)
            return bool(hasher.verify(hashed, password))

        def check_needs_rehash(self, hashed: str, /) -> bool:
            return bool(hasher.check_needs_rehash(hashed))

    small.services.__dict__["hasher"] = Counting()
    for email in (ADA, "nobody@example.com"):
        enter(small, "wrong", email)
    assert len(seen) == 2
    assert {one.split("$")[3] for one in seen} == {"m=8,t=1,p=1"}


def test_no_log_and_no_count_knows_an_address_or_a_password(small: House, capfd: pytest.CaptureFixture[str], caplog: Any) -> None:
    account(small)
    for password, email in (("a wrong guess", ADA), ("a wrong guess", "nobody@example.com"), (PASSWORD, ADA)):
        enter(small, password, email)
    written = json.dumps(log(small), ensure_ascii=False) + "".join(capfd.readouterr()) + caplog.text
    with small.services.read_console() as tx:
        written += str(tx.execute(sa.select("*").select_from(sa.table("throttle"))).all())
    for secret in (ADA, "nobody@example.com", "a wrong guess", PASSWORD, "127.0.0.1"):
        assert secret not in written
    assert [one["action"] for one in log(small)][-3:] == ["sign_in.failed", "sign_in.failed", "sign_in"]
    assert [one["actor"] for one in log(small)][-3:] == [who(small), "nobody", who(small)]


# ── how often ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_guesses_must_wait_longer_and_longer_known_address_or_not(door: House) -> None:
    account(door)
    for email in (ADA, "nobody@example.com"):
        assert [enter(door, "wrong", email)[1].status_code for _ in range(6)] == [401] * 5 + [429]
    blocked = enter(door)[1]
    assert (blocked.status_code, blocked.headers["Retry-After"]) == (429, "60"), "the right password, too, must wait"
    door.clock.forward(seconds=60)
    assert enter(door, "wrong")[1].status_code == 401
    assert enter(door)[1].headers["Retry-After"] == "120"
    door.clock.forward(seconds=120)
    assert enter(door)[1].status_code == 303
    assert enter(door, "wrong")[1].status_code == 401, "whoever got in starts anew"


def test_the_count_is_one_for_all_workers_and_counts_before_it_looks(door: House) -> None:
    """Two workers share the database alone; a try that crashed half-way was counted."""
    counted = throttle.Counted(b"x" * 32, 5)
    for _ in range(5):
        with door.services.begin_console() as tx:
            throttle.take(tx, [counted], now=door.clock())
    with pytest.raises(throttle.Refused), door.services.begin_console() as other:
        throttle.take(other, [counted], now=door.clock())


def test_guessing_the_second_step_and_the_password_once_more_is_counted_too(small: House) -> None:
    account(small)
    browser, _ = enter(small)
    assert [browser.post("/reauthenticate", {"password": "wrong"}).status_code for _ in range(6)] == [422] * 5 + [429]
    second_step(small, browser)
    waiting, answer = enter(small)
    assert answer.headers["Location"] == "/sign-in/second-step"
    assert [waiting.post("/sign-in/second-step", {"code": "000000"}).status_code for _ in range(6)] == [422] * 5 + [429]


# ── the second step ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_with_a_second_step_a_password_alone_opens_nothing(door: House) -> None:
    account(door)
    browser, _ = enter(door)
    sealed, codes = second_step(door, browser)
    door.clock.forward(minutes=1)
    waiting, answer = enter(door, next="/account")
    assert answer.headers["Location"] == "/sign-in/second-step?next=/account"
    assert waiting.get("/account").headers["Location"] == "/sign-in?next=/account"
    assert waiting.post("/sign-in/second-step", {"code": "123"}).status_code == 422
    now = code(door, sealed)
    through = waiting.post("/sign-in/second-step", {"code": now, "next": "/account"})
    assert (through.status_code, through.headers["Location"]) == (303, "/account")
    assert waiting.get("/account").status_code == 200
    once_more, _ = enter(door)
    assert once_more.post("/sign-in/second-step", {"code": now}).status_code == 422, "a code counts once, also in its half minute"
    assert once_more.post("/sign-in/second-step", {"code": codes[0].upper()}).status_code == 303
    third, _ = enter(door)
    assert third.post("/sign-in/second-step", {"code": codes[0]}).status_code == 422, "a recovery code counts once"
    with door.services.read_console() as tx:
        kept = str(tx.execute(sa.select("*").select_from(sa.table("credential"))).all())
    assert codes[1] not in kept
    assert door.services.second_step.key(sealed).replace("-", "") not in kept
    assert PASSWORD not in kept
    assert "$argon2id$" in kept


def test_the_second_step_waits_ten_minutes_and_no_longer(small: House) -> None:
    account(small)
    browser, _ = enter(small)
    sealed, _ = second_step(small, browser)
    waiting, _ = enter(small)
    small.clock.forward(minutes=10)
    late = waiting.post("/sign-in/second-step", {"code": code(small, sealed)})
    assert (late.status_code, late.headers["Location"]) == (303, "/sign-in")


def test_a_new_link_can_take_a_lost_second_step_away(small: House) -> None:
    me = account(small)
    browser, _ = enter(small)
    second_step(small, browser)
    link = accounts.new_link(small.services, me, actor="test", without_second_step=True)["link"]
    signin.start(small.services, link.partition("#")[2], OTHER, machine="test")
    assert browser.get("/account").status_code == 302, "the link ended the old session"
    assert enter(small, OTHER)[1].headers["Location"] == "/"
