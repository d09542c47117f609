"""The door of consent: acts with their log entry or not at all, populations with the strictest consent and without minors."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from app.stores import Stores
from privacy.consent import ledger, registry
from privacy.errors import Conflict, Invalid, PiyingError, Refused, Unavailable
from privacy.identity import keystate, normalise, pseudonyms, vault
from privacy.identity.keys import Keyring
from privacy.identity.profiles import COMMERCIAL, INTERNATIONAL, Profile
from privacy.orm import PlatformBase, VaultBase
from privacy.preferences import Crowd, Preferences
from privacy.records import SourceFacts
from privacy.vocabulary import IdentifierType
from tests.conftest import NOW
from tests.fakes.log import RecordingLog, RefusingLog

STATISTICS, PROFILING = "analytics.statistics", "marketing.profiling"
ANNA, BO = ("phone", "13800138000"), ("email", "bo@shop.example")


@dataclass
class Now:
    """A clock that a test moves."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at


@dataclass
class House:
    stores: Stores
    keyring: Keyring
    clock: Now = field(default_factory=Now)
    log: RecordingLog | RefusingLog = field(default_factory=RecordingLog)

    def door(self) -> Preferences:
        return Preferences(
            begin_vault=self.stores.begin_vault,
            begin_platform=self.stores.begin_platform,
            read_vault=self.stores.read_vault,
            read_platform=self.stores.read_platform,
            keyring=self.keyring,
            log=self.log,
            clock=self.clock,
            random=os.urandom,
            zone="Asia/Shanghai",
        )

    def say(self, who: tuple[str, str], state: str, purpose: str = STATISTICS, **more: Any) -> dict[str, Any]:
        (told,) = self.door().record([item(who, state, purpose, **more)], actor="usr_officer00000")
        return told

    def person(self, who: tuple[str, str]) -> bytes:
        values, _ = normalise.normalise(who[0], pa.array([who[1]]), namespace="")
        with self.stores.begin_vault() as tx:
            found = vault.lookup(tx, self.keyring, who[0], values[0].as_py())
        assert found is not None
        return found

    def born(self, who: tuple[str, str], birth: date) -> None:
        person = self.person(who)
        with self.stores.begin_vault() as tx:
            vault.set_birth(tx, self.keyring, [person], [birth], today=date(2020, 1, 1), random=os.urandom)

    def merge(self, *who: tuple[str, str]) -> None:
        """One row of a server source in which all these identifiers stand."""
        columns = {type_: normalise.normalise(type_, pa.array([value]), namespace="")[0] for type_, value in who}
        with self.stores.begin_vault() as tx:
            found = vault.resolve(tx, self.keyring, columns, may_link_strong=True, random=os.urandom)
            vault.store(tx, self.keyring, found, pa.array([True]), batch_id=os.urandom(16), now=NOW, random=os.urandom)

    def virtual_id(self, person: bytes, month: int) -> int:
        return int(pseudonyms.virtual_ids(person, self.keyring.block_cipher(pseudonyms.VIRTUAL_ID, str(month)))[0])

    def size(self, purpose: str = STATISTICS) -> int:
        return self.door().population(purpose).bridge([202605]).num_rows


def item(who: tuple[str, str], state: str, purpose: str = STATISTICS, **more: Any) -> dict[str, Any]:
    return {"identifier": {"type": who[0], "value": who[1]}, "purpose": purpose, "state": state, **more}


def bridge(crowd: Crowd, months: Sequence[int]) -> Mapping[tuple[int, int], int]:
    table = crowd.bridge(months).to_pydict()
    return {(month, virtual): run for month, virtual, run in zip(table["month"], table["virtual_id"], table["run_id"], strict=True)}


def prepared(stores: Stores, profile: Profile = INTERNATIONAL) -> House:
    with stores.begin_platform() as tx:
        registry.seed(tx, NOW)
        registry.add_purpose(tx, registry.Purpose("share.acme", {"CN": "separate_consent"}, name={"en": "Acme", "zh": "甲"}), NOW)
    keyring = Keyring.fresh(random=os.urandom, clock=lambda: NOW, profile=profile)
    with stores.begin_vault() as tx:
        keystate.register(tx, keyring, now=NOW)
    return House(stores, keyring)


