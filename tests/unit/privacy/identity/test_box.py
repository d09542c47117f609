"""The sealed box for payloads whose form failed."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from app.stores import Stores
from privacy.identity import ephemeral
from privacy.identity.box import SealedPayload, VaultBox
from privacy.identity.keys import Keyring
from privacy.records import SealedBox

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)


def box_at(stores: Stores, keyring: Keyring, moment: datetime = NOW) -> VaultBox:
    return VaultBox(stores.begin_vault, keyring, clock=lambda: moment, random=os.urandom, read_vault=stores.read_vault)


def test_payloads_come_back_in_the_order_asked_for(vault_stores: Stores, keyring: Keyring) -> None:
    box: SealedBox = box_at(vault_stores, keyring)
    first, second = box.seal("pos", [b"one", b""], NOW + timedelta(days=7))
    assert box.open([second, "0" * 32, first, second]) == [b"", None, b"one", b""]
    assert box.seal("pos", [], NOW) == []


def test_nothing_of_a_payload_stands_in_clear(vault_stores: Stores, keyring: Keyring) -> None:
    box_at(vault_stores, keyring).seal("pos", [b"canary 13800138000"], NOW + timedelta(days=7))
    with vault_stores.read_vault() as tx:
        assert "canary" not in repr(tx.execute(sa.select(SealedPayload)).all())


def test_each_source_and_day_has_its_own_key(vault_stores: Stores, keyring: Keyring) -> None:
    box = box_at(vault_stores, keyring)
    for source in ("pos", "web"):
        for days in (1, 7, 7):
            box.seal(source, [b"x"], NOW + timedelta(days=days))
    with vault_stores.read_vault() as tx:
        names = set(tx.execute(sa.select(ephemeral.EphemeralKey.name)).scalars())
    assert names == {f"quarantine:{source}:2026-06-{day}" for source in ("pos", "web") for day in (16, 22)}


def test_a_destroyed_payload_is_gone_and_destroying_twice_is_no_error(vault_stores: Stores, keyring: Keyring) -> None:
    box = box_at(vault_stores, keyring)
    first, second = box.seal("pos", [b"one", b"two"], NOW + timedelta(days=7))
    box.destroy([first])
    box.destroy([first, "f" * 32])
    assert box.open([first, second]) == [None, b"two"]


def test_an_expired_payload_does_not_open_even_before_the_sweep(vault_stores: Stores, keyring: Keyring) -> None:
    (reference,) = box_at(vault_stores, keyring).seal("pos", [b"one"], NOW + timedelta(hours=1))
    assert box_at(vault_stores, keyring, NOW + timedelta(hours=1)).open([reference]) == [None]


def test_the_sweep_destroys_the_key_with_the_day_and_removes_what_expired(vault_stores: Stores, keyring: Keyring) -> None:
    box = box_at(vault_stores, keyring)
    box.seal("pos", [b"one", b"two"], NOW + timedelta(days=1))
    (kept,) = box.seal("pos", [b"three"], NOW + timedelta(days=7))
    assert box.sweep() == 0
    later = box_at(vault_stores, keyring, NOW + timedelta(days=2))
    assert later.sweep() == 2
    assert later.open([kept]) == [b"three"]
    with vault_stores.read_vault() as tx:
        assert tx.execute(sa.select(ephemeral.EphemeralKey.name)).scalars().all() == ["quarantine:pos:2026-06-22"]


def test_a_payload_whose_key_is_gone_opens_as_nothing(vault_stores: Stores, keyring: Keyring) -> None:
    box = box_at(vault_stores, keyring)
    (reference,) = box.seal("pos", [b"one"], NOW + timedelta(days=7))
    with vault_stores.begin_vault() as tx:
        tx.execute(sa.delete(ephemeral.EphemeralKey))
    assert box.open([reference]) == [None]


def test_an_erasure_finds_a_persons_payloads_and_those_that_nobody_can_open(vault_stores: Stores, keyring: Keyring) -> None:
    box = box_at(vault_stores, keyring)
    about, other = box.seal("pos", [b'{"phone": "138 0013 8000"}', b'{"phone": "13900139000"}'], NOW + timedelta(days=7))
    assert box.about([("phone", "+8613800138000")]) == [about]
    (late,) = box.seal("pos", [b"{}"], NOW + timedelta(minutes=1))
    assert set(box_at(vault_stores, keyring, NOW + timedelta(hours=1)).about([("phone", "+8613800138000")])) == {about, late}
    assert other not in box.about([("email", "nobody@example.com")])
