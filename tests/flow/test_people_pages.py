"""People as an officer's pages show them: looked up by a form, masked, revealed once, and nothing of it anywhere else."""

from __future__ import annotations

import re

import pytest

from app.console import gate
from tests.fakes import known
from tests.house import Browser, House, bearer

LOOKUP = {"type": "phone", "value": known.PHONE, "purpose": "rights_request", "reason": "asks what is held of her"}
TABS = ("timeline", "identities", "held", "stopped")


@pytest.fixture
def house(sqlite_only: House) -> House:
    known.know(sqlite_only)
    return sqlite_only


def look_up(officer: Browser, **changes: str) -> str:
    """The address of a case."""
    answer = officer.post("/people", LOOKUP | changes)
    assert answer.status_code == 303
    return str(answer.headers["Location"])


def text_of(officer: Browser, path: str, status: int = 200) -> str:
    answer = officer.get(path)
    assert answer.status_code == status
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.get_data(as_text=True)


def test_a_look_up_answers_a_case_of_eight_hours_and_the_page_masks_everything(house: House) -> None:
    officer = house.browser("officer")
    path = look_up(officer)
    assert re.fullmatch(r"/people/cas_[0-9a-f]{24}", path)
    pages = [text_of(officer, f"{path}?show={tab}") for tab in TABS] + [text_of(officer, f"{path}?days=1"), text_of(officer, "/people")]
    assert all(known.PHONE not in page and known.EMAIL not in page for page in pages)
    assert "138****8000" in pages[0]
    assert path in pages[-1]
    assert house.browser("officer").get(path).status_code == 404, "a case is one account's"
    house.clock.forward(hours=8)
    officer = house.browser(account=officer.account)
    assert officer.get(path).status_code == 404
    assert path not in text_of(officer, "/people")


def test_what_was_typed_is_not_shown_again_when_something_is_wrong(house: House) -> None:
    officer = house.browser("officer")
    for changes, said in (
        ({"reason": f"call {known.PHONE} back"}, ""),
        ({"value": "not-a-phone-4711", "reason": "a secret reason"}, "This is no identifier of the chosen kind"),
        ({"purpose": "curiosity"}, "Choose a purpose"),
        ({"type": "shoe"}, "Choose what kind of identifier it is"),
        ({"reason": ""}, "Say the reason"),
    ):
        answer = officer.post("/people", LOOKUP | changes)
        page = answer.get_data(as_text=True)
        assert answer.status_code == (422 if said else 303)
        assert said in page
        assert not any(word in page for word in (known.PHONE, "phone-4711", "a secret reason"))


def test_nobody_gets_a_case_that_shows_nobody(house: House) -> None:
    officer = house.browser("officer")
    path = look_up(officer, value="13900009999")
    assert "Nobody here has this identifier" in text_of(officer, path)
    assert "There is nothing to reveal" in text_of(officer, f"{path}/reveals")
    assert (
        officer.post(f"{path}/decisions", {"purpose": "analytics.statistics", "state": "granted", "collection": "paper"}).status_code == 409
    )


def test_one_value_is_shown_once_on_the_answer_to_its_form_and_after_a_fresh_sign_in(house: House) -> None:
    officer = house.browser("officer")
    path = look_up(officer)
    page = text_of(officer, f"{path}/reveals")
    (ref,) = re.findall(r'value="([0-9a-f]{32})" required> Telephone', page)
    wrong = officer.post(f"{path}/reveals", {"ref": ref, "purpose": "complaint", "reason": ""})
    assert (wrong.status_code, known.PHONE in wrong.get_data(as_text=True)) == (422, False)
    shown = officer.post(f"{path}/reveals", {"ref": ref, "purpose": "complaint", "reason": "to call her back"})
    assert (shown.status_code, shown.headers["Cache-Control"]) == (200, "no-store")
    assert known.PHONE in shown.get_data(as_text=True)
    assert all(known.PHONE not in text_of(officer, f"{path}{rest}") for rest in ("", "/reveals", "?show=identities"))
    assert known.PHONE not in str(dict(shown.headers))
    house.clock.forward(minutes=11)
    for answer in (officer.get(f"{path}/reveals"), officer.post(f"{path}/reveals", {"ref": ref, **known.WHY})):
        assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, gate.REAUTHENTICATE)
    assert "Revealed one identifier" in text_of(officer, path)


