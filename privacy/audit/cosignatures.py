"""Cosignatures: what witnesses outside said about our checkpoints, kept beside them.

Promise: a cosignature is kept only if it holds under a key that the operator was given by that witness, for a checkpoint that this log
made; one a checkpoint and witness, the first one. Append-only; each stands with the entry of the log that took it in, so that whoever reads
an old part of the log can tell which were known by then.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.audit.checkpoint import StoredCheckpoint
from privacy.audit.verify import COSIGNATURE, cosigned_at, read_checkpoint, read_key
from privacy.errors import Invalid, NotFound
from privacy.orm import BigId, Instant, PlatformBase

LATEST = 1 << 33
"""Seconds since 1970 that a time of a cosignature stays under; a calendar has no more."""


class StoredCosignature(PlatformBase):
    """One witness's line for the checkpoint of one size."""

    __tablename__ = "cosignature"
    __table_args__ = (sa.UniqueConstraint("size", "witness", name="uq_cosignature_size_witness"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    size: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    witness: Mapped[str] = mapped_column(sa.String(200))
    key: Mapped[str] = mapped_column(sa.String(300))
    at: Mapped[datetime] = mapped_column(Instant)
    line: Mapped[str] = mapped_column(sa.Text)
    entry: Mapped[int] = mapped_column(sa.BigInteger)


@dataclass(frozen=True, slots=True)
class Cosigned:
    """What a cosigned note says: which of our checkpoints, by whom, when."""

    size: int
    witness: str
    key: str
    at: datetime
    line: str


def read(tx: sa.Connection, note: str, witnesses: Sequence[str]) -> list[Cosigned]:
    """The cosignatures of known witnesses on a note, which must be one of our checkpoints; raises Invalid or NotFound."""
    try:
        checkpoint, signed, signatures = read_checkpoint(note)
    except (ValueError, AttributeError):
        raise Invalid("this is not a checkpoint", code="checkpoint_form", field="note") from None
    body = signed.decode() + "\n"
    known = tx.scalars(sa.select(StoredCheckpoint.note).where(StoredCheckpoint.size == checkpoint.size))
    if not any(one.startswith(body) for one in known):
        raise NotFound("this log made no such checkpoint", code="checkpoint_unknown", field="note")
    found = []
    for key in witnesses:
        name = read_key(key, COSIGNATURE)[0]
        for signer, blob in signatures:
            at = cosigned_at(signed, [(signer, blob)], key)
            if at is not None and at < LATEST:
                line = f"— {name} {base64.b64encode(blob).decode()}"
                found.append(Cosigned(checkpoint.size, name, key, datetime.fromtimestamp(at, UTC), line))
                break
    if not found:
        raise Invalid("no witness that is known here cosigned this checkpoint", code="witness_unknown", field="note")
    return found


def missing(tx: sa.Connection, found: Sequence[Cosigned]) -> list[Cosigned]:
    """Those that are not kept yet."""
    kept = {(row.size, row.witness) for row in tx.execute(sa.select(StoredCosignature.size, StoredCosignature.witness))} if found else set()
    return [one for one in found if (one.size, one.witness) not in kept]


def keep(tx: sa.Connection, found: Sequence[Cosigned], entry: int) -> None:
    """Keeps cosignatures with the entry that tells of them."""
    for one in found:
        values = {"size": one.size, "witness": one.witness, "key": one.key, "at": one.at, "line": one.line, "entry": entry}
        tx.execute(sa.insert(StoredCosignature), values)


def newest(tx: sa.Connection, *, size: int | None = None) -> list[Cosigned]:
    """The largest checkpoint that each witness cosigned; with `size`, as the log of that size knows."""
    query = sa.select(StoredCosignature).order_by(StoredCosignature.size)
    if size is not None:
        query = query.where(StoredCosignature.size <= size, StoredCosignature.entry < size)
    found = {row.witness: Cosigned(row.size, row.witness, row.key, row.at, row.line) for row in tx.execute(query)}
    return [found[name] for name in sorted(found)]


def lines_of(tx: sa.Connection, size: int, *, known_by: int) -> list[str]:
    """The lines under the checkpoint of one size that a log of `known_by` entries tells of."""
    query = sa.select(StoredCosignature.line).where(StoredCosignature.size == size, StoredCosignature.entry < known_by)
    return list(tx.scalars(query.order_by(StoredCosignature.witness)))
