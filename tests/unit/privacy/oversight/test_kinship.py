"""The officer's door to who is who: logged first, masked, by reference; nothing merges by itself."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

import pytest

from app.stores import Stores
from privacy import errors
from privacy.audit.log import AuditLog
from privacy.audit.reading import Filter, lines
from privacy.consent import ledger, registry  # noqa: F401 (their tables)
from privacy.identity import matching
from privacy.identity.keys import Keyring
from privacy.oversight.kinship import Kinship
from privacy.records import Log
from tests.conftest import NOW
from tests.fakes.log import RefusingLog
from tests.unit.privacy.identity.conftest import vault_stores  # noqa: F401 (a fixture)
from tests.unit.privacy.identity.people import admit
from tests.unit.privacy.identity.test_vault import A, B, merges

WHY = {"purpose": "data_quality", "reason": "the two look like one", "actor": "usr_0123456789abcdef"}
NAMES = {
    "name": ["li hua", "wang wei", "li hua"],
    "place": ["hangzhou", "chengdu", "hangzhou"],
    "birth_date": ["1990-01-01", "1985-02-03", "1990-01-01"],
}


@dataclass(frozen=True)
class Desk:
    """A door over a vault with two people merged by a record, and a third by herself."""

    stores: Stores
    keyring: Keyring

    def door(self, log: Log | None = None) -> Kinship:
        return Kinship(
            begin_vault=self.stores.begin_vault,
            random=os.urandom,
            begin_platform=self.stores.begin_platform,
            read_platform=self.stores.read_platform,
            read_vault=self.stores.read_vault,
            keyring=self.keyring,
            log=log or AuditLog(lambda: NOW, os.urandom),
            clock=lambda: NOW,
            zone="Asia/Shanghai",
        )

    def find(self, phone: str = A) -> str:
        handle = self.door().find_person("phone", phone, **WHY)["handle"]
        assert isinstance(handle, str)
        return handle

    def actions(self) -> list[tuple[str, str]]:
        with self.stores.read_platform() as tx:
            return [(line.action, line.result) for line in reversed(lines(tx, Filter(), limit=100).items)]


@pytest.fixture
def desk(vault_stores: Stores, keyring: Keyring) -> Desk:  # noqa: F811
    admit(vault_stores, keyring, phone=[A, None, B], email=[None, "b@x.cn", None])
    admit(vault_stores, keyring, phone=[A], email=["b@x.cn"])
    return Desk(vault_stores, keyring)


def test_reasons_are_masked_and_name_merges_by_reference(desk: Desk) -> None:
    told = desk.door().reasons(desk.find(), **WHY)
    assert {(one["type"], one["masked"], one["member"]) for one in told["links"]} == {
        ("phone", "138****8000", 1),
        ("email", "***@***.cn", 2),
    }
    (merge,) = told["merges"]
    assert (merge["members"], merge["rule"], merge["merge"][:4]) == ([1, 2], "same_record", "mrg_")
    assert A not in json.dumps(told)
    assert "b@x.cn" not in json.dumps(told)
    assert desk.actions()[-1] == ("person.reasons", "ok")
    with pytest.raises(errors.NotFound):
        desk.door().reasons("00" * 16, **WHY)


def test_without_the_log_nothing_is_told_and_nothing_is_undone(desk: Desk) -> None:
    handle = desk.find()
    (merge,) = desk.door().reasons(handle, **WHY)["merges"]
    door = desk.door(RefusingLog())
    for act in (
        lambda: door.reasons(handle, **WHY),
        lambda: door.unmerge(handle, merge["merge"], **WHY),
        lambda: door.proposals(actor=WHY["actor"]),
        lambda: door.accept("prp_" + "00" * 16, **WHY),
        lambda: door.dismiss("prp_" + "00" * 16, **WHY),
    ):
        with pytest.raises((errors.Unavailable, errors.NotFound)):
            act()
    assert len(merges(desk.stores)) == 1


def test_a_merge_is_undone_by_its_reference_once_and_only_for_its_own_person(desk: Desk) -> None:
    handle = desk.find()
    (merge,) = desk.door().reasons(handle, **WHY)["merges"]
    for wrong in (desk.find(B), "00" * 16):
        with pytest.raises(errors.NotFound) as caught:
            desk.door().unmerge(wrong, merge["merge"], **WHY)
        assert caught.value.code in ("merge_unknown", "person_unknown")
    told = desk.door().unmerge(handle, merge["merge"], **WHY)
    assert [one["identifiers"] for one in told["people"]] == [1, 1]
    assert desk.actions()[-2:] == [("person.unmerge", "asked"), ("person.unmerge", "ok")]
    assert merges(desk.stores) == []
    for name in (merge["merge"], "mrg_nothing", "prp_" + "00" * 16, ""):
        with pytest.raises(errors.NotFound):
            desk.door().unmerge(handle, name, **WHY)
    with pytest.raises(errors.Invalid):
        desk.door().unmerge(handle, merge["merge"], **{**WHY, "purpose": "curiosity"})


@dataclass(frozen=True)
class Match:
    """What the match would answer: the first and the last record are one."""

    pair: matching.Pair

    def __call__(self, columns: Any, *, threshold: float) -> list[matching.Pair]:
        assert threshold == matching.THRESHOLD
        assert list(columns["name"]) == NAMES["name"]
        return [self.pair]


def proposed(desk: Desk) -> dict[str, Any]:
    """A file of three records: the first person's phone, somebody unknown left out, the third person's."""
    match = Match(matching.Pair(0, 2, 21_500, {"name": "equal", "place": "equal"}))
    door = desk.door()
    columns: dict[str, list[str | None]] = {name: [*values, None] for name, values in NAMES.items()}
    admit(desk.stores, desk.keyring, phone=["+8613800138099"])
    phones = [A, "+8613800138099", B, "+8613900000000"]
    return door.propose(columns, {"phone": phones}, source="src_crm", namespace="crm", match=match, **WHY)


def test_a_proposal_merges_nobody_until_an_officer_accepts_it(desk: Desk) -> None:
    assert proposed(desk) == {"records": 4, "known": 3, "pairs": 1, "proposed": 1}
    assert len(merges(desk.stores)) == 1
    (one,) = desk.door().proposals(actor=WHY["actor"])["items"]
    assert (one["weight"], one["fields"]) == (21.5, {"name": "equal", "place": "equal"})
    assert set(one["handles"]) == {desk.find(A), desk.find(B)}
    told = desk.door().accept(one["proposal"], **WHY)
    assert told["members"] == 3
    assert desk.find(A) == desk.find(B) == told["handle"]
    manual = [merge for merge in desk.door().reasons(told["handle"], **WHY)["merges"] if merge["rule"] == "manual"]
    assert len(manual) == 1
    with pytest.raises(errors.NotFound):
        desk.door().accept(one["proposal"], **WHY)
    desk.door().unmerge(told["handle"], manual[0]["merge"], **WHY)
    assert desk.find(A) != desk.find(B)
    assert proposed(desk)["proposed"] == 0, "two whom an officer separated are not proposed again"


def test_a_dismissed_proposal_does_not_come_again_and_the_log_knows_no_name(desk: Desk) -> None:
    proposed(desk)
    (one,) = desk.door().proposals(actor=WHY["actor"])["items"]
    assert desk.door().dismiss(one["proposal"], **WHY)["dismissed"] == one["proposal"]
    assert proposed(desk)["proposed"] == 0
    assert desk.door().proposals(actor=WHY["actor"])["items"] == []
    assert {"person.propose", "person.proposals", "person.dismiss"} <= {action for action, _ in desk.actions()}


def test_an_accepted_proposal_keeps_the_limits(desk: Desk) -> None:
    proposed(desk)
    admit(desk.stores, desk.keyring, phone=[A] * 3, member_card=["K1", "K2", "K3"])
    admit(desk.stores, desk.keyring, phone=[B], member_card=["K4"])
    (one,) = desk.door().proposals(actor=WHY["actor"])["items"]
    with pytest.raises(errors.Refused) as caught:
        desk.door().accept(one["proposal"], **WHY)
    assert caught.value.code == "merge_over_limit"
    assert len(desk.door().proposals(actor=WHY["actor"])["items"]) == 1


def test_a_match_names_known_columns_only(desk: Desk) -> None:
    for fields, identifiers in (({"shoe_size": ["4"]}, {"phone": [A]}), (NAMES, {"nickname": ["x"] * 3}), (NAMES, {})):
        with pytest.raises(errors.Invalid) as caught:
            desk.door().propose(fields, identifiers, source="s", namespace="", **WHY)
        assert caught.value.code == "match_fields"
