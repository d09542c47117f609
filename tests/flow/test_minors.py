"""Nobody of the staff reads a minor's data without another person's approval, and the year's file says who approved each look (C-12)."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app import access, minors
from privacy import errors
from privacy.audit.reading import Filter, lines
from privacy.identity import receiptkeys, vault
from privacy.oversight.door import normalised
from privacy.oversight.wards import ACCESS, MISSING, TYPE
from tests.flow.test_people_pages import look_up
from tests.house import House, bearer

PHONE = "13800138000"
WHY = {"purpose": "rights_request", "reason": "a guardian asks what is held"}
ZONE = ZoneInfo("Asia/Shanghai")


def child(house: House, born: date) -> None:
    """Somebody with a telephone and a birth date."""
    _, key = house.source("desk")
    house.grant(key, [("phone", PHONE)])
    services = house.services
    with services.stores.begin_vault() as tx:
        person = vault.lookup(tx, services.open_keyring(), *normalised("phone", PHONE, ""))
        assert person is not None
        today = house.clock().astimezone(ZONE).date()
        vault.set_birth(tx, services.open_keyring(), [person], [born], today=today, random=lambda count: bytes(range(count)))


def staff(house: House) -> tuple[str, str]:
    """Two officers' accounts."""
    return house.browser("officer").account, house.browser("officer").account


def entries(house: House, **wanted: Any) -> list[dict[str, Any]]:
    with house.services.read_console() as tx:
        return [{"actor": line.actor, "action": line.action, **(line.facts or {})} for line in lines(tx, Filter(**wanted), limit=100).items]


def every_look(house: House, me: str, case: str, handle: str) -> list[Callable[[], Any]]:
    """Everything by which staff reads about a person."""
    services = house.services
    return [
        lambda: services.cases.look(case, actor=me, parts=["consents"]),
        lambda: services.cases.reveal_of(case, "00" * 16, actor=me, **WHY),
        lambda: services.oversight.find_person("phone", PHONE, actor=me, **WHY),
        lambda: services.oversight.reveal(handle, "00" * 16, actor=me, **WHY),
        lambda: services.kinship.reasons(handle, actor=me, **WHY),
        lambda: services.cases.decide_for(handle, {"purpose": "analytics.statistics", "state": "granted", "collection": "paper"}, actor=me, facts={}),
        lambda: services.oversight.entries(Filter(case=case), actor=me),
    ]  # fmt: skip


def handle_of(house: House) -> str:
    """What pages would call the person, if they could see them."""
    services = house.services
    with services.stores.read_vault() as tx:
        person = vault.lookup(tx, services.open_keyring(), *normalised("phone", PHONE, ""))
    assert person is not None
    return services.oversight._console_handle(person)


def test_without_an_approval_every_look_is_refused_and_each_refusal_is_an_entry(sqlite_only: House) -> None:
    house = sqlite_only
    child(house, date(2015, 1, 1))
    me, _ = staff(house)
    opened = house.services.cases.open("phone", PHONE, actor=me, **WHY)
    assert (opened["state"], opened["handle"], opened["identifiers"], opened["minor"]) == ("known", None, [], "under_14")
    looks = every_look(house, me, opened["case"], handle_of(house))
    for look in looks:
        with pytest.raises(errors.Refused) as caught:
            look()
        assert caught.value.code == MISSING
    refused = entries(house, result=MISSING)
    assert len(refused) == len(looks)
    assert {one["band"] for one in refused} == {"under_14"}
    assert not entries(house, action=ACCESS)
    no = {"purpose": "analytics.statistics", "state": "withdrawn", "collection": "paper"}
    assert house.services.cases.decide_for(handle_of(house), no, actor=me, facts={})["after"] == "withdrawn", "a no is always recorded"


