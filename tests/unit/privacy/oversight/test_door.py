"""The officer's door: nothing is read before its entry is committed, and values come one at a time."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
import sqlalchemy as sa

from app.stores import Stores
from privacy import errors
from privacy.audit.log import AuditLog, LogEntry, LogPayload
from privacy.audit.reading import Filter, Line, lines
from privacy.identity import keystate, vault
from privacy.identity.keys import Keyring
from privacy.identity.normalise import normalise
from privacy.orm import PlatformBase, VaultBase
from privacy.oversight.door import LookupPurpose, Oversight
from privacy.records import Log
from tests.fakes.log import RefusingLog

PHONE, EMAIL = "138 0013 8000", "lihua@example.com"
WHY = {"purpose": "rights_request", "reason": "asks for a copy of what we hold"}
OFFICER = "usr_0123456789abcdef"


class House:
    """An oversight door over real stores with one person in the vault; counts how often the vault was opened."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self.now = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)
        self.keyring = Keyring.fresh(random=os.urandom, clock=self.clock)
        self.vault_reads = 0
        self.log = AuditLog(self.clock, os.urandom)
        with stores.begin_vault() as tx:
            VaultBase.metadata.create_all(tx)
            keystate.register(tx, self.keyring, now=self.now)
            columns = {kind: normalise(kind, pa.array([value]), namespace="")[0] for kind, value in (("phone", PHONE), ("email", EMAIL))}
            resolution = vault.resolve(tx, self.keyring, columns, may_link_strong=True, random=os.urandom)
            vault.store(tx, self.keyring, resolution, pa.array([True]), batch_id=bytes(32), now=self.now, random=os.urandom)
        with stores.begin_platform() as tx:
            PlatformBase.metadata.create_all(tx)

    def clock(self) -> datetime:
        return self.now

    @contextmanager
    def read_vault(self) -> Iterator[sa.Connection]:
        self.vault_reads += 1
        with self.stores.read_vault() as tx:
            yield tx

    def door(self, log: Log | None = None, lookups_per_hour: int = 60) -> Oversight:
        return Oversight(
            begin_platform=self.stores.begin_platform,
            read_platform=self.stores.read_platform,
            read_vault=self.read_vault,
            keyring=self.keyring,
            log=log or self.log,
            clock=self.clock,
            zone="Asia/Shanghai",
            lookups_per_hour=lookups_per_hour,
        )

    def entries(self) -> list[Line]:
        with self.stores.read_platform() as tx:
            return list(reversed(lines(tx, Filter(), limit=500).items))

    def log_bytes(self) -> bytes:
        with self.stores.read_platform() as tx:
            return b"".join(payload or b"" for payload in tx.scalars(sa.select(LogPayload.payload)))


@pytest.fixture
def house(sqlite: Stores) -> House:
    return House(sqlite)


# ── people ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_person_is_found_by_any_way_of_writing_and_shown_masked(house: House) -> None:
    for phone in ("13800138000", "+86 138-0013-8000", "１３８００１３８０００"):
        found = house.door().find_person("phone", phone, actor=OFFICER, **WHY)
        assert [(one["type"], one["masked"]) for one in found["identifiers"]] == [("email", "l***@e***.com"), ("phone", "138****8000")]
    assert "13800138000" not in json.dumps(found)
    assert "lihua" not in json.dumps(found)


def test_both_entries_of_a_look_up_stand_before_anything_is_opened(house: House) -> None:
    house.door().find_person("phone", PHONE, actor=OFFICER, **WHY)
    asked, shown = house.entries()
    assert (asked.action, asked.actor, asked.facts) == (
        "person.find",
        OFFICER,
        {"identifier": "phone", "purpose": "rights_request", "reason": "asks for a copy of what we hold"},
    )
    assert (shown.action, shown.result) == ("person.show", "ok")
    assert shown.facts is not None
    assert len(shown.facts["subject"]) == 32


def test_an_unknown_person_takes_the_same_steps_and_is_an_empty_page(house: House) -> None:
    assert house.door().find_person("phone", "13900139000", actor=OFFICER, **WHY) == {"handle": None, "identifiers": []}
    assert [(line.action, line.result) for line in house.entries()] == [("person.find", "ok"), ("person.show", "unknown")]


def test_one_identifier_is_revealed_at_a_time_and_its_entry_is_named(house: House) -> None:
    found = house.door().find_person("email", EMAIL, actor=OFFICER, **WHY)
    (phone,) = (one for one in found["identifiers"] if one["type"] == "phone")
    told = house.door().reveal(found["handle"], phone["ref"], actor=OFFICER, **WHY)
    assert (told["type"], told["value"]) == ("phone", "+8613800138000")
    entry = house.entries()[told["entry"]]
    assert entry.action == "person.reveal"
    assert entry.facts is not None
    shown = house.entries()[1].facts
    assert shown is not None
    assert entry.facts["subject"] == shown["subject"]