@pytest.fixture
def anywhere(stores: Stores) -> House:
    """On both databases."""
    return prepared(stores)


@pytest.fixture
def tables(sqlite: Stores) -> Stores:
    with sqlite.begin_vault() as tx:
        VaultBase.metadata.create_all(tx)
    with sqlite.begin_platform() as tx:
        PlatformBase.metadata.create_all(tx)
    return sqlite


@pytest.fixture
def house(tables: Stores) -> House:
    return prepared(tables)


@pytest.fixture(params=[INTERNATIONAL, COMMERCIAL], ids=lambda one: one.name)
def either(request: pytest.FixtureRequest, tables: Stores) -> House:
    """Under each profile of algorithms."""
    return prepared(tables, request.param)


def test_who_grants_is_in_the_next_population_and_who_withdraws_is_not(anywhere: House) -> None:
    house = anywhere
    assert house.size() == 0
    told = house.say(ANNA, "granted")
    assert (told.keys(), told["verdict"]) == ({"index", "verdict", "receipt"}, "stored")
    assert house.say(BO, "granted")["verdict"] == "stored"
    assert house.size() == 2
    house.clock.at += timedelta(seconds=1)
    assert house.say(("phone", "+86 138-0013-8000"), "withdrawn")["verdict"] == "stored"
    runs = bridge(house.door().population(STATISTICS), [202605])
    assert runs.keys() == {(202605, house.virtual_id(house.person(BO), 202605))}
    assert house.size(PROFILING) == 0


def test_a_bridge_has_a_virtual_id_of_each_month_and_one_run_id_of_this_question(either: House) -> None:
    house = either
    house.say(ANNA, "granted")
    months = [202604, 202605]
    first, second = (bridge(house.door().population(STATISTICS), months) for _ in range(2))
    assert first.keys() == second.keys() == {(month, house.virtual_id(house.person(ANNA), month)) for month in months}
    assert len({virtual for _, virtual in first}) == 2
    assert len(set(first.values())) == 1
    assert set(first.values()) != set(second.values())
    assert house.door().population(STATISTICS).bridge([]).num_rows == 0


def test_only_an_analytic_purpose_opens_the_lake(house: House) -> None:
    for purpose in ("service.fulfilment", "safety.recall", "no.such"):
        with pytest.raises(Refused) as refused:
            house.door().population(purpose)
        assert refused.value.code == "purpose_not_analytic"


def test_a_withdrawal_of_somebody_unknown_is_recorded_and_stands_against_older_grants(house: House) -> None:
    assert house.say(ANNA, "withdrawn")["verdict"] == "stored"
    house.clock.at += timedelta(hours=1)
    house.say(ANNA, "granted", at=NOW - timedelta(days=1))
    assert house.size() == 0
    house.say(ANNA, "granted")
    assert house.size() == 1


def test_nobody_under_fourteen_is_in_a_population_and_nobody_under_eighteen_in_marketing(house: House) -> None:
    """To the day, in the controller's zone: it is 12:30 in Shanghai on 15 June 2026."""
    for who in (ANNA, BO):
        for purpose in (STATISTICS, PROFILING):
            house.say(who, "granted", purpose)
    house.born(ANNA, date(2012, 6, 16))
    house.born(BO, date(2008, 6, 16))
    assert (house.size(STATISTICS), house.size(PROFILING)) == (1, 0)
    house.clock.at = NOW.replace(hour=16)
    assert (house.size(STATISTICS), house.size(PROFILING)) == (2, 1), "it is the 16th in Shanghai"


