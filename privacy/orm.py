"""The two declarative bases and the column types that both databases agree on.

Promise: every instant is stored as UTC and comes back aware; every constraint has a name that migrations can rely on.
Vault and platform never share a table, a foreign key or a metadata object.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Begin = Callable[[], AbstractContextManager[sa.Connection]]
"""A transaction handed in by an entry point: commits when its block ends well, rolls back otherwise."""


class Instant(sa.types.TypeDecorator[datetime]):
    """An aware instant, stored as integer microseconds since 1970-01-01T00:00Z: exact, sortable, the same on both databases."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> int | None:
        return None if value is None else to_micros(value)

    def process_result_value(self, value: Any | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else from_micros(int(value))


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_micros(value: datetime) -> int:
    """Microseconds since the epoch; raises ValueError for an instant without a zone."""
    if value.tzinfo is None:
        raise ValueError("an instant needs a zone")
    delta = value - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def from_micros(value: int) -> datetime:
    """The aware UTC instant of a count of microseconds since the epoch."""
    return _EPOCH + timedelta(microseconds=value)


BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""A 64-bit automatic key: SQLite gives automatic values only to INTEGER PRIMARY KEY."""


class VaultBase(DeclarativeBase):
    """Tables of the vault: people, sealed identifiers, keys."""

    metadata = sa.MetaData(naming_convention=NAMES)


class PlatformBase(DeclarativeBase):
    """Tables of the platform store: consent, log, ledger, inbox, sources, users."""

    metadata = sa.MetaData(naming_convention=NAMES)
