"""Whose rows these are, without writing."""

from __future__ import annotations

import os
from datetime import date

import pyarrow as pa
import pytest

from app.stores import Stores
from privacy import errors
from privacy.identity import resolution, vault
from privacy.identity.keys import Keyring
from privacy.vocabulary import IdentifierType
from tests.unit.privacy.identity.people import NOW, admit, count, resolve


def test_unknown_people_get_ids_in_memory_and_the_vault_stays_empty(vault_stores: Stores, keyring: Keyring) -> None:
    found = resolve(vault_stores, keyring, phone=["+8613800138000", "+8613800138001", "+8613800138000", None])
    people = found.persons.to_pylist()
    assert people[0] == people[2] != people[1]
    assert people[3] is None
    assert found.index.tolist()[3] == -1
    assert found.known.to_pylist() == [False] * 4
    assert len(found.people) == 32
    assert [count(vault_stores, table) for table in ("person", "identifier", "data_key")] == [0, 0, 0]


def test_the_same_identifier_leads_to_the_same_person_in_the_next_batch(vault_stores: Stores, keyring: Keyring) -> None:
    first = admit(vault_stores, keyring, phone=["+8613800138000", "+8613800138001"], email=["a@x.cn", None])
    again = resolve(vault_stores, keyring, phone=[None, "+8613800138001"], email=["a@x.cn", None])
    assert again.persons.to_pylist() == first
    assert again.known.to_pylist() == [True, True]


def test_a_value_of_another_type_is_another_person(vault_stores: Stores, keyring: Keyring) -> None:
    (card,) = admit(vault_stores, keyring, member_card=["123456"])
    assert resolve(vault_stores, keyring, unionid=["123456"]).persons.to_pylist() != [card]


def test_from_a_client_key_a_strong_identifier_names_and_links_nobody(vault_stores: Stores, keyring: Keyring) -> None:
    """Law rule E-1: anybody can send anybody's phone number with a public key."""
    (owner,) = admit(vault_stores, keyring, phone=["+8613800138000"])
    claimed = resolve(vault_stores, keyring, server=False, phone=["+8613800138000", "+8613800138000"], cookie=["web\x1fc1", None])
    assert claimed.persons.to_pylist()[0] not in {owner, None}
    assert claimed.persons.to_pylist()[1] is None
    admit(vault_stores, keyring, server=False, phone=["+8613800138001"], cookie=["web\x1fc1"])
    with vault_stores.read_vault() as tx:
        assert vault.lookup(tx, keyring, "phone", "+8613800138001") is None


def test_rows_with_an_identifier_of_somebody_erased_say_so_and_link_nothing(vault_stores: Stores, keyring: Keyring) -> None:
    with vault_stores.begin_vault() as tx:
        vault.add_tombstones(tx, keyring, [(IdentifierType.PHONE, "+8613800138000"), (IdentifierType.EMAIL, "a@x.cn")], now=NOW)
        vault.add_tombstones(tx, keyring, [(IdentifierType.PHONE, "+8613800138000")], now=NOW)
    for server in (True, False):
        found = resolve(vault_stores, keyring, server=server, phone=["+8613800138000", "+8613800138001"], cookie=["w\x1f1", "w\x1f2"])
        assert found.erased.to_pylist() == [True, False]
        assert found.persons.to_pylist()[0] is None
    admit(vault_stores, keyring, phone=["+8613800138000"], email=["b@x.cn"])
    assert count(vault_stores, "identifier") == 0


def test_the_birth_dates_of_the_young_come_along_and_those_of_adults_do_not(vault_stores: Stores, keyring: Keyring) -> None:
    young, adult = admit(vault_stores, keyring, phone=["+8613800138000", "+8613800138001"])
    assert young is not None
    assert adult is not None
    with vault_stores.begin_vault() as tx:
        days = [date(2012, 6, 16), date(1990, 1, 1)]
        vault.set_birth(tx, keyring, [young, adult], days, today=date(2026, 6, 15), random=os.urandom)
    assert dict(resolve(vault_stores, keyring, phone=["+8613800138000", "+8613800138001"]).youth) == {young: date(2012, 6, 16)}


def test_neither_values_nor_people_stand_in_a_repr(vault_stores: Stores, keyring: Keyring) -> None:
    found = resolve(vault_stores, keyring, phone=["+8613800138000"], email=["canary@x.cn"])
    shown = repr(found) + repr(found.found)
    assert "138001" not in shown
    assert "canary" not in shown
    assert repr(found.people) not in shown


def test_nothing_to_look_for_finds_nobody(vault_stores: Stores, keyring: Keyring) -> None:
    assert len(resolve(vault_stores, keyring).persons) == 0
    assert resolve(vault_stores, keyring, phone=[None, None]).persons.to_pylist() == [None, None]


def test_a_vault_of_another_keyring_is_locked(vault_stores: Stores) -> None:
    other = Keyring.fresh(random=os.urandom, clock=lambda: NOW)
    with pytest.raises(errors.Locked) as caught:
        resolve(vault_stores, other, phone=["+8613800138000"])
    assert caught.value.code == "keys_foreign"


def test_ten_thousand_rows_come_back_in_their_order(vault_stores: Stores, keyring: Keyring) -> None:
    phones = [f"+86138{number:08d}" for number in range(10_000)]
    cards = [f"C{number:06d}" if number % 2 else None for number in range(10_000)]
    first = admit(vault_stores, keyring, phone=phones, member_card=cards)
    assert len(set(first)) == 10_000
    backwards = resolve(vault_stores, keyring, phone=phones[::-1])
    assert backwards.persons.to_pylist() == first[::-1]
    assert pa.compute.all(backwards.known).as_py()


def test_strong_types_come_before_weak_ones() -> None:
    assert set(resolution.ORDER[-2:]) == {IdentifierType.COOKIE, IdentifierType.DEVICE}
    assert set(resolution.ORDER) == set(IdentifierType)
