"""What the vault keeps: people, sealed identifiers, merges, birth dates."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from app.stores import Stores
from privacy import errors
from privacy.identity import keystate, renewal, vault
from privacy.identity.keys import Keyring
from privacy.orm import VaultBase
from privacy.vocabulary import IdentifierType
from tests.unit.privacy.identity.people import NOW, admit, count, resolve, store

A, B, C = "+8613800138000", "+8613800138001", "+8613800138002"


def identifiers(stores: Stores, keyring: Keyring, person: bytes | None) -> list[tuple[str, str]]:
    assert person is not None
    with stores.read_vault() as tx:
        return [(str(kind), value) for kind, value in vault.identifiers_of(tx, keyring, person)]


def merges(stores: Stores) -> list[tuple[bytes, bytes]]:
    with stores.read_vault() as tx:
        return vault.merged_into(tx)


# ── what is written ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_only_people_and_identifiers_of_kept_rows_are_written(vault_stores: Stores, keyring: Keyring) -> None:
    kept, _ = admit(vault_stores, keyring, phone=[A, B], email=["a@x.cn", "b@x.cn"], keep=[True, False])
    assert [count(vault_stores, table) for table in ("person", "data_key", "identifier")] == [1, 1, 2]
    assert identifiers(vault_stores, keyring, kept) == [("email", "a@x.cn"), ("phone", A)]


def test_an_identifier_that_stands_only_in_refused_rows_does_not_enter_with_its_person(vault_stores: Stores, keyring: Keyring) -> None:
    person, again = admit(vault_stores, keyring, phone=[A, A], email=["a@x.cn", None], keep=[False, True])
    assert person == again
    assert identifiers(vault_stores, keyring, person) == [("phone", A)]


def test_a_batch_without_kept_rows_writes_nothing(vault_stores: Stores, keyring: Keyring) -> None:
    admit(vault_stores, keyring, phone=[A], keep=[False])
    assert count(vault_stores, "person") == 0


def test_no_value_stands_in_clear_anywhere_in_the_vault(vault_stores: Stores, keyring: Keyring) -> None:
    (person,) = admit(vault_stores, keyring, phone=[A], email=["canary@x.cn"], customer_no=["pos\x1fcanary7"])
    assert person is not None
    with vault_stores.begin_vault() as tx:
        vault.set_birth(tx, keyring, [person], [date(2012, 6, 16)], today=date(2026, 6, 15), random=os.urandom)
        for table in VaultBase.metadata.sorted_tables:
            dumped = repr(tx.execute(sa.select(table)).all())
            assert not [word for word in ("138001", "canary", "2012-06") if word in dumped]


def test_a_repeated_batch_writes_nothing_more(vault_stores: Stores, keyring: Keyring) -> None:
    columns = {"phone": [A, B, None], "cookie": ["w\x1f1", None, "w\x1f2"]}
    first = admit(vault_stores, keyring, **columns)
    before = count(vault_stores, "identifier")
    assert admit(vault_stores, keyring, **columns) == first
    assert count(vault_stores, "identifier") == before


def test_of_two_programs_that_meet_the_same_new_identifier_one_is_told(vault_stores: Stores, keyring: Keyring) -> None:
    one, other = resolve(vault_stores, keyring, phone=[A]), resolve(vault_stores, keyring, phone=[A])
    store(vault_stores, keyring, one)
    with pytest.raises(errors.Raced):
        store(vault_stores, keyring, other)
    assert [count(vault_stores, table) for table in ("person", "data_key", "identifier")] == [1, 1, 1]
    assert admit(vault_stores, keyring, phone=[A]) == one.persons.to_pylist()


def test_programs_that_meet_the_same_people_at_once_make_each_person_once(vault_stores: Stores, keyring: Keyring) -> None:
    """Each tries again after `Raced`, as admission does; afterwards all agree, and nobody is double."""
    phones = [f"+86138{number:08d}" for number in range(60)]

    def program(number: int) -> list[bytes | None]:
        turned = phones[number * 10 :] + phones[: number * 10]
        for _ in range(20):
            try:
                found = admit(vault_stores, keyring, phone=turned)
            except errors.Raced:
                continue
            return found[-number * 10 :] + found[: -number * 10] if number else found
        raise AssertionError("twenty races in a row")

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(program, range(4)))
    assert all(answer == answers[0] for answer in answers)
    assert [count(vault_stores, table) for table in ("person", "data_key", "identifier")] == [60, 60, 60]


def test_a_person_erased_between_decision_and_storing_does_not_come_back(vault_stores: Stores, keyring: Keyring) -> None:
    found = resolve(vault_stores, keyring, phone=[A])
    with vault_stores.begin_vault() as tx:
        vault.add_tombstones(tx, keyring, [(IdentifierType.PHONE, A)], now=NOW)
    with pytest.raises(errors.Raced):
        store(vault_stores, keyring, found)
    assert count(vault_stores, "person") == 0


def test_a_link_to_somebody_whose_key_was_shredded_meanwhile_is_refused(vault_stores: Stores, keyring: Keyring) -> None:
    admit(vault_stores, keyring, phone=[A])
    found = resolve(vault_stores, keyring, phone=[A], email=["a@x.cn"])
    with vault_stores.begin_vault() as tx:
        tx.execute(sa.delete(vault.DataKey))
    with pytest.raises(errors.Raced):
        store(vault_stores, keyring, found)


def test_a_shredded_key_leaves_nothing_to_open(vault_stores: Stores, keyring: Keyring) -> None:
    (person,) = admit(vault_stores, keyring, phone=[A])
    with vault_stores.begin_vault() as tx:
        tx.execute(sa.delete(vault.DataKey))
    with pytest.raises(errors.Raced):
        identifiers(vault_stores, keyring, person)


def test_a_sealed_identifier_moved_to_another_person_does_not_open(vault_stores: Stores, keyring: Keyring) -> None:
    _, other = admit(vault_stores, keyring, phone=[A, B])
    with vault_stores.begin_vault() as tx:
        number = tx.execute(sa.select(vault.Person.no).where(vault.Person.person == other)).scalar_one()
        tx.execute(sa.update(vault.Identifier).values(person_no=number))
    with pytest.raises(errors.Locked):
        identifiers(vault_stores, keyring, other)


# ── linking ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_strong_identifiers_in_one_row_belong_to_one_person(vault_stores: Stores, keyring: Keyring) -> None:
    (person,) = admit(vault_stores, keyring, phone=[A])
    assert admit(vault_stores, keyring, phone=[A], email=["a@x.cn"]) == [person]
    assert resolve(vault_stores, keyring, email=["a@x.cn"]).persons.to_pylist() == [person]


def test_two_known_people_in_one_row_become_one_with_the_older_standing_for_both(vault_stores: Stores, keyring: Keyring) -> None:
    older, younger = admit(vault_stores, keyring, phone=[A, None], email=[None, "b@x.cn"])
    found = resolve(vault_stores, keyring, phone=[A], email=["b@x.cn"])
    (join,) = found.merges
    assert (join.row, {join.first, join.second}) == (0, {older, younger})
    store(vault_stores, keyring, found)
    ((loser, winner),) = merges(vault_stores)
    assert {loser, winner} == {older, younger}
    assert resolve(vault_stores, keyring, phone=[A], email=["b@x.cn"]).merges == ()
    again = resolve(vault_stores, keyring, phone=[A, None], email=[None, "b@x.cn"])
    assert again.persons.to_pylist() == [older, younger], "each row is the one's who had its identifier before"
    assert again.families == {older: [younger], younger: [older]}
    assert identifiers(vault_stores, keyring, winner) == [("email", "b@x.cn"), ("phone", A)]
    with vault_stores.read_vault() as tx:
        assert vault.lookup(tx, keyring, "email", "b@x.cn") == winner


def test_a_row_that_was_refused_merges_nobody(vault_stores: Stores, keyring: Keyring) -> None:
    admit(vault_stores, keyring, phone=[A, None], email=[None, "b@x.cn"])
    admit(vault_stores, keyring, phone=[A], email=["b@x.cn"], keep=[False])
    assert merges(vault_stores) == []


def test_a_chain_of_merges_ends_at_one_person(vault_stores: Stores, keyring: Keyring) -> None:
    admit(vault_stores, keyring, phone=[A, None, None], email=[None, "b@x.cn", None], member_card=[None, None, "C3"])
    admit(vault_stores, keyring, email=["b@x.cn"], member_card=["C3"])
    admit(vault_stores, keyring, phone=[A], email=["b@x.cn"])
    pairs = merges(vault_stores)
    assert len(pairs) == 2
    assert len({winner for _, winner in pairs}) == 1
    people = resolve(vault_stores, keyring, phone=[A, None, None], email=[None, "b@x.cn", None], member_card=[None, None, "C3"])
    assert len(people.people) == 48
    assert {frozenset([person, *others]) for person, others in people.families.items()} == {frozenset(people.persons.to_pylist())}


def test_a_weak_identifier_follows_the_last_strong_person_and_merges_nobody(vault_stores: Stores, keyring: Keyring) -> None:
    cookie = "w\x1fc1"
    (visitor,) = admit(vault_stores, keyring, cookie=[cookie])
    first, second = admit(vault_stores, keyring, phone=[A, B])
    assert admit(vault_stores, keyring, phone=[A], cookie=[cookie]) == [first]
    assert merges(vault_stores) == [(visitor, first)], "the first who signs in is the visitor"
    assert resolve(vault_stores, keyring, cookie=[cookie]).families == {visitor: [first]}
    assert admit(vault_stores, keyring, phone=[B, None], cookie=[cookie, cookie]) == [second, second]
    assert merges(vault_stores) == [(visitor, first)]
    assert visitor not in {first, second}
    assert identifiers(vault_stores, keyring, first) == [("phone", A)]
    assert identifiers(vault_stores, keyring, second) == [("cookie", cookie), ("phone", B)]


def test_above_the_limit_the_link_is_refused_and_the_row_kept(vault_stores: Stores, keyring: Keyring) -> None:
    cards = [f"CARD{number}" for number in range(5)]
    people = admit(vault_stores, keyring, phone=[A] * 5, member_card=cards)
    assert len(set(people)) == 1
    assert len(identifiers(vault_stores, keyring, people[0])) == 4
    later = resolve(vault_stores, keyring, phone=[A], member_card=["CARD9"])
    assert later.refused_links == 1
    assert later.persons.to_pylist() == people[:1]


def test_a_merge_that_would_break_a_limit_is_refused(vault_stores: Stores, keyring: Keyring) -> None:
    """Two people with a resident ID each are two people, whoever's phone they use."""
    first, second = admit(vault_stores, keyring, phone=[A, B], national_id=["11010519491231002X", "110105194912310046"])
    found = resolve(vault_stores, keyring, phone=[A], national_id=["110105194912310046"])
    assert (found.merges, found.refused_links) == ((), 1)
    assert found.persons.to_pylist()[0] in {first, second}


