"""What was erased is gone from every store, told by looking, and stays away whatever comes late, twice or out of another store (attacks 33–39)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app import erasing, jobs, journal, remains
from privacy.errors import Conflict, NotFound, PiyingError, Refused
from tests.conftest import NOW
from tests.house import House, track

ANNA, BO = ("customer_no", "u-1"), ("customer_no", "u-2")
LONG_AGO = (NOW - timedelta(days=60)).isoformat()


def handle_of(house: House, who: tuple[str, str]) -> str:
    found = house.services.cases.open(*who, purpose="rights_request", reason="asked for it", actor="usr_officer00001", namespace="web")
    return str(found["handle"])


def erase(house: House, who: tuple[str, str], request: str | None = None) -> str:
    """One person erased, and the work done."""
    erasure = erasing.begin(
        house.services, handle_of(house, who), actor="usr_officer00001", approved_by="usr_officer00002", request=request
    )
    work(house)
    return erasure


def work(house: House) -> None:
    handlers = {erasing.ERASURE: lambda job: erasing.run(house.services, job)}
    while jobs.run_one(house.services.begin_jobs, handlers, "test", clock=house.clock):
        pass


def lived_in(house: House, people: tuple[tuple[str, str], ...] = (ANNA, BO)) -> str:
    """A source, and rows of some people in lake and inbox; the write key."""
    _, key = house.source()
    house.grant(key, people, at=LONG_AGO)
    users = [value for _, value in people]
    house.batch([track(number, user=user) for number, user in enumerate(users)], key)
    house.batch(
        [{**track(100 + number, user=user), "type": "identify", "traits": {"gender": "f"}} for number, user in enumerate(users)], key
    )
    house.flush()
    house.batch([track(200 + number, user=user, at=NOW - timedelta(days=40)) for number, user in enumerate(users)], key)
    return key


def rows_in_lake(house: House, name: str = "events") -> int:
    from analytics.lake.tables import load

    return int(load(house.services._lake, name).scan().to_arrow().num_rows)


def test_attack_37_an_erased_person_is_gone_from_every_store_and_the_certificate_says_what_was_seen(house: House) -> None:
    lived_in(house)
    plan = erasing.plan(house.services, handle_of(house, ANNA), actor="usr_officer00001")
    found = {one["store"]: one["found"] for one in plan["stores"]}
    assert found["keys"] == 1
    assert (found["lake"], found["inbox"]) == (2, 1)
    before = rows_in_lake(house)
    erasure = erase(house, ANNA, "SR-TEST")
    told = erasing.state(house.services, erasure)
    assert (told["state"], told["error"], told["step"]) == ("done", None, None), told
    assert [one["step"] for one in told["steps"]] == [name for name, _ in remains.STEPS]
    made = erasing.certificate(house.services, erasure)
    assert {one["left"] for one in made["document"]["stores"]} == {0}
    assert {one["store"] for one in made["document"]["stores"]} == {place.name for place in remains.LOOKED}
    assert rows_in_lake(house) == before - 1 + 1, "Anna's row went, Bo's waiting one came"
    assert (
        house.services.cases.open(*ANNA, purpose="rights_request", reason="looked", actor="usr_officer00001", namespace="web")["state"]
        == "erased"
    )
    assert house.services.preferences.population("analytics.statistics").run_ids.size == 1
    assert "u-1" not in str(made)


def test_an_erasure_needs_a_second_person_and_a_request_has_one(sqlite_only: House) -> None:
    house = sqlite_only
    lived_in(house)
    handle = handle_of(house, ANNA)
    for approver in ("", "usr_officer00001"):
        with pytest.raises(Refused) as refused:
            erasing.begin(house.services, handle, actor="usr_officer00001", approved_by=approver)
        assert refused.value.code == "second_person_needed"
    first = erasing.begin(house.services, handle, actor="usr_officer00001", approved_by="usr_officer00002", request="SR-ONE")
    again = erasing.begin(house.services, handle, actor="usr_officer00003", approved_by="usr_officer00002", request="SR-ONE")
    assert first == again
    with pytest.raises(Conflict) as early:
        erasing.certificate(house.services, first)
    assert early.value.code == "erasure_not_done"
    with pytest.raises(NotFound):
        erasing.state(house.services, "era_none")


# ── nobody comes back ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def nowhere(house: House, before: dict[str, int]) -> None:
    """No row of people, and none of the lake, more than before."""
    house.flush()
    now = house.counts()
    for table in ("vault.person", "vault.data_key", "vault.identifier", "platform.inbox", "vault.sealed_payload"):
        assert now[table] == before[table], table


def test_attacks_33_and_34_late_events_replays_and_new_imports_bring_nobody_back(sqlite_only: House) -> None:
    """Attacks 33 and 34: fifty ways of coming late or twice, and nobody comes."""
    house = sqlite_only
    key = lived_in(house)
    original = [track(900 + number, user="u-1", at=NOW - timedelta(hours=number)) for number in range(3)]
    house.batch(original, key)
    erase(house, ANNA)
    before, rows = house.counts(), rows_in_lake(house)
    refused = house.batch(original, key)["refused"]
    for drill in range(50):
        late = track(1_000 + drill, user="u-1", at=NOW - timedelta(days=drill % 30, hours=drill))
        if drill % 5 == 1:
            late = {**late, "type": "identify", "traits": {"gender": "f", "phone": "13800138000"}}
        if drill % 5 == 2:
            late["anonymousId"] = f"device-{drill}"
        if drill % 5 == 3:
            late = original[drill % 3]
        told = house.batch([late], key)
        refused += told["refused"]
        assert told["stored"] == 0
    assert refused == 53
    nowhere(house, before)
    assert rows_in_lake(house) == rows
    with house.services.read_intake() as tx:
        counted = tx.execute(sa.text("SELECT sum(number) FROM tally WHERE reason = 'erased'")).scalar()
    assert int(counted or 0) == 53, "counted without saying whom"


def test_attack_35_a_merge_by_a_shared_device_inherits_nothing_of_somebody_erased(sqlite_only: House) -> None:
    """Attack 35."""
    house = sqlite_only
    key = lived_in(house)
    house.batch([{**track(300, user="u-1"), "anonymousId": "shared-device"}], key)
    erase(house, ANNA)
    before = rows_in_lake(house)
    told = house.batch([{**track(301, user="u-2"), "anonymousId": "shared-device"}], key)
    assert (told["stored"], told["refused"]) == (0, 1), "the device is marked: the row names somebody erased"
    told = house.batch([track(302, user="u-2")], key)
    assert told["stored"] == 1
    house.flush()
    assert rows_in_lake(house) == before + 1


def test_attack_39_after_an_erasure_a_grant_is_refused_and_a_withdrawal_is_recorded(sqlite_only: House) -> None:
    """Attack 39."""
    house = sqlite_only
    key = lived_in(house)
    erase(house, ANNA)
    people = house.counts()["vault.person"]
    acts = house.counts()["platform.consent_event"]
    assert {one["verdict"] for one in house.grant(key, [ANNA]).get_json()["items"]} == {"refused"}
    assert house.counts()["platform.consent_event"] == acts
    told = house.grant(key, [ANNA], purposes=["analytics.statistics"], state="withdrawn").get_json()["items"]
    assert (told[0]["verdict"], "receipt" in told[0]) == ("stored", True)
    assert house.counts()["platform.consent_event"] == acts + 1
    assert house.counts()["vault.person"] == people


def test_a_new_relationship_is_proved_and_begins_with_nothing_of_the_old_one(sqlite_only: House) -> None:
    house = sqlite_only
    key = lived_in(house)
    old = track(700, user="u-1", at=NOW - timedelta(hours=3))
    erase(house, ANNA)
    with pytest.raises(PiyingError) as wrong:
        erasing.welcome(house.services, *ANNA, proof="his_word", actor="usr_officer00001", namespace="web")
    assert wrong.value.code == "proof_unknown"
    assert erasing.welcome(house.services, *ANNA, proof="contract", actor="usr_officer00001", namespace="web") == {"lifted": 1}
    replayed = house.grant(key, [ANNA], at=LONG_AGO).get_json()["items"]
    assert {one["verdict"] for one in replayed} == {"refused"}, "a yes of the old relationship"
    house.clock.forward(hours=1)
    assert {one["verdict"] for one in house.grant(key, [ANNA]).get_json()["items"]} == {"stored"}
    assert house.batch([old], key)["refused"] == 1
    house.clock.forward(hours=1)
    assert house.batch([track(701, user="u-1", at=house.clock() - timedelta(minutes=1))], key)["stored"] == 1


# ── kills and lies ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Killed(BaseException):
    """Stands for kill -9 between a step's work and the note that it is done."""


