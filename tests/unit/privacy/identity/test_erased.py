"""The vault's part of an erasure, on both databases: the slip, the key first, the marks, and what an old copy is told. Names
`privacy.identity.stones`."""

from __future__ import annotations

import os
from datetime import timedelta

import sqlalchemy as sa

from app.stores import Stores
from privacy.identity import erased, vault
from privacy.identity.keys import Keyring
from privacy.orm import to_micros
from privacy.vocabulary import IdentifierType
from tests.unit.privacy.identity.people import NOW, admit, count, resolve

A, B, C = "+8613800138000", "+8613800138001", "+8613800138002"
LATER = NOW + timedelta(days=1)


def begun(stores: Stores, keyring: Keyring, person: bytes, name: str = "era_1") -> erased.Slip:
    with stores.begin_vault() as tx:
        slip = erased.gather(tx, keyring, [person])
        erased.write_slip(tx, keyring, name, slip, now=NOW, random=os.urandom)
    return slip


def gone(stores: Stores, keyring: Keyring, person: bytes, name: str = "era_1") -> erased.Slip:
    """Erased to the last row."""
    begun(stores, keyring, person, name)
    with stores.begin_vault() as tx:
        erased.shred(tx, keyring, name, now=NOW, random=os.urandom)
        slip = erased.read_slip(tx, keyring, name)
        assert slip is not None
        erased.remove(tx, slip)
    return slip


def test_a_family_goes_whole_and_its_identifiers_are_marked(vault_stores: Stores, keyring: Keyring) -> None:
    admit(vault_stores, keyring, phone=[A, B], email=["a@x.cn", "b@x.cn"])
    (anna,) = admit(vault_stores, keyring, phone=[A], email=["b@x.cn"])
    other = admit(vault_stores, keyring, phone=[C])
    assert anna is not None
    slip = gone(vault_stores, keyring, anna)
    assert (len(slip.people), len(slip.identifiers), slip.whole) == (2, 4, True)
    with vault_stores.read_vault() as tx:
        assert set(erased.left(tx, keyring, slip).values()) == {0}
        assert erased.unmarked(tx, keyring, slip) == 0
    assert [count(vault_stores, table) for table in ("person", "data_key", "identifier", "person_merge")] == [1, 1, 1, 0]
    found = resolve(vault_stores, keyring, phone=[A, C], email=["new@x.cn", None])
    assert found.erased.to_pylist() == [True, False]
    assert found.persons.to_pylist() == [None, *other]


def test_a_slip_opens_until_it_is_torn_and_says_who_was_merged_meanwhile(vault_stores: Stores, keyring: Keyring) -> None:
    first, _ = admit(vault_stores, keyring, phone=[A, B])
    assert first is not None
    before = begun(vault_stores, keyring, first)
    with vault_stores.read_vault() as tx:
        assert erased.read_slip(tx, keyring, "era_1") == before
        assert erased.left(tx, keyring, before)["person"] == 1
        assert erased.unmarked(tx, keyring, before) == 2, "the identifier's mark and the person's"
    admit(vault_stores, keyring, phone=[A], email=["a@x.cn"])
    admit(vault_stores, keyring, phone=[B], email=["a@x.cn"])
    with vault_stores.begin_vault() as tx:
        assert erased.shred(tx, keyring, "era_1", now=NOW, random=os.urandom) == {"keys": 2, "marks": 3}
        assert erased.shred(tx, keyring, "era_1", now=NOW, random=os.urandom)["keys"] == 0
        slip = erased.read_slip(tx, keyring, "era_1")
        assert slip is not None
        assert len(slip.identifiers) == 3, "what was opened before the keys died stays on the slip"
        assert erased.sweep_slips(tx, ["era_1"]) == 0
        erased.tear_slip(tx, "era_1")
        assert erased.read_slip(tx, keyring, "era_1") is None
        assert erased.shred(tx, keyring, "era_1", now=NOW, random=os.urandom) == {}


def test_a_mark_that_was_lifted_counts_from_then_on_and_a_later_erasure_sets_it_again(vault_stores: Stores, keyring: Keyring) -> None:
    (anna,) = admit(vault_stores, keyring, phone=[A])
    assert anna is not None
    gone(vault_stores, keyring, anna)
    with vault_stores.begin_vault() as tx:
        assert len(erased.lift(tx, keyring, [(IdentifierType.PHONE, A)], now=LATER)) == 1
        assert erased.lift(tx, keyring, [(IdentifierType.PHONE, A)], now=LATER) == []
    found = resolve(vault_stores, keyring, phone=[A, B])
    assert (found.erased.to_pylist(), found.begins.tolist()) == ([False, False], [to_micros(LATER), 0])
    (again,) = admit(vault_stores, keyring, phone=[A])
    assert again not in (None, anna)
    gone(vault_stores, keyring, again or b"", "era_2")
    assert resolve(vault_stores, keyring, phone=[A]).erased.to_pylist() == [True]


def test_an_old_copy_is_told_and_finds_the_person_without_any_identifier(vault_stores: Stores, keyring: Keyring) -> None:
    (anna,) = admit(vault_stores, keyring, phone=[A])
    assert anna is not None
    gone(vault_stores, keyring, anna)
    with vault_stores.begin_vault() as tx:
        (known,) = erased.everyone(tx)
        assert (known.erasure, len(known.digests)) == ("era_1", 1)
        assert erased.persons(keyring, known.people) == (anna,)
        for table in (erased.ErasedPerson.__table__, vault.Tombstone.__table__):
            tx.execute(sa.delete(table))
        assert erased.everyone(tx) == []
        erased.mark(tx, known)
        erased.mark(tx, known)
        assert erased.everyone(tx) == [known]
    assert resolve(vault_stores, keyring, phone=[A]).erased.to_pylist() == [True]
