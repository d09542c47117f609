"""Attacks 27 to 32, the whole way: what may not raise consent does not, and nobody too young is sold to (26: test_attacks_by_withdrawal)."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from app import notices
from privacy.vocabulary import PROFILING, STATISTICS
from tests.house import House, bearer, served, track
from tests.unit.app.test_notices import decide, publish

ZONE = ZoneInfo("Asia/Shanghai")
WHO = {"type": "phone", "value": "13800138000"}


def post(house: House, key: str, **more: Any) -> tuple[int, Any]:
    item = {"identifier": WHO, "purpose": STATISTICS, "state": "granted", **more}
    answer = house.client.post("/v1/consents", json={"consents": [item]}, headers=bearer(key))
    return answer.status_code, answer.get_json()


def allowed(house: House, purpose: str = STATISTICS) -> bool:
    return bool(decide(house, purpose)["allowed"])


def test_attack_27_a_grant_from_before_a_withdrawal_lifts_nothing_however_late_it_comes(sqlite_only: House) -> None:
    house = sqlite_only
    _, key = house.source("desk")
    before = house.clock() - timedelta(days=2)
    assert post(house, key, state="withdrawn", at=(before + timedelta(days=1)).isoformat())[0] == 201
    assert post(house, key, at=before.isoformat())[0] == 201
    assert not allowed(house)
    house.clock.forward(days=30)
    assert post(house, key, at=before.isoformat())[0] == 201
    assert not allowed(house)


def test_attack_28_a_future_grant_ends_with_the_next_no_and_a_time_without_zone_is_none(sqlite_only: House) -> None:
    house = sqlite_only
    _, key = house.source("desk")
    for at in ("2026-01-01T00:00:00", "2026-06-30T23:59:60Z", "2026-02-30T00:00:00Z", "yesterday"):
        assert post(house, key, at=at)[0] == 422, at
    assert not allowed(house)
    assert post(house, key, at=(house.clock() + timedelta(days=1)).isoformat())[0] == 201
    house.clock.forward(seconds=1)
    assert post(house, key, state="withdrawn")[0] == 201
    assert not allowed(house)
    house.clock.forward(days=3)
    assert not allowed(house), "its day has come, and the no stands"
    assert post(house, key, at="1970-01-01T00:00:00Z")[0] == 201
    assert not allowed(house)


BOTH = ["location.store_arrival", "share.acme"]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"purpose": "location.store_arrival", "separate_for": BOTH, "default_state": "unchecked"}, "consent_bundled"),
        ({"default_state": "checked"}, "consent_preticked"),
        ({"purpose": "location.store_arrival", "separate_for": ["share.acme"], "default_state": "unchecked"}, "separate_mismatch"),
        ({"separate_for": ["share.acme"]}, "separate_mismatch"),
    ],
)
def test_attack_29_consent_that_is_bundled_or_ticked_beforehand_is_refused_and_has_no_effect(
    sqlite_only: House, more: dict[str, Any], code: str
) -> None:
    house = sqlite_only
    _, key = house.source("desk")
    status, told = post(house, key, **more)
    assert (status, told["code"]) == (422, code)
    assert house.services.preferences.show(WHO["type"], WHO["value"], actor="test")["acts"] == []


def test_attack_30_a_notice_that_is_swapped_in_place_is_flagged_and_receipts_do_not_verify(sqlite_only: House) -> None:
    house = sqlite_only
    _, key = house.source("desk")
    made = publish(house, "v1")
    receipt = post(house, key, notice="v1")[1]["items"][0]["receipt"]
    officer = house.browser("officer")
    assert "Changed in place" not in officer.get("/purposes").get_data(as_text=True)
    swap = sa.text("UPDATE notice SET content = replace(content, 'behaviour', 'location')")
    reword = sa.text("UPDATE notice SET texts = replace(texts, 'rights', 'nothing')")
    with house.services.stores.platform_owner.begin() as tx:
        tx.execute(sa.text("DROP TRIGGER notice_no_update"))
        tx.execute(swap)
    assert "Changed in place" in officer.get("/purposes").get_data(as_text=True), "what it covers is in the words that were hashed"
    checks = {one.name: one.state for one in house.services.consent_log.verify_receipt(receipt, actor="t")}
    assert checks["notice"] == "good", "the words are still those"
    with house.services.stores.platform_owner.begin() as tx:
        tx.execute(reword)
    checks = {one.name: one.state for one in house.services.consent_log.verify_receipt(receipt, actor="t")}
    assert checks["notice"] == "bad"
    assert "Somebody changed the stored words" in officer.get(f"/notices/{made}").get_data(as_text=True)


def test_attack_31_who_refuses_everything_optional_is_served_all_the_same(sqlite_only: House) -> None:
    house = sqlite_only
    _, key = house.source("desk")
    optional = [one["purpose"] for one in notices.purposes(house.services) if one["by_consent"]]
    for purpose in optional:
        assert post(house, key, purpose=purpose, state="withdrawn")[0] == 201
    items = [{"identifier": WHO, "purpose": purpose} for purpose in ("service.fulfilment", *optional)]
    answer = house.client.post("/v1/consents/decisions", json={"decisions": items}, headers=bearer(key))
    assert answer.status_code == 200
    assert [one["allowed"] for one in answer.get_json()["items"]] == [True] + [False] * len(optional)


def _members(house: House, key: str, births: Sequence[date]) -> None:
    people = [("phone", f"138001380{number:02d}") for number in range(len(births))]
    assert house.grant(key, people).status_code == 201
    messages = [
        {"type": "identify", "userId": f"u-{number}", "messageId": f"m-{number}", "traits": {"phone": phone, "birthday": born.isoformat()}}
        for number, ((_, phone), born) in enumerate(zip(people, births, strict=True))
    ]
    house.batch(messages, key)


@pytest.mark.parametrize("today", [date(2026, 7, 1), date(2026, 2, 28), date(2026, 3, 1), date(2028, 2, 29), date(2026, 12, 31)])
def test_attack_32_nobody_under_eighteen_is_in_marketing_and_both_birthdays_are_exact(sqlite_only: House, today: date) -> None:
    """At midnight of the controller's zone; who was born on 29 February has their birthday on 1 March where the year has none."""
    house = sqlite_only
    _, key = house.source("desk")
    adult, tomorrow = _birthday(today, 18), _birthday(today + timedelta(days=1), 18)
    if today == date(2026, 2, 28):
        tomorrow = date(2008, 2, 29)
    house.clock.now = datetime(today.year, today.month, today.day, 12, tzinfo=ZONE).astimezone(UTC)
    _members(house, key, [adult, tomorrow, _birthday(today, 14), date(1980, 1, 1)])
    midnight = datetime(today.year, today.month, today.day, tzinfo=ZONE).astimezone(UTC)
    counts = {}
    for name, moment in (("before", midnight + timedelta(hours=24, microseconds=-1)), ("after", midnight + timedelta(hours=24))):
        house.clock.now = moment
        counts[name] = (
            len(house.services.preferences.population(PROFILING).run_ids),
            len(house.services.preferences.population(STATISTICS).run_ids),
        )
    assert counts["before"] == (2, 4), "the one of today and the old one; who is fourteen today is in statistics"
    assert counts["after"] == (3, 4)


