"""Secrets that a sender and this house share, to know a signed message by: sealed at rest, opened only to check a signature.

Promise: a secret stands only sealed under the key-encryption key, bound to its source and its number; it is told once, by whoever made it.
An older secret opens until its time ends, so that a sender can change over. Must never learn: what was signed, or who sent it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.identity import keystate, sealed
from privacy.identity.keys import Keyring
from privacy.orm import Instant, VaultBase
from privacy.records import RandomBytes

PLACE = sealed.Place("source_secret", "sealed")


class SourceSecret(VaultBase):
    """One secret of a source; `scheme` says how it is used. The newest has no end."""

    __tablename__ = "source_secret"

    source_id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    number: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    scheme: Mapped[str] = mapped_column(sa.String(20))
    sealed: Mapped[bytes] = mapped_column(sa.LargeBinary(1024))
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)


def put(
    tx: sa.Connection,
    keyring: Keyring,
    source_id: str,
    scheme: str,
    secret: bytes,
    *,
    overlap: timedelta,
    now: datetime,
    random: RandomBytes,
) -> int:
    """Adds a source's secret and returns its number; those before it open for `overlap` more."""
    keystate.sync(tx, keyring)
    mine = SourceSecret.source_id == source_id
    tx.execute(sa.delete(SourceSecret).where(mine, SourceSecret.expires_at <= now))
    ends = now + overlap
    open_longer = sa.or_(SourceSecret.expires_at.is_(None), SourceSecret.expires_at > ends)
    tx.execute(sa.update(SourceSecret).where(mine, open_longer).values(expires_at=ends))
    number = int(tx.execute(sa.select(sa.func.coalesce(sa.func.max(SourceSecret.number), 0)).where(mine)).scalar_one()) + 1
    version, kek = keyring.key("kek")
    value = sealed.seal(
        sealed.aead(kek, keyring.profile.sealing), version, PLACE, _owner(source_id, number), random(sealed.NONCE_BYTES), secret
    )
    row = {"source_id": source_id, "number": number, "scheme": scheme, "sealed": value, "created_at": now, "expires_at": None}
    tx.execute(sa.insert(SourceSecret), [row])
    return number


def of_source(tx: sa.Connection, keyring: Keyring, source_id: str, *, now: datetime) -> list[tuple[str, bytes]]:
    """The source's secrets that are in force, newest first, each with its scheme."""
    keystate.sync(tx, keyring)
    rows = tx.execute(
        sa.select(SourceSecret.number, SourceSecret.scheme, SourceSecret.sealed)
        .where(SourceSecret.source_id == source_id, sa.or_(SourceSecret.expires_at.is_(None), SourceSecret.expires_at > now))
        .order_by(SourceSecret.number.desc())
    ).all()
    return [(scheme, sealed.unwrap(keyring, _owner(source_id, number), value, PLACE)) for number, scheme, value in rows]


def rewrap(tx: sa.Connection, keyring: Keyring, *, limit: int, random: RandomBytes) -> int:
    """Seals secrets again that stand under an older key-encryption key or another algorithm; returns how many."""
    today = sealed.header(keyring.profile, keyring.key("kek")[0])
    old = sa.select(SourceSecret.source_id, SourceSecret.number, SourceSecret.sealed)
    rows = tx.execute(old.where(sa.func.substr(SourceSecret.sealed, 1, len(today)) != today).limit(limit)).all()
    for source_id, number, value in rows:
        fresh = sealed.rewrap(keyring, _owner(source_id, number), value, random, PLACE)
        mine = sa.and_(SourceSecret.source_id == source_id, SourceSecret.number == number)
        tx.execute(sa.update(SourceSecret).where(mine).values(sealed=fresh))
    return len(rows)


def _owner(source_id: str, number: int) -> bytes:
    return f"{source_id}:{number}".encode()
