"""How many requests a second a source may send, over all processes of a deployment.

Promise: a source's bucket stands in the database and holds at most one second's worth; a process takes an eighth of a second out of it at a
time and spends that without asking again. So in any T seconds no more than rate × (T + 1) + processes × rate / 8 requests get in, for at
most eight small transactions a second and process. Whoever is turned away costs none: the process remembers until when.
Learns the ids of registered sources and counts their requests; nothing that a stranger sends makes anything grow.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from privacy.orm import Instant, PlatformBase

if TYPE_CHECKING:
    from privacy.orm import Begin
    from privacy.records import Clock

SLICES = 8
"""Slices of a second's worth: more make the bound tighter and cost more transactions."""
UNIT = 1_000_000
"""A request in the bucket's own unit, millionths, so that an eighth of a second at a low rate is not nothing."""
LONGEST_WAIT = 60
"""Seconds of the longest `Retry-After`: the more were turned away in this second, the longer they are told to wait, so that they spread."""
CLOCK_JUMP = timedelta(minutes=1)
"""A bucket from further in the future than clocks of two machines differ was filled by a clock that was set back since."""


class RateBucket(PlatformBase):
    """What a source may still send now, in millionths of a request."""

    __tablename__ = "rate_bucket"

    source_id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    remaining: Mapped[int] = mapped_column(sa.BigInteger)
    filled_at: Mapped[datetime] = mapped_column(Instant)


def create(tx: sa.Connection, source_id: str, rate: int, *, now: datetime) -> None:
    """A full bucket for a source that has none."""
    insert = (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(RateBucket)
    tx.execute(insert.values(source_id=source_id, remaining=rate * UNIT, filled_at=now).on_conflict_do_nothing())


def take(tx: sa.Connection, source_id: str, rate: int, *, now: datetime) -> int:
    """A slice out of the bucket: as many whole requests as are in it, at most an eighth of a second's worth and at least one."""
    row = _locked(tx, source_id)
    if row is None:
        create(tx, source_id, rate, now=now)
        row = _locked(tx, source_id)
    assert row is not None
    filled_at = row.filled_at if row.filled_at <= now + CLOCK_JUMP else now
    passed = max(timedelta(), now - filled_at) // timedelta(microseconds=1)
    left = min(rate * UNIT, row.remaining + passed * rate)
    granted = min(left // UNIT, slice_of(rate))
    tx.execute(
        sa.update(RateBucket)
        .where(RateBucket.source_id == source_id)
        .values(remaining=left - granted * UNIT, filled_at=max(now, filled_at))
    )
    return granted


def slice_of(rate: int) -> int:
    """Requests that a process takes at a time."""
    return max(1, rate // SLICES)


def _locked(tx: sa.Connection, source_id: str) -> Any:
    found = sa.select(RateBucket.remaining, RateBucket.filled_at).where(RateBucket.source_id == source_id).with_for_update()
    return tx.execute(found).first()


@dataclass(slots=True)
class _Hand:
    """What one process holds of one source's bucket."""

    held: int = 0
    ask_after: datetime | None = None
    second: datetime | None = None
    refused: int = 0
    turn: threading.Lock = field(default_factory=threading.Lock)


class Limiter:
    """One process's side of all buckets. `allow` is asked once a request, after its source is known and before its body is read."""

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock
        self._hands: dict[str, _Hand] = {}
        self._turn = threading.Lock()

    def allow(self, source_id: str, rate: int) -> int:
        """0, or the seconds after which the sender may come again. Raises Unavailable where the database does."""
        with self._turn:
            hand = self._hands.setdefault(source_id, _Hand())
        with hand.turn:
            now = self._clock()
            if hand.held <= 0 and _may_ask(hand, now):
                with self._begin() as tx:
                    hand.held = take(tx, source_id, rate, now=now)
                whole = slice_of(rate)
                hand.ask_after = None if hand.held == whole else now + timedelta(seconds=whole / rate)
            if hand.held > 0:
                hand.held -= 1
                return 0
            return _wait(hand, rate, now)


def _may_ask(hand: _Hand, now: datetime) -> bool:
    """Not before a slice can be there again; a clock that was set back does not lock anybody out."""
    after = hand.ask_after
    return after is None or now >= after or after - now > CLOCK_JUMP


def _wait(hand: _Hand, rate: int, now: datetime) -> int:
    if hand.second is None or abs(now - hand.second) >= timedelta(seconds=1):
        hand.second, hand.refused = now, 0
    hand.refused += 1
    return min(LONGEST_WAIT, math.ceil(hand.refused / rate))
