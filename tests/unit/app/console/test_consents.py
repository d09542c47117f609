"""The pages of the consent log: what an officer sees, what the files hold, how a receipt verifies and what a tampered store shows."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
import sqlalchemy as sa

from app import consents
from tests.house import Browser, House, bearer

PHONE = "13800138000"


def say(house: House, key: str, state: str = "granted", phone: str = PHONE, **more: Any) -> dict[str, Any]:
    item = {"identifier": {"type": "phone", "value": phone}, "purpose": "analytics.statistics", "state": state, **more}
    answer = house.client.post("/v1/consents", json={"consents": [item]}, headers=bearer(key))
    assert answer.status_code == 201, answer.get_data(as_text=True)
    (told,) = answer.get_json()["items"]
    house.clock.forward(seconds=5)
    return dict(told)


def text(browser: Browser, path: str, status: int = 200) -> str:
    answer = browser.get(path)
    assert answer.status_code == status, answer.get_data(as_text=True)[:500]
    return answer.get_data(as_text=True)


def test_before_the_first_act_the_page_says_how_one_comes(house: House) -> None:
    page = text(house.browser("officer"), "/consents")
    assert "No consent recorded yet" in page
    assert "/sources" in page


def test_an_act_is_listed_with_its_receipt_and_no_identifier(house: House) -> None:
    _, key = house.source("shop")
    told = say(house, key, collection="form", default_state="unchecked")
    page = text(house.browser("officer"), "/consents")
    assert f"/consents/{told['receipt']}" in page
    assert "analytics.statistics" in page
    assert "sub_" in page
    assert PHONE[-8:] not in page


def test_the_filters_of_the_address_choose_acts_and_the_tiles_count_them(house: House) -> None:
    _, key = house.source("shop")
    for number, state in enumerate(("granted", "withdrawn", "denied", "granted")):
        say(house, key, state, f"1380013800{number}")
    officer = house.browser("officer")
    rows = {query: text(officer, f"/consents?{query}").count("<code>rcp_") for query in ("", "state=granted", "state=denied", "days=1")}
    assert rows == {"": 4, "state=granted": 2, "state=denied": 1, "days=1": 4}
    assert "No entry matches" in text(officer, "/consents?purpose=marketing.profiling")
    assert officer.get("/consents?state=maybe").status_code == 422
    assert officer.get(f"/consents?case={PHONE}").status_code == 422
    assert officer.get("/consents?case=cas_000000000000000000000000").status_code == 404


def test_a_yes_that_comes_late_after_a_no_is_a_conflict_and_a_change_of_mind_is_none(house: House) -> None:
    _, key = house.source("shop")
    say(house, key, "granted")
    say(house, key, "withdrawn")
    officer = house.browser("officer")
    assert "No entry matches" in text(officer, "/consents?conflicts=1")
    late = say(house, key, "granted", at="2026-06-01T00:00:00+00:00")
    page = text(officer, "/consents?conflicts=1")
    assert late["receipt"] in page
    assert page.count("<code>rcp_") == 2


def test_files_hold_exactly_the_rows_that_match_and_are_exports_in_the_log(house: House) -> None:
    _, key = house.source("shop")
    say(house, key, "granted")
    told = say(house, key, "withdrawn")
    officer = house.browser("officer")
    (line,) = csv.DictReader(io.StringIO(text(officer, "/consents.csv?state=withdrawn").lstrip("\ufeff")))
    (other,) = [json.loads(one) for one in text(officer, "/consents.jsonl?state=withdrawn").splitlines()]
    assert line["receipt"] == other["receipt"] == told["receipt"]
    assert line["subject"].startswith("sub_")
    assert PHONE not in json.dumps([line, other])
    entries = house.services.log_page(before=None, actor="test")["items"]
    assert [one["facts"]["form"] for one in entries if one["action"] == "consent.extract"] == ["jsonl", "csv"]


def test_a_receipt_shows_the_act_and_says_that_it_verifies(house: House) -> None:
    _, key = house.source("shop")
    say(house, key, "granted")
    told = say(house, key, "withdrawn")
    house.services.oversight.checkpoint()
    officer = house.browser("officer")
    page = text(officer, f"/consents/{told['receipt']}")
    assert "Receipt of consent" in page
    assert "2026-06-15 04:30:05 UTC" in page
    assert "<svg viewBox" in page
    checked = officer.post(f"/consents/{told['receipt']}/verifications").get_data(as_text=True)
    assert "Verified: signature and chain hold." in checked
    assert checked.count("Holds") == 5
    assert text(officer, "/consents/rcp_aaaaaaaaaaaaaaaaaaaaaaaaaa", 404)


def test_an_older_receipt_leads_to_the_act_that_came_after_it(house: House) -> None:
    _, key = house.source("shop")
    first, second = say(house, key, "granted"), say(house, key, "withdrawn")
    officer = house.browser("officer")
    assert second["receipt"] in text(officer, f"/consents/{first['receipt']}")
    assert first["receipt"] not in text(officer, f"/consents/{second['receipt']}")


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ("UPDATE consent_event SET state = 'withdrawn'", "acts"),
        ("UPDATE consent_event SET purpose = 'marketing.profiling'", "acts"),
        ('UPDATE consent_event SET evidence = \'{"collection": "paper"}\'', "acts"),
        ("UPDATE consent_event SET notice = NULL", "acts"),
        ("UPDATE consent_event SET effective_at = effective_at - 1", "acts"),
        ("UPDATE consent_event SET entry = entry - 1", "acts"),
        ('UPDATE notice SET texts = \'{"en": "other words"}\'', "notice"),
        (
            "UPDATE log_payload SET payload = CAST(replace(CAST(payload AS TEXT), 'granted', 'granteD') AS BLOB) WHERE action = 'consent.record'",
            "entry",
        ),
        ("UPDATE log_entry SET kind = 'read' WHERE seq = (SELECT max(seq) FROM log_payload WHERE action = 'consent.record')", "tree"),
    ],
)
def test_whatever_is_altered_in_the_store_the_verification_names_it(house: House, change: str, check: str) -> None:
    _, key = house.source("shop")
    with house.services.stores.platform_owner.begin() as tx:
        from privacy.consent import registry

        registry.publish_notice(tx, "v1", {"en": "We count visits.", "zh": "我们统计到店。"}, ["analytics.statistics"], house.clock())
    told = say(house, key, "granted", notice="v1", collection="form")
    before = {one["name"]: one["state"] for one in consents.verify(house.services, told["receipt"], actor="test")}
    assert set(before.values()) == {"good", "open"}, "there is no checkpoint yet"
    with house.services.stores.platform_owner.begin() as tx:
        for trigger in tx.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
            tx.execute(sa.text(f"DROP TRIGGER {trigger}"))
        assert tx.execute(sa.text(change)).rowcount == 1
    after = {one["name"]: one["state"] for one in consents.verify(house.services, told["receipt"], actor="test")}
    assert after[check] == "bad"
    page = house.browser("officer").post(f"/consents/{told['receipt']}/verifications").get_data(as_text=True)
    assert "does not verify" in page
