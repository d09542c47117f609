"""Live events: the newest items of a source in de-identified words, kept only while somebody watches.

Promise: a row is made of the message alone. It is noted before anything that is stored about a person could change it, so it is the same
whether its person is known, unknown, refused or erased; its verdict is one of form. It has no virtual ID, no message id and no position,
its time is a whole minute, and rows that came together stand in random order. Nobody watches: nothing is written, and a process looks once
in a quarter of a second. The rows go with the last watch. Never holds a value that the dictionary does not allow to be shown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ingestion.canonical import REFUSE
from privacy.orm import BigId, Instant, PlatformBase

if TYPE_CHECKING:
    from privacy.records import CanonicalBatch, CanonicalPart, RandomBytes, RawBatch

KEPT = 200
"""Rows of one source's ring."""
LASTS = timedelta(minutes=10)
"""How long a watch lasts unless it is opened again: nobody watches people's messages all day because a page was left open."""
LOOK_EVERY = 0.25
"""Seconds after which a process looks again who is watched."""
WELL_FORMED, QUARANTINED = "well_formed", "quarantined"
OUTCOMES = (WELL_FORMED, QUARANTINED)

T = TypeVar("T")
Show = Callable[["CanonicalPart", Sequence[int]], Sequence[Mapping[str, str]]]
"""Some rows of a part as they may be shown: lake column → word. Handed in, since only the doors of privacy know how."""


class LiveWatch(PlatformBase):
    """Who watches which source, and until when."""

    __tablename__ = "live_watch"

    source_id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    account_id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    ends_at: Mapped[datetime] = mapped_column(Instant)


class LiveRow(PlatformBase):
    """One row of a ring."""

    __tablename__ = "live_row"
    __table_args__ = (sa.Index("ix_live_row_source_id_seq", "source_id", "seq"), {"sqlite_autoincrement": True})

    seq: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    source_id: Mapped[str] = mapped_column(sa.String(40))
    minute: Mapped[datetime] = mapped_column(Instant)
    record: Mapped[str] = mapped_column(sa.String(40))
    outcome: Mapped[str] = mapped_column(sa.String(20))
    told: Mapped[dict[str, Any]] = mapped_column(sa.JSON)


_PUT = sa.insert(LiveRow)


# ── in ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Ring:
    """One process's side: knows who is watched, and notes their items in the transaction that stores them."""

    show: Show
    random: RandomBytes
    ticks: Callable[[], float] = time.monotonic
    _watched: frozenset[str] = frozenset()
    _looked: float = field(default=float("-inf"))

    def look_again(self) -> None:
        """The next batch asks the store who is watched."""
        self._looked = float("-inf")

    def note(self, tx: sa.Connection, raw: RawBatch, batch: CanonicalBatch) -> None:
        """Notes a batch's items if its source is watched. Asked before the verdicts of the law are known to it: it takes none."""
        now = self.ticks()
        if now - self._looked >= LOOK_EVERY:
            self._watched, self._looked = watched(tx, raw.received_at), now
        if raw.source.id in self._watched:
            put(tx, raw.source.id, rows_of(batch, self.show, self.random), now=raw.received_at, random=self.random)


def rows_of(batch: CanonicalBatch, show: Show, random: RandomBytes) -> list[tuple[str, str, dict[str, Any]]]:
    """(record, outcome, what is told) of a batch's items, of a large one some. What must never be taken in is not told of at all."""
    told: list[tuple[str, str, dict[str, Any]]] = [
        ("", QUARANTINED, {"path": one.path, "rule": str(one.rule)}) for one in batch.malformed[-KEPT:]
    ]
    for part in batch.parts:
        places = np.arange(len(part.positions))
        if REFUSE in part.fields.column_names:
            places = places[~np.asarray(pc.is_valid(part.fields[REFUSE]).to_numpy(), bool)]
        chosen = _shuffled(places.tolist(), random)[:KEPT]
        for place, words in zip(chosen, show(part, chosen), strict=True):
            kinds = [kind for kind, column in part.identifiers.items() if column[place].is_valid]
            told.append((part.record, WELL_FORMED, {"columns": dict(words), "identifiers": sorted(kinds)}))
    return told


