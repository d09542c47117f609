"""The public page, the whole way: a code proves an address, choices hold at once, and nobody learns who is known.

Also the door behind it (privacy.visits), its pages (app.console.visits) and what they leave behind (migrations.platform.first.visits).
"""

from __future__ import annotations

import json
import re
import time
from itertools import combinations
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import Engine, event, func, select
from werkzeug.test import TestResponse

from app import messages, visits
from privacy.identity import vault
from privacy.identity.normalise import normalise
from privacy.vocabulary import PROFILING, STATISTICS, IdentifierType
from tests.flow.test_public_keys_learn_nothing import LONG, auc
from tests.house import Browser, House

PHONE = "13800138000"
STRANGER, ERASED = "13900139000", "13700137000"


def dropped(house: House) -> list[dict[str, Any]]:
    """What the file drop holds, taken out of it."""
    folder = Path(house.home) / "outbox"
    found = [json.loads(file.read_bytes()) for file in sorted(folder.glob("*.json"))] if folder.is_dir() else []
    for file in folder.glob("*.json"):
        file.unlink()
    return found


def code_of(house: House) -> str:
    messages.run(house.services)
    (message,) = dropped(house)
    return str(re.findall(r"\d{8}", message["text"])[0])


def known(house: House, phone: str = PHONE, **named: Any) -> None:
    _, key = house.source(f"desk-{phone}")
    assert house.grant(key, [("phone", phone)], **named).status_code == 201


def enter(house: House, phone: str = PHONE, *, headers: dict[str, str] | None = None) -> Browser:
    """The browser of somebody who has proved their number."""
    browser = house.browser()
    assert browser.post("/choices/codes", {"type": "phone", "value": phone}).status_code == 303
    answer = browser.post("/choices/code", {"code": code_of(house)}, headers=headers)
    assert answer.headers["Location"] == "/choices/mine", answer.get_data(as_text=True)
    return browser


def allows(house: House, phone: str = PHONE) -> dict[str, bool]:
    shown = house.services.preferences.show("phone", phone, actor="test")
    return {key: one["allowed"] for key, one in shown["purposes"].items()}


def test_a_code_opens_ones_choices_and_a_no_holds_at_once(sqlite_only: House) -> None:
    house = sqlite_only
    known(house)
    browser = enter(house)
    page = browser.get("/choices/mine").get_data(as_text=True)
    assert PHONE not in page
    assert allows(house)[PROFILING]
    assert browser.post("/choices/mine", {"purpose": PROFILING, "state": "withdrawn"}).status_code == 303
    assert not allows(house)[PROFILING]
    assert allows(house)[STATISTICS]
    assert len(house.services.preferences.population(PROFILING).run_ids) == 0, "the very next question"
    house.clock.forward(seconds=1)
    assert browser.post("/choices/mine", {"purpose": PROFILING, "state": "granted"}).status_code == 303
    assert allows(house)[PROFILING], "a yes takes as many steps as a no"
    act = house.services.preferences.show("phone", PHONE, actor="test")["acts"][-1]
    assert act["evidence"] == {"collection": "public_page", "default_state": "unchecked", "form": "general", "language": "en"}


def test_who_is_not_known_gets_no_code_and_the_same_answers(sqlite_only: House) -> None:
    house = sqlite_only
    known(house)
    _marked_erased(house, ERASED)
    answers = []
    for phone in (PHONE, STRANGER, ERASED):
        browser = house.browser()
        asked = browser.post("/choices/codes", {"type": "phone", "value": phone})
        shown, wrong = browser.get("/choices/code"), browser.post("/choices/code", {"code": "00000000"})
        answers.append([_said(one) for one in (asked, shown, wrong)])
    assert answers[0] == answers[1] == answers[2]
    messages.run(house.services)
    assert [one["address"][-4:] for one in dropped(house)] == [PHONE[-4:]]


def _said(answer: TestResponse) -> tuple[Any, ...]:
    """Status, headers but what is random, and words without marks of forms and the request's number."""
    text = re.sub(r'name="csrf_token" value="[^"]+"|req_[0-9a-f]+', "", answer.get_data(as_text=True))
    return answer.status_code, sorted(set(answer.headers.keys())), answer.headers.get("Location"), text


