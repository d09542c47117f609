"""Renewal keeps what a link says of itself (its way to the newest keys is tested with the vault)."""

from __future__ import annotations

import os

import sqlalchemy as sa

from app.stores import Stores
from privacy.identity import renewal, vault
from privacy.identity.keys import Keyring
from tests.unit.privacy.identity.people import admit
from tests.unit.privacy.identity.test_vault import A, rotate


def test_a_renewed_link_keeps_its_rule_its_time_and_its_batch(vault_stores: Stores, keyring: Keyring) -> None:
    admit(vault_stores, keyring, customer_no=["s\x1f1"], alias=["s\x1f2"], phone=[A])
    rotate(vault_stores, keyring, "index")
    with vault_stores.begin_vault() as tx:
        assert renewal.reindex(tx, keyring) == 3
        rows = tx.execute(sa.select(vault.Identifier.type, vault.Identifier.rule, vault.Identifier.batch_no, vault.Identifier.added_at))
        assert len(rows.all()) == 6
        told = sa.select(vault.Identifier.rule, vault.Identifier.batch_no, vault.Identifier.added_at).distinct()
        assert len(tx.execute(told).all()) == 1
        assert renewal.rewrap(tx, keyring, random=os.urandom) == 0