def _shuffled(things: Sequence[T], random: RandomBytes) -> list[T]:
    """In an order that says nothing."""
    drawn = np.frombuffer(random(8 * len(things)), np.uint64)
    return [things[place] for place in np.argsort(drawn, kind="stable").tolist()]


def put(tx: sa.Connection, source_id: str, rows: Sequence[tuple[str, str, dict[str, Any]]], *, now: datetime, random: RandomBytes) -> None:
    """Adds rows to a source's ring and takes the oldest out."""
    minute = now.replace(second=0, microsecond=0)
    kept = _shuffled(rows, random)[:KEPT]
    if not kept:
        return
    tx.execute(
        _PUT,
        [{"source_id": source_id, "minute": minute, "record": record, "outcome": outcome, "told": told} for record, outcome, told in kept],
    )
    mine = LiveRow.source_id == source_id
    oldest = sa.select(LiveRow.seq).where(mine).order_by(LiveRow.seq.desc()).offset(KEPT).limit(1).scalar_subquery()
    tx.execute(sa.delete(LiveRow).where(mine, LiveRow.seq <= oldest))


# ── watches ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def watched(tx: sa.Connection, now: datetime) -> frozenset[str]:
    """The sources that somebody watches."""
    return frozenset(tx.execute(sa.select(LiveWatch.source_id).where(LiveWatch.ends_at > now)).scalars())


def ends_at(tx: sa.Connection, source_id: str, account_id: str, now: datetime) -> datetime | None:
    """When somebody's watch ends; None if it has, or never began."""
    mine = sa.and_(LiveWatch.source_id == source_id, LiveWatch.account_id == account_id, LiveWatch.ends_at > now)
    return tx.execute(sa.select(LiveWatch.ends_at).where(mine)).scalar()


def begin(tx: sa.Connection, source_id: str, account_id: str, now: datetime) -> datetime:
    """Begins somebody's watch; what stood in rings that nobody watches any more goes first."""
    sweep(tx, now)
    end(tx, source_id, account_id, now)
    tx.execute(sa.insert(LiveWatch).values(source_id=source_id, account_id=account_id, ends_at=now + LASTS))
    return now + LASTS


def end(tx: sa.Connection, source_id: str, account_id: str, now: datetime) -> None:
    """Ends somebody's watch; the ring goes with the last one."""
    tx.execute(sa.delete(LiveWatch).where(LiveWatch.source_id == source_id, LiveWatch.account_id == account_id))
    if source_id not in watched(tx, now):
        tx.execute(sa.delete(LiveRow).where(LiveRow.source_id == source_id))


def sweep(tx: sa.Connection, now: datetime) -> int:
    """Takes away watches that are over, and every row that nobody watches; gives the number of rows."""
    tx.execute(sa.delete(LiveWatch).where(LiveWatch.ends_at <= now))
    still = sa.select(LiveWatch.source_id)
    return tx.execute(sa.delete(LiveRow).where(LiveRow.source_id.not_in(still))).rowcount


def clear(tx: sa.Connection) -> int:
    """Empties every ring: of rows without any id nobody can say whose they are; returns how many went."""
    return tx.execute(sa.delete(LiveRow)).rowcount


# ── out ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def newest(tx: sa.Connection, source_id: str) -> list[dict[str, Any]]:
    """The rows of a source's ring, newest first. Whoever shows them has asked whether the reader has a watch."""
    query = sa.select(LiveRow.minute, LiveRow.record, LiveRow.outcome, LiveRow.told).where(LiveRow.source_id == source_id)
    return [
        {
            "minute": row.minute,
            "record": row.record or None,
            "outcome": row.outcome,
            "columns": row.told.get("columns", {}),
            "identifiers": row.told.get("identifiers", []),
            "path": row.told.get("path"),
            "rule": row.told.get("rule"),
        }
        for row in tx.execute(query.order_by(LiveRow.seq.desc()).limit(KEPT))
    ]
