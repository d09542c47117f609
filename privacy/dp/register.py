"""The register of releases and the list of charges, read: what was asked, by whom, at what price, and what each month had left after it.

Promise: reads alone; answers come newest first and page by page; every line is a question, a price or a time, never a count. The balance
after a charge is added up from the charges themselves, so that whoever reads the list can check the account.
It must never learn an exact number: the rows hold none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from privacy.dp.ledger import ANSWERED, BudgetMonth, Charge, ReleaseRow


@dataclass(frozen=True, slots=True)
class Published:
    """One stored answer, without its numbers."""

    id: str
    kind: str
    months: tuple[int, ...]
    by: tuple[str, ...]
    where: tuple[tuple[str, str, str], ...]
    rho_nano: int
    clip: int
    sigma: float
    asked_by: str
    answered_at: datetime

    def document(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in Published.__slots__}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which answers are wanted; what is empty does not matter."""

    kind: str = ""
    month: int = 0
    asked_by: str = ""
    text: str = ""

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        found: list[sa.ColumnElement[bool]] = [ReleaseRow.state == ANSWERED]
        if self.kind:
            found.append(ReleaseRow.question.startswith(f'{{"kind":{json.dumps(self.kind)},', autoescape=True))
        if self.month:
            found.append(sa.exists().where(Charge.release_id == ReleaseRow.id, Charge.month == self.month))
        if self.asked_by:
            found.append(ReleaseRow.asked_by == self.asked_by)
        if self.text:
            found.append(ReleaseRow.question.contains(json.dumps(self.text)[1:-1], autoescape=True))
        return found


def published(tx: sa.Connection, wanted: Wanted, *, after: str = "", limit: int = 50) -> list[Published]:
    """Answers, newest first; `after` is the id of the last one of the page before."""
    columns = (ReleaseRow.id, ReleaseRow.question, ReleaseRow.rho_nano, ReleaseRow.sigma, ReleaseRow.asked_by, ReleaseRow.answered_at)
    query = sa.select(*columns).where(*wanted.conditions()).order_by(ReleaseRow.answered_at.desc(), ReleaseRow.id.desc()).limit(limit)
    if after:
        last = sa.select(ReleaseRow.answered_at).where(ReleaseRow.id == after).scalar_subquery()
        older = sa.or_(ReleaseRow.answered_at < last, sa.and_(ReleaseRow.answered_at == last, ReleaseRow.id < after))
        query = query.where(older)
    return [_published(row) for row in tx.execute(query)]


def count(tx: sa.Connection, wanted: Wanted) -> int:
    """How many answers there are; a number about questions, not about people."""
    return int(tx.execute(sa.select(sa.func.count()).select_from(ReleaseRow).where(*wanted.conditions())).scalar_one())


def one(tx: sa.Connection, release_id: str) -> Published | None:
    """One stored answer's register entry."""
    columns = (ReleaseRow.id, ReleaseRow.question, ReleaseRow.rho_nano, ReleaseRow.sigma, ReleaseRow.asked_by, ReleaseRow.answered_at)
    row = tx.execute(sa.select(*columns).where(ReleaseRow.id == release_id, ReleaseRow.state == ANSWERED)).one_or_none()
    return None if row is None else _published(row)


def _published(row: Any) -> Published:
    facts = json.loads(row.question)
    return Published(
        id=row.id,
        kind=facts["kind"],
        months=tuple(sorted(facts["months"])),
        by=tuple(facts["by"]),
        where=tuple((item[0], item[1], item[2]) for item in facts["where"]),
        rho_nano=row.rho_nano,
        clip=facts["clip"],
        sigma=float(row.sigma or 0.0),
        asked_by=row.asked_by,
        answered_at=row.answered_at,
    )


def charges(tx: sa.Connection, *, month: int = 0, before: int = 0, limit: int = 100) -> Iterator[dict[str, Any]]:
    """Every charge with what its month had left after it, newest first; `before` is the number of the last one of the page before."""
    spent = sa.func.sum(Charge.rho_nano).over(partition_by=Charge.month, order_by=Charge.seq)
    running = sa.select(Charge.seq, Charge.release_id, Charge.month, Charge.rho_nano, Charge.charged_at, spent.label("spent")).subquery()
    query = (
        sa.select(running, BudgetMonth.cap_nano, ReleaseRow.question, ReleaseRow.asked_by, ReleaseRow.state)
        .join(BudgetMonth, BudgetMonth.month == running.c.month)
        .join(ReleaseRow, ReleaseRow.id == running.c.release_id)
        .order_by(running.c.seq.desc())
        .limit(limit)
    )
    if month:
        query = query.where(running.c.month == month)
    if before:
        query = query.where(running.c.seq < before)
    for row in tx.execute(query):
        yield {
            "seq": row.seq,
            "at": row.charged_at,
            "month": row.month,
            "release": row.release_id,
            "kind": json.loads(row.question)["kind"],
            "asked_by": row.asked_by,
            "state": row.state,
            "rho_nano": row.rho_nano,
            "left_nano": row.cap_nano - int(row.spent),
            "cap_nano": row.cap_nano,
        }


def count_charges(tx: sa.Connection, *, month: int = 0) -> int:
    """How many charges there are."""
    query = sa.select(sa.func.count()).select_from(Charge)
    return int(tx.execute(query.where(Charge.month == month) if month else query).scalar_one())
