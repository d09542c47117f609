"""What is remembered of the vault is always what it says in the same transaction, whoever changed it meanwhile."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from app.stores import Stores
from privacy.identity import keystate, vault
from privacy.identity.keys import Keyring
from privacy.identity.recent import RecentPeople
from privacy.orm import VaultBase
from tests.conftest import NOW
from tests.stores import sqlite_stores

PHONES = [f"+86138001380{number:02d}" for number in range(6)]
COOKIES = [f"web\x1fcookie-{number}" for number in range(4)]


@pytest.fixture
def store(tmp_path: Path, keyring: Keyring) -> Iterator[Stores]:
    with sqlite_stores(tmp_path) as stores:
        with stores.begin_vault() as tx:
            VaultBase.metadata.create_all(tx)
            keystate.register(tx, keyring, now=NOW)
        yield stores


def rows(chance: random.Random) -> dict[str, pa.StringArray]:
    """A few rows of a phone, a second phone's owner by e-mail, or a cookie, in any mixture."""
    size = chance.randrange(1, 4)
    return {
        "phone": pa.array([chance.choice([None, *PHONES]) for _ in range(size)], pa.string()),
        "email": pa.array([chance.choice([None, None, "a@shop.example", "b@shop.example"]) for _ in range(size)], pa.string()),
        "cookie": pa.array([chance.choice([None, *COOKIES]) for _ in range(size)], pa.string()),
    }


def test_whatever_other_programs_change_an_answer_is_the_vaults(store: Stores, keyring: Keyring) -> None:
    """New people, links, merges, cookies that move, birth dates, people who are removed, a rotated index."""
    chance, recent = random.Random(5), RecentPeople()
    for step in range(80):
        if step == 40:
            version = keyring.rotate("index", random=os.urandom, clock=lambda: NOW)
            with store.begin_vault() as tx:
                keystate.activate(tx, keyring, "index", version, now=NOW)
        with store.begin_vault() as tx:
            found = vault.resolve(tx, keyring, rows(chance), may_link_strong=True, random=os.urandom)
            kept = pa.array([chance.random() < 0.8 for _ in found.index.tolist()], pa.bool_())
            vault.store(tx, keyring, found, kept, batch_id=b"b" * 16, now=NOW, random=os.urandom)
            people = found.persons.filter(found.known).to_pylist()
            if people and chance.random() < 0.2:
                vault.set_birth(tx, keyring, people[:1], [date(2015, 1, 1)], today=NOW.date(), random=os.urandom)
        asked = rows(chance)
        with store.read_vault() as tx:
            plain = vault.resolve(tx, keyring, asked, may_link_strong=True, random=lambda count: b"n" * count)
            quick = vault.resolve(tx, keyring, asked, may_link_strong=True, random=lambda count: b"n" * count, recent=recent)
            assert quick.persons.to_pylist() == plain.persons.to_pylist()
            assert (quick.known, quick.erased, quick.youth, quick.merges) == (plain.known, plain.erased, plain.youth, plain.merges)
            assert quick.families == plain.families


def test_somebody_who_was_swept_is_forgotten(store: Stores, keyring: Keyring) -> None:
    recent, asked = RecentPeople(), {"phone": pa.array(PHONES[:1])}
    with store.begin_vault() as tx:
        found = vault.resolve(tx, keyring, asked, may_link_strong=True, random=os.urandom)
        vault.store(tx, keyring, found, pa.array([True]), batch_id=b"b" * 16, now=NOW, random=os.urandom)
    with store.read_vault() as tx:
        assert vault.resolve(tx, keyring, asked, may_link_strong=True, random=os.urandom, recent=recent).known.to_pylist() == [True]
    with store.begin_vault() as tx:
        assert vault.sweep_orphans(tx, lambda people: [], NOW.replace(year=2027)) == 1
    with store.read_vault() as tx:
        assert vault.resolve(tx, keyring, asked, may_link_strong=True, random=os.urandom, recent=recent).known.to_pylist() == [False]
