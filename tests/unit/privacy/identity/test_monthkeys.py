"""Keys by month and epoch: the same for every process while they live, unrelated to each other, gone when their time has come."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa

from app.stores import Stores
from privacy.identity import ephemeral, keystate
from privacy.identity.ephemeral import EphemeralKey
from privacy.identity.keys import Keyring
from privacy.identity.monthkeys import EPOCH, MonthKeys
from privacy.orm import VaultBase
from tests.conftest import NOW
from tests.stores import sqlite_stores

VALUES = pa.array(["R1", None, "R2", "R1"])
MAY_AND_JUNE = pa.array([202605, 202605, 202606, 202606], pa.int32())


@pytest.fixture
def vault(tmp_path: Path, keyring: Keyring) -> Iterator[Stores]:
    with sqlite_stores(tmp_path) as stores:
        with stores.begin_vault() as tx:
            VaultBase.metadata.create_all(tx)
            keystate.register(tx, keyring, now=NOW)
        yield stores


def keys(vault: Stores, keyring: Keyring) -> MonthKeys:
    return MonthKeys(keyring, vault.begin_vault, vault.read_vault, os.urandom)


def test_equal_values_are_equal_within_a_month_and_column_and_nowhere_else(vault: Stores, keyring: Keyring) -> None:
    made = keys(vault, keyring).row_macs("order", VALUES, MAY_AND_JUNE, now=NOW).to_pylist()
    assert made[1] is None
    assert len({made[0], made[2], made[3]}) == 3
    one_month = pa.array([202605] * 4, pa.int32())
    again = keys(vault, keyring).row_macs("order", VALUES, one_month, now=NOW).to_pylist()
    assert (again[0], again[3]) == (made[0], made[0]), "another process computes the same"
    assert keys(vault, keyring).row_macs("visit", VALUES, one_month, now=NOW).to_pylist()[0] != made[0]


def test_a_months_key_is_destroyed_thirty_days_after_the_month_and_then_nothing_computes_it_again(vault: Stores, keyring: Keyring) -> None:
    month = pa.array([202605], pa.int32())
    value = pa.array(["R1"])
    before = keys(vault, keyring).row_macs("order", value, month, now=datetime(2026, 5, 20, tzinfo=UTC))
    with vault.begin_vault() as tx:
        ends = tx.execute(sa.select(EphemeralKey.destroy_after)).scalar_one()
        assert ends == datetime(2026, 6, 1, tzinfo=UTC) + EPOCH
        assert ephemeral.destroy_ephemeral_keys(tx, ends - timedelta(seconds=1)) == 0
        assert ephemeral.destroy_ephemeral_keys(tx, ends) == 1
    assert keys(vault, keyring).row_macs("order", value, month, now=ends) != before


def test_december_is_followed_by_january(vault: Stores, keyring: Keyring) -> None:
    keys(vault, keyring).row_macs("order", pa.array(["R1"]), pa.array([202512], pa.int32()), now=datetime(2025, 12, 5, tzinfo=UTC))
    with vault.begin_vault() as tx:
        assert tx.execute(sa.select(EphemeralKey.destroy_after)).scalar_one() == datetime(2026, 1, 1, tzinfo=UTC) + EPOCH


def test_an_epochs_key_is_known_in_the_next_epoch_and_not_in_the_one_after(vault: Stores, keyring: Keyring) -> None:
    first, none = keys(vault, keyring).message_keys(NOW)
    assert none is None
    second, before = keys(vault, keyring).message_keys(NOW + EPOCH)
    assert (before, second != first) == (first, True)
    with vault.begin_vault() as tx:
        ephemeral.destroy_ephemeral_keys(tx, NOW + 2 * EPOCH)
    third, before = keys(vault, keyring).message_keys(NOW + 2 * EPOCH)
    assert before == second
    assert third not in (first, second)


def test_a_key_outlives_every_digest_that_was_made_with_it(vault: Stores, keyring: Keyring) -> None:
    """The dedupe window is thirty days from receipt; the last receipt of an epoch is at its end."""
    start = datetime(1970, 1, 1, tzinfo=UTC)
    end = start + ((NOW - start) // EPOCH + 1) * EPOCH
    keys(vault, keyring).message_keys(NOW)
    with vault.begin_vault() as tx:
        assert tx.execute(sa.select(EphemeralKey.destroy_after)).scalar_one() == end + EPOCH
