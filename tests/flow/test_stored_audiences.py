"""Stored audiences through the whole house: found, swept, ended; erased with people; explained to the officer and to the person."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from app import audiences, erasing, jobs, packing, requests, segments
from privacy.audit import reading
from privacy.audit.reading import Filter
from privacy.export.members import MemberRow
from tests.fakes.paperwork import ADA, BOB
from tests.flow.segmented import SHOP, VIEWERS, Scene, member
from tests.house import House, bearer

MEMBER: Any = MemberRow.__table__


def rows(house: House) -> list[tuple[str, bytes, bool]]:
    """(audience, key, whether they are in) of every row."""
    with house.services.read_console() as tx:
        return [(one.audience, bytes(one.key), one.until is None) for one in tx.execute(sa.select(MEMBER))]


def log_of(services: Any) -> list[dict[str, Any]]:
    """The newest entries of the access log."""
    with services.read_console() as tx:
        return [{"action": line.action, "facts": line.facts or {}} for line in reading.lines(tx, Filter(), limit=50).items]


def made(scene: Scene, **body: Any) -> dict[str, Any]:
    answer = scene.post("/api/audiences", {"segment": scene.segment()["id"]} | body)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    scene.work()
    told: dict[str, Any] = scene.get(f"/api/audiences/{answer.get_json()['id']}").get_json()
    return told


def people(scene: Scene, audience: str) -> int:
    return int(scene.post(f"/api/audiences/{audience}/counts", headers=scene.officer).get_json()["people"])


def test_a_continuous_audience_follows_its_rule_and_says_when_not_how_many(house: House) -> None:
    scene = Scene(house)
    one = made(scene, hours=6)
    assert (one["fresh"], one["kind"], one["segment_name"]) == ("fresh", "continuous", "Viewers")
    assert one["refreshed_at"] is not None
    assert one["next_at"] is not None
    assert people(scene, one["id"]) == 25
    assert not {"people", "size", "rows"} & set(one)
    house.clock.forward(days=40)
    assert scene.get(f"/api/audiences/{one['id']}").get_json()["fresh"] == "late"
    assert audiences.keep(scene.services) == {"ended": 0, "found": 1, "failed": 0, "swept": 0}
    assert people(scene, one["id"]) == 5, "sixty days back only June counts"


def test_two_audiences_of_the_same_people_share_no_key(sqlite_only: House) -> None:
    scene = Scene(sqlite_only)
    first, second = made(scene), made(scene, kind="static")
    held = rows(sqlite_only)
    keys = [{key for audience, key, _ in held if audience == one["id"]} for one in (first, second)]
    assert [len(one) for one in keys] == [25, 25]
    assert not keys[0] & keys[1]


def test_a_static_audience_only_ever_loses_people(sqlite_only: House) -> None:
    scene = Scene(sqlite_only)
    one = made(scene, kind="static")
    again = scene.post(f"/api/audiences/{one['id']}/refreshes")
    assert (again.status_code, again.get_json()["code"]) == (409, "audience_static")
    sqlite_only.clock.forward(days=40)
    audiences.keep(scene.services)
    assert people(scene, one["id"]) == 25, "the rule means others now; they stay"
    scene.allow([member(0)], ["marketing.profiling"], state="withdrawn")
    assert people(scene, one["id"]) == 24, "at once, before anything swept"
    assert audiences.keep(scene.services)["swept"] == 1
    assert len(rows(sqlite_only)) == 24, "and the row is gone"


def test_who_withdraws_leaves_no_row_and_who_leaves_by_the_rule_leaves_one_for_a_while(sqlite_only: House) -> None:
    scene = Scene(sqlite_only)
    one = made(scene)
    sqlite_only.clock.forward(days=40)
    audiences.keep(scene.services)
    assert sorted(inside for _, _, inside in rows(sqlite_only)) == [False] * 20 + [True] * 5
    scene.allow([member(0), member(24)], ["marketing.profiling"], state="withdrawn")
    audiences.keep(scene.services)
    assert len(rows(sqlite_only)) == 23, "one was in, one had left: neither has a row"
    sqlite_only.clock.forward(days=91)
    scene.post(f"/api/audiences/{one['id']}/refreshes")
    scene.work()
    audiences.keep(scene.services)
    assert [inside for _, _, inside in rows(sqlite_only)] == [False] * 4, "who left ninety-one days ago is forgotten, who leaves now is not"


def test_an_audience_ends_with_its_day_and_with_it_all_about_people(sqlite_only: House) -> None:
    scene = Scene(sqlite_only)
    short, other = made(scene, days=2), made(scene)
    sqlite_only.clock.forward(days=3)
    assert audiences.keep(scene.services)["ended"] == 1
    assert {audience for audience, _, _ in rows(sqlite_only)} == {other["id"]}
    assert scene.get(f"/api/audiences/{short['id']}").get_json()["state"] == "ended"
    assert scene.post(f"/api/audiences/{other['id']}/ending").get_json()["fresh"] == "ended"
    assert rows(sqlite_only) == []
    assert scene.post(f"/api/audiences/{other['id']}/ending").status_code == 409
    assert scene.post(f"/api/audiences/{other['id']}/refreshes").status_code == 409


def test_whoever_objects_is_out_and_a_race_puts_nobody_back(sqlite_only: House) -> None:
    """The audience was worked out before the no: the transaction that puts people in asks again."""
    scene = Scene(sqlite_only)
    one = made(scene)
    services = scene.services
    kept = services.kept.one(one["id"])
    from app import segments

    found = services.audiences.of(segments.permitted(services, kept.segment), services.clock())
    scene.allow([member(3)], ["marketing.profiling"], state="withdrawn")
    sqlite_only.clock.forward(seconds=1)
    services.kept.refresh(one["id"], found, actor="test")
    assert people(scene, one["id"]) == 24
    assert len(rows(sqlite_only)) == 24


def test_an_erased_person_is_in_no_audience_and_the_certificate_says_so(sqlite_only: House) -> None:
    scene = Scene(sqlite_only)
    one = made(scene)
    services = scene.services
    found = services.cases.open("customer_no", member(2), purpose="rights_request", reason="asked", actor=ADA, namespace=SHOP)
    erasure = erasing.begin(services, found["handle"], actor=ADA, approved_by=BOB)
    while jobs.run_one(services.begin_jobs, {erasing.ERASURE: lambda job: erasing.run(services, job)}, "test", clock=services.clock):
        pass
    told = erasing.certificate(services, erasure)["document"]
    stores = {store["store"]: (store["method"], store["left"]) for store in told["stores"]}
    assert stores["audiences"] == ("deleted", 0)
    assert (people(scene, one["id"]), len(rows(sqlite_only))) == (24, 24)


def test_the_officer_sees_why_from_the_persons_own_rows_and_each_look_is_an_entry(sqlite_only: House) -> None:
    scene = Scene(sqlite_only)
    one = made(scene)
    case = scene.case(member(1))
    body = {"segment": one["segment"]}
    told = scene.post(f"/api/subjects/cases/{case}/explanations", body, scene.officer)
    assert told.status_code == 200, told.get_data(as_text=True)
    why = told.get_json()["why"]
    assert (why["asked"], why["inside"], why["steps"][0]["holds"], why["steps"][0]["saw"]) == (True, True, True, {"amount": 2})
    assert [placed["audience"] for placed in told.get_json()["audiences"]] == [one["id"]]
    outside = scene.post(f"/api/subjects/cases/{scene.case(member(29))}/explanations", body, scene.officer).get_json()
    assert (outside["why"]["inside"], outside["why"]["steps"][0]["saw"], outside["audiences"]) == (False, {"amount": 1}, [])
    scene.allow([member(1)], ["marketing.profiling"], state="withdrawn")
    gone = scene.post(f"/api/subjects/cases/{case}/explanations", body, scene.officer).get_json()["why"]
    assert (gone["asked"], gone["inside"], gone["steps"]) == (False, False, [])
    assert scene.post(f"/api/subjects/cases/{case}/explanations", body).status_code == 403


def test_why_somebody_was_in_an_audience_is_told_as_of_the_moment_at_which_they_were_found(sqlite_only: House) -> None:
    """Who left is explained, too: the history of membership is kept for that. The log says what was asked."""
    scene = Scene(sqlite_only)
    one = made(scene)
    found_at = one["refreshed_at"]
    sqlite_only.clock.forward(days=40)
    audiences.keep(scene.services)
    services = scene.services

    def why(who: str, **asked: str) -> dict[str, Any]:
        answer = scene.post(
            f"/api/subjects/cases/{scene.case(member(1) if who == 'left' else member(22))}/explanations", asked, scene.officer
        )
        assert answer.status_code == 200, answer.get_data(as_text=True)
        told: dict[str, Any] = answer.get_json()
        return told

    left = why("left", audience=one["id"])
    assert left["audiences"][0]["until"] is not None
    assert (left["why"]["at"], left["why"]["inside"], left["why"]["stood"]) == (found_at, True, True)
    assert why("left", segment=one["segment"])["why"]["inside"] is False, "now they are not meant any more"
    stays = why("stays", audience=one["id"])["why"]
    assert (stays["at"] > found_at, stays["inside"], stays["audience"]) == (True, True, one["id"])
    assert stays["steps"][0]["words"] == {"en": "number of events: 2", "zh": "行为数：2"}
    assert (stays["version"], stays["model"], stays["digest"]) == (1, None, segments.definition(services, one["segment"]).digest)
    asked = [entry for entry in log_of(services) if entry["action"] == "case.view"]
    assert {(entry["facts"].get("audience"), entry["facts"].get("segment")) for entry in asked} == {
        (one["id"], one["segment"]),
        (None, one["segment"]),
    }
    both = scene.post(
        f"/api/subjects/cases/{scene.case(member(1))}/explanations", {"segment": one["segment"], "audience": one["id"]}, scene.officer
    )
    assert (both.status_code, both.get_json()["code"]) == (422, "explanation_two")


def test_a_request_for_an_explanation_is_answered_with_every_rule_and_what_was_seen(sqlite_only: House) -> None:
    """PIPL 24(3), 48; also where the review that a use needed has ended since."""
    scene = Scene(sqlite_only)
    rule = {"all": [VIEWERS, {"any": [{"profile": "sex", "is": ["female"]}, {"stage": ["prospect"]}]}]}
    one = made(scene, segment=scene.segment(rule)["id"])
    services = scene.services
    asked = {"channel": "phone", "language": "en", "right": "explanation"}
    opened = requests.open_by(services, "customer_no", member(1), asked, reason="she called and asked", actor=ADA, namespace=SHOP)
    number = str(opened["number"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segments, "_check_review", lambda *_: (_ for _ in ()).throw(AssertionError("no review is asked")))
        content = packing.gather(services, number, actor=ADA)
    data = packing.build(services, number, content, right="explanation", clear=False, withheld=(), ground=None)
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        placed, because = (json.loads(package.read(f"data/{name}.json")) for name in ("audiences", "explanation"))
        assert "identifiers" not in " ".join(package.namelist())
    assert [row["audience"] for row in placed] == [one["id"]]
    steps = [row for row in because if row.get("audience") == one["id"]]
    assert next((row["place"], row["kind"], row["holds"]) for row in steps) == ("1", "all", True)
    assert {(row["kind"], row["holds"], row["words_en"], row["words_zh"]) for row in steps if row["words_en"]} == {
        ("amount", True, "number of events: 2", "行为数：2"),
        ("profile", False, "sex: not told", "性别：未提供"),
        ("stage", True, "stage: without a purchase", "当前阶段：未购买"),
    }
    assert {(row["version"], row["model"], row["inside"]) for row in steps} == {(1, "retail-1", True)}
    assert any(row.get("purpose") == "marketing.profiling" for row in because)


def test_a_case_explains_to_the_officer_who_opened_it_and_to_nobody_else(sqlite_only: House) -> None:
    scene = Scene(sqlite_only)
    case, body = scene.case(member(4)), {"segment": scene.segment()["id"]}
    path = f"/api/subjects/cases/{case}/explanations"
    assert scene.post(path, body, scene.officer).status_code == 200
    assert scene.post(path, body).status_code == 403, "never a marketer"
    other = bearer(scene.house.token("officer"))
    assert scene.post(path, body, other).status_code in (403, 404), "nor who has no case"
    assert scene.post("/api/subjects/cases/case_none/explanations", body, scene.officer).status_code == 404


def test_a_persons_copy_says_in_which_audiences_they_are_and_why(sqlite_only: House) -> None:
    """PIPL 24(3), 48; GDPR 15(1)(h)."""
    scene = Scene(sqlite_only)
    one = made(scene)
    services = scene.services
    asked = {"channel": "phone", "language": "en", "right": "access"}
    opened = requests.open_by(services, "customer_no", member(1), asked, reason="she called and asked", actor=ADA, namespace=SHOP)
    parts = packing.gather(services, str(opened["number"]), actor=ADA).parts
    assert [(row["audience"], row["until"]) for row in parts["audiences"]] == [(one["id"], None)]
    because = [row for row in parts["explanation"] if "audience" in row]
    assert [(row["inside"], row["holds"], row["saw"]) for row in because] == [(True, True, {"amount": 2})]
    assert because[0]["sentence_en"].startswith("People with a number of events")
    assert json.dumps(because)


def test_a_segment_that_may_not_be_used_any_more_finds_nobody_and_says_why(sqlite_only: House, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(sqlite_only)
    one = made(scene, hours=1)
    from app import segments
    from privacy.errors import Refused

    def refused(*_: Any) -> Any:
        raise Refused("the review has ended", code="segment_use_refused")

    monkeypatch.setattr(segments, "permitted", refused)
    sqlite_only.clock.forward(hours=2)
    assert audiences.keep(scene.services)["failed"] == 1
    told = audiences.one(scene.services, one["id"])
    assert (told["fresh"], told["code"]) == ("failed", "segment_use_refused")


def test_what_is_wrong_with_an_audience_is_refused(sqlite_only: House) -> None:
    scene = Scene(sqlite_only)
    segment = scene.segment()["id"]
    for wrong in ({"kind": "x"}, {"hours": 0}, {"days": 400}, {"name": "a\nb"}, {"version": 0}):
        assert scene.post("/api/audiences", {"segment": segment} | wrong).status_code == 422, wrong
    assert scene.post("/api/audiences", {"segment": "seg_none0000"}).status_code == 404
    assert scene.get("/api/audiences/aud_none").status_code == 404


def test_names_of_nobody_explain_nothing(sqlite_only: House) -> None:
    empty = pa.table({"month": pa.array([], pa.int32()), "virtual_id": pa.array([], pa.int64())})
    assert Scene(sqlite_only).services.audiences_of([], empty) == ([], [])
