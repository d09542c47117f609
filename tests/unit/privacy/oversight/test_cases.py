"""The officer's case: logged before anything is read, masked, of one account; acts of consent with what they change."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from app.stores import Stores
from privacy import errors
from privacy.audit.log import AuditLog
from privacy.audit.reading import Filter, Line, lines
from privacy.consent import ledger, registry, stopped
from privacy.identity import pseudonyms, vault
from privacy.identity.keys import Keyring
from privacy.orm import to_micros
from privacy.oversight.cases import Cases
from privacy.records import Log
from privacy.vocabulary import IdentifierType
from tests.conftest import NOW
from tests.fakes.log import RefusingLog
from tests.house import Clock
from tests.unit.privacy.identity.conftest import vault_stores  # noqa: F401 (a fixture)
from tests.unit.privacy.identity.people import admit
from tests.unit.privacy.identity.test_vault import A, B

ME, OTHER = "usr_0123456789abcdef", "usr_fedcba9876543210"
WHY = {"purpose": "complaint", "reason": "says that she withdrew", "actor": ME}
STATISTICS = "analytics.statistics"


@dataclass(frozen=True)
class Desk:
    """A door over a vault with two people merged by a record."""

    stores: Stores
    keyring: Keyring
    clock: Clock

    def door(self, log: Log | None = None) -> Cases:
        return Cases(
            begin_vault=self.stores.begin_vault,
            random=os.urandom,
            begin_platform=self.stores.begin_platform,
            read_platform=self.stores.read_platform,
            read_vault=self.stores.read_vault,
            keyring=self.keyring,
            log=log or AuditLog(self.clock, os.urandom),
            clock=self.clock,
            zone="Asia/Shanghai",
        )

    def case(self, phone: str = A) -> str:
        return str(self.door().open("phone", phone, **WHY)["case"])

    def entries(self) -> list[Line]:
        with self.stores.read_platform() as tx:
            return list(lines(tx, Filter(), limit=100).items)

    def states(self, case: str, **more: Any) -> dict[str, dict[str, Any]]:
        return {one["purpose"]: one for one in self.door().look(case, actor=ME, parts=["consents"], **more)["consents"]}


@pytest.fixture
def desk(vault_stores: Stores, keyring: Keyring) -> Desk:  # noqa: F811
    admit(vault_stores, keyring, phone=[A, None], email=[None, "b@x.cn"])
    admit(vault_stores, keyring, phone=[A], email=["b@x.cn"])
    with vault_stores.begin_platform() as tx:
        registry.seed(tx, NOW)
    return Desk(vault_stores, keyring, Clock())


def test_a_case_tells_masked_identifiers_and_every_look_is_an_entry_before_it(desk: Desk) -> None:
    case = desk.case()
    told = desk.door().look(case, actor=ME, parts=["identities", "timeline", "stopped", "consents"])
    assert {one["masked"] for one in told["identifiers"]} == {"138****8000", "***@***.cn"}
    assert A not in json.dumps(told)
    newest, opened, *_ = desk.entries()
    assert (newest.action, newest.facts) == (
        "case.view",
        {
            "case": case,
            "purpose": "complaint",
            "parts": ["consents", "identities", "stopped", "timeline"],
            "subject": newest.facts["subject"],
        },
    )
    assert (opened.action, opened.facts and opened.facts["reason"]) == ("case.open", WHY["reason"])
    assert [line["action"] for line in told["staff"]] == ["case.view", "case.open", "person.show"]
    with pytest.raises(errors.Unavailable):
        desk.door(RefusingLog()).look(case, actor=ME, parts=[])
    with pytest.raises(errors.Unavailable):
        desk.door(RefusingLog()).open("phone", A, **WHY)


def test_a_case_is_of_its_account_alone_and_ends(desk: Desk) -> None:
    case = desk.case()
    door = desk.door()
    for act in (
        lambda: door.look(case, actor=OTHER, parts=[]),
        lambda: door.reveal_of(case, "00" * 16, **{**WHY, "actor": OTHER}),
        lambda: door.decide(case, {"purpose": STATISTICS, "state": "withdrawn", "collection": "paper"}, actor=OTHER),
        lambda: door.close(case, actor=OTHER),
    ):
        with pytest.raises(errors.NotFound):
            act()
    assert [one["case"] for one in door.mine(actor=ME)] == [case]
    assert door.mine(actor=OTHER) == []
    desk.clock.forward(hours=8)
    with pytest.raises(errors.NotFound):
        door.look(case, actor=ME, parts=[])
    assert door.mine(actor=ME) == []


def test_nobody_has_a_case_too_and_it_leads_to_nobody(desk: Desk) -> None:
    opened = desk.door().open("phone", "13900009999", **WHY)
    assert (opened["state"], opened["handle"], opened["identifiers"]) == ("unknown", None, [])
    told = desk.door().look(opened["case"], actor=ME, parts=["consents", "identities"])
    assert (told["state"], told["identifiers"]) == ("unknown", [])
    assert [line.action for line in desk.entries()][:4] == ["case.view", "case.open", "person.show", "person.find"]
    for act in (
        lambda: desk.door().reveal_of(opened["case"], "00" * 16, **WHY),
        lambda: desk.door().decide(opened["case"], {"purpose": STATISTICS, "state": "granted"}, actor=ME),
    ):
        with pytest.raises(errors.Conflict) as caught:
            act()
        assert caught.value.code == "case_empty"


def test_who_was_erased_is_told_from_who_was_never_here(desk: Desk) -> None:
    with desk.stores.begin_vault() as tx:
        vault.add_tombstones(tx, desk.keyring, [(IdentifierType.PHONE, "+8613700000000")], now=NOW)
    assert desk.door().open("phone", "13700000000", **WHY)["state"] == "erased"
    case = desk.case(B)
    assert desk.door().look(case, actor=ME, parts=[])["state"] == "unknown"


def test_two_cases_about_one_person_do_not_meet_in_the_table(desk: Desk) -> None:
    cases = {desk.case(), desk.case()}
    with desk.stores.read_platform() as tx:
        subjects = {bytes(row) for row in tx.exec_driver_sql("SELECT subject FROM person_case").scalars()}
    assert len(cases) == len(subjects) == 2


def test_an_act_is_recorded_with_its_evidence_and_tells_what_changed_and_the_past_stays_as_it_was(desk: Desk) -> None:
    case, door = desk.case(), desk.door()
    granted = door.decide(case, {"purpose": STATISTICS, "state": "granted", "collection": "paper"}, actor=ME)
    assert (granted["before"], granted["after"], granted["receipt"][:4]) == ("unasked", "granted", "rcp_")
    desk.clock.forward(hours=4)
    earlier = {"purpose": STATISTICS, "state": "withdrawn", "collection": "phone", "at": NOW + timedelta(hours=1)}
    withdrawn = door.decide(case, earlier, actor=ME)
    assert (withdrawn["before"], withdrawn["after"]) == ("granted", "withdrawn")
    now = desk.states(case)[STATISTICS]
    assert (now["state"], now["act"]["receipt"], now["act"]["collection"]) == ("withdrawn", withdrawn["receipt"], "phone")
    then = desk.states(case, at=NOW + timedelta(hours=2))[STATISTICS]
    assert (then["state"], then["revised"], then["act"]["receipt"]) == ("granted", True, granted["receipt"])
    handle = desk.keyring.block_cipher(pseudonyms.CONSENT_HANDLE)(vault_person(desk))
    with desk.stores.read_platform() as tx:
        assert handle not in ledger.allowed_handles(tx, STATISTICS, to_micros(desk.clock()))
    entry = next(line for line in desk.entries() if line.seq == withdrawn["entry"])
    assert (entry.kind, entry.action, entry.facts and entry.facts["states"]) == ("consent", "consent.record", {"withdrawn": 1})


def vault_person(desk: Desk) -> bytes:
    with desk.stores.read_vault() as tx:
        person = vault.lookup(tx, desk.keyring, "phone", A)
    assert person is not None
    return person


def test_a_grant_that_is_none_is_refused_and_nothing_is_written(desk: Desk) -> None:
    case, door = desk.case(), desk.door()
    before = len(desk.entries())
    for wish, code in (
        ({"purpose": "location.store_arrival", "state": "granted", "collection": "form"}, "default_state_missing"),
        ({"purpose": STATISTICS, "state": "granted", "collection": "form", "default_state": "checked"}, "consent_preticked"),
        ({"purpose": "something.else", "state": "withdrawn"}, "purpose_unknown"),
    ):
        with pytest.raises(errors.PiyingError) as caught:
            door.decide(case, wish, actor=ME)
        assert caught.value.code == code
    assert len(desk.entries()) == before
    assert {one["state"] for one in desk.states(case).values()} == {"unasked"}


def test_one_value_is_revealed_and_only_of_the_cases_person(desk: Desk) -> None:
    case = desk.case()
    refs = {one["type"]: one["ref"] for one in desk.door().look(case, actor=ME, parts=[])["identifiers"]}
    shown = desk.door().reveal_of(case, refs["phone"], **WHY)
    assert (shown["value"], desk.entries()[0].seq) == (A, shown["entry"])
    with pytest.raises(errors.NotFound):
        desk.door().reveal_of(case, "00" * 16, **WHY)
    with pytest.raises(errors.Invalid) as caught:
        desk.door().reveal_of(case, refs["phone"], **{**WHY, "reason": "x"})
    assert caught.value.code == "reason_missing"


def test_consequences_are_listed_before_a_merge_is_undone_and_then_come(desk: Desk) -> None:
    case = desk.case()
    desk.door().decide(case, {"purpose": STATISTICS, "state": "granted", "collection": "paper"}, actor=ME)
    (merge,) = desk.door().look(case, actor=ME, parts=["identities"])["merges"]
    told = desk.door().consequences(case, merge["merge"], actor=ME)
    assert [[one["type"] for one in side["identifiers"]] for side in told["sides"]] == [["phone"], ["email"]]
    assert told["consents"] == 1
    done = desk.door().unmerge_of(case, merge["merge"], **WHY)
    assert done["consents"] == 1
    with pytest.raises(errors.NotFound):
        desk.door().consequences(case, merge["merge"], actor=ME)
    assert [one["type"] for one in desk.door().look(case, actor=ME, parts=[])["identifiers"]] == ["phone"]


def test_what_a_no_kept_out_is_told_by_purpose_and_month(desk: Desk) -> None:
    case = desk.case()
    handle = desk.keyring.block_cipher(pseudonyms.CONSENT_HANDLE)(vault_person(desk))
    with desk.stores.begin_platform() as tx:
        stopped.add(tx, {(handle, STATISTICS): 3}, NOW.date())
    desk.door().decide(case, {"purpose": STATISTICS, "state": "withdrawn", "collection": "paper"}, actor=ME)
    told = {one["purpose"]: one for one in desk.door().look(case, actor=ME, parts=["stopped"])["stopped"]}
    assert told[STATISTICS]["months"] == [{"month": NOW.year * 100 + NOW.month, "number": 3}]
    assert (told[STATISTICS]["state"], told[STATISTICS]["since"] is None) == ("withdrawn", False)
    assert told["marketing.profiling"]["months"] == []
