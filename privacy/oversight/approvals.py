"""Approvals to look at the data of somebody under eighteen: who asked, for what, who agreed or refused, until when (PIPL 31).

Promise: an approval is of one case, so of one officer, one person and one purpose, and ends with it; it names the person by the number of that
case alone, which leads to nobody once the case is over. What was decided once is never decided again. Must never learn an identifier.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.errors import Conflict, NotFound
from privacy.orm import Instant, PlatformBase

APPROVED, REFUSED = "approved", "refused"
MOST = 500
"""Approvals of one list."""


class MinorApprovalRow(PlatformBase):
    """`words` is the reason that was typed, which the scrubber let through; `entry` and `decision_entry` are entries of the log."""

    __tablename__ = "minor_approval"

    case_id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    account_id: Mapped[str] = mapped_column(sa.String(80), index=True)
    purpose: Mapped[str] = mapped_column(sa.String(40))
    band: Mapped[str] = mapped_column(sa.String(8))
    words: Mapped[str] = mapped_column(sa.Text)
    asked_at: Mapped[datetime] = mapped_column(Instant, index=True)
    until: Mapped[datetime] = mapped_column(Instant)
    entry: Mapped[int] = mapped_column(sa.BigInteger)
    outcome: Mapped[str | None] = mapped_column(sa.String(8))
    decided_by: Mapped[str | None] = mapped_column(sa.String(80))
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    decision_entry: Mapped[int | None] = mapped_column(sa.BigInteger)


_APPROVAL: Any = MinorApprovalRow.__table__


@dataclass(frozen=True, slots=True)
class Approval:
    """An approval as it stands; without an outcome nobody has decided yet."""

    case_id: str
    account_id: str
    purpose: str
    band: str
    words: str
    asked_at: datetime
    until: datetime
    entry: int
    outcome: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    decision_entry: int | None = None

    def state(self, now: datetime) -> str:
        """asked, approved, refused, or over."""
        return self.outcome if self.outcome == REFUSED else "over" if now >= self.until else self.outcome or "asked"

    def document(self, now: datetime) -> dict[str, Any]:
        """What is shown of it."""
        return {
            "case": self.case_id,
            "asked_by": self.account_id,
            "purpose": self.purpose,
            "band": self.band,
            "reason": self.words,
            "asked_at": self.asked_at.isoformat(),
            "until": self.until.isoformat(),
            "state": self.state(now),
            "decided_by": self.decided_by,
            "decided_at": None if self.decided_at is None else self.decided_at.isoformat(),
        }


def ask(tx: sa.Connection, one: Approval) -> None:
    """Enters a question; raises Conflict where this case asked before."""
    if find(tx, one.case_id) is not None:
        raise Conflict("this case asked for an approval before", code="approval_asked", field="case")
    tx.execute(sa.insert(_APPROVAL), [{name: getattr(one, name) for name in Approval.__slots__}])


def decide(tx: sa.Connection, case_id: str, outcome: str, *, by: str, now: datetime, entry: int) -> None:
    """Notes the answer; raises Conflict where there is one already."""
    changed = (
        sa.update(_APPROVAL)
        .where(_APPROVAL.c.case_id == case_id, _APPROVAL.c.outcome.is_(None))
        .values(outcome=outcome, decided_by=by, decided_at=now, decision_entry=entry)
    )
    if not tx.execute(changed).rowcount:
        raise Conflict("it was decided before", code="approval_decided", field="case")


def find(tx: sa.Connection, case_id: str) -> Approval | None:
    """The approval of a case, if it asked for one."""
    row = tx.execute(sa.select(_APPROVAL).where(_APPROVAL.c.case_id == case_id)).first()
    return None if row is None else Approval(**row._mapping)


def one(tx: sa.Connection, case_id: str) -> Approval:
    """The same; raises NotFound."""
    found = find(tx, case_id)
    if found is None:
        raise NotFound("nobody asked for this approval", code="approval_unknown", field="case")
    return found


def standing(tx: sa.Connection, account: str, now: datetime) -> list[Approval]:
    """What an account was approved and is not over."""
    held = (_APPROVAL.c.account_id == account, _APPROVAL.c.outcome == APPROVED, _APPROVAL.c.until > now)
    return [Approval(**row._mapping) for row in tx.execute(sa.select(_APPROVAL).where(*held))]


def listing(tx: sa.Connection) -> list[Approval]:
    """The newest first."""
    return [Approval(**row._mapping) for row in tx.execute(sa.select(_APPROVAL).order_by(_APPROVAL.c.asked_at.desc()).limit(MOST))]
