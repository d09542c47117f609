"""How many people's data went abroad in a calendar year: one row a person and year, whoever received them.

Promise: a person counts once a year across recipients, exports and pseudonym keys, because a row stands under a mark of the person that depends
on neither. A count never goes down within its year: erasing the mark of a person keeps the number. It must never learn who a mark is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.accountability.crossborder import Counts
from privacy.orm import Instant, PlatformBase

MARK_BYTES = 16
_AT_ONCE = 5_000
"""Marks of one statement; SQLite binds 32,766 values at most."""


class AbroadPerson(PlatformBase):
    """That a person's data went abroad in a year; `sensitive` once any of it was."""

    __tablename__ = "abroad_person"

    year: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True, autoincrement=False)
    mark: Mapped[bytes] = mapped_column(sa.LargeBinary(MARK_BYTES), primary_key=True)
    sensitive: Mapped[bool]
    first_at: Mapped[datetime] = mapped_column(Instant)


class AbroadErased(PlatformBase):
    """How many people of a year were counted and then erased: their rows are gone, their number stays."""

    __tablename__ = "abroad_erased"

    year: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True, autoincrement=False)
    people: Mapped[int] = mapped_column(sa.BigInteger)
    sensitive: Mapped[int] = mapped_column(sa.BigInteger)


_PERSON: Any = AbroadPerson.__table__
_ERASED: Any = AbroadErased.__table__


def counts(tx: sa.Connection, year: int) -> Counts:
    """Distinct people of a year, those who were erased since included."""
    seen = tx.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(sa.cast(_PERSON.c.sensitive, sa.Integer)), 0)).where(_PERSON.c.year == year)
    ).one()
    gone = tx.execute(sa.select(_ERASED.c.people, _ERASED.c.sensitive).where(_ERASED.c.year == year)).first()
    return Counts(int(seen[0]) + (gone.people if gone else 0), int(seen[1]) + (gone.sensitive if gone else 0))


def after(tx: sa.Connection, year: int, marks: Sequence[bytes], *, sensitive: bool) -> Counts:
    """What the year would count if these people's data went abroad, too; nothing is written."""
    known = _known(tx, year, marks)
    new = set(marks) - known.keys()
    had = counts(tx, year)
    raised = sum(1 for was in known.values() if not was) + len(new) if sensitive else 0
    return Counts(had.people + len(new), had.sensitive + raised)


def note(tx: sa.Connection, year: int, marks: Sequence[bytes], *, sensitive: bool, now: datetime) -> Counts:
    """Counts these people for the year, in the transaction of the export that takes them abroad."""
    known = _known(tx, year, marks)
    fresh = [mark for mark in dict.fromkeys(marks) if mark not in known]
    if fresh:
        tx.execute(sa.insert(_PERSON), [{"year": year, "mark": mark, "sensitive": sensitive, "first_at": now} for mark in fresh])
    if sensitive:
        for some in _parts([mark for mark, was in known.items() if not was]):
            tx.execute(sa.update(_PERSON).where(_PERSON.c.year == year, _PERSON.c.mark.in_(some)).values(sensitive=True))
    return counts(tx, year)


def forget(tx: sa.Connection, marks: Sequence[bytes]) -> int:
    """Removes the rows of people who are erased and keeps their number; returns how many rows went."""
    gone = 0
    for some in _parts(list(marks)):
        rows = tx.execute(
            sa.select(
                _PERSON.c.year, sa.func.count().label("people"), sa.func.sum(sa.cast(_PERSON.c.sensitive, sa.Integer)).label("sensitive")
            )
            .where(_PERSON.c.mark.in_(some))
            .group_by(_PERSON.c.year)
        ).all()
        for row in rows:
            _keep_number(tx, row.year, int(row.people), int(row.sensitive))
        gone += int(tx.execute(sa.delete(_PERSON).where(_PERSON.c.mark.in_(some))).rowcount)
    return gone


def years_of(tx: sa.Connection, marks: Sequence[bytes]) -> list[int]:
    """In which years these people's data went abroad: for the copy that a person asks for."""
    found: set[int] = set()
    for some in _parts(list(marks)):
        found.update(tx.execute(sa.select(_PERSON.c.year).where(_PERSON.c.mark.in_(some)).distinct()).scalars())
    return sorted(found)


def _keep_number(tx: sa.Connection, year: int, people: int, sensitive: int) -> None:
    added = sa.update(_ERASED).where(_ERASED.c.year == year)
    if not tx.execute(added.values(people=_ERASED.c.people + people, sensitive=_ERASED.c.sensitive + sensitive)).rowcount:
        tx.execute(sa.insert(_ERASED).values(year=year, people=people, sensitive=sensitive))


def _known(tx: sa.Connection, year: int, marks: Sequence[bytes]) -> dict[bytes, bool]:
    found: dict[bytes, bool] = {}
    for some in _parts(list(marks)):
        asked = sa.select(_PERSON.c.mark, _PERSON.c.sensitive).where(_PERSON.c.year == year, _PERSON.c.mark.in_(some))
        found.update((bytes(row.mark), bool(row.sensitive)) for row in tx.execute(asked))
    return found


def _parts(marks: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(marks), _AT_ONCE):
        yield marks[start : start + _AT_ONCE]