def test_what_waits_tells_neither_to_whom_nor_what_and_is_forgotten(sqlite_only: House) -> None:
    house = sqlite_only
    house.browser().post("/choices/codes", {"type": "phone", "value": PHONE})
    with house.services.read_jobs() as tx:
        (row,) = tx.execute(select(messages.OutboxMessage)).all()
    assert set(row._mapping) == {"reference", "created_at", "expires_at"}
    house.clock.forward(minutes=16)
    assert messages.run(house.services) == {"sent": 0, "dropped": 1}
    with house.services.read_console() as tx:
        assert tx.scalar(select(func.count()).select_from(messages.OutboxMessage)) == 0
    stored = b"".join(file.read_bytes() for file in house.home.rglob("*.db*"))
    assert PHONE.encode() not in stored


def test_five_wrong_codes_end_the_visit_and_a_right_one_is_good_once(sqlite_only: House) -> None:
    house = sqlite_only
    known(house)
    browser = house.browser()
    browser.post("/choices/codes", {"type": "phone", "value": PHONE})
    code = code_of(house)
    for _ in range(visits.TRIES):
        assert browser.post("/choices/code", {"code": "0"}).status_code == 422
    assert browser.post("/choices/code", {"code": code}).status_code == 422
    other = house.browser()
    other.post("/choices/codes", {"type": "phone", "value": PHONE})
    code = code_of(house)
    house.clock.forward(minutes=16)
    assert other.post("/choices/code", {"code": code}).status_code == 422, "too late"
    third = enter(house)
    assert third.get("/choices/mine").status_code == 200
    house.clock.forward(minutes=21)
    assert third.get("/choices/mine").headers["Location"] == "/choices"


def test_a_code_opens_nothing_in_another_browser(sqlite_only: House) -> None:
    known(sqlite_only)
    mine, other = sqlite_only.browser(), sqlite_only.browser()
    mine.post("/choices/codes", {"type": "phone", "value": PHONE})
    assert other.post("/choices/code", {"code": code_of(sqlite_only)}).status_code == 422
    assert other.get("/choices/mine").status_code == 303


@pytest.mark.parametrize("phone", [PHONE, STRANGER])
def test_who_asks_often_has_to_wait_whoever_they_ask_about(sqlite_only: House, phone: str) -> None:
    known(sqlite_only)
    told = [sqlite_only.browser().post("/choices/codes", {"type": "phone", "value": phone}).status_code for _ in range(6)]
    assert told == [303] * 4 + [429] * 2
    assert int(sqlite_only.browser().post("/choices/codes", {"type": "phone", "value": phone}).headers["Retry-After"]) > 0


def test_the_machine_is_counted_over_all_addresses_it_asks_about(sqlite_only: House) -> None:
    told = [
        sqlite_only.browser().post("/choices/codes", {"type": "phone", "value": f"138001380{number:02d}"}).status_code
        for number in range(visits.FREE_OF_MACHINE + 2)
    ]
    assert told[: visits.FREE_OF_MACHINE] == [303] * visits.FREE_OF_MACHINE
    assert told[-1] == 429


def test_what_is_no_address_is_told_by_its_form_alone(sqlite_only: House) -> None:
    browser = sqlite_only.browser()
    assert browser.post("/choices/codes", {"type": "phone", "value": "12"}).status_code == 422
    answer = browser.post("/choices/codes", {"type": "member_card", "value": "A12345"})
    assert (answer.status_code, "A12345" in answer.get_data(as_text=True)) == (422, False)


def test_an_act_that_our_own_page_did_not_send_is_refused(sqlite_only: House) -> None:
    client = sqlite_only.client
    for path in ("/choices/codes", "/choices/code", "/choices/mine", "/choices/tags", "/choices/endings"):
        assert client.post(path, data={"type": "phone", "value": PHONE}).status_code == 403


def test_no_address_carries_what_was_typed(sqlite_only: House) -> None:
    known(sqlite_only)
    browser = sqlite_only.browser()
    asked = browser.post("/choices/codes", {"type": "phone", "value": PHONE})
    assert asked.headers["Location"] == "/choices/code"
    (cookie,) = [one for one in asked.headers.getlist("Set-Cookie") if one.startswith("piying_visit=")]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Path=/choices" in cookie
    assert PHONE not in cookie


def test_a_browser_that_objects_is_heard_once_its_user_is_known_and_never_taken_for_a_yes(sqlite_only: House) -> None:
    house = sqlite_only
    made = house.services.new_purpose(key="share.acme", grounds={"CN": "separate_consent"}, name={"en": "Acme", "zh": "阿克米"})
    house.services.notice_book.register(made, actor="test")
    known(house)
    enter(house)
    assert allows(house)[PROFILING], "without the header nothing changes"
    enter(house, headers={"Sec-GPC": "1"})
    assert not allows(house)[PROFILING]
    assert not allows(house)["share.acme"]
    assert allows(house)[STATISTICS]
    enter(house, headers={"Sec-GPC": "0"})
    assert not allows(house)[PROFILING], "taking the header away is no consent"


