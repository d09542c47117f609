"""Sessions of the console: who signed in, since when, and whether it was just now.

Promise: a session stands in the platform store and is known there by the digest of 256 random bits that only the browser holds, so that
ending it ends it everywhere at once, whatever cookie somebody kept. It ends 30 minutes after its last use, 12 hours after its beginning,
with its account, and with a new password. One that waits for its second factor opens no page. Learns accounts, no addresses.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.access import Account, Caller, matrix
from privacy.orm import Instant, PlatformBase

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
WAITING = timedelta(minutes=10)
"""How long a right password waits for its second factor."""
FRESH = timedelta(minutes=10)
"""How long after a password somebody may do what needs one."""
TOUCH = timedelta(minutes=1)
"""A use within this time of the last one is not written down: a read stays a read."""


class ConsoleSession(PlatformBase):
    """A browser that somebody signed in with."""

    __tablename__ = "console_session"
    digest: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    account_id: Mapped[str] = mapped_column(sa.String(40), index=True)
    complete: Mapped[bool] = mapped_column(sa.Boolean)
    opened_at: Mapped[datetime] = mapped_column(Instant)
    seen_at: Mapped[datetime] = mapped_column(Instant)
    fresh_at: Mapped[datetime] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class Session:
    """A session that lives."""

    account_id: str
    role: str
    complete: bool
    opened_at: datetime
    seen_at: datetime
    fresh_at: datetime

    def caller(self) -> Caller:
        """Whom it speaks for, with everything that the role may."""
        return Caller(self.account_id, self.role, matrix()[self.role], "")

    def fresh(self, now: datetime) -> bool:
        """Whether a password was given within the last ten minutes."""
        return self.fresh_at <= now < self.fresh_at + FRESH

    def stale(self, now: datetime) -> bool:
        """Whether its use is worth writing down."""
        return now - self.seen_at >= TOUCH

    def ends_at(self) -> datetime:
        """When it ends if nobody uses it."""
        return min(self.seen_at + IDLE, self.opened_at + LONGEST)


def _digest(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode()).digest()


def open_(
    tx: sa.Connection, account_id: str, *, complete: bool, now: datetime, random: Callable[[int], bytes], opened_at: datetime | None = None
) -> str:
    """A new session; returns the ticket that opens it. Sweeps those that ended by themselves."""
    tx.execute(sa.delete(ConsoleSession).where(sa.or_(ConsoleSession.seen_at <= now - IDLE, ConsoleSession.opened_at <= now - LONGEST)))
    ticket = random(32).hex()
    tx.execute(
        sa.insert(ConsoleSession).values(
            digest=_digest(ticket), account_id=account_id, complete=complete, opened_at=opened_at or now, seen_at=now, fresh_at=now
        )
    )
    return ticket


def find(tx: sa.Connection, ticket: str, *, now: datetime) -> Session | None:
    """The session that a ticket opens; None when it ended, or its account did."""
    row = tx.execute(
        sa.select(ConsoleSession, Account.role)
        .join(Account, Account.id == ConsoleSession.account_id)
        .where(
            ConsoleSession.digest == _digest(ticket),
            ConsoleSession.seen_at > now - IDLE,
            ConsoleSession.opened_at > now - LONGEST,
            sa.or_(ConsoleSession.complete, ConsoleSession.opened_at > now - WAITING),
            Account.disabled_at.is_(None),
        )
    ).first()
    if row is None:
        return None
    return Session(row.account_id, row.role, row.complete, row.opened_at, row.seen_at, row.fresh_at)


def touch(tx: sa.Connection, ticket: str, *, now: datetime) -> None:
    """Writes down that it was used."""
    tx.execute(sa.update(ConsoleSession).where(ConsoleSession.digest == _digest(ticket)).values(seen_at=now))


def freshen(tx: sa.Connection, ticket: str, *, now: datetime) -> None:
    """Writes down that the password was given again."""
    tx.execute(sa.update(ConsoleSession).where(ConsoleSession.digest == _digest(ticket)).values(seen_at=now, fresh_at=now))


def end(tx: sa.Connection, ticket: str) -> int:
    """Ends one session."""
    return tx.execute(sa.delete(ConsoleSession).where(ConsoleSession.digest == _digest(ticket))).rowcount


def end_all(tx: sa.Connection, account_id: str, *, but: str = "") -> int:
    """Ends every session of an account, except the one that a ticket opens; returns how many ended."""
    ended = sa.delete(ConsoleSession).where(ConsoleSession.account_id == account_id, ConsoleSession.digest != _digest(but))
    return tx.execute(ended).rowcount
