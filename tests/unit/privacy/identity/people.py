"""What tests of the vault do again and again: resolve a batch, store it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime

import pyarrow as pa
import sqlalchemy as sa

from app.stores import Stores
from privacy.identity import vault
from privacy.identity.keys import Keyring

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)


def resolve(stores: Stores, keyring: Keyring, *, server: bool = True, **columns: Sequence[str | None]) -> vault.Resolution:
    identifiers = {kind: pa.array(values, pa.string()) for kind, values in columns.items()}
    with stores.read_vault() as tx:
        return vault.resolve(tx, keyring, identifiers, may_link_strong=server, random=os.urandom)


def store(stores: Stores, keyring: Keyring, resolution: vault.Resolution, keep: Sequence[bool] | None = None, now: datetime = NOW) -> None:
    kept = pa.array([True] * len(resolution.index) if keep is None else keep, pa.bool_())
    with stores.begin_vault() as tx:
        vault.store(tx, keyring, resolution, kept, batch_id=b"batch", now=now, random=os.urandom)


def admit(
    stores: Stores,
    keyring: Keyring,
    *,
    server: bool = True,
    keep: Sequence[bool] | None = None,
    now: datetime = NOW,
    **columns: Sequence[str | None],
) -> list[bytes | None]:
    """Resolves and stores; the person of every row."""
    resolution = resolve(stores, keyring, server=server, **columns)
    store(stores, keyring, resolution, keep, now)
    found: list[bytes | None] = resolution.persons.to_pylist()
    return found


def count(stores: Stores, table: str) -> int:
    with stores.read_vault() as tx:
        return int(tx.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one())