def _birthday(day: date, years: int) -> date:
    """The youngest date of birth of whoever has completed so many years on a day."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return date(day.year - years, 2, 28)


def test_attack_32_a_child_of_thirteen_years_and_364_days_is_not_in_the_lake(sqlite_only: House) -> None:
    house = sqlite_only
    _, key = house.source("desk")
    house.clock.now = datetime(2026, 6, 30, 12, tzinfo=ZONE).astimezone(UTC)
    _members(house, key, [date(2012, 7, 1), date(2012, 6, 30)])
    assert house.rows() == 1
    assert len(house.services.preferences.population(STATISTICS).run_ids) == 1, "who is too young for the lake is in no population"


@pytest.mark.parametrize(
    ("policy", "signal", "expected"), [("signal", False, 2), ("signal", True, 1), ("exclude", False, 1), ("allow", True, 2)]
)
def test_whose_age_nobody_told_is_out_of_marketing_as_the_policy_says(
    sqlite_only: House, policy: str, *, signal: bool, expected: int
) -> None:
    house = sqlite_only
    _, key = house.source("desk")
    _members(house, key, [date(1980, 1, 1)])
    house.grant(key, [("phone", "13900139000")])
    house.services.preferences._unknown_age = policy
    assert len(house.services.preferences.population(PROFILING, youth_signal=signal).run_ids) == expected
    assert len(house.services.preferences.population(STATISTICS, youth_signal=True).run_ids) == 2


@pytest.mark.slow
def test_what_one_process_withdraws_the_next_decision_of_another_denies(sqlite_only: House) -> None:
    """Warm caches here, the act there: five times each way."""
    house = sqlite_only
    _, key = house.source("desk")
    with served(house.home) as (address, _):
        for turn in range(5):
            for state in ("granted", "withdrawn"):
                item = {"identifier": WHO, "purpose": STATISTICS, "state": state}
                body = json.dumps({"consents": [item]}).encode()
                sent = urllib.request.Request(f"{address}/v1/consents", body, {"Content-Type": "application/json", **bearer(key)})
                with urllib.request.urlopen(sent, timeout=60) as answer:
                    assert answer.status == 201
                house.clock.now = datetime.now(UTC)
                assert allowed(house) is (state == "granted")
                number = 2 * turn + (state == "withdrawn")
                message = track(number, user=None, at=house.clock(), anonymousId=None, context={"traits": {}}) | {"userId": "u-1"}
                message |= {"type": "identify", "traits": {"phone": WHO["value"]}}
                assert house.batch([message], key)["stored"] == (1 if state == "granted" else 0)


def test_a_browsers_objection_counts_for_its_own_visitor_and_its_absence_says_nothing(sqlite_only: House) -> None:
    house = sqlite_only
    made = house.services.new_purpose(key="share.acme", grounds={"CN": "separate_consent"}, name={"en": "Acme", "zh": "阿克米"})
    house.services.notice_book.register(made, actor="test")
    _, desk = house.source("desk", namespace="shop")
    _, page = house.source("page", public=True, namespace="shop")
    assert house.grant(desk, [("cookie", "c-1"), ("cookie", "c-2")]).status_code == 201
    house.clock.forward(seconds=10)
    for number, (cookie, headers) in enumerate([("c-1", {"Sec-GPC": "1"}), ("c-2", {}), ("c-2", {"Sec-GPC": "0"})]):
        sent = house.send({"batch": [track(number, user=None, anonymousId=cookie, at=house.clock())]}, page, headers=headers)
        assert (sent.status_code, sent.get_json()) == (200, {"success": True})

    def said(cookie: str) -> dict[str, bool]:
        shown = house.services.preferences.show("cookie", cookie, actor="test", namespace="shop")
        return {key: shown["purposes"][key]["allowed"] for key in (STATISTICS, PROFILING)}

    assert said("c-1") == {STATISTICS: True, PROFILING: False}
    assert said("c-2") == {STATISTICS: True, PROFILING: True}
    acts = house.services.preferences.show("cookie", "c-1", actor="test", namespace="shop")["acts"]
    assert [(one["purpose"], one["state"], one["kind"]) for one in acts[2:]] == [
        (PROFILING, "denied", "asserted"),
        ("share.acme", "denied", "asserted"),
    ]
