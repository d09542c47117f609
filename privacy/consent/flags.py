"""Restriction and objection: what stands against the use of a person's data, asked by everybody who would use it.

Promise: a flag holds from its commit on, for every program; who is restricted is in no population, gives no row and is revealed for their
own sake only; who objects to automated decisions is out of marketing's population and nowhere else (law_rules L-7). A flag that was lifted
stays as a row that says so. Positions only rise, so that whoever decided before one was set can see it.
It must never learn an identifier or why somebody objects.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Mapped, mapped_column

from privacy.orm import BigId, Instant, PlatformBase
from privacy.vocabulary import PROFILING, Flag

HANDLE_BYTES = 16


class FlagRow(PlatformBase):
    """`handle` is the consent handle; `request` is the number of the request by which it was set, `by` and `lifted_by` who of the staff."""

    __tablename__ = "person_flag"
    __table_args__ = (sa.Index(None, "handle"),)

    seq: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    handle: Mapped[bytes] = mapped_column(sa.LargeBinary(HANDLE_BYTES))
    flag: Mapped[str] = mapped_column(sa.String(12))
    since: Mapped[datetime] = mapped_column(Instant)
    request: Mapped[str] = mapped_column(sa.String(20))
    by: Mapped[str] = mapped_column(sa.String(80))
    lifted_at: Mapped[datetime | None] = mapped_column(Instant)
    lifted_by: Mapped[str | None] = mapped_column(sa.String(80))


_FLAG: Any = FlagRow.__table__
_STANDING = _FLAG.c.lifted_at.is_(None)
_HEAD = sa.select(sa.func.coalesce(sa.func.max(_FLAG.c.seq), 0))


def head(tx: sa.Connection) -> int:
    """The last position given; 0 where nobody ever objected."""
    return int(tx.execute(_HEAD).scalar_one())


def count(tx: sa.Connection) -> int:
    """How many flags were ever set and are not forgotten."""
    return int(tx.execute(sa.select(sa.func.count()).select_from(_FLAG)).scalar_one())


def among(tx: sa.Connection, handles: Iterable[bytes], *, after: int = 0) -> dict[bytes, set[Flag]]:
    """What stands against these people, by handle; `after` leaves out what was set up to a position."""
    if head(tx) <= after:
        return {}
    asked = sa.select(_FLAG.c.handle, _FLAG.c.flag).where(_STANDING, _FLAG.c.seq > after, _FLAG.c.handle.in_(_given(tx, handles)))
    return _by_handle(tx.execute(asked))


def everybody(tx: sa.Connection, flags: Collection[Flag]) -> list[bytes]:
    """The handles of all people against whose data one of these flags stands."""
    asked = sa.select(_FLAG.c.handle).where(_STANDING, _FLAG.c.flag.in_([one.value for one in flags])).distinct()
    return [bytes(row.handle) for row in tx.execute(asked)]


def against(purpose: str) -> frozenset[Flag]:
    """Which flags keep a person out of a purpose."""
    return frozenset({Flag.RESTRICTED, Flag.OBJECTED} if purpose == PROFILING else {Flag.RESTRICTED})


def history(tx: sa.Connection, handles: Sequence[bytes]) -> list[dict[str, Any]]:
    """Every flag of those who are one person, lifted ones included, oldest first."""
    rows = tx.execute(sa.select(_FLAG).where(_FLAG.c.handle.in_(handles)).order_by(_FLAG.c.seq))
    return [{name: value for name, value in row._mapping.items() if name != "handle"} for row in rows]


def set_(tx: sa.Connection, handle: bytes, flag: Flag, *, request: str, by: str, now: datetime) -> bool:
    """Sets a flag; false where it stands already."""
    if tx.execute(sa.select(_FLAG.c.seq).where(_STANDING, _FLAG.c.handle == handle, _FLAG.c.flag == flag.value)).first():
        return False
    tx.execute(sa.insert(_FLAG), [{"handle": handle, "flag": flag.value, "since": now, "request": request, "by": by}])
    return True


def lift(tx: sa.Connection, handles: Sequence[bytes], flag: Flag, *, by: str, now: datetime) -> int:
    """Lifts a flag of those who are one person; returns how many stood."""
    standing = sa.update(_FLAG).where(_STANDING, _FLAG.c.handle.in_(handles), _FLAG.c.flag == flag.value)
    return int(tx.execute(standing.values(lifted_at=now, lifted_by=by)).rowcount)


def _by_handle(rows: Iterable[Any]) -> dict[bytes, set[Flag]]:
    found: dict[bytes, set[Flag]] = {}
    for row in rows:
        found.setdefault(bytes(row.handle), set()).add(Flag(row.flag))
    return found


def _given(tx: sa.Connection, handles: Iterable[bytes]) -> Any:
    """The handles as a list inside the statement, without a limit of parameters."""
    listed = list(dict.fromkeys(handles))
    if tx.dialect.name == "sqlite":
        table = sa.func.json_each(json.dumps([handle.hex() for handle in listed])).table_valued("value")
        return sa.select(sa.func.unhex(table.c.value))
    return sa.select(sa.func.unnest(sa.cast(listed, postgresql.ARRAY(postgresql.BYTEA))))


def held(tx: sa.Connection, handles: Iterable[bytes]) -> int:
    """How many flags stand, or stood, against these people."""
    return int(tx.execute(sa.select(sa.func.count()).select_from(_FLAG).where(_FLAG.c.handle.in_(list(handles)))).scalar_one())


def forget(tx: sa.Connection, handles: Iterable[bytes]) -> int:
    """Takes away the flags of people who are erased; returns how many."""
    return int(tx.execute(sa.delete(_FLAG).where(_FLAG.c.handle.in_(list(handles)))).rowcount)