def test_an_erasure_that_is_killed_in_every_step_ends_all_the_same(sqlite_only: House) -> None:
    house = sqlite_only
    lived_in(house)
    erasure = erasing.begin(house.services, handle_of(house, ANNA), actor="usr_officer00001", approved_by="usr_officer00002")
    for number, (step, places) in enumerate(remains.STEPS):

        def kill(services: Any, subjects: Any, places: Any = places) -> Any:
            for place in places:
                place.erase(services, subjects)
            raise Killed

        deadly = remains.Place("deadly", "kills", kill, places[0].look)
        with pytest.raises(Killed):
            erasing.run(house.services, steps=(*remains.STEPS[:number], (step, (deadly,)), *remains.STEPS[number + 1 :]))
        assert erasing.state(house.services, erasure)["step"] == step
    assert erasing.run(house.services)["certified"] == 1
    assert erasing.state(house.services, erasure)["state"] == "done"


def test_attack_38_where_a_store_only_says_that_it_erased_there_is_no_certificate(sqlite_only: House) -> None:
    house = sqlite_only
    lived_in(house)
    erasure = erasing.begin(house.services, handle_of(house, ANNA), actor="usr_officer00001", approved_by="usr_officer00002")
    liar = remains.Place("lake", "rewritten", lambda services, subjects: [{"rows": 7} for _ in subjects], remains.LAKE.look)
    steps = tuple((name, (liar,) if name == "lake" else places) for name, places in remains.STEPS)
    looked = tuple(liar if place is remains.LAKE else place for place in remains.LOOKED)
    erasing.run(house.services, steps=steps, looked=looked)
    told = erasing.state(house.services, erasure)
    assert (told["state"], told["error"]) == ("running", "erasure_incomplete")
    with pytest.raises(Conflict):
        erasing.certificate(house.services, erasure)
    erasing.run(house.services)
    assert erasing.state(house.services, erasure)["state"] == "done", "an honest store puts it right"


def test_neither_the_key_nor_the_sealed_value_is_in_any_byte_of_the_home(sqlite_only: House) -> None:
    house = sqlite_only
    lived_in(house, (ANNA,))
    with house.services.stores.read_vault() as tx:
        secrets = [bytes(one) for one in tx.execute(sa.text("SELECT wrapped FROM data_key UNION SELECT sealed FROM identifier")).scalars()]

    def found() -> int:
        held = b"".join(path.read_bytes() for path in house.home.rglob("*") if path.is_file())
        return sum(one in held for one in secrets)

    assert (len(secrets), found()) == (2, 2)
    erase(house, ANNA)
    assert found() == 0


def test_what_is_remembered_of_an_erasure_lies_beside_the_keys(sqlite_only: House) -> None:
    house = sqlite_only
    lived_in(house)
    erasure = erase(house, ANNA)
    known = journal.read(journal.place(house.services.settings.keys_path))
    assert list(known.erasures) == [erasure]
    assert house.services.forgotten() == []
