"""Cases: for eight hours, one officer's way back to one person whom they looked up, for one purpose.

Promise: an address carries the case's number and nothing else; the person stands here under a permutation of the case's own, so that two
cases about one person do not meet; whoever was not found has a case too, which leads to nobody. A case opens to its own account only, and
is gone when its time is over. It must never learn an identifier, or a reason (that stands in the log).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.errors import NotFound
from privacy.orm import Instant, PlatformBase

PREFIX = "cas_"
LASTS = timedelta(hours=8)
"""A working day."""
MOST = 50
"""Cases of one list."""


class CaseRow(PlatformBase):
    """`subject` is a person under the permutation of this case; `found` says what the look-up met."""

    __tablename__ = "person_case"

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    account_id: Mapped[str] = mapped_column(sa.String(80), index=True)
    subject: Mapped[bytes] = mapped_column(sa.LargeBinary(16))
    found: Mapped[str] = mapped_column(sa.String(8))
    purpose: Mapped[str] = mapped_column(sa.String(40))
    entry: Mapped[int] = mapped_column(sa.BigInteger)
    opened_at: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[datetime] = mapped_column(Instant, index=True)


_CASE: Any = CaseRow.__table__


@dataclass(frozen=True, slots=True)
class Case:
    """A case as its officer may know it; `subject` is for the door."""

    id: str
    subject: bytes = field(repr=False)
    found: str
    purpose: str
    entry: int
    opened_at: datetime
    until: datetime

    def document(self) -> dict[str, Any]:
        """What is shown of it."""
        return {
            "case": self.id,
            "state": self.found,
            "purpose": self.purpose,
            "entry": self.entry,
            "opened_at": self.opened_at.isoformat(),
            "until": self.until.isoformat(),
        }


def open_(tx: sa.Connection, case: Case, account: str) -> None:
    """Notes a case of an account."""
    row = {"id": case.id, "account_id": account, "subject": case.subject, "found": case.found, "purpose": case.purpose}
    tx.execute(sa.insert(_CASE), [row | {"entry": case.entry, "opened_at": case.opened_at, "until": case.until}])


def one(tx: sa.Connection, case_id: str, account: str, now: datetime) -> Case:
    """A case of this account that is not over; raises NotFound for every other, in the same words."""
    row = tx.execute(sa.select(_CASE).where(_CASE.c.id == case_id, _CASE.c.account_id == account, _CASE.c.until > now)).first()
    if row is None:
        raise NotFound("there is no such case, or its eight hours are over", code="case_unknown", field="case")
    return _case(row)


def mine(tx: sa.Connection, account: str, now: datetime) -> list[Case]:
    """The open cases of an account, the newest first."""
    asked = sa.select(_CASE).where(_CASE.c.account_id == account, _CASE.c.until > now).order_by(_CASE.c.opened_at.desc(), _CASE.c.id)
    return [_case(row) for row in tx.execute(asked.limit(MOST))]


def close(tx: sa.Connection, case_id: str, account: str, now: datetime) -> None:
    """Ends a case before its time."""
    one(tx, case_id, account, now)
    tx.execute(sa.delete(_CASE).where(_CASE.c.id == case_id, _CASE.c.account_id == account))


def sweep(tx: sa.Connection, now: datetime) -> int:
    """Removes what is over; returns how many."""
    return int(tx.execute(sa.delete(_CASE).where(_CASE.c.until <= now)).rowcount)


def every(tx: sa.Connection) -> list[tuple[str, bytes]]:
    """Every case with its person under the case's own permutation."""
    return [(row.id, bytes(row.subject)) for row in tx.execute(sa.select(_CASE.c.id, _CASE.c.subject))]


def forget(tx: sa.Connection, cases: Collection[str]) -> int:
    """Ends cases about somebody who is erased; returns how many."""
    return int(tx.execute(sa.delete(_CASE).where(_CASE.c.id.in_(list(cases)))).rowcount)


def _case(row: Any) -> Case:
    return Case(row.id, bytes(row.subject), row.found, row.purpose, row.entry, row.opened_at, row.until)
