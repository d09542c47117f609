"""Who no longer allows something: everybody who turned out to be one counts together, and the strictest holds."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.stores import Stores
from privacy.delivery import removals, watch
from privacy.delivery.delivered import PUSH, Export
from privacy.delivery.holdings import Held
from privacy.identity.keys import Keyring
from tests.unit.privacy.delivery.office import PURPOSES, Office
from tests.unit.privacy.delivery.test_afterwards import sqlite_tables  # noqa: F401 (a fixture)
from tests.unit.privacy.delivery.test_desk import A, B
from tests.unit.privacy.identity.people import NOW


@pytest.fixture
def office(sqlite_tables: Stores, keyring: Keyring) -> Office:  # noqa: F811
    return Office(sqlite_tables, keyring)


def test_a_no_of_any_of_a_family_is_a_no_of_all_since_it_came_in(office: Office) -> None:
    one, other = office.people(A, B)
    office.later(minutes=5)
    office.say(other, "share.dsp", "withdrawn")
    every = watch.with_families([one], [(other, one)])
    assert every == {one: (one, other), other: (one, other)}
    with office.stores.read_platform() as tx:
        assert watch.not_allowing(tx, office.keyring, {one: (one,)}, PURPOSES, office.now) == {}
        out = watch.not_allowing(tx, office.keyring, {one: every[one]}, PURPOSES, office.now + timedelta(hours=1))
    assert out == {one: office.now}


def test_handles_lead_back_to_their_people(office: Office) -> None:
    people = office.people(A, B)
    assert watch.people_of(office.keyring, watch.consent_handles(office.keyring, people)) == people
    assert watch.consent_handles(office.keyring, []) == watch.people_of(office.keyring, []) == []


def test_a_removals_list_is_cut_by_people_and_each_part_has_its_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("privacy.delivery.bodies.ROWS_OF_A_FILE", 2)
    export = Export("exp_1", "rec_1", "download", "lane", "meta", ["PHONE"], [], {}, 3, NOW, None)
    held = [Held(name, 0, bytes([mark]) * 16, False, {"PHONE": f"{name}{mark}"}) for name in ("exp_1", "exp_2") for mark in range(3)]
    pieces = removals.cut(held, export)
    assert [len(piece) for piece in pieces] == [4, 2], "all rows of a person in one part"
    made = removals.lanes(held, {"exp_1": export, "exp_2": export})
    assert (made["lane"]["people"], made["lane"]["parts"], made["lane"]["exports"]) == (3, 2, ["exp_1", "exp_2"])
    assert len(set(made["lane"]["sha256"])) == 2
    assert export.way != PUSH
