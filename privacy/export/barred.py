"""The suppression list: people who get nothing by a channel, or by none, whatever they allow elsewhere.

Promise: a line holds from its commit on; a lifted one stays as a row that says so. `*` is every channel. Keeps consent handles, no address.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.orm import BigId, Instant, PlatformBase

EVERY: Final = "*"


class BarredRow(PlatformBase):
    """`by` set it, for example an officer or the list of a regulator."""

    __tablename__ = "export_barred"
    __table_args__ = (sa.Index(None, "handle"),)

    seq: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    handle: Mapped[bytes] = mapped_column(sa.LargeBinary(16))
    channel: Mapped[str] = mapped_column(sa.String(20))
    since: Mapped[datetime] = mapped_column(Instant)
    by: Mapped[str] = mapped_column(sa.String(80))
    lifted_at: Mapped[datetime | None] = mapped_column(Instant)


_BARRED: Any = BarredRow.__table__


def add(tx: sa.Connection, handles: Sequence[bytes], channel: str, *, by: str, now: datetime) -> int:
    """Sets people on the list; who stands there already stays once."""
    known = by_channel(tx, channel)
    rows = [{"handle": one, "channel": channel, "since": now, "by": by} for one in dict.fromkeys(handles) if one not in known]
    if rows:
        tx.execute(sa.insert(_BARRED), rows)
    return len(rows)


def lift(tx: sa.Connection, handles: Sequence[bytes], channel: str, *, now: datetime) -> int:
    """Takes people off the list; returns how many lines."""
    standing = sa.and_(_BARRED.c.lifted_at.is_(None), _BARRED.c.channel == channel, _BARRED.c.handle.in_(list(handles)))
    return int(tx.execute(sa.update(_BARRED).where(standing).values(lifted_at=now)).rowcount)


def by_channel(tx: sa.Connection, channel: str) -> set[bytes]:
    """Everybody who gets nothing by a channel."""
    asked = sa.select(_BARRED.c.handle).where(_BARRED.c.lifted_at.is_(None), _BARRED.c.channel.in_([channel, EVERY]))
    return {bytes(one) for one in tx.execute(asked).scalars()}


def held(tx: sa.Connection, handles: Sequence[bytes]) -> int:
    """How many lines are about these people."""
    return int(tx.execute(sa.select(sa.func.count()).select_from(_BARRED).where(_BARRED.c.handle.in_(list(handles)))).scalar_one())


def forget(tx: sa.Connection, handles: Sequence[bytes]) -> int:
    """Removes the lines of people who are erased."""
    return int(tx.execute(sa.delete(_BARRED).where(_BARRED.c.handle.in_(list(handles)))).rowcount)
