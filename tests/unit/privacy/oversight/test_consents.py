"""The door to the consent log: logged before read, nobody named, receipts that are the same for ever and verify anywhere."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from app.stores import Stores
from privacy import errors
from privacy.audit.log import AuditLog
from privacy.consent import receipts, registry
from privacy.consent.listing import Wanted
from privacy.consent.receipts import Controller
from privacy.identity import pseudonyms, vault
from privacy.identity.normalise import normalise
from privacy.oversight.consents import ConsentLog, verify_file
from privacy.preferences import Preferences
from tests.conftest import NOW
from tests.fakes.log import RefusingLog
from tests.unit.privacy.oversight.test_door import EMAIL, OFFICER, PHONE
from tests.unit.privacy.oversight.test_door import House as Door

STATISTICS = "analytics.statistics"


class House(Door):
    """The door's house with the door of consent beside it, both writing the real log."""

    def __init__(self, stores: Stores) -> None:
        super().__init__(stores)
        with stores.begin_platform() as tx:
            registry.seed(tx, NOW)
            registry.publish_notice(tx, "v1", {"en": "We count.", "zh": "我们统计。"}, [STATISTICS], NOW)

    def say(self, state: str = "granted", phone: str = PHONE, **more: Any) -> str:
        """Records an act; the number of its receipt."""
        self.now += timedelta(seconds=1)
        door = Preferences(
            begin_vault=self.stores.begin_vault, begin_platform=self.stores.begin_platform, keyring=self.keyring, log=self.log,
            clock=self.clock, random=os.urandom, zone="Asia/Shanghai",
        )  # fmt: skip
        item = {"identifier": {"type": "phone", "value": phone}, "purpose": STATISTICS, "state": state, **more}
        (told,) = door.record([item], actor=OFFICER)
        return str(told["receipt"])

    def consents(self, log: Any = None) -> ConsentLog:
        return ConsentLog(
            controller=Controller("Tea House", "privacy@tea.example", "CN"), begin_platform=self.stores.begin_platform,
            read_platform=self.stores.read_platform, read_vault=self.read_vault, keyring=self.keyring, log=log or self.log, clock=self.clock,
            zone="Asia/Shanghai",
        )  # fmt: skip

    def keys(self) -> str:
        return json.dumps(self.consents().public_keys())


@pytest.fixture
def house(sqlite: Stores) -> House:
    return House(sqlite)


def test_every_reading_is_an_entry_before_anything_is_read(house: House) -> None:
    number = house.say()
    refusing = house.consents(RefusingLog())
    for read in (
        lambda: refusing.page(Wanted(), actor=OFFICER),
        lambda: refusing.hand_out(Wanted(), actor=OFFICER, limit=1, form="csv"),
        lambda: refusing.receipt(number, actor=OFFICER),
        lambda: refusing.verify_receipt(number, actor=OFFICER),
    ):
        with pytest.raises(errors.Unavailable):
            read()
    house.consents().page(Wanted(state="granted"), actor=OFFICER)
    house.consents().hand_out(Wanted(), actor=OFFICER, limit=7, form="csv")
    house.consents().receipt(number, actor=OFFICER)
    house.consents().receipt(number, actor=OFFICER, handed_out=True, opened=True)
    house.consents().verify_receipt(number, actor=OFFICER)
    told = [(line.kind, line.action) for line in house.entries()[-5:]]
    assert told == [
        ("read", "consent.list"),
        ("export", "consent.extract"),
        ("read", "consent.receipt"),
        ("export", "consent.copy"),
        ("read", "consent.verify"),
    ]
    listed, handed_out, shown, copied, _ = (line.facts for line in house.entries()[-5:])
    assert listed == {"filters": ["state"], "limit": 50}
    assert handed_out == {"filters": [], "limit": 7, "form": "csv"}
    assert shown is not None
    assert (shown["receipt"], len(str(shown["subject"]))) == (number, 32)
    assert copied is not None
    assert copied["opened"] == 1


