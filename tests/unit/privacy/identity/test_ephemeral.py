"""Keys that are made to be destroyed."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from app.stores import Stores
from privacy import errors
from privacy.identity import ephemeral
from privacy.identity.keys import Keyring

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)


def key(tx: sa.Connection, keyring: Keyring, name: str, days: int = 30) -> bytes:
    return ephemeral.ephemeral_key(tx, keyring, name, destroy_after=NOW + timedelta(days=days), random=os.urandom, now=NOW)


def test_a_key_is_made_once_and_stands_wrapped(vault_stores: Stores, keyring: Keyring) -> None:
    with vault_stores.begin_vault() as tx:
        made = key(tx, keyring, "message:1")
        assert len(made) == 32
        assert key(tx, keyring, "message:1", days=90) == made
        assert key(tx, keyring, "message:2") != made
        row = tx.execute(sa.select(ephemeral.EphemeralKey).where(ephemeral.EphemeralKey.name == "message:1")).one()
    assert made not in row.wrapped
    assert row.destroy_after == NOW + timedelta(days=30)


def test_a_key_is_destroyed_at_its_time_and_a_new_one_is_another(vault_stores: Stores, keyring: Keyring) -> None:
    with vault_stores.begin_vault() as tx:
        made = key(tx, keyring, "row:202606", days=1)
        key(tx, keyring, "row:202607", days=2)
        assert ephemeral.destroy_ephemeral_keys(tx, NOW) == 0
        assert ephemeral.destroy_ephemeral_keys(tx, NOW + timedelta(days=1)) == 1
        assert ephemeral.find_ephemeral_key(tx, keyring, "row:202606") is None
        assert ephemeral.find_ephemeral_key(tx, keyring, "row:202607") is not None
        assert key(tx, keyring, "row:202606") != made


def test_a_key_under_another_name_does_not_open(vault_stores: Stores, keyring: Keyring) -> None:
    with vault_stores.begin_vault() as tx:
        key(tx, keyring, "message:1")
        tx.execute(sa.update(ephemeral.EphemeralKey).values(name="message:2"))
        with pytest.raises(errors.Locked):
            ephemeral.find_ephemeral_key(tx, keyring, "message:2")


def test_a_key_survives_a_rotation_of_the_key_that_wraps_it(vault_stores: Stores, keyring: Keyring) -> None:
    with vault_stores.begin_vault() as tx:
        made = key(tx, keyring, "message:1")
        keyring.rotate("kek", random=os.urandom, clock=lambda: NOW)
        assert key(tx, keyring, "message:1") == made
