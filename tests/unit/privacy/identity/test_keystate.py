"""Which keyring belongs to a vault."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.stores import Stores
from privacy import errors
from privacy.identity import keystate
from privacy.identity.keys import Keyring

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)


def test_a_new_vault_is_nobodys_and_locked(stores: Stores, keyring: Keyring) -> None:
    with stores.begin_vault() as tx:
        assert keystate.deployment_of(tx) is None
        for act in (lambda: keystate.sync(tx, keyring), lambda: keystate.take_numbers(tx, 1)):
            with pytest.raises(errors.Locked) as caught:
                act()
            assert caught.value.code == "keys_foreign"


def test_a_bound_vault_knows_its_deployment_and_versions(vault_stores: Stores, keyring: Keyring) -> None:
    with vault_stores.read_vault() as tx:
        assert keystate.deployment_of(tx) == keyring.deployment
        assert keystate.sync(tx, keyring) == {kind: [1] for kind, *_ in keyring.inventory()}


def test_a_vault_is_bound_once(vault_stores: Stores, keyring: Keyring) -> None:
    with pytest.raises(errors.Conflict), vault_stores.begin_vault() as tx:
        keystate.register(tx, keyring, now=NOW)


def test_other_keys_under_the_same_deployment_are_foreign(vault_stores: Stores, keyring: Keyring) -> None:
    other = Keyring.fresh(random=os.urandom, clock=lambda: NOW)
    other.deployment = keyring.deployment
    with pytest.raises(errors.Locked) as caught, vault_stores.read_vault() as tx:
        keystate.sync(tx, other)
    assert caught.value.code == "keys_foreign"


def test_a_program_takes_up_a_version_that_another_put_in_force(stores: Stores, tmp_path: Path) -> None:
    one = Keyring.create(tmp_path / "keys.json", random=os.urandom, clock=lambda: NOW)
    other = Keyring.open(tmp_path / "keys.json")
    with stores.begin_vault() as tx:
        keystate.register(tx, one, now=NOW)
    version = one.rotate("index", random=os.urandom, clock=lambda: NOW)
    with stores.begin_vault() as tx:
        assert keystate.sync(tx, one)["index"] == [1]
        keystate.activate(tx, one, "index", version, now=NOW)
    with stores.read_vault() as tx:
        assert keystate.sync(tx, other)["index"] == [1, 2]
    assert other.versions("index") == [1, 2]


def test_an_old_copy_of_the_key_file_is_outdated(vault_stores: Stores, keyring: Keyring) -> None:
    with vault_stores.begin_vault() as tx:
        tx.execute(sa.insert(keystate.KeyState), [{"kind": "kek", "version": 2, "check_value": b"x" * 16, "activated_at": NOW}])
    with pytest.raises(errors.Locked) as caught, vault_stores.read_vault() as tx:
        keystate.sync(tx, keyring)
    assert caught.value.code == "keys_outdated"


def test_numbers_are_given_once(vault_stores: Stores) -> None:
    with vault_stores.begin_vault() as tx:
        assert [keystate.take_numbers(tx, 3), keystate.take_numbers(tx, 0), keystate.take_numbers(tx, 2)] == [1, 4, 4]


def test_no_key_stands_in_the_vault(vault_stores: Stores, keyring: Keyring) -> None:
    with vault_stores.read_vault() as tx:
        dumped = repr(tx.execute(sa.select(keystate.KeyState)).all())
    assert not [kind for kind, *_ in keyring.inventory() if repr(keyring.key(kind)[1]) in dumped]