def test_one_person_has_one_reference_and_two_have_two_and_none_is_known_elsewhere(house: House) -> None:
    for phone in (PHONE, PHONE, "13900139000"):
        house.say(phone=phone)
    lines, _, totals = house.consents().page(Wanted(), actor=OFFICER)
    other, first, second = (line.subject for line in lines)
    assert first == second != other
    assert totals == (3, 3)
    found = house.door().find_person("phone", PHONE, purpose="rights_request", reason="asks for a copy of what we hold", actor=OFFICER)
    assert first is not None
    assert first.startswith("sub_")
    assert len(first) == 16
    assert first not in json.dumps(found)
    assert lines[1].act.handle.hex() not in first


def test_a_receipt_verifies_with_the_published_keys_and_is_the_same_whenever_it_is_made(house: House) -> None:
    number = house.say(notice="v1", collection="form", default_state="unchecked", language="zh")
    first = house.consents().receipt(number, actor=OFFICER)
    old_keys = house.keys()
    shown = {"method": "form", "form": "general", "default_state": "unchecked", "language": "zh"}
    assert first.statement["collected"] == shown
    house.now += timedelta(days=400)
    house.keyring.rotate("receipt", random=os.urandom, clock=house.clock)
    house.keyring.rotate("signing", random=os.urandom, clock=house.clock)
    again = house.consents().receipt(number, actor=OFFICER)
    assert again.file() == first.file()
    assert (again.key, again.key_version) == (first.key, 1)
    for keys in (old_keys, house.keys()):
        told = verify_file(first.file(), keys)
        assert (told["ok"], told["notice"], told["subject"], told["receipt"]) == (True, "matches", "closed", number)
    house.now += timedelta(days=1)
    late = house.consents().receipt(house.say("withdrawn"), actor=OFFICER)
    assert (late.key_version, late.key == first.key) == (2, False)
    assert verify_file(late.file(), house.keys())["ok"]
    assert verify_file(late.file(), old_keys)["reason"] == "key_unknown"


def test_a_receipt_holds_no_identifier_no_handle_and_no_pseudonym_that_two_receipts_share(house: House) -> None:
    one, two = (house.consents().receipt(house.say(), actor=OFFICER) for _ in range(2))
    assert one.statement["subject"] != two.statement["subject"]
    text = json.dumps(one.statement)
    digits = PHONE.replace(" ", "")
    for secret in (digits, one.line.act.handle.hex(), one.line.subject, OFFICER):
        assert str(secret) not in text


def test_only_the_persons_own_copy_opens_the_commitment_and_two_copies_show_one_person(house: House) -> None:
    numbers = [house.say(), house.say("withdrawn"), house.say(phone="13900139000")]
    door = house.consents()
    copies = [door.receipt(number, actor=OFFICER, handed_out=True, opened=True) for number in numbers]
    assert all(verify_file(copy.file(), house.keys())["subject"] == "opens" for copy in copies)
    references = [copy.opening[0] for copy in copies if copy.opening]
    assert references[0] == references[1] != references[2]
    plain = door.receipt(numbers[0], actor=OFFICER)
    assert plain.opening is None
    assert verify_file(plain.file(), house.keys())["subject"] == "closed"
    assert receipts.commitment(references[0], bytes(32)) != plain.statement["subject"]


def test_after_the_vault_has_forgotten_a_person_the_evidence_stays_and_leads_nowhere(house: House) -> None:
    number = house.say()
    before = house.consents().receipt(number, actor=OFFICER)
    with house.stores.begin_vault() as tx:
        for table in (vault.DataKey, vault.Identifier, vault.Person):
            tx.execute(sa.delete(table))
    door = house.consents()
    after = door.receipt(number, actor=OFFICER)
    assert after.line.subject is None
    assert after.file() == before.file()
    assert verify_file(after.file(), house.keys())["ok"]
    assert [one.state for one in door.verify_receipt(number, actor=OFFICER)].count("bad") == 0
    with pytest.raises(errors.NotFound) as raised:
        door.receipt(number, actor=OFFICER, handed_out=True, opened=True)
    assert raised.value.code == "receipt_closed"


@pytest.mark.parametrize("number", ["", "rcp_", "rcp_x", "rcp_" + "a" * 26, "rcp_" + "A" * 26, "rel_" + "a" * 26, "rcp_" + "é" * 26])
def test_a_number_that_is_none_of_ours_leads_nowhere(house: House, number: str) -> None:
    house.say()
    with pytest.raises(errors.NotFound) as raised:
        house.consents().receipt(number, actor=OFFICER)
    assert raised.value.code == "receipt_unknown"