# ── rotation ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def rotate(stores: Stores, keyring: Keyring, kind: str) -> None:
    version = keyring.rotate(kind, random=os.urandom, clock=lambda: NOW)
    with stores.begin_vault() as tx:
        keystate.activate(tx, keyring, kind, version, now=NOW)


def test_a_rotation_while_running_splits_nobody(vault_stores: Stores, keyring: Keyring) -> None:
    columns = {"phone": [A, B], "cookie": ["w\x1f1", "w\x1f2"]}
    first = admit(vault_stores, keyring, **columns)
    for kind in ("index", "kek", "index"):
        rotate(vault_stores, keyring, kind)
        assert admit(vault_stores, keyring, phone=[A, B, C], cookie=["w\x1f1", "w\x1f2", None])[:2] == first
        with vault_stores.read_vault() as tx:
            assert vault.lookup(tx, keyring, "phone", A) == first[0]
    assert count(vault_stores, "person") == 3
    assert identifiers(vault_stores, keyring, first[0]) == [("cookie", "w\x1f1"), ("phone", A)]


def test_a_batch_that_was_resolved_before_a_rotation_is_resolved_again(vault_stores: Stores, keyring: Keyring) -> None:
    found = resolve(vault_stores, keyring, phone=[A])
    rotate(vault_stores, keyring, "index")
    with pytest.raises(errors.Raced):
        store(vault_stores, keyring, found)