def test_two_who_turn_out_to_be_one_are_in_only_if_neither_said_no(house: House) -> None:
    house.say(ANNA, "granted")
    house.say(BO, "withdrawn")
    before = {house.person(ANNA), house.person(BO)}
    house.merge(ANNA, BO)
    assert house.person(ANNA) == house.person(BO)
    assert house.size() == 0
    house.clock.at += timedelta(hours=1)
    house.say(ANNA, "granted")
    runs = bridge(house.door().population(STATISTICS), [202605])
    assert runs.keys() == {(202605, house.virtual_id(person, 202605)) for person in before}
    assert len(set(runs.values())) == 1
    house.say(BO, "withdrawn")
    assert house.size() == 0


def test_two_who_turn_out_to_be_one_need_only_one_word_if_the_other_said_nothing(house: House) -> None:
    house.say(ANNA, "granted")
    house.say(BO, "granted", "marketing.channel.email")
    house.merge(ANNA, BO)
    assert house.size() == 2


def test_one_minor_in_a_merged_family_keeps_all_of_it_out(house: House) -> None:
    house.say(ANNA, "granted")
    house.say(BO, "granted")
    house.born(BO, date(2015, 1, 1))
    house.merge(ANNA, BO)
    assert house.size() == 0


def test_a_grant_after_erasure_is_not_processed_and_a_withdrawal_still_is(house: House) -> None:
    with house.stores.begin_vault() as tx:
        vault.add_tombstones(tx, house.keyring, [(IdentifierType.PHONE, "+8613800138000")], now=NOW)
    assert house.say(ANNA, "granted") == {"index": 0, "verdict": "refused", "reason": "not_processed", "path": None}
    told = house.say(ANNA, "withdrawn")
    assert (told["verdict"], told["receipt"][:4]) == ("stored", "rcp_"), "it is recorded, under a handle that leads to nobody"
    assert house.size() == 0
    with house.stores.read_platform() as tx:
        assert ledger.head(tx) == 1
    with house.stores.read_vault() as tx:
        assert vault.lookup(tx, house.keyring, "phone", "+8613800138000") is None


@pytest.mark.parametrize(
    ("sent", "kind", "code"),
    [
        (item(ANNA, "granted", "no.such"), Refused, "purpose_unknown"),
        (item(ANNA, "granted", "share.acme", default_state="checked"), Invalid, "consent_preticked"),
        (item(ANNA, "granted", "share.acme", default_state="unchecked", separate_for=["acme", "umbrella"]), Invalid, "consent_bundled"),
        (item(("phone", "12"), "granted"), Invalid, "bad_identifier"),
        (item(("phone", "null"), "granted"), Invalid, "bad_identifier"),
        (item(("name", "Anna"), "granted"), Invalid, "identifier_missing"),
        ({"purpose": STATISTICS, "state": "granted"}, Invalid, "identifier_missing"),
    ],
)
def test_what_is_no_valid_act_is_an_error_and_leaves_nothing(
    house: House, sent: dict[str, Any], kind: type[PiyingError], code: str
) -> None:
    with pytest.raises(kind) as refused:
        house.door().record([sent], actor="usr_officer00000")
    assert refused.value.code == code
    assert "13800138000" not in str(refused.value)
    assert house.log.entries == []  # type: ignore[union-attr]
    with house.stores.begin_vault() as tx:
        assert vault.lookup(tx, house.keyring, "phone", "+8613800138000") is None


def test_a_bad_item_does_not_stop_anothers_withdrawal(house: House) -> None:
    told = house.door().record([item(ANNA, "granted", "no.such"), item(BO, "withdrawn")], actor="src_pos000000000")
    assert told == [
        {"index": 0, "verdict": "refused", "reason": "purpose_unknown", "path": "purpose"},
        {"index": 1, "verdict": "stored", "receipt": told[1]["receipt"]},
    ]


def test_a_client_key_records_nothing(house: House) -> None:
    source = SourceFacts("src_web", "web", "segment", True, frozenset())
    with pytest.raises(Refused) as refused:
        house.door().record([item(ANNA, "withdrawn")], actor=source.id, source=source)
    assert refused.value.code == "client_key"