def test_every_act_has_one_number_and_one_sign_changed_leads_nowhere(house: House) -> None:
    cipher = house.keyring.block_cipher(pseudonyms.RECEIPT_NUMBER)
    inverse = house.keyring.inverse_block_cipher(pseudonyms.RECEIPT_NUMBER)
    numbers = pseudonyms.receipt_numbers(range(1, 5_001), cipher)
    assert len(set(numbers)) == 5_000
    assert [pseudonyms.receipt_position(number, inverse) for number in numbers] == list(range(1, 5_001))
    for place in range(4, 30):
        other = numbers[0][:place] + ("b" if numbers[0][place] == "a" else "a") + numbers[0][place + 1 :]
        assert pseudonyms.receipt_position(other, inverse) is None


def test_acts_of_a_case_are_those_of_all_who_turned_out_to_be_one(house: House) -> None:
    """A case leads to its person's acts, under every record of theirs; another officer's case leads nowhere."""
    from privacy.oversight.cases import Cases

    numbers = {house.say(), house.say("withdrawn", phone="13900139000")}
    house.say(phone="13600136000")
    with house.stores.begin_vault() as tx:
        row = {kind: normalise(kind, pa.array([value]), namespace="")[0] for kind, value in (("phone", "13900139000"), ("email", EMAIL))}
        found = vault.resolve(tx, house.keyring, row, may_link_strong=True, random=os.urandom)
        vault.store(tx, house.keyring, found, pa.array([True]), batch_id=bytes(32), now=house.now, random=os.urandom)
    cases = Cases(
        begin_vault=house.stores.begin_vault, random=os.urandom, begin_platform=house.stores.begin_platform,
        read_platform=house.stores.read_platform, read_vault=house.read_vault, keyring=house.keyring, log=house.log, clock=house.clock,
        zone="Asia/Shanghai",
    )  # fmt: skip
    case = cases.open("phone", PHONE, purpose="consent_evidence", reason="shows what was said", actor=OFFICER)["case"]
    lines, _, totals = house.consents().page(Wanted(), actor=OFFICER, case=case)
    assert {line.number for line in lines} == numbers
    assert totals == (2, 1)
    entry = house.entries()[-1]
    assert entry.facts is not None
    assert (entry.facts["filters"], entry.facts["case"]) == (["case"], case)
    nobody = cases.open("phone", "13700137000", purpose="consent_evidence", reason="shows what was said", actor=OFFICER)["case"]
    assert house.consents().page(Wanted(), actor=OFFICER, case=nobody)[2] == (0, 0)
    with pytest.raises(errors.NotFound) as raised:
        house.consents().page(Wanted(), actor="usr_another00000000", case=case)
    assert raised.value.code == "case_unknown"


def test_a_verification_tells_what_holds_with_and_without_a_signed_head(house: House) -> None:
    number = house.say(notice="v1")
    states = {one.name: one.state for one in house.consents().verify_receipt(number, actor=OFFICER)}
    assert states == {"signature": "good", "notice": "good", "entry": "good", "acts": "good", "tree": "good", "checkpoint": "open"}
    house.door().checkpoint()
    house.say(phone="13900139000")
    assert {one.state for one in house.consents().verify_receipt(number, actor=OFFICER)} == {"good"}
    bare = {one.name: one.state for one in house.consents().verify_receipt(house.say(), actor=OFFICER)}
    assert (bare["notice"], bare["checkpoint"]) == ("open", "open")


def test_a_lawfully_erased_payload_leaves_nothing_to_compare_and_no_alarm(house: House) -> None:
    number = house.say()
    entry = house.consents().receipt(number, actor=OFFICER).line.act.entry
    assert entry is not None
    assert isinstance(house.log, AuditLog)
    with house.stores.begin_platform() as tx:
        house.log.erase(tx, [entry], actor=OFFICER)
    states = {one.name: one.state for one in house.consents().verify_receipt(number, actor=OFFICER)}
    assert (states["entry"], states["acts"], states["tree"]) == ("open", "open", "good")
