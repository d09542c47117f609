"""Remembers for a day what a caller was told, so that a request that is sent again under the same key changes nothing and reads the same.

Promise: the body is known only as a digest over handles and codes; the same key with another body is a conflict.
It must never learn an identifier or the key itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.errors import Conflict
from privacy.orm import Instant, PlatformBase

KEPT = timedelta(hours=24)


class ConsentRequestRow(PlatformBase):
    __tablename__ = "consent_request"

    key: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    body: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    answer: Mapped[list[Any]] = mapped_column(sa.JSON)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)


_REQUEST: Any = ConsentRequestRow.__table__


def digest(*parts: bytes | str | int | None) -> bytes:
    """SHA-256 over length-prefixed parts."""
    hashed = hashlib.sha256()
    for part in parts:
        raw = part if isinstance(part, bytes) else repr(part).encode()
        hashed.update(len(raw).to_bytes(8, "big") + raw)
    return hashed.digest()


def answered(tx: sa.Connection, key: bytes, body: bytes, now: datetime) -> list[Any] | None:
    """What was answered under this key, None if it is new; raises `Conflict` if it stood for another body."""
    row = tx.execute(sa.select(_REQUEST).where(_REQUEST.c.key == key, _REQUEST.c.expires_at > now)).first()
    if row is None:
        return None
    if row.body != body:
        raise Conflict("this idempotency key was used for another body", code="idempotency_mismatch")
    return list(row.answer)


def remember(tx: sa.Connection, key: bytes, body: bytes, answer: Sequence[Any], now: datetime) -> None:
    """Keeps the answer for a day."""
    tx.execute(sa.delete(_REQUEST).where(_REQUEST.c.expires_at <= now))
    tx.execute(sa.insert(_REQUEST).values(key=key, body=body, answer=list(answer), expires_at=now + KEPT))
