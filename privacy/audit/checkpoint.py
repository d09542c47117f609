"""Signed checkpoints of the log: size and root in the C2SP tlog-checkpoint note, signed with Ed25519, kept for ever.

Promise: a checkpoint states what the head said at that moment and nothing about any entry. The key comes in as a callable of the
keyring that signs; this module never sees it. Checkpoints are made at fixed times, also when nothing happened, so that their times say nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.audit.log import head
from privacy.audit.verify import ED25519, key_id
from privacy.orm import BigId, Instant, PlatformBase

_DAY = 86_400_000_000
"""Microseconds."""


class StoredCheckpoint(PlatformBase):
    """One signed checkpoint. Append-only; the note alone is evidence, the other columns are for finding it."""

    __tablename__ = "checkpoint"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant, index=True)
    size: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    note: Mapped[str] = mapped_column(sa.Text)


def verifier_key(name: str, public_key: bytes) -> str:
    """An Ed25519 key in the text form in which verifiers exchange it."""
    return f"{name}+{key_id(name, public_key).hex()}+{base64.b64encode(bytes([ED25519]) + public_key).decode()}"


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs notes under a name. `origin` names the log; `sign` and `public_key` (32 raw bytes, Ed25519) come from the keyring."""

    origin: str
    sign: Callable[[bytes], bytes] = field(repr=False)
    public_key: bytes

    def __post_init__(self) -> None:
        if not self.origin or any(character.isspace() or character == "+" for character in self.origin):
            raise ValueError("an origin has neither blanks nor plus signs")

    @property
    def verifier_key(self) -> str:
        """What an officer or witness is given to check signatures with."""
        return verifier_key(self.origin, self.public_key)

    def note(self, size: int, root: bytes) -> str:
        """The signed note of a tree head."""
        return self.signed(f"{self.origin}\n{size}\n{base64.b64encode(root).decode()}\n")

    def signed(self, body: str) -> str:
        """A note of any text that ends in a newline."""
        blob = key_id(self.origin, self.public_key) + self.sign(body.encode())
        return f"{body}\n— {self.origin} {base64.b64encode(blob).decode()}\n"


def issue(tx: sa.Connection, signer: Signer, at: datetime) -> str:
    """Sign the head as it stands in this transaction, keep the note and return it."""
    size, root = head(tx)
    note = signer.note(size, root)
    tx.execute(sa.insert(StoredCheckpoint), {"at": at, "size": size, "note": note})
    return note


def latest(tx: sa.Connection) -> tuple[datetime, str] | None:
    """When the newest checkpoint was made, and its note."""
    row = tx.execute(sa.select(StoredCheckpoint.at, StoredCheckpoint.note).order_by(StoredCheckpoint.id.desc()).limit(1)).one_or_none()
    return None if row is None else (row.at, row.note)


def covering(tx: sa.Connection, size: int) -> str | None:
    """The first checkpoint of at least so many entries."""
    query = sa.select(StoredCheckpoint.note).where(StoredCheckpoint.size >= size).order_by(StoredCheckpoint.size, StoredCheckpoint.id)
    return tx.scalar(query.limit(1))


def of_size(tx: sa.Connection, size: int) -> str | None:
    """The first checkpoint of exactly so many entries."""
    query = sa.select(StoredCheckpoint.note).where(StoredCheckpoint.size == size).order_by(StoredCheckpoint.id)
    return tx.scalar(query.limit(1))


def made_at(tx: sa.Connection, size: int) -> datetime:
    """When the first checkpoint of so many entries was made."""
    return tx.execute(
        sa.select(StoredCheckpoint.at).where(StoredCheckpoint.size == size).order_by(StoredCheckpoint.id).limit(1)
    ).scalar_one()


def by_day(tx: sa.Connection, low: int, high: int) -> list[int]:
    """Sizes of the last checkpoint of each UTC day among those from `low` to `high` entries, and of the last one before."""
    day = sa.type_coerce(StoredCheckpoint.at, sa.BigInteger) // _DAY
    query = sa.select(sa.func.max(StoredCheckpoint.size)).where(StoredCheckpoint.size.between(low, high)).group_by(day)
    before = tx.scalar(sa.select(sa.func.max(StoredCheckpoint.size)).where(StoredCheckpoint.size < low))
    return sorted({*tx.scalars(query), *([] if before is None else [before])})


def notes(tx: sa.Connection) -> Iterator[str]:
    """Every note in the order of issue."""
    yield from tx.scalars(sa.select(StoredCheckpoint.note).order_by(StoredCheckpoint.id))