def test_a_version_waits_in_the_file_until_the_vault_puts_it_in_force(vault_stores: Stores, keyring: Keyring) -> None:
    (person,) = admit(vault_stores, keyring, phone=[A])
    keyring.rotate("index", random=os.urandom, clock=lambda: NOW)
    assert admit(vault_stores, keyring, phone=[A], email=["a@x.cn"]) == [person]
    with vault_stores.read_vault() as tx:
        assert set(tx.execute(sa.select(vault.Identifier.index_version)).scalars()) == {1}


def test_a_weak_identifier_that_moves_during_a_rotation_moves_under_every_version(vault_stores: Stores, keyring: Keyring) -> None:
    cookie = "w\x1f1"
    first, second = admit(vault_stores, keyring, phone=[A, B], cookie=[cookie, None])
    rotate(vault_stores, keyring, "index")
    admit(vault_stores, keyring, cookie=[cookie])
    assert admit(vault_stores, keyring, phone=[B], cookie=[cookie]) == [second]
    assert identifiers(vault_stores, keyring, first) == [("phone", A)]
    assert resolve(vault_stores, keyring, cookie=[cookie]).persons.to_pylist() == [second]


def test_renewing_leaves_nothing_that_needs_an_older_version(vault_stores: Stores, keyring: Keyring) -> None:
    people = admit(vault_stores, keyring, phone=[A, B, C])
    rotate(vault_stores, keyring, "index")
    rotate(vault_stores, keyring, "kek")
    with vault_stores.begin_vault() as tx:
        assert renewal.reindex(tx, keyring, limit=2) == 2
        assert renewal.reindex(tx, keyring, limit=2) == 1
        assert renewal.reindex(tx, keyring) == 0
        assert renewal.rewrap(tx, keyring, limit=2, random=os.urandom) == 2
        assert renewal.rewrap(tx, keyring, random=os.urandom) == 1
        assert renewal.rewrap(tx, keyring, random=os.urandom) == 0
        tx.execute(sa.delete(vault.Identifier).where(vault.Identifier.index_version == 1))
    assert resolve(vault_stores, keyring, phone=[A, B, C]).persons.to_pylist() == people
    assert identifiers(vault_stores, keyring, people[0]) == [("phone", A)]