def test_the_handles_of_log_and_page_and_the_person_are_three_different_things(house: House) -> None:
    found = house.door().find_person("phone", PHONE, actor=OFFICER, **WHY)
    with house.stores.read_vault() as tx:
        person = vault.lookup(tx, house.keyring, "phone", "+8613800138000")
    assert person is not None
    subject = (house.entries()[1].facts or {})["subject"]
    assert len({found["handle"], subject, person.hex()}) == 3


def test_no_value_ever_enters_the_log(house: House) -> None:
    """What an officer types beside the point is scrubbed, and the identifier itself is no fact."""
    why = {"purpose": "complaint", "reason": "called from 13800138000 about lihua@example.com"}
    found = house.door().find_person("phone", PHONE, actor=OFFICER, **why)
    house.door().reveal(found["handle"], found["identifiers"][0]["ref"], actor=OFFICER, **why)
    said = house.log_bytes()
    assert b"person.reveal" in said
    for trace in (b"13800138000", b"138 0013", b"lihua", b"example.com", found["handle"].encode(), found["identifiers"][0]["ref"].encode()):
        assert trace not in said


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"purpose": "curiosity"}, "lookup_purpose"),
        ({"reason": ""}, "reason_missing"),
        ({"reason": "  x "}, "reason_missing"),
        ({"reason": "x" * 501}, "reason_missing"),
    ],
)
def test_without_a_purpose_of_the_list_and_a_reason_nothing_is_looked_up(house: House, change: dict[str, str], code: str) -> None:
    """Requirement P-06."""
    for handle in (None, "00" * 16):
        with pytest.raises(errors.Invalid) as caught:
            if handle is None:
                house.door().find_person("phone", PHONE, actor=OFFICER, **(WHY | change))
            else:
                house.door().reveal(handle, "00" * 16, actor=OFFICER, **(WHY | change))
        assert caught.value.code == code
    assert house.vault_reads == 0


def test_what_is_no_identifier_is_refused_without_repeating_it(house: House) -> None:
    for type_, value, code in (
        ("phone", "12", "bad_identifier"),
        ("phone", "anonymous", "bad_identifier"),
        ("shoe_size", "42", "identifier_type"),
    ):
        with pytest.raises(errors.Invalid) as caught:
            house.door().find_person(type_, value, actor=OFFICER, **WHY)
        assert caught.value.code == code
        assert value not in str(caught.value)
    assert house.vault_reads == 0


def test_a_handle_or_reference_that_was_never_given_reveals_nothing(house: House) -> None:
    found = house.door().find_person("phone", PHONE, actor=OFFICER, **WHY)
    for handle, ref in (("00" * 16, found["identifiers"][0]["ref"]), (found["handle"], "00" * 16), ("no", "no"), ("", ""), ("00" * 15, "")):
        with pytest.raises(errors.NotFound):
            house.door().reveal(handle, ref, actor=OFFICER, **WHY)


def test_if_the_log_cannot_be_written_nothing_is_read(house: House) -> None:
    """Attack 43, for each entry that a look-up or reveal has to make."""
    found = house.door().find_person("phone", PHONE, actor=OFFICER, **WHY)
    house.vault_reads = 0
    with pytest.raises(errors.Unavailable):
        house.door(RefusingLog()).find_person("phone", PHONE, actor=OFFICER, **WHY)
    with pytest.raises(errors.Unavailable):
        house.door(RefusingLog()).reveal(found["handle"], found["identifiers"][0]["ref"], actor=OFFICER, **WHY)
    assert house.vault_reads == 0
    with pytest.raises(errors.Unavailable):
        house.door(RefusingLog(after=1)).find_person("phone", PHONE, actor=OFFICER, **WHY)
    assert house.vault_reads == 2, "looked up, and whether it is a minor; no identifier opened"
    with pytest.raises(errors.Unavailable):
        house.door(RefusingLog()).entries(Filter(), actor=OFFICER)


def test_a_fault_in_the_real_logs_insert_stops_the_reveal(house: House) -> None:
    found = house.door().find_person("phone", PHONE, actor=OFFICER, **WHY)
    house.vault_reads = 0
    with house.stores.begin_platform() as tx:
        tx.exec_driver_sql("CREATE TRIGGER full BEFORE INSERT ON log_entry BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END")
    with pytest.raises((errors.Unavailable, sa.exc.DBAPIError)):
        house.door().reveal(found["handle"], found["identifiers"][0]["ref"], actor=OFFICER, **WHY)
    assert house.vault_reads == 0


