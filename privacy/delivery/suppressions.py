"""Who has to be taken out of what a recipient holds, why and since when; the removals sent for it, and how long they took.

Promise: a person stands open at a recipient once, whatever set it off and how often; they close when the recipient acknowledged, with the
latency measured from the moment the no was received here. A removal that is not acknowledged in its time is overdue, and nothing is added at
that recipient until it is. It knows people by their consent handle; of somebody erased the line goes with the acknowledgement, counts stay.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from privacy.orm import BigId, Instant, PlatformBase, from_micros, to_micros

WITHDRAWN, ERASED, CORRECTED, REVOKED = "withdrawn", "erased", "corrected", "revoked"
REASONS: Final = (WITHDRAWN, ERASED, CORRECTED, REVOKED)
NOTHING: Final[Mapping[str, Any]] = {
    "open": 0, "oldest": None, "oldest_seconds": None, "removals": 0, "removed": 0, "latency_longest": None, "latency_mean": None,
}  # fmt: skip
"""What the board says of a recipient that nobody was taken out of."""
_CHUNK: Final = 500


class SuppressionRow(PlatformBase):
    """One person to be taken out at one recipient. `closed` is 0 while open, else its own id."""

    __tablename__ = "suppression"
    __table_args__ = (
        sa.UniqueConstraint("recipient", "person", "closed"),
        sa.Index("ix_suppression_person", "person"),
        sa.CheckConstraint("reason IN ('withdrawn', 'erased', 'corrected', 'revoked')", name="reason"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    recipient: Mapped[str] = mapped_column(sa.String(40))
    person: Mapped[bytes] = mapped_column(sa.LargeBinary(16))
    reason: Mapped[str] = mapped_column(sa.String(12))
    since: Mapped[datetime] = mapped_column(Instant)
    delta: Mapped[str | None] = mapped_column(sa.String(40), index=True)
    acknowledged_at: Mapped[datetime | None] = mapped_column(Instant)
    closed: Mapped[int] = mapped_column(sa.BigInteger)


class SuppressionDeltaRow(PlatformBase):
    """One signed removal: how many people, since when the first of them waited, when the recipient had it."""

    __tablename__ = "suppression_delta"

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    recipient: Mapped[str] = mapped_column(sa.String(40), index=True)
    people: Mapped[int] = mapped_column(sa.BigInteger)
    reasons: Mapped[dict[str, int]] = mapped_column(sa.JSON)
    since: Mapped[datetime] = mapped_column(Instant)
    made_at: Mapped[datetime] = mapped_column(Instant)
    acknowledged_at: Mapped[datetime | None] = mapped_column(Instant)
    longest_seconds: Mapped[int | None] = mapped_column(sa.BigInteger)
    total_seconds: Mapped[int | None] = mapped_column(sa.BigInteger)
    manifest: Mapped[str] = mapped_column(sa.Text)
    signature: Mapped[str] = mapped_column(sa.String(128))


class SuppressionHeadRow(PlatformBase):
    """Up to where the ledger of consent was read, and which recipients an alarm was given for."""

    __tablename__ = "suppression_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(sa.BigInteger)
    flags: Mapped[int] = mapped_column(sa.BigInteger)
    alarmed: Mapped[list[str]] = mapped_column(sa.JSON)


_LINE: Any = SuppressionRow.__table__
_DELTA: Any = SuppressionDeltaRow.__table__
_HEAD: Any = SuppressionHeadRow.__table__


# ── people ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def note(tx: sa.Connection, recipient: str, people: Mapping[bytes, datetime], reason: str) -> list[bytes]:
    """Opens a line for each person who has none open, since the instant given; returns those. An erasure takes over an open line."""
    standing = open_people(tx, recipient)
    insert = (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(_LINE).on_conflict_do_nothing().returning(_LINE.c.person)
    rows = [
        {"recipient": recipient, "person": one, "reason": reason, "since": people[one], "closed": 0}
        for one in sorted(people)
        if one not in standing
    ]
    new: list[bytes] = []
    for start in range(0, len(rows), _CHUNK):
        new += [bytes(one) for one in tx.execute(insert.values(rows[start : start + _CHUNK])).scalars()]
    if reason == ERASED:
        for piece in _chunks(sorted(set(people) & standing)):
            tx.execute(sa.update(_LINE).where(_open(recipient), _LINE.c.person.in_(piece)).values(reason=ERASED))
    return new


def open_people(tx: sa.Connection, recipient: str) -> set[bytes]:
    """Who has to be taken out at a recipient and is not yet: nobody of them may be added there."""
    return {bytes(one) for one in tx.execute(sa.select(_LINE.c.person).where(_open(recipient))).scalars()}


def forget_closed(tx: sa.Connection, people: Collection[bytes]) -> int:
    """Lines that are over, of people who are erased; the removals they were in keep their counts."""
    ordered = sorted(people)
    chosen = (sa.and_(_LINE.c.person.in_(piece), _LINE.c.closed != 0) for piece in _chunks(ordered))
    return sum(tx.execute(sa.delete(_LINE).where(one)).rowcount for one in chosen)


def of_people(tx: sa.Connection, handles: Sequence[bytes]) -> list[Any]:
    """Every line of those who are one person, oldest first: for the copy that they ask for."""
    return list(tx.execute(sa.select(_LINE).where(_LINE.c.person.in_(list(handles))).order_by(_LINE.c.id)))


def recipients_open(tx: sa.Connection) -> list[str]:
    """Recipients with somebody to take out."""
    return list(tx.execute(sa.select(_LINE.c.recipient).where(_LINE.c.closed == 0).distinct()).scalars())


def unsent(tx: sa.Connection) -> dict[str, dict[bytes, tuple[str, datetime]]]:
    """Recipient → person → (reason, since) of those in no removal yet."""
    found: dict[str, dict[bytes, tuple[str, datetime]]] = {}
    for row in tx.execute(sa.select(_LINE).where(_LINE.c.closed == 0, _LINE.c.delta.is_(None)).order_by(_LINE.c.id)):
        found.setdefault(row.recipient, {})[bytes(row.person)] = (row.reason, row.since)
    return found


def drop(tx: sa.Connection, recipient: str, people: Collection[bytes]) -> None:
    """Closes lines of people whom the recipient turns out not to hold."""
    for piece in _chunks(sorted(people)):
        tx.execute(sa.delete(_LINE).where(_open(recipient), _LINE.c.delta.is_(None), _LINE.c.person.in_(piece)))


def in_delta(tx: sa.Connection, delta: str) -> list[bytes]:
    """The people of a removal that is not acknowledged."""
    return [bytes(one) for one in tx.execute(sa.select(_LINE.c.person).where(_LINE.c.delta == delta, _LINE.c.closed == 0)).scalars()]


def of_person(tx: sa.Connection, handles: Sequence[bytes], since: datetime) -> tuple[int, int]:
    """How many recipients were told to let a person go since an instant, and how many of them acknowledged."""
    asked = sa.select(_LINE.c.recipient, _LINE.c.acknowledged_at).where(_LINE.c.person.in_(list(handles)), _LINE.c.since >= since)
    rows = tx.execute(asked).all()
    return len({row.recipient for row in rows}), len({row.recipient for row in rows if row.acknowledged_at is not None})


# ── removals ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def put_in(tx: sa.Connection, delta: Mapping[str, Any], people: Collection[bytes]) -> None:
    """Makes a removal of open lines; its people are those who have a line that is in none."""
    tx.execute(sa.insert(_DELTA), [dict(delta)])
    for piece in _chunks(sorted(people)):
        chosen = sa.and_(_open(delta["recipient"]), _LINE.c.delta.is_(None), _LINE.c.person.in_(piece))
        tx.execute(sa.update(_LINE).where(chosen).values(delta=delta["id"]))


def delta(tx: sa.Connection, id_: str) -> Any:
    """A removal's row, or None."""
    return tx.execute(sa.select(_DELTA).where(_DELTA.c.id == id_)).first()