def test_the_matrix_travels_in_time_and_an_act_says_what_it_changed(house: House) -> None:
    officer = house.browser("officer")
    path = look_up(officer)
    assert "Withdrawn" in text_of(officer, path).partition("Legal ground")[2].partition("location.store_arrival")[0]
    before = text_of(officer, f"{path}?at=2026-06-15T12:30").partition("Legal ground")[2].partition("location.store_arrival")[0]
    assert "Granted" in before
    assert "Acts that came later say otherwise" not in before
    assert "Choose a moment that is over" in text_of(officer, f"{path}?at=2099-01-01", 422)
    assert "Record an act of consent" in text_of(officer, f"{path}/decisions")
    act = {"purpose": "analytics.statistics", "state": "granted", "collection": "paper"}
    done = officer.post(f"{path}/decisions", act)
    assert "it changed what the purpose allows" in done.get_data(as_text=True)
    assert "did not change" in officer.post(f"{path}/decisions", act).get_data(as_text=True)
    for changes in ({"collection": "rumour"}, {"state": "maybe"}, {"at": "2099-01-01T00:00"}, {"purpose": "none.such"}):
        assert officer.post(f"{path}/decisions", act | changes).status_code in (403, 422)


def test_what_a_no_stopped_is_counted_for_the_officer_and_shown_to_nobody_else(house: House) -> None:
    officer = house.browser("officer")
    path = look_up(officer)
    page = text_of(officer, f"{path}?show=stopped")
    assert re.findall(r"June 2026</time></th><td class=\"k-number\">(\d+)", page) == ["2", "2"]
    for role in ("integrator", "marketer", "administrator"):
        assert house.browser(role).get(f"{path}?show=stopped").status_code == 403


def test_a_merge_is_undone_after_its_consequences_were_shown(house: House) -> None:
    officer = house.browser("officer")
    path = look_up(officer)
    (undo,) = re.findall(rf'href="({path}/merges/mrg_[0-9a-f]{{32}})"', text_of(officer, f"{path}?show=identities"))
    page = text_of(officer, undo)
    assert "They are two people again, each with what they brought" in page
    assert page.count("2 identifiers") == 2
    assert officer.post(undo, {"purpose": "complaint", "reason": ""}).status_code == 422
    done = officer.post(undo, {"purpose": "complaint", "reason": "mother and daughter"})
    assert (done.status_code, done.headers["Location"]) == (303, f"{path}?show=identities")
    assert "kept apart" in text_of(officer, done.headers["Location"])
    assert officer.get(undo).status_code == 404


def test_a_proposal_is_opened_masked_and_decided_with_a_reason(house: House) -> None:
    proposal = known.propose(house.services)
    officer = house.browser("officer")
    assert proposal in text_of(officer, "/people/proposals")
    page = text_of(officer, f"/people/proposals/{proposal}")
    assert "138****8000" in page
    assert known.OTHER not in page
    path = f"/people/proposals/{proposal}"
    assert officer.post(path, {"decision": "accept", "purpose": "complaint", "reason": ""}).status_code == 422
    done = officer.post(path, {"decision": "accept", "purpose": "data_quality", "reason": "the shop confirmed it"})
    assert (done.status_code, done.headers["Location"]) == (303, "/people/proposals")
    assert "one person now" in text_of(officer, "/people/proposals")
    assert officer.get(path).status_code == 404


def test_a_case_is_closed_by_its_officer(house: House) -> None:
    officer = house.browser("officer")
    path = look_up(officer)
    assert house.browser("officer").post(f"{path}/closings").status_code == 404
    assert officer.post(f"{path}/closings").status_code == 303
    assert officer.get(path).status_code == 404


def test_the_api_tells_what_the_pages_tell(house: House) -> None:
    house.flush()
    officer, other = bearer(house.token("officer")), bearer(house.token("officer"))
    body = {"identifier": {"type": "phone", "value": known.PHONE}, **known.WHY}
    found = house.client.post("/api/subjects/lookups", json=body, headers=officer).get_json()
    base = f"/api/subjects/cases/{found['case']}"
    assert [one["case"] for one in house.client.get("/api/subjects/cases", headers=officer).get_json()["items"]] == [found["case"]]
    told = {rest: house.client.get(base + rest, headers=officer) for rest in ("", "?at=2026-06-01", "/timeline", "/holdings", "/stopped")}
    assert {rest: answer.status_code for rest, answer in told.items()} == dict.fromkeys(told, 200)
    assert not any(known.PHONE in answer.get_data(as_text=True) for answer in told.values())
    states = [
        {one["purpose"]: one["state"] for one in told[rest].get_json()["consents"]}["analytics.statistics"]
        for rest in ("", "?at=2026-06-01")
    ]
    assert states == ["withdrawn", "unasked"], "the acts of May came in on 15 June"
    assert [one["kind"] for one in told["/holdings"].get_json()["held"]] == ["events"]
    assert house.client.get(base, headers=other).status_code == 404
    reveal = {"ref": next(one["ref"] for one in found["identifiers"] if one["type"] == "phone"), **known.WHY}
    assert house.client.post(f"{base}/reveals", json=reveal, headers=officer).get_json()["value"].endswith(known.PHONE)
    act = {"purpose": "marketing.profiling", "state": "granted", "collection": "phone"}
    assert house.client.post(f"{base}/decisions", json=act, headers=officer).get_json()["after"] == "granted"
    assert house.client.post(f"{base}/closing", headers=officer).get_json() == {"closed": found["case"]}
    assert house.client.get(base, headers=officer).status_code == 404
