"""How often somebody may guess, over all workers of a deployment.

Promise: a try is counted before it is looked at, in the database, so that neither many workers nor many tries at once get more of them. After
a few wrong ones within a quarter of an hour the next must wait a minute, then two, then four, at most fifteen; a right one clears the
account's count. What is counted is known here by a keyed digest alone: no address of a person or a machine stands in the table, and an
address that nobody has is counted like any other. Rows are forgotten after a day.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from privacy.errors import Refused
from privacy.orm import Instant, PlatformBase

WINDOW = timedelta(minutes=15)
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(minutes=15)
FORGOTTEN = timedelta(days=1)


class Throttle(PlatformBase):
    """Tries against one account or from one machine that were not right."""

    __tablename__ = "throttle"
    digest: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    tries: Mapped[int] = mapped_column(sa.Integer)
    last_at: Mapped[datetime] = mapped_column(Instant, index=True)
    until: Mapped[datetime] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted and how many tries it has before the first wait."""

    digest: bytes
    free: int


def take(tx: sa.Connection, counted: Sequence[Counted], *, now: datetime) -> int:
    """Counts one try against all of `counted`, or raises Refused with the seconds to wait. Returns the tries counted against the first."""
    tx.execute(sa.delete(Throttle).where(Throttle.last_at <= now - FORGOTTEN))
    insert = (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(Throttle)
    rows = []
    for one in sorted(counted, key=lambda one: one.digest):  # one order for everybody, so that two never wait for each other
        tx.execute(insert.values(digest=one.digest, tries=0, last_at=now, until=now).on_conflict_do_nothing())
        found = sa.select(Throttle.tries, Throttle.last_at, Throttle.until).where(Throttle.digest == one.digest).with_for_update()
        rows.append((one, tx.execute(found).one()))
    wait = max((row.until - now for _, row in rows), default=timedelta())
    if wait > timedelta():
        seconds = math.ceil(min(wait, LONGEST_WAIT).total_seconds())
        raise Refused("too many tries: wait a little", code="too_many_tries", retry_after=seconds)
    counts = {}
    for one, row in rows:
        tries = counts[one.digest] = (row.tries if row.last_at > now - WINDOW else 0) + 1
        until = now + wait_after(tries, one.free)
        tx.execute(sa.update(Throttle).where(Throttle.digest == one.digest).values(tries=tries, last_at=now, until=until))
    return counts[counted[0].digest]


def wait_after(tries: int, free: int) -> timedelta:
    """How long to wait after so many tries, if this one is not right either."""
    if tries < free:
        return timedelta()
    return min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(tries - free, 8))


def clear(tx: sa.Connection, digest: bytes) -> None:
    """Forgets the tries of whoever got it right."""
    tx.execute(sa.delete(Throttle).where(Throttle.digest == digest))


def give_back(tx: sa.Connection, counted: Counted, *, now: datetime) -> None:
    """Takes back one try that was right, where others share the count and theirs stay."""
    tries = sa.select(Throttle.tries).where(Throttle.digest == counted.digest).with_for_update()
    left = max(0, int(tx.execute(tries).scalar() or 0) - 1)
    tx.execute(sa.update(Throttle).where(Throttle.digest == counted.digest).values(tries=left, until=now))