def test_an_hour_allows_so_many_look_ups_and_a_flood_of_tries_is_one_entry(house: House) -> None:
    """law_rules E-7 and attack 44."""
    door = house.door(lookups_per_hour=3)
    for _ in range(3):
        door.find_person("phone", PHONE, actor=OFFICER, **WHY)
    house.vault_reads = 0
    for _ in range(50):
        with pytest.raises(errors.Refused) as caught:
            door.find_person("phone", PHONE, actor=OFFICER, **WHY)
        assert (caught.value.code, caught.value.retry_after) == ("too_many_lookups", 3600)
    assert house.vault_reads == 0
    assert [line.action for line in house.entries()].count("person.limited") == 1
    assert len(house.entries()) == 7
    door.find_person("phone", PHONE, actor="usr_fedcba9876543210", **WHY)
    house.now += timedelta(minutes=61)
    door.find_person("phone", PHONE, actor=OFFICER, **WHY)
    assert house.door().check()["ok"]


# ── the log ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_reading_the_log_is_the_newest_thing_in_it(house: House) -> None:
    page = house.door().entries(Filter(kind="read"), actor=OFFICER)
    assert [line.action for line in page.items] == ["log.read"]
    assert page.items[0].facts == {"filters": ["kind"], "limit": 100}


def test_a_persons_history_is_found_by_the_handle_of_the_page(house: House) -> None:
    found = house.door().find_person("phone", PHONE, actor=OFFICER, **WHY)
    house.door().reveal(found["handle"], found["identifiers"][0]["ref"], actor=OFFICER, **WHY)
    page = house.door().entries(Filter(subject=found["handle"]), actor=OFFICER)
    assert [line.action for line in page.items] == ["log.read", "person.reveal", "person.show"]


def test_pages_of_the_log_follow_each_other(house: House) -> None:
    for _ in range(5):
        house.door().find_person("phone", PHONE, actor=OFFICER, **WHY)
    first = house.door().entries(Filter(action="person.find"), actor=OFFICER, limit=3)
    second = house.door().entries(Filter(action="person.find"), actor=OFFICER, limit=3, before=first.next)
    assert [len(first.items), len(second.items), second.next] == [3, 2, None]


def test_verification_is_logged_and_the_health_check_writes_nothing(house: House) -> None:
    house.door().checkpoint()
    house.door().verify(actor=OFFICER)
    note = house.door().checkpoint()
    result = house.door().check([note])
    assert (result["ok"], result["size"], result["signed_size"], result["checkpoints"]) == (True, 1, 1, 2)
    assert [line.action for line in house.entries()] == ["log.verify"]


def test_a_damaged_log_is_named_by_its_first_bad_entry(house: House) -> None:
    for _ in range(4):
        house.door().verify(actor=OFFICER)
    with house.stores.begin_platform() as tx:
        tx.execute(sa.update(LogEntry).where(LogEntry.seq == 2).values(kind="system"))
    result = house.door().verify(actor=OFFICER)
    assert (result["ok"], result["first_bad"]) == (False, 2)


def test_checkpoints_of_every_signing_key_stay_good_after_a_rotation(house: House) -> None:
    early = house.door().checkpoint()
    house.door().verify(actor=OFFICER)
    house.keyring.rotate("signing", random=os.urandom, clock=house.clock)
    late = house.door().checkpoint()
    assert len(house.door().verifier_keys()) == 2
    assert house.door().check()["signed_size"] == 1
    assert early.split()[-1] != late.split()[-1]


def test_one_entry_is_recomputed_against_the_signed_head_and_shows_what_belongs_to_it(house: House) -> None:
    found = house.door().find_person("phone", PHONE, actor=OFFICER, **WHY)
    assert house.door().entry(0, actor=OFFICER)["included"] is None, "no head was signed yet"
    house.door().checkpoint()
    told = house.door().entry(0, actor=OFFICER)
    assert (told["line"].action, told["included"], told["size"]) == ("person.find", True, 3)
    assert found["handle"] not in str(told)
    with house.stores.begin_platform() as tx:
        tx.execute(sa.update(LogEntry).where(LogEntry.seq == 0).values(kind="system"))
    assert house.door().entry(0, actor=OFFICER)["included"] is False
    assert [line.action for line in house.entries()].count("log.entry") == 3
    with pytest.raises(errors.NotFound):
        house.door().entry(999, actor=OFFICER)


def test_the_purposes_of_a_look_up_are_words_the_log_takes() -> None:
    assert all(purpose.islower() for purpose in LookupPurpose)


def test_on_either_database_the_whole_way_is_the_same(stores: Stores) -> None:
    house = House(stores)
    found = house.door().find_person("phone", PHONE, actor=OFFICER, **WHY)
    told = house.door().reveal(found["handle"], found["identifiers"][0]["ref"], actor=OFFICER, **WHY)
    assert told["value"] == EMAIL
    house.door().checkpoint()
    assert len(house.door().entries(Filter(subject=found["handle"]), actor=OFFICER).items) == 3
    assert house.door().verify(actor=OFFICER)["ok"]
