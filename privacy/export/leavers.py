"""Who left in which list, by consent handle: what a cap counts, what two lists differ by, and whom a later no has to follow.

Promise: a row stands in the transaction that released the list. Rows of a list end with the time that the recipient may keep it, and with
their person's erasure. It must never learn an identifier.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy import packed
from privacy.orm import Instant, PlatformBase, to_micros

ID: Final = 16
_AT_ONCE: Final = 5_000


class LeaverRow(PlatformBase):
    """One person in one list. `channel` and `at` are the list's, so that a cap asks one table. `until` is when somebody who had left already was
    left out of what is handed out from then on."""

    __tablename__ = "export_person"
    __table_args__ = (sa.Index(None, "handle", "channel", "at"),)

    export: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    handle: Mapped[bytes] = mapped_column(sa.LargeBinary(ID), primary_key=True)
    channel: Mapped[str] = mapped_column(sa.String(20))
    at: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[datetime | None] = mapped_column(Instant)


_LEAVER: Any = LeaverRow.__table__


def add(tx: sa.Connection, export: str, handles: Sequence[bytes], *, channel: str, at: datetime) -> None:
    """Writes down who left."""
    for start in range(0, len(handles), _AT_ONCE):
        part = list(handles[start : start + _AT_ONCE])
        same = [[one] * len(part) for one in (export, channel, to_micros(at))]
        packed.put(tx, _LEAVER, ("export", "handle", "channel", "at"), [same[0], part, *same[1:]])


def of(tx: sa.Connection, export: str, *, handed_out: bool = False) -> list[bytes]:
    """The people of a list: those whom the next file of it may hold, or everybody who was ever in one that was handed out."""
    asked = sa.select(_LEAVER.c.handle).where(_LEAVER.c.export == export)
    return [bytes(one) for one in tx.execute(asked if handed_out else asked.where(_LEAVER.c.until.is_(None))).scalars()]


def leave_out(tx: sa.Connection, export: str, gone: Sequence[bytes], *, taken: bool, now: datetime) -> None:
    """Takes people out of a list. Where nobody has taken it they were never given away, and nothing of them stays."""
    for start in range(0, len(gone), _AT_ONCE):
        here = sa.and_(_LEAVER.c.export == export, _LEAVER.c.handle.in_(gone[start : start + _AT_ONCE]))
        tx.execute(sa.update(_LEAVER).where(here).values(until=now) if taken else sa.delete(_LEAVER).where(here))


def recent(tx: sa.Connection, channel: str, since: datetime) -> dict[bytes, int]:
    """In how many lists of a channel each person left since an instant; who left in none is absent."""
    asked = (
        sa.select(_LEAVER.c.handle, sa.func.count()).where(_LEAVER.c.channel == channel, _LEAVER.c.at >= since).group_by(_LEAVER.c.handle)
    )
    return {bytes(handle): int(number) for handle, number in tx.execute(asked)}


def lists_of(tx: sa.Connection, handles: Sequence[bytes]) -> dict[str, list[bytes]]:
    """Export → who of these people is or was in it: for erasure and the copy that a person asks for."""
    found: dict[str, list[bytes]] = {}
    for start in range(0, len(handles), _AT_ONCE):
        asked = sa.select(_LEAVER.c.export, _LEAVER.c.handle).where(_LEAVER.c.handle.in_(handles[start : start + _AT_ONCE]))
        for export, handle in tx.execute(asked):
            found.setdefault(export, []).append(bytes(handle))
    return found


def forget(tx: sa.Connection, handles: Sequence[bytes]) -> int:
    """Removes the rows of people who are erased; returns how many."""
    return int(tx.execute(sa.delete(_LEAVER).where(_LEAVER.c.handle.in_(list(handles)))).rowcount)


def end(tx: sa.Connection, before: datetime) -> int:
    """Removes rows of lists that are older than an instant."""
    return int(tx.execute(sa.delete(_LEAVER).where(_LEAVER.c.at < before)).rowcount)