def test_a_customer_number_means_something_only_inside_its_sources_namespace(house: House) -> None:
    for name in ("pos", "crm"):
        source = SourceFacts(f"src_{name}", name, "file", False, frozenset(), namespace=name)
        house.door().record([item(("customer_no", "A-1"), "granted")], actor=source.id, source=source)
    assert house.size() == 2


def test_the_same_request_sent_again_changes_nothing_and_reads_the_same(house: House) -> None:
    sent = [item(ANNA, "granted"), item(BO, "granted", "no.such")]
    first = house.door().record(sent, actor="src_pos000000000", idempotency_key="k1")
    house.clock.at += timedelta(minutes=1)
    house.say(ANNA, "withdrawn")
    house.clock.at += timedelta(minutes=1)
    assert house.door().record(sent, actor="src_pos000000000", idempotency_key="k1") == first
    assert house.size() == 0, "the repetition did not grant anew"
    with pytest.raises(Conflict):
        house.door().record([item(ANNA, "denied")], actor="src_pos000000000", idempotency_key="k1")


def test_no_act_stands_without_its_log_entry(house: House) -> None:
    house.say(ANNA, "granted")
    house.log = RefusingLog()
    for refused in (
        lambda: house.say(ANNA, "withdrawn"),
        lambda: house.door().show(*ANNA, actor="usr_officer00000"),
        lambda: house.door().population(STATISTICS),
    ):
        with pytest.raises(Unavailable):
            refused()
    house.log = RecordingLog()
    with house.stores.read_platform() as tx:
        assert ledger.head(tx) == 1


def test_the_log_learns_counts_and_never_whose(house: House) -> None:
    house.door().record([item(ANNA, "granted"), item(BO, "withdrawn")], actor="src_pos000000000", source="src_pos000000000")
    (entry,) = house.log.entries  # type: ignore[union-attr]
    assert (entry.kind, entry.action) == ("consent", "consent.record")
    assert entry.facts == {
        "source": "src_pos000000000",
        "states": {"granted": 1, "withdrawn": 1},
        "purposes": [STATISTICS],
        "stored": 2,
        "refused": 0,
        "digest": entry.facts["digest"],
    }


def test_a_person_sees_what_they_allow_and_what_was_recorded(house: House) -> None:
    house.say(ANNA, "granted", notice=None, collection="form", default_state="unchecked")
    house.clock.at += timedelta(hours=1)
    house.say(ANNA, "denied", PROFILING)
    shown = house.door().show(*ANNA, actor="usr_officer00000")
    assert shown["purposes"][STATISTICS] == {"allowed": True, "reason": ""}
    assert shown["purposes"][PROFILING] == {"allowed": False, "reason": "consent_withdrawn"}
    assert shown["purposes"]["marketing.channel.sms"] == {"allowed": False, "reason": "consent_missing"}
    assert [act["state"] for act in shown["acts"]] == ["granted", "denied"]
    assert shown["acts"][0]["effective_at"] == NOW.isoformat()
    assert shown["acts"][0]["evidence"] == {"collection": "form", "form": "general", "default_state": "unchecked"}
    assert "13800138000" not in str(shown)


def test_somebody_unknown_looks_like_somebody_who_said_nothing(house: House) -> None:
    house.say(BO, "granted", "marketing.channel.sms")
    shown = house.door().show("phone", "13900139000", actor="usr_officer00000")
    assert shown["acts"] == []
    assert shown["purposes"][STATISTICS] == {"allowed": False, "reason": "consent_missing"}


def test_no_identifier_and_no_person_stands_in_the_platform_store(house: House) -> None:
    house.say(ANNA, "granted")
    house.merge(ANNA, BO)
    person = house.person(ANNA)
    house.door().show(*ANNA, actor="usr_officer00000")
    folder = Path(str(sa.make_url(house.stores.platform().url).database)).parent
    raw = b"".join(path.read_bytes() for path in folder.glob("platform.db*"))
    assert b"consent_event" in raw
    for secret in (person, person.hex().encode(), b"13800138000", b"bo@shop.example"):
        assert secret not in raw
