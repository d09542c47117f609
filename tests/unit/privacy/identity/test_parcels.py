"""The seal of uploaded files."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest

from app.stores import Stores
from privacy.errors import Locked, NotFound
from privacy.identity.ephemeral import destroy_ephemeral_keys
from privacy.identity.keys import Keyring
from privacy.identity.parcels import OVERHEAD, ParcelSeal

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)
END = NOW + timedelta(days=2)


def seal_of(stores: Stores, keyring: Keyring) -> ParcelSeal:
    return ParcelSeal(stores.begin_vault, stores.read_vault, keyring, clock=lambda: NOW, random=os.urandom)


def test_a_block_opens_in_another_process_at_its_place_and_shows_nothing_in_clear(vault_stores: Stores, keyring: Keyring) -> None:
    seal = seal_of(vault_stores, keyring)
    seal.open_parcel("imp_1", END)
    block = seal.seal("imp_1", 7, b"canary 13800138000")
    assert len(block) == 18 + OVERHEAD
    assert b"canary" not in block
    assert seal_of(vault_stores, keyring).unseal("imp_1", 7, block) == b"canary 13800138000"


@pytest.mark.parametrize(("parcel", "offset"), [("imp_1", 8), ("imp_2", 7)])
def test_a_block_does_not_open_elsewhere(vault_stores: Stores, keyring: Keyring, parcel: str, offset: int) -> None:
    seal = seal_of(vault_stores, keyring)
    for one in ("imp_1", "imp_2"):
        seal.open_parcel(one, END)
    block = seal.seal("imp_1", 7, b"x")
    with pytest.raises(Locked):
        seal.unseal(parcel, offset, block)


@pytest.mark.parametrize("end", ["destroyed", "over its time"])
def test_without_its_key_a_parcel_is_gone(vault_stores: Stores, keyring: Keyring, end: str) -> None:
    seal = seal_of(vault_stores, keyring)
    seal.open_parcel("imp_1", END)
    seal.open_parcel("imp_1", END + timedelta(days=9))
    block = seal.seal("imp_1", 0, b"x")
    if end == "destroyed":
        seal.destroy("imp_1")
        seal.destroy("imp_1")
    else:
        with vault_stores.begin_vault() as tx:
            assert destroy_ephemeral_keys(tx, END) == 1, "asking again for the key moved its end"
        seal = seal_of(vault_stores, keyring)
    with pytest.raises(NotFound) as raised:
        seal.unseal("imp_1", 0, block)
    assert raised.value.code == "upload_gone"
