"""A relative's request for somebody who died (PIPL 49; D-07): papers seen, the person's own wish first, less handed out, letters of its own."""

from __future__ import annotations

from typing import Any

import pytest

from app import packing, requests
from privacy.errors import Conflict, Invalid, PiyingError, Refused
from tests.fakes import known
from tests.flow.test_requests import archive
from tests.house import House, bearer

ANNA = "usr_0123456789abcdef"
KIN = {"relation": "child", "death": "certificate_seen", "kinship": "household_register_seen", "wishes": "none_known"}


@pytest.fixture
def house(sqlite_only: House) -> House:
    known.know(sqlite_only)
    return sqlite_only


def opened(house: House, right: str = "access", **more: Any) -> str:
    asked = {"right": right, "channel": "letter", "deceased": True, **more}
    made = requests.open_by(house.services, "phone", known.PHONE, asked, reason="a daughter writes", actor=ANNA)
    return str(made["number"])


def proven(house: House, number: str) -> str:
    requests.check_identity(house.services, number, method="document_seen", passed=True, actor=ANNA)
    return number


def decided(house: House, number: str, **changes: str) -> dict[str, Any]:
    requests.gather(house.services, number, actor=ANNA)
    requests.reviewed(house.services, number, actor=ANNA)
    return requests.decide(house.services, number, **({"outcome": "fulfilled", "reason": "", "words": "", "actor": ANNA} | changes))


def test_only_what_the_law_gives_a_relative_can_be_asked_for(house: House) -> None:
    for right in ("portability", "restriction", "objection", "withdrawal", "explanation"):
        with pytest.raises(Invalid) as caught:
            opened(house, right)
        assert caught.value.code == "right_not_of_deceased"


def test_nothing_is_granted_before_death_and_kinship_were_proven(house: House) -> None:
    services, number = house.services, opened(house)
    with pytest.raises(Conflict):
        requests.check_kin(services, number, KIN, actor=ANNA)
    proven(house, number)
    for name in KIN:
        with pytest.raises(Invalid) as caught:
            requests.check_kin(services, number, KIN | {name: "rumour"}, actor=ANNA)
        assert (caught.value.code, caught.value.field) == ("kin_incomplete", name)
    with pytest.raises(Conflict) as early:
        decided(house, number)
    assert early.value.code == "kinship_unproven"
    requests.check_kin(services, number, KIN, actor=ANNA)
    told = requests.decide(services, number, outcome="fulfilled", reason="", words="", actor=ANNA)
    assert told["step"] == "deliver"
    assert requests.show(services, number, actor=ANNA)["kin"] == KIN


def test_what_the_person_wished_comes_first(house: House) -> None:
    services, number = house.services, proven(house, opened(house))
    requests.check_kin(services, number, KIN | {"wishes": "refused"}, actor=ANNA)
    with pytest.raises(Refused) as caught:
        decided(house, number)
    assert caught.value.code == "deceased_wishes"
    requests.decide(services, number, outcome="refused", reason="deceased_wishes", words="", actor=ANNA)
    text = " ".join(requests.letter(services, number, "answer", "en", actor=ANNA))
    assert "the person arranged otherwise while alive" in text
    assert "生前另有安排" in " ".join(requests.letter(services, number, "answer", "zh", actor=ANNA))


def test_a_relative_is_given_what_the_person_gave_and_did_and_nothing_of_others(house: House) -> None:
    services, number = house.services, proven(house, opened(house))
    requests.check_kin(services, number, KIN, actor=ANNA)
    decided(house, number)
    requests.deliver(services, number, actor=ANNA)
    names = set(archive(services, number))
    assert {"data/identifiers.json", "data/consents.json", "data/lake.events.json"} <= names
    assert not {f"data/{part}.json" for part in ("log", "cases", "requests", "waiting", "held", "explanation")} & names
    covered = services.stores_covered
    assert covered.goes_to_kin("lake.feedback")
    assert "lake.feedback.text" in covered.others_words
    assert packing.sweep(services) == {"packages": 0}


def test_a_deletion_for_somebody_who_died_is_still_decided_by_two(house: House) -> None:
    services, number = house.services, proven(house, opened(house, "deletion"))
    requests.check_kin(services, number, KIN, actor=ANNA)
    assert decided(house, number)["step"] == "decide"
    with pytest.raises(PiyingError) as caught:
        requests.approve(services, number, actor=ANNA)
    assert caught.value.code == "own_decision"


def test_the_pages_and_the_api_ask_for_the_papers(house: House) -> None:
    officer = house.browser("officer")
    case = known.case(house.services, officer.account)
    assert "for somebody who died" in officer.get(f"/requests/new?case={case}").get_data(as_text=True)
    form = {"case": case, "right": "access", "channel": "letter", "regime": "pipl", "language": "en", "received_on": "", "deceased": "1"}
    wrong = officer.post("/requests/new", form | {"right": "objection"})
    assert (wrong.status_code, "a relative asks for access" in wrong.get_data(as_text=True)) == (422, True)
    number = officer.post("/requests/new", form).headers["Location"].rpartition("/")[2]
    proven(house, number)
    page = officer.get(f"/requests/{number}").get_data(as_text=True)
    assert "A relative asks, for somebody who died" in page
    assert officer.post(f"/requests/{number}/acts", {"act": "check_kin", **KIN, "death": ""}).status_code == 422
    token = bearer(house.token("officer"))
    answer = house.client.post(f"/api/requests/{number}/acts", json={"act": "check_kin", "kin": KIN}, headers=token)
    assert answer.status_code == 201
    shown = house.client.get(f"/api/requests/{number}", headers=token).get_json()
    assert (shown["deceased"], shown["kin"]) == (True, KIN)
    assert "Child" in officer.get(f"/requests/{number}").get_data(as_text=True)
    assert "died" in officer.get(f"/requests/{number}/letters/received?language=en").get_data(as_text=True)
