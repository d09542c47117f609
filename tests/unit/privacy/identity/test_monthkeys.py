"""Row and message keys: the same for everybody while they live, another afterwards, and not remembered beyond an hour."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
import sqlalchemy as sa

from app.stores import Stores
from privacy.identity import ephemeral
from privacy.identity.keys import Keyring
from privacy.identity.monthkeys import EPOCH, MonthKeys

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)
VALUES = pa.array(["A-1", "A-2", None, "A-1"], pa.string())


def months(*numbers: int) -> pa.Int32Array:
    return pa.array(numbers, pa.int32())


class Vault:
    """Transactions of the vault, counted."""

    def __init__(self, stores: Stores) -> None:
        self.stores, self.written, self.read_ = stores, 0, 0

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        self.written += 1
        with self.stores.begin_vault() as tx:
            yield tx

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        self.read_ += 1
        with self.stores.read_vault() as tx:
            yield tx


@pytest.fixture
def vault(vault_stores: Stores) -> Vault:
    return Vault(vault_stores)


def keys(vault: Vault, keyring: Keyring) -> MonthKeys:
    return MonthKeys(keyring, vault.begin, vault.read, os.urandom)


def destroy(vault: Vault, now: datetime) -> int:
    with vault.stores.begin_vault() as tx:
        return ephemeral.destroy_ephemeral_keys(tx, now)


def told(macs: MonthKeys, now: datetime, source: str = "src_a") -> tuple[bytes, bytes | None]:
    """What the ciphers of a source's message digests make of one block."""
    current, beside = macs.message_ciphers(now, source)
    assert len(beside) <= 1
    return current(bytes(16)), beside[0](bytes(16)) if beside else None


def test_two_processes_give_the_same_rows_the_same_numbers(vault: Vault, keyring: Keyring) -> None:
    one, other = keys(vault, keyring), keys(vault, keyring)
    made = one.row_macs("order_key", VALUES, months(202606, 202606, 202606, 202606), now=NOW)
    assert made == other.row_macs("order_key", VALUES, months(202606, 202606, 202606, 202606), now=NOW)
    assert made[0] == made[3] != made[1]
    assert made[2].as_py() is None
    assert told(one, NOW) == told(other, NOW)
    assert told(one, NOW) != told(one, NOW, "src_b")


def test_a_month_a_column_and_a_value_never_share_a_number(vault: Vault, keyring: Keyring) -> None:
    macs = keys(vault, keyring)
    mixed = macs.row_macs("order_key", VALUES, months(202606, 202605, 202605, 202605), now=NOW).to_pylist()
    alone = macs.row_macs("order_key", VALUES, months(202606, 202606, 202606, 202606), now=NOW).to_pylist()
    visit = macs.row_macs("visit", VALUES, months(202606, 202606, 202606, 202606), now=NOW).to_pylist()
    assert mixed[0] == alone[0]
    assert mixed[2] is None
    numbers = [mixed[0], mixed[1], mixed[3], alone[1], visit[0], visit[1]]
    assert len(set(numbers)) == len(numbers)


def test_no_rows_have_no_numbers(vault: Vault, keyring: Keyring) -> None:
    empty = keys(vault, keyring).row_macs("order_key", pa.array([], pa.string()), months(), now=NOW)
    assert len(empty) == 0
    assert vault.written == 0


def test_a_key_is_remembered_for_an_hour_and_no_longer(vault: Vault, keyring: Keyring) -> None:
    macs = keys(vault, keyring)
    for minutes in (0, 20, 59):
        macs.row_macs("visit", VALUES, months(202606, 202606, 202606, 202606), now=NOW + timedelta(minutes=minutes))
    assert vault.written == 1
    macs.row_macs("visit", VALUES, months(202606, 202606, 202606, 202606), now=NOW + timedelta(minutes=61))
    assert vault.written == 2


def test_a_destroyed_key_is_not_used_an_hour_later(vault: Vault, keyring: Keyring) -> None:
    macs = keys(vault, keyring)
    before = macs.row_macs("visit", VALUES, months(202601, 202601, 202601, 202601), now=NOW)
    assert destroy(vault, NOW + EPOCH) == 1
    after = macs.row_macs("visit", VALUES, months(202601, 202601, 202601, 202601), now=NOW + EPOCH)
    assert after != before


def test_what_is_over_is_forgotten_even_if_nobody_asks_for_it(vault: Vault, keyring: Keyring) -> None:
    macs = keys(vault, keyring)
    macs.row_macs("visit", VALUES, months(202601, 202602, 202603, 202604), now=NOW)
    told(macs, NOW)
    assert len(macs._held) == 7
    macs.row_macs("visit", VALUES, months(202606, 202606, 202606, 202606), now=NOW + timedelta(hours=2))
    assert set(macs._held) == {"row:202606"}


@pytest.mark.parametrize(
    ("month", "ends"),
    [
        (202606, datetime(2026, 7, 1, tzinfo=UTC) + EPOCH),
        (202612, datetime(2027, 1, 1, tzinfo=UTC) + EPOCH),
        (202601, NOW + EPOCH),
    ],
)
def test_a_row_key_ends_an_epoch_after_its_month_or_after_it_was_first_needed(
    vault: Vault, keyring: Keyring, month: int, ends: datetime
) -> None:
    keys(vault, keyring).row_macs("visit", VALUES, months(*[month] * 4), now=NOW)
    with vault.stores.read_vault() as tx:
        assert tx.execute(sa.select(ephemeral.EphemeralKey.name, ephemeral.EphemeralKey.destroy_after)).all() == [(f"row:{month}", ends)]


def test_the_key_of_the_epoch_before_is_at_hand_until_it_is_destroyed(vault: Vault, keyring: Keyring) -> None:
    """A client that retries within thirty days meets the digest of its first try."""
    macs = keys(vault, keyring)
    first, nothing = told(macs, NOW)
    assert nothing is None
    for later in (NOW + EPOCH, NOW + EPOCH + timedelta(hours=3)):
        second, before = told(macs, later)
        assert (before, second == first) == (first, False)
    assert told(keys(vault, keyring), NOW + EPOCH)[1] == first
    epoch = (NOW - datetime(1970, 1, 1, tzinfo=UTC)) // EPOCH
    ends = datetime(1970, 1, 1, tzinfo=UTC) + (epoch + 2) * EPOCH
    assert destroy(vault, ends - timedelta(seconds=1)) == 0
    assert destroy(vault, ends) == 1
    third, before = told(keys(vault, keyring), ends)
    assert before == second
    assert third not in (first, second)


def test_a_key_of_the_epoch_before_that_another_process_made_late_is_found(vault: Vault, keyring: Keyring) -> None:
    macs, late = keys(vault, keyring), keys(vault, keyring)
    assert told(macs, NOW)[1] is None
    made, _ = told(late, NOW - EPOCH)
    assert told(macs, NOW + timedelta(minutes=61))[1] == made


def test_a_key_that_a_clock_ahead_made_is_found_after_the_clock_was_set_back(vault: Vault, keyring: Keyring) -> None:
    macs = keys(vault, keyring)
    told(macs, NOW)
    ahead, _ = told(keys(vault, keyring), NOW + EPOCH)
    assert told(macs, NOW + timedelta(minutes=1))[1] == ahead


def test_reading_the_epochs_beside_makes_no_key(vault: Vault, keyring: Keyring) -> None:
    told(keys(vault, keyring), NOW)
    with vault.stores.read_vault() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(ephemeral.EphemeralKey)).scalar_one() == 1
