"""How much of a person's data was turned away because they had said no: a number a month and purpose, and nothing else (decision 0026).

Promise: it counts, by the month of receipt, items that a person's own no kept out, and forgets a month when a year has passed. It says
nothing of what an item was, where it came from or on which day. Read by the officer's door alone, for one person at a time.
It must never learn an identifier, a source, a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from privacy.orm import PlatformBase

HANDLE_BYTES = 16
KEPT_MONTHS = 12
"""Whole months after the one that was counted in."""


class StoppedRow(PlatformBase):
    """`month` is YYYYMM of the controller's zone."""

    __tablename__ = "stopped_count"

    handle: Mapped[bytes] = mapped_column(sa.LargeBinary(HANDLE_BYTES), primary_key=True)
    purpose: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    month: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(sa.BigInteger)


_STOPPED: Any = StoppedRow.__table__


def add(tx: sa.Connection, counts: Mapping[tuple[bytes, str], int], today: date) -> None:
    """Adds to the counts of (handle, purpose), in one order for everybody, so that two batches never wait for each other."""
    if not counts:
        return
    month = today.year * 100 + today.month
    rows = [{"handle": who, "purpose": purpose, "month": month, "number": number} for (who, purpose), number in sorted(counts.items())]
    insert: Any = (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(_STOPPED)
    more = insert.on_conflict_do_update(
        index_elements=["handle", "purpose", "month"], set_={"number": _STOPPED.c.number + insert.excluded.number}
    )
    tx.execute(more, rows)


def of(tx: sa.Connection, handles: Sequence[bytes]) -> list[tuple[str, int, int]]:
    """(purpose, month, number) of those who turned out to be one person, newest month first."""
    number: Any = sa.func.sum(_STOPPED.c.number)
    asked = sa.select(_STOPPED.c.purpose, _STOPPED.c.month, number).where(_STOPPED.c.handle.in_(handles))
    rows = tx.execute(asked.group_by(_STOPPED.c.purpose, _STOPPED.c.month).order_by(_STOPPED.c.month.desc(), _STOPPED.c.purpose))
    return [(purpose, month, int(total)) for purpose, month, total in rows]


def sweep(tx: sa.Connection, today: date) -> int:
    """Forgets the months whose time is over; returns how many counts went."""
    first = today.year * 12 + today.month - 1 - KEPT_MONTHS
    return int(tx.execute(sa.delete(_STOPPED).where(_STOPPED.c.month < first // 12 * 100 + first % 12 + 1)).rowcount)


def held(tx: sa.Connection, handles: Sequence[bytes]) -> int:
    """How many counts stand about these people."""
    return int(tx.execute(sa.select(sa.func.count()).select_from(_STOPPED).where(_STOPPED.c.handle.in_(handles))).scalar_one())


def forget(tx: sa.Connection, handles: Sequence[bytes]) -> int:
    """Takes away the counts about people who are erased; returns how many."""
    return int(tx.execute(sa.delete(_STOPPED).where(_STOPPED.c.handle.in_(handles))).rowcount)