def test_with_anothers_approval_every_look_is_an_entry_with_the_approver_until_the_case_is_over(house: House) -> None:
    child(house, date(2015, 1, 1))
    me, other = staff(house)
    services = house.services
    case = services.cases.open("phone", PHONE, actor=me, **WHY)["case"]
    services.cases.ask_approval(case, reason=WHY["reason"], actor=me)
    with pytest.raises(errors.Refused) as own:
        services.wards.answer(case, approve=True, actor=me)
    assert own.value.code == "own_approval"
    with pytest.raises(errors.Refused):
        services.cases.look(case, actor=me, parts=[])
    assert services.wards.answer(case, approve=True, actor=other)["state"] == "approved"
    told = services.cases.look(case, actor=me, parts=["consents"])
    assert [one["masked"] for one in told["identifiers"]] == ["138****8000"]
    (look,) = entries(house, action=ACCESS)
    assert (look["actor"], look["approver"], look["act"], look["case"]) == (me, other, "case.view", case)
    with pytest.raises(errors.Refused):
        services.oversight.find_person("phone", PHONE, actor=other, **WHY)  # the approver has no approval
    house.clock.forward(hours=8)
    with pytest.raises(errors.Refused):
        services.oversight.find_person("phone", PHONE, actor=me, **WHY)
    (line,) = services.wards.listing(actor=other)
    assert (line["state"], line["looks"], line["decided_by"]) == ("over", 1, other)


def test_a_refusal_and_a_question_that_came_too_late_open_nothing(sqlite_only: House) -> None:
    house = sqlite_only
    child(house, date(2015, 1, 1))
    me, other = staff(house)
    services = house.services
    case, late = (services.cases.open("phone", PHONE, actor=me, **WHY)["case"] for _ in range(2))
    for one in (case, late):
        services.cases.ask_approval(one, reason=WHY["reason"], actor=me)
    with pytest.raises(errors.Conflict):
        services.cases.ask_approval(case, reason=WHY["reason"], actor=me)
    assert services.wards.answer(case, approve=False, actor=other)["state"] == "refused"
    with pytest.raises(errors.Refused):
        services.cases.look(case, actor=me, parts=[])
    house.clock.forward(hours=8)
    with pytest.raises(errors.Conflict) as caught:
        services.wards.answer(late, approve=True, actor=other)
    assert caught.value.code == "approval_over"


@pytest.mark.parametrize(
    ("born", "today", "band"),
    [
        (date(2012, 7, 1), date(2026, 6, 30), "under_14"),
        (date(2012, 7, 1), date(2026, 7, 1), "under_18"),
        (date(2008, 7, 1), date(2026, 6, 30), "under_18"),
        (date(2008, 7, 1), date(2026, 7, 1), None),
        (date(2008, 2, 29), date(2026, 2, 28), "under_18"),
        (date(2008, 2, 29), date(2026, 3, 1), None),
    ],
)
def test_both_birthdays_are_exact_at_midnight_of_the_controllers_zone(
    sqlite_only: House, born: date, today: date, band: str | None
) -> None:
    house = sqlite_only
    midnight = datetime(today.year, today.month, today.day, tzinfo=ZONE).astimezone(UTC)
    house.clock.now = midnight
    child(house, born)
    services = house.services
    person = services.oversight._person(handle_of(house))
    assert services.wards.band(person) == band
    house.clock.now = midnight + timedelta(days=1, microseconds=-1)
    assert services.wards.band(person) == band