def close(tx: sa.Connection, id_: str, now: datetime) -> dict[str, int]:
    """The recipient acknowledged a removal: its lines close, those of erased people go. Returns the measured latency in seconds."""
    rows = tx.execute(sa.select(_LINE.c.reason, _LINE.c.since).where(_LINE.c.delta == id_, _LINE.c.closed == 0)).all()
    waits = [max(0, (to_micros(now) - to_micros(row.since)) // 1_000_000) for row in rows]
    longest, total = max(waits, default=0), sum(waits)
    tx.execute(sa.update(_DELTA).where(_DELTA.c.id == id_).values(acknowledged_at=now, longest_seconds=longest, total_seconds=total))
    mine = sa.and_(_LINE.c.delta == id_, _LINE.c.closed == 0)
    tx.execute(sa.delete(_LINE).where(mine, _LINE.c.reason == ERASED))
    tx.execute(sa.update(_LINE).where(mine).values(acknowledged_at=now, closed=_LINE.c.id))
    return {"people": len(rows), "longest_seconds": longest, "total_seconds": total}


def overdue(tx: sa.Connection, now: datetime, within: timedelta) -> dict[str, int]:
    """Recipients with people who wait longer than they may, with how many."""
    late = sa.and_(_LINE.c.closed == 0, _LINE.c.since <= now - within)
    asked = sa.select(_LINE.c.recipient, sa.func.count()).where(late).group_by(_LINE.c.recipient)
    return {recipient: int(number) for recipient, number in tx.execute(asked)}


def board(tx: sa.Connection, now: datetime) -> dict[str, dict[str, Any]]:
    """For each recipient: who waits, since when, and the measured latency of what was acknowledged."""
    found: dict[str, dict[str, Any]] = {}
    waiting = sa.select(_LINE.c.recipient, sa.func.count(), sa.func.min(_LINE.c.since)).where(_LINE.c.closed == 0)
    for recipient, number, since in tx.execute(waiting.group_by(_LINE.c.recipient)):
        moment = since if isinstance(since, datetime) else from_micros(int(since))
        found[recipient] = {"open": int(number), "oldest": moment.isoformat(), "oldest_seconds": int((now - moment).total_seconds())}
    done = sa.select(
        _DELTA.c.recipient, sa.func.count(), sa.func.sum(_DELTA.c.people), sa.func.max(_DELTA.c.longest_seconds), sa.func.sum(_DELTA.c.total_seconds)
    ).where(_DELTA.c.acknowledged_at.is_not(None))  # fmt: skip
    for recipient, removals, people, longest, total in tx.execute(done.group_by(_DELTA.c.recipient)):
        line = found.setdefault(recipient, {})
        mean = int(total or 0) // max(1, int(people or 0))
        line |= {"removals": int(removals), "removed": int(people), "latency_longest": int(longest or 0), "latency_mean": mean}
    return found


# ── where the ledger was read to ───────────────────────────────────────────────────────────────────────────────────────────────


def head(tx: sa.Connection) -> tuple[int, int, frozenset[str]]:
    """(position in the ledger of consent, position in the flags, recipients an alarm stands for)."""
    row = tx.execute(sa.select(_HEAD)).first()
    return (0, 0, frozenset()) if row is None else (int(row.seq), int(row.flags), frozenset(row.alarmed))


def move_head(tx: sa.Connection, seq: int, flags: int, alarmed: Iterable[str]) -> None:
    """Notes up to where was read."""
    tx.execute(sa.delete(_HEAD))
    tx.execute(sa.insert(_HEAD).values(id=1, seq=seq, flags=flags, alarmed=sorted(alarmed)))


def _open(recipient: str) -> sa.ColumnElement[bool]:
    return sa.and_(_LINE.c.recipient == recipient, _LINE.c.closed == 0)


def _chunks(some: Sequence[bytes]) -> Iterable[Sequence[bytes]]:
    return (some[start : start + _CHUNK] for start in range(0, len(some), _CHUNK))