def test_leaving_ends_the_visit(sqlite_only: House) -> None:
    known(sqlite_only)
    browser = enter(sqlite_only)
    held = browser.client.get_cookie("piying_visit", path="/choices")
    assert browser.post("/choices/endings").status_code == 303
    assert held is not None
    browser.client.set_cookie("piying_visit", held.value, path="/choices")
    assert browser.get("/choices/mine").headers["Location"] == "/choices"


def test_it_speaks_chinese_and_shows_the_notice_in_force(sqlite_only: House) -> None:
    from tests.unit.app.test_notices import publish

    known(sqlite_only)
    publish(sqlite_only, "v1")
    browser = enter(sqlite_only)
    browser.post("/preferences/language", {"language": "zh_Hans_CN"})
    page = browser.get("/choices/mine").get_data(as_text=True)
    assert "统计分析" in page
    assert "What we say about rights." in page
    browser.post("/choices/mine", {"purpose": STATISTICS, "state": "granted"})
    act = sqlite_only.services.preferences.show("phone", PHONE, actor="test")["acts"][-1]
    assert (act["evidence"]["language"], act["notice"] is not None) == ("zh", True)


def _marked_erased(house: House, phone: str) -> None:
    marked, _ = normalise("phone", pa.array([phone]), namespace="")
    with house.services.stores.begin_vault() as tx:
        vault.add_tombstones(tx, house.services.open_keyring(), [(IdentifierType.PHONE, marked[0].as_py())], now=house.clock())


def test_attack_55_a_request_for_a_code_does_the_same_work_for_everybody(sqlite_only: House) -> None:
    """Statement by statement: what is not looked up takes no time, so there is nothing to measure."""
    house = sqlite_only
    known(house)
    _marked_erased(house, ERASED)
    done: list[list[str]] = []

    def note(*told: Any) -> None:
        done[-1].append(str(told[2]))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        for phone in (PHONE, PHONE, STRANGER, ERASED):
            browser = house.browser()
            done.append([])
            assert browser.post("/choices/codes", {"type": "phone", "value": phone}).status_code == 303
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert len(done[0]) > 4
    assert done[1] == done[2] == done[3]


@pytest.mark.skipif(not LONG, reason="times are compared with LONG_TESTS=1, on a machine that is not shared")
def test_attack_55_answers_for_known_unknown_and_erased_people_come_in_the_same_time(sqlite_only: House) -> None:
    house = sqlite_only
    known(house)
    _marked_erased(house, ERASED)
    times: dict[str, list[float]] = {PHONE: [], STRANGER: [], ERASED: []}
    for turn in range(300):
        for phone, spent in times.items():
            house.clock.forward(days=2)
            browser = house.browser()
            began = time.perf_counter()
            assert browser.post("/choices/codes", {"type": "phone", "value": phone}).status_code == 303, turn
            spent.append(time.perf_counter() - began)
    for one, other in combinations(times.values(), 2):
        assert abs(auc(one, other) - 0.5) < 0.15, "300 of each: further from a half by chance one time in 10^9"


def test_attack_54_a_tag_that_was_deleted_does_not_come_back_with_the_next_month(sqlite_only: House) -> None:
    house = sqlite_only
    known(house)
    browser = enter(house)
    house.services.subject_tags = Told({"value_band": 4, "stage": "active", "tier": None, "recency_band": 0})  # type: ignore[misc, assignment]
    page = browser.get("/choices/mine").get_data(as_text=True)
    assert "Level 4 of 5" in page
    assert browser.post("/choices/tags", {"tag": "value_band"}).status_code == 303
    assert browser.post("/choices/tags", {"tag": "pregnant"}).status_code == 422
    house.services.subject_tags = Told({"value_band": 5, "stage": "active"})  # type: ignore[misc, assignment]
    page = browser.get("/choices/mine").get_data(as_text=True)
    assert "Level 5 of 5" not in page
    assert "Active" in page


class Told:
    """A lake whose newest month says this of everybody."""

    def __init__(self, said: dict[str, Any]) -> None:
        self._said = said

    def of(self, names: pa.Table) -> dict[str, Any]:
        assert names.num_rows > 0
        return self._said


def test_a_request_is_filed_by_whoever_proved_to_be_the_person(sqlite_only: House) -> None:
    house = sqlite_only
    known(house)
    browser = enter(house)
    assert browser.post("/choices/requests", {"right": "access"}).status_code == 303
    assert re.search(r"number [A-Za-z0-9-]+", browser.get("/choices/mine").get_data(as_text=True))