# ── the young ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_age_is_counted_in_completed_years_on_both_birthdays() -> None:
    assert vault.age(date(2008, 6, 16), date(2026, 6, 15)) == 17
    assert vault.age(date(2008, 6, 15), date(2026, 6, 15)) == 18
    assert vault.age(date(2008, 2, 29), date(2026, 2, 28)) == 17
    assert vault.age(date(2008, 2, 29), date(2026, 3, 1)) == 18


def test_who_is_merged_with_a_youth_counts_as_young(vault_stores: Stores, keyring: Keyring) -> None:
    people = admit(vault_stores, keyring, phone=[A, None], email=[None, "b@x.cn"])
    with vault_stores.begin_vault() as tx:
        days = [date(1990, 1, 1), date(2012, 6, 16)]
        vault.set_birth(tx, keyring, [person for person in people if person], days, today=date(2026, 6, 15), random=os.urandom)
    admit(vault_stores, keyring, phone=[A], email=["b@x.cn"])
    found = resolve(vault_stores, keyring, phone=[A])
    assert list(found.youth.values()) == [date(2012, 6, 16)]
    with vault_stores.read_vault() as tx:
        assert set(vault.youths(tx, keyring).values()) == {date(2012, 6, 16)}


def test_a_corrected_birth_date_counts(vault_stores: Stores, keyring: Keyring) -> None:
    (person,) = admit(vault_stores, keyring, phone=[A])
    assert person is not None
    for born, young in ((date(2012, 6, 16), 1), (date(1990, 1, 1), 0)):
        with vault_stores.begin_vault() as tx:
            vault.set_birth(tx, keyring, [person], [born], today=date(2026, 6, 15), random=os.urandom)
            assert len(vault.youths(tx, keyring)) == young


# ── orphans ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_people_whom_nothing_outside_knows_are_swept_after_their_time(vault_stores: Stores, keyring: Keyring) -> None:
    old = NOW - timedelta(days=2)
    known, _ = admit(vault_stores, keyring, phone=[A, B], now=old)
    admit(vault_stores, keyring, phone=[C])

    def outside(people: Sequence[bytes]) -> Collection[bytes]:
        return {person for person in people if person == known}

    with vault_stores.begin_vault() as tx:
        assert vault.sweep_orphans(tx, outside, NOW - timedelta(days=1), since=old + timedelta(hours=1)) == 0
        assert vault.sweep_orphans(tx, outside, NOW - timedelta(days=1)) == 1
    assert resolve(vault_stores, keyring, phone=[A, B, C]).known.to_pylist() == [True, False, True]
    assert [count(vault_stores, table) for table in ("person", "data_key", "identifier")] == [2, 2, 2]


def test_people_in_a_merge_are_not_swept(vault_stores: Stores, keyring: Keyring) -> None:
    admit(vault_stores, keyring, phone=[A, None], email=[None, "b@x.cn"], now=NOW - timedelta(days=2))
    admit(vault_stores, keyring, phone=[A], email=["b@x.cn"])
    with vault_stores.begin_vault() as tx:
        assert vault.sweep_orphans(tx, lambda people: (), NOW) == 0
