"""The register of segments: versions, lineage, reviews, and audiences made from them through the whole house."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from app import segments
from privacy.errors import Conflict, Invalid, NotFound, Refused
from tests.fakes.paperwork import ASSESSMENT
from tests.house import House, bearer

RULE = {"count": "orders", "within": {"days": 90}, "at_least": 2}
BODY = {"name": "Regulars", "purpose": "marketing.profiling", "use": "marketing", "rule": RULE}


def add(house: House, **other: Any) -> dict[str, Any]:
    return segments.add(house.services, BODY | other, actor="acc_test")


def test_a_segment_is_written_with_its_sentence_and_read_back(house: House) -> None:
    made = add(house)
    assert made["version"] == 1
    assert made["sentence"]["zh"].startswith("满足以下条件的人")
    assert segments.one(house.services, made["id"]) == made
    assert segments.listing(house.services) == [made]
    with pytest.raises(NotFound):
        segments.one(house.services, made["id"], 2)


def test_a_change_is_a_new_version_and_the_old_one_stays(house: House) -> None:
    made = add(house)
    other = segments.change(house.services, made["id"], {"rule": {"stage": ["lost"]}}, seen=1, actor="acc_b")
    assert (other["version"], other["name"], other["by"]) == (2, "Regulars", "acc_b")
    assert segments.one(house.services, made["id"], 1) == made
    assert segments.listing(house.services) == [other]
    with pytest.raises(Conflict):
        segments.change(house.services, made["id"], {"name": "x"}, seen=1, actor="acc_b")


def test_no_version_can_be_changed_or_removed_in_the_store(house: House) -> None:
    add(house)
    for act in (sa.delete(segments.SegmentVersion), sa.update(segments.SegmentVersion).values(use="pricing")):
        with pytest.raises(sa.exc.DatabaseError), house.services.begin_console() as tx:
            tx.execute(act)


def test_attack_50_purpose_and_use_are_part_of_a_segments_lineage(house: House) -> None:
    with pytest.raises(Refused) as raised:
        add(house, purpose="service.fulfilment")
    assert raised.value.code == "segment_purpose"
    made = add(house)
    for changed in ({"purpose": "analytics.statistics"}, {"use": "pricing"}):
        with pytest.raises(Refused) as raised:
            segments.change(house.services, made["id"], changed, seen=1, actor="acc_b")
        assert raised.value.code == "segment_lineage"


def test_attack_53_a_use_for_prices_needs_a_review_that_is_approved(house: House) -> None:
    client, marketer = house.client, bearer(house.token("marketer"))
    ada, bob = bearer(house.token("officer")), bearer(house.token("officer"))
    fair = ASSESSMENT | {"kinds": ["automated"], "scope": ["purpose:marketing.profiling"]}
    draft = client.post("/api/assessments", json=fair, headers=ada).get_json()
    for review in ("", "pia_invented", draft["id"]):
        answer = client.post("/api/segments", json=BODY | {"use": "pricing", "review": review}, headers=marketer)
        assert (answer.status_code, answer.get_json()["code"]) == (403, "segment_use_refused")
    assert client.post(f"/api/assessments/{draft['id']}/approvals", headers=bob | {"If-Match": '"1"'}).status_code == 200
    answer = client.post("/api/segments", json=BODY | {"use": "pricing", "review": draft["id"]}, headers=marketer)
    assert answer.status_code == 201, answer.get_data(as_text=True)


def test_a_segment_speaks_of_versions_that_are_there(house: House) -> None:
    made = add(house)
    inner = add(house, rule={"all": [{"segment": made["id"], "version": 1}, {"stage": ["active"]}]})
    outer = add(house, rule={"segment": inner["id"], "version": 1, "member": False})
    found = segments.definition(house.services, outer["id"])
    assert set(found.others) == {(made["id"], 1), (inner["id"], 1)}
    with pytest.raises(NotFound):
        add(house, rule={"segment": made["id"], "version": 2})


def test_an_audience_is_made_through_the_population_door(house: House) -> None:
    made = add(house, rule={"all": [{"stage": ["prospect"]}, {"profile": "occupation", "is": ["student"]}]})
    audience = segments.audience(house.services, made["id"])
    assert (audience.segment, audience.version, audience.purpose, len(audience.virtual_ids)) == (made["id"], 1, "marketing.profiling", 0)


def test_a_name_is_short_and_a_rule_is_one(house: House) -> None:
    for wrong in ({"name": " "}, {"name": "x" * 121}, {"name": "a\nb"}, {"rule": None}):
        with pytest.raises(Invalid):
            add(house, **wrong)


def test_the_api_writes_changes_and_says(house: House) -> None:
    client, marketer = house.client, bearer(house.token("marketer"))
    said = client.post("/api/segments/sentences", json={"rule": RULE}, headers=marketer)
    assert (said.status_code, said.get_json()["sentence"]["en"]) == (
        200,
        "People with a number of orders of at least 2 within the last 90 days.",
    )
    made = client.post("/api/segments", json=BODY, headers=marketer | {"Idempotency-Key": "k"})
    assert made.status_code == 201, made.get_data(as_text=True)
    assert client.post("/api/segments", json=BODY, headers=marketer | {"Idempotency-Key": "k"}).get_json() == made.get_json()
    path = f"/api/segments/{made.get_json()['id']}"
    assert client.get(path, headers=marketer).headers["ETag"] == '"1"'
    assert client.patch(path, json={"name": "Others"}, headers=marketer).status_code == 428
    changed = client.patch(path, json={"name": "Others"}, headers=marketer | {"If-Match": '"1"'})
    assert (changed.status_code, changed.get_json()["name"], changed.headers["ETag"]) == (200, "Others", '"2"')
    assert client.get(f"{path}/versions/1", headers=marketer).get_json()["name"] == "Regulars"
    assert len(client.get("/api/segments", headers=marketer).get_json()["items"]) == 1


@pytest.mark.parametrize("text", ["' OR 1=1 --", "1; DROP TABLE segment_version", "{{7*7}}"])
def test_attack_48_code_in_a_rule_is_422_and_is_not_repeated(house: House, text: str) -> None:
    marketer = bearer(house.token("marketer"))
    for rule in ({"profile": text, "is": ["x"]}, {text: 1}, RULE | {"count": text}, RULE | {"where": [{"field": text, "is": ["x"]}]}, text):
        answer = house.client.post("/api/segments", json=BODY | {"rule": rule}, headers=marketer)
        assert answer.status_code == 422, answer.get_data(as_text=True)
        assert text not in answer.get_data(as_text=True)
