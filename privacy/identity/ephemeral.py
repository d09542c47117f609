"""Keys that are made to be destroyed: of message ids, of a month's order keys, of a day's quarantine.

Promise: such a key is random and derived from nothing, so that deleting its row ends every link it made; it stands wrapped, and only
until its time. The time of destruction is set when the key is made and never moves.
Must never learn: what is computed or sealed with the key.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.identity import bulk, sealed
from privacy.identity.keys import Keyring
from privacy.orm import Instant, VaultBase, to_micros
from privacy.records import RandomBytes

PLACE = sealed.Place("ephemeral_key", "wrapped")


class EphemeralKey(VaultBase):
    """A wrapped random key with a name that says what it is for (kind, source, month or day; never a person)."""

    __tablename__ = "ephemeral_key"

    name: Mapped[str] = mapped_column(sa.String(200), primary_key=True)
    wrapped: Mapped[bytes] = mapped_column(sa.LargeBinary(128))
    created_at: Mapped[datetime] = mapped_column(Instant)
    destroy_after: Mapped[datetime] = mapped_column(Instant, index=True)


def ephemeral_key(tx: sa.Connection, keyring: Keyring, name: str, *, destroy_after: datetime, random: RandomBytes, now: datetime) -> bytes:
    """The key of this name, made now if nobody made it yet; two programs that ask at once get the same one."""
    found = find_ephemeral_key(tx, keyring, name)
    if found is not None:
        return found
    ((_, wrapped),) = sealed.new_data_keys(keyring, [name.encode()], random, PLACE)
    row = (name, wrapped, to_micros(now), to_micros(destroy_after))
    bulk.insert(tx, EphemeralKey.__table__, ("name", "wrapped", "created_at", "destroy_after"), [row], ignore=True)
    made = find_ephemeral_key(tx, keyring, name)
    assert made is not None
    return made


def find_ephemeral_key(tx: sa.Connection, keyring: Keyring, name: str) -> bytes | None:
    """The key of this name; None if it was never made or is destroyed."""
    wrapped = tx.execute(sa.select(EphemeralKey.wrapped).where(EphemeralKey.name == name)).scalar_one_or_none()
    return None if wrapped is None else sealed.unwrap(keyring, name.encode(), wrapped, PLACE)


def destroy_ephemeral_key(tx: sa.Connection, name: str) -> None:
    """Destroys the key of this name before its time; a name that nobody knows is no error."""
    tx.execute(sa.delete(EphemeralKey).where(EphemeralKey.name == name))


def destroy_ephemeral_keys(tx: sa.Connection, now: datetime) -> int:
    """Destroys every key whose time has come; returns how many."""
    return tx.execute(sa.delete(EphemeralKey).where(EphemeralKey.destroy_after <= now)).rowcount
