"""Requests that create something and may be sent twice: what the first one made, by its `Idempotency-Key`.

Promise: the row stands in the transaction of the act itself, so that a key is used if and only if its act happened, whoever dies when and
however many ask at once. Keys and bodies are kept as digests for seven days, answers only where they hold no secret: of an answer with a
secret what was made is known, and never told again is what was shown once. An account has keys of its own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.errors import Conflict, Invalid
from privacy.orm import Instant, PlatformBase

KEPT = timedelta(days=7)
LONGEST_KEY = 200

Also = Callable[[sa.Connection, Mapping[str, Any]], None]
"""Statements of a caller in an act's own transaction; told what the act made, without its secrets."""


def nothing_more(_tx: sa.Connection, _made: Mapping[str, Any]) -> None:
    """What most acts need beside themselves."""


class Repeat(PlatformBase):
    """What the first request under a key made. The digest is of account, route and key; `body` of these and the body."""

    __tablename__ = "repeat"

    digest: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    body: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    made: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    created_at: Mapped[datetime] = mapped_column(Instant, index=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request under a key."""

    digest: bytes
    body: bytes

    @classmethod
    def of(cls, account: str, route: str, key: str, body: Any) -> Asked:
        """A request by whose it is, where it goes, what it is called and what it says; raises Invalid for a key that is none."""
        if not 0 < len(key) <= LONGEST_KEY or not (key.isascii() and key.isprintable()):
            raise Invalid("a key has 1 to 200 printable ASCII characters", code="idempotency_key_invalid", field="Idempotency-Key")
        said = json.dumps([account, route, key], ensure_ascii=True).encode()
        told = json.dumps(body, sort_keys=True, ensure_ascii=True).encode()
        return cls(hashlib.sha256(said).digest(), hashlib.sha256(said + b"\0" + told).digest())

    def note(self, now: datetime) -> Also:
        """Writes down what the act made. Whoever comes second with the same key fails, and so does their act."""

        def write(tx: sa.Connection, made: Mapping[str, Any]) -> None:
            tx.execute(sa.insert(Repeat).values(digest=self.digest, body=self.body, made=dict(made), created_at=now))

        return write


def made_before(tx: sa.Connection, asked: Asked) -> dict[str, Any] | None:
    """What the first request under this key made; None if this is the first. Raises Conflict if it said something else."""
    row = tx.execute(sa.select(Repeat.body, Repeat.made).where(Repeat.digest == asked.digest)).first()
    if row is None:
        return None
    if bytes(row.body) != asked.body:
        raise Conflict("this Idempotency-Key was used for another body", code="idempotency_mismatch", field="Idempotency-Key")
    return dict(row.made)


def sweep(tx: sa.Connection, now: datetime) -> int:
    """Forgets keys that are over their time; returns how many."""
    return tx.execute(sa.delete(Repeat).where(Repeat.created_at <= now - KEPT)).rowcount