def test_the_years_file_lists_each_look_with_its_approver_and_is_the_same_again(sqlite_only: House) -> None:
    house = sqlite_only
    child(house, date(2015, 1, 1))
    me, other = staff(house)
    services = house.services
    case = services.cases.open("phone", PHONE, actor=me, **WHY)["case"]
    with pytest.raises(errors.Refused):
        services.cases.look(case, actor=me, parts=[])
    services.cases.ask_approval(case, reason=WHY["reason"], actor=me)
    services.wards.answer(case, approve=True, actor=other)
    services.cases.look(case, actor=me, parts=[])
    year = house.clock().astimezone(ZONE).year
    raw = services.wards.year(year, actor=other)
    assert raw == services.wards.year(year, actor=me)
    files = {name: zipfile.ZipFile(io.BytesIO(raw)).read(name) for name in zipfile.ZipFile(io.BytesIO(raw)).namelist()}
    assert [(one["by"], one["act"], one["approved_by"]) for one in json.loads(files["accesses.json"])] == [(me, "case.view", other)]
    assert [one["act"] for one in json.loads(files["answers.json"])] == ["minor.ask", "minor.approve"]
    assert [one["act"] for one in json.loads(files["refusals.json"])] == ["case.view"]
    signed = receiptkeys.opened(files["manifest.jws"].decode(), receiptkeys.public_keys(services.open_keyring()), type_=TYPE)
    assert signed == files["manifest.json"]
    assert PHONE.encode() not in raw
    for wrong in (1999, year + 1):
        with pytest.raises(errors.Invalid):
            services.wards.year(wrong, actor=me)


def test_the_page_asks_answers_and_shows_and_a_package_waits_for_the_approval(sqlite_only: House) -> None:
    house = sqlite_only
    child(house, date(2015, 1, 1))
    mine, others = house.browser("officer"), house.browser("officer")
    path = look_up(mine)
    page = mine.get(path)
    assert page.status_code == 403
    assert "138****8000" not in page.get_data(as_text=True)
    asked = {"case": path.rpartition("/")[2], "right": "access", "channel": "phone", "language": "zh", "regime": "pipl"}
    number = house.services.rights.open(handle_of(house), actor=mine.account, **{k: v for k, v in asked.items() if k != "case"})["number"]
    house.services.rights.check_identity(number, method="in_person", passed=True, actor=mine.account)
    shown = mine.get(f"/requests/{number}").get_data(as_text=True)
    assert "The person is under eighteen" in shown
    assert "138****8000" not in shown
    asked_by_program = {"identifier": {"type": "phone", "value": PHONE}, "right": "access", "channel": "api", "reason": "a guardian writes"}
    made = house.client.post("/api/requests", json=asked_by_program, headers=bearer(house.token("officer"))).get_json()
    told = house.services.rights.show(made["number"], actor=mine.account)
    assert (told["found"], told["minor"], told["identifiers"]) == ("known", "under_14", []), "a child's request is one about the child"
    gather = {"act": "gather"}
    token = bearer(house.token("officer"))
    refused = house.client.post(f"/api/requests/{number}/acts", json=gather, headers=token)
    assert (refused.status_code, refused.get_json()["code"]) == (403, MISSING)
    assert mine.post(f"{path}/approvals", {"reason": "a"}).status_code == 403
    assert mine.post(f"{path}/approvals", {"reason": "her guardian asks"}).status_code == 303
    assert "Waits for an answer" in mine.get(path).get_data(as_text=True)
    listed = mine.get("/people/minors").get_data(as_text=True)
    assert "her guardian asks" in listed
    assert "/answers" not in listed, "nobody gets a button for their own question"
    own = mine.post(f"/people/minors/{asked['case']}/answers", {"answer": "approve"})
    assert own.status_code == 403
    assert "/answers" in others.get("/people/minors").get_data(as_text=True)
    assert others.post(f"/people/minors/{asked['case']}/answers", {"answer": "approve"}).status_code == 303
    assert "138****8000" in mine.get(path).get_data(as_text=True)
    assert "138****8000" in mine.get(f"/requests/{number}").get_data(as_text=True)
    assert mine.post(f"/requests/{number}/acts", gather).status_code == 303
    file = others.get(f"/people/minors/years/{house.clock().year}.zip")
    assert (file.status_code, file.mimetype) == (200, "application/zip")


