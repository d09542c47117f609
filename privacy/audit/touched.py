"""What the log says of a stretch of time or of positions: acts counted by kind, name and day, and whose data they touched.

Promise: it reads frames of entries, which stay when a payload is erased, so that what it says of a range of positions never changes. It writes
nothing and opens no payload. Who may ask is the business of a door.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from privacy.audit.log import LogEntry, LogPayload
from privacy.audit.payload import stamp

_JOINED = LogEntry.__table__.join(LogPayload.__table__, LogPayload.seq == LogEntry.seq)


@dataclass(frozen=True, slots=True)
class Touched:
    """Of a stretch of time: acts by (kind, name), the people whom they name, who acted. `erased` are entries that no longer say whom."""

    acts: dict[tuple[str, str], int]
    people: int
    actors: int
    erased: int


def between(tx: sa.Connection, since: datetime, until: datetime, *, kinds: tuple[str, ...] = ()) -> Touched:
    """What happened in a stretch of time."""
    inside = [LogEntry.at >= since, LogEntry.at < until, *([LogEntry.kind.in_(kinds)] if kinds else [])]
    counted = sa.select(LogEntry.kind, LogPayload.action, sa.func.count()).select_from(_JOINED).where(*inside)
    acts = {(kind, action): int(number) for kind, action, number in tx.execute(counted.group_by(LogEntry.kind, LogPayload.action))}
    sums = sa.select(
        sa.func.count(sa.distinct(LogPayload.subject)), sa.func.count(sa.distinct(LogPayload.actor)), sa.func.count(LogPayload.erased_at)
    )
    people, actors, erased = tx.execute(sums.select_from(_JOINED).where(*inside)).one()
    return Touched(acts, int(people), int(actors), int(erased))


def acts_of_range(tx: sa.Connection, first: int, size: int) -> list[tuple[str, str, int]]:
    """(kind, act, number) of the entries from `first` to before `size`, in order."""
    asked = (
        sa.select(LogEntry.kind, LogPayload.action, sa.func.count())
        .select_from(_JOINED)
        .where(LogEntry.seq >= first, LogEntry.seq < size)
        .group_by(LogEntry.kind, LogPayload.action)
        .order_by(LogEntry.kind, LogPayload.action)
    )
    return [(str(kind), str(action), int(number)) for kind, action, number in tx.execute(asked)]


def samples(tx: sa.Connection, first: int, size: int, prefix: str, *, most: int = 5) -> list[dict[str, Any]]:
    """The first and the newest acts of a range whose names begin so: position, time, who, and the commitment that the tree holds."""
    inside = sa.select(LogEntry.seq, LogEntry.at, LogEntry.kind, LogEntry.commitment, LogPayload.actor, LogPayload.action)
    inside = inside.select_from(_JOINED).where(
        LogEntry.seq >= first, LogEntry.seq < size, LogPayload.action.startswith(prefix, autoescape=True)
    )
    rows = [*tx.execute(inside.order_by(LogEntry.seq).limit(most)), *tx.execute(inside.order_by(LogEntry.seq.desc()).limit(most))]
    return [
        {
            "seq": row.seq,
            "at": stamp(row.at),
            "kind": row.kind,
            "act": row.action,
            "by": row.actor,
            "commitment": bytes(row.commitment).hex(),
        }
        for row in sorted({row.seq: row for row in rows}.values(), key=lambda row: row.seq)
    ]


def instant_of(tx: sa.Connection, seq: int) -> datetime | None:
    """When an entry was written."""
    return tx.execute(sa.select(LogEntry.at).where(LogEntry.seq == seq)).scalar()


def newest(tx: sa.Connection, prefix: str) -> datetime | None:
    """When an act whose name begins so was last written."""
    asked = sa.select(sa.func.max(LogEntry.at)).select_from(_JOINED).where(LogPayload.action.startswith(prefix, autoescape=True))
    return tx.execute(asked).scalar()