def test_only_who_is_named_as_responsible_answers(sqlite_only: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house = sqlite_only
    child(house, date(2015, 1, 1))
    me, other = staff(house)
    services = house.services
    case = services.cases.open("phone", PHONE, actor=me, **WHY)["case"]
    minors.ask(services, case, reason=WHY["reason"], actor=me)
    with services.read_console() as tx:
        email = next(str(one["email"]) for one in access.accounts(tx) if one["user"] == other)
    named = replace(services.settings.privacy, minors_approvers=("head.of.minors@example.com",))
    monkeypatch.setattr(services, "settings", replace(services.settings, privacy=named))
    with pytest.raises(errors.Refused) as caught:
        minors.answer(services, case, approve=True, actor=other)
    assert caught.value.code == "not_responsible"
    named = replace(named, minors_approvers=(email.upper(),))
    monkeypatch.setattr(services, "settings", replace(services.settings, privacy=named))
    assert minors.answer(services, case, approve=True, actor=other)["state"] == "approved"


def test_for_a_child_under_fourteen_only_a_guardians_yes_counts_and_anybodys_no(sqlite_only: House) -> None:
    house = sqlite_only
    child(house, date(2015, 1, 1))
    _, key = house.source("shop")
    guardian = {"relation": "mother", "identifier": {"type": "phone", "value": "13900139000"}}

    def said(state: str, **more: Any) -> tuple[str, Any]:
        item = {"identifier": {"type": "phone", "value": PHONE}, "purpose": "marketing.channel.sms", "state": state} | more
        answer = house.client.post("/v1/consents", json={"consents": [item]}, headers=bearer(key)).get_json()
        told = answer["items"][0] if "items" in answer else answer
        return told.get("verdict", told.get("code")), told.get("reason")

    def stands(purpose: str = "marketing.channel.sms") -> bool:
        item = {"identifier": {"type": "phone", "value": PHONE}, "purpose": purpose}
        answer = house.client.post("/v1/consents/decisions", json={"decisions": [item]}, headers=bearer(key))
        return bool(answer.get_json()["items"][0]["allowed"])

    assert said("granted") == ("refused", "not_processed")
    assert not stands()
    for wrong in ({"relation": "aunt"}, {"identifier": {"type": "phone", "value": "12"}}):
        assert said("granted", guardian=guardian | wrong)[0] != "stored"
    assert said("granted", guardian=guardian) == ("stored", None)
    assert stands()
    assert [stands(purpose) for purpose in ("analytics.statistics", "marketing.profiling")] == [False, False], "whoever consents"
    (act,) = [
        one for one in house.services.preferences.show("phone", PHONE, actor="test")["acts"] if one["purpose"] == "marketing.channel.sms"
    ]
    assert act["evidence"]["guardian"] == "mother"
    assert len(act["evidence"]["guardian_mark"]) == 64
    assert said("withdrawn") == ("stored", None)
    assert not stands()
    assert said("granted")[0] == "refused"


def test_an_officer_records_a_childs_yes_with_the_guardian_only(sqlite_only: House) -> None:
    house = sqlite_only
    child(house, date(2015, 1, 1))
    mine, others = house.browser("officer"), house.browser("officer")
    path = look_up(mine)
    case = path.rpartition("/")[2]
    assert mine.post(f"{path}/approvals", {"reason": "her guardian writes"}).status_code == 303
    assert others.post(f"/people/minors/{case}/answers", {"answer": "approve"}).status_code == 303
    act = {"purpose": "marketing.channel.sms", "state": "granted", "collection": "paper"}
    lacking = mine.post(f"{path}/decisions", act)
    assert (lacking.status_code, "A guardian decides" in lacking.get_data(as_text=True)) == (403, True)
    named = {"guardian_relation": "father", "guardian_type": "phone", "guardian_value": "13900139000"}
    wrong = mine.post(f"{path}/decisions", act | named | {"guardian_value": "4711"})
    assert (wrong.status_code, "4711" in wrong.get_data(as_text=True)) == (422, False)
    done = mine.post(f"{path}/decisions", act | named)
    assert done.status_code == 200
    assert "13900139000" not in done.get_data(as_text=True)
