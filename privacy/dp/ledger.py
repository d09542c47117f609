"""The one budget ledger of the house, keyed by data month, and the register of releases.

Promise: a month's spent budget only grows and never passes its cap; a charge takes every month of a question or none; no row is ever
deleted, not even when the month's data are; of one question there is at most one answer or one reservation at a time.
It must never learn an exact number: what comes in is a price, a question's digest, or values that already carry noise.
Every function works in the caller's transaction and commits nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from privacy.dp.accountant import MAX_CAP_NANO
from privacy.errors import BudgetExhausted, Unavailable
from privacy.orm import BigId, Instant, PlatformBase

DELTA_CAP_UNITS = 1_000_000
"""A month's δ for thresholded keys: 1e-9 in units of 1e-15 (dp_rules §2)."""

PENDING, ANSWERED, ABANDONED = "pending", "answered", "abandoned"


class BudgetMonth(PlatformBase):
    """One data month's account. There is no second account for another table, data set or source (dp_rules P-1)."""

    __tablename__ = "budget_month"
    __table_args__ = (
        sa.CheckConstraint("spent_nano >= 0 AND spent_nano <= cap_nano", name="spent_within_cap"),
        sa.CheckConstraint(f"cap_nano <= {MAX_CAP_NANO}", name="cap_within_limit"),
        sa.CheckConstraint("delta_spent >= 0 AND delta_spent <= delta_cap", name="delta_within_cap"),
    )

    month: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    cap_nano: Mapped[int] = mapped_column(sa.BigInteger)
    spent_nano: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")
    delta_cap: Mapped[int] = mapped_column(sa.BigInteger)
    delta_spent: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")


class ReleaseRow(PlatformBase):
    """One reservation and, once drawn, its answer. `answer` holds public cells and noised values only."""

    __tablename__ = "release"
    __table_args__ = (
        sa.Index(
            "uq_release_live_question",
            "question_hash",
            unique=True,
            sqlite_where=sa.text("state <> 'abandoned'"),
            postgresql_where=sa.text("state <> 'abandoned'"),
        ),
        sa.CheckConstraint("state IN ('pending', 'answered', 'abandoned')", name="state"),
        sa.CheckConstraint("(state = 'answered') = (answer IS NOT NULL)", name="answered_has_answer"),
    )

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    question_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    question: Mapped[str] = mapped_column(sa.Text)
    state: Mapped[str] = mapped_column(sa.String(10))
    rho_nano: Mapped[int] = mapped_column(sa.BigInteger)
    answer: Mapped[str | None] = mapped_column(sa.Text)
    sigma: Mapped[float | None] = mapped_column(sa.Double)
    half_width: Mapped[int | None] = mapped_column(sa.BigInteger)
    asked_by: Mapped[str] = mapped_column(sa.String(200))
    holder: Mapped[str] = mapped_column(sa.String(200))
    reserved_at: Mapped[datetime] = mapped_column(Instant)
    answered_at: Mapped[datetime | None] = mapped_column(Instant)


class Charge(PlatformBase):
    """What one release took from one month. Append-only: the ledger page replays these rows to the same totals (DP-04)."""

    __tablename__ = "charge"
    __table_args__ = (sa.UniqueConstraint("release_id", "month"),)

    seq: Mapped[int] = mapped_column(BigId, primary_key=True)
    release_id: Mapped[str] = mapped_column(sa.String(40))
    month: Mapped[int] = mapped_column(sa.Integer, index=True)
    rho_nano: Mapped[int] = mapped_column(sa.BigInteger)
    delta_units: Mapped[int] = mapped_column(sa.BigInteger)
    charged_at: Mapped[datetime] = mapped_column(Instant)


_MONTH = cast(sa.Table, BudgetMonth.__table__)
_RELEASE = cast(sa.Table, ReleaseRow.__table__)
_CHARGE = cast(sa.Table, Charge.__table__)


@dataclass(frozen=True, slots=True)
class Account:
    """One month's account as it stands."""

    month: int
    cap_nano: int
    spent_nano: int

    @property
    def left_nano(self) -> int:
        return self.cap_nano - self.spent_nano


@dataclass(frozen=True, slots=True)
class Stored:
    """One row of the register of releases."""

    id: str
    question: str
    state: str
    rho_nano: int
    answer: str | None
    sigma: float | None
    half_width: int | None
    holder: str
    reserved_at: datetime
    answered_at: datetime | None


def settle(tx: sa.Connection, months: Collection[int], cap_nano: int) -> int:
    """Opens the accounts of closed months and lowers caps to the setting; returns how many caps were lowered.

    A month's cap is fixed when its account opens and can afterwards only fall: a setting raised later does not reach it (P-5), and a cap
    never falls below what is already spent.
    """
    cap = min(cap_nano, MAX_CAP_NANO)
    known = {row.month: row for row in tx.execute(sa.select(_MONTH.c.month, _MONTH.c.cap_nano, _MONTH.c.spent_nano))}
    missing = sorted(set(months) - known.keys())
    if missing:
        rows = [{"month": month, "cap_nano": cap, "spent_nano": 0, "delta_cap": DELTA_CAP_UNITS, "delta_spent": 0} for month in missing]
        tx.execute(_insert(tx, _MONTH).values(rows).on_conflict_do_nothing())
    too_high = sorted(month for month, row in known.items() if row.cap_nano > max(cap, row.spent_nano))
    if not too_high:
        return 0
    _lock(tx, too_high)
    lowered = sa.case((_MONTH.c.spent_nano > cap, _MONTH.c.spent_nano), else_=cap)
    done = tx.execute(sa.update(_MONTH).where(_MONTH.c.month.in_(too_high), _MONTH.c.cap_nano > cap).values(cap_nano=lowered))
    return done.rowcount


def charged_since(tx: sa.Connection, months: Collection[int], at: datetime) -> bool:
    """Whether a question was charged to one of these months at or after an instant."""
    query = sa.select(_CHARGE.c.seq).where(_CHARGE.c.month.in_(sorted(months)), _CHARGE.c.charged_at >= at)
    return tx.execute(query.limit(1)).first() is not None


def accounts(tx: sa.Connection, months: Collection[int] | None = None) -> dict[int, Account]:
    """The accounts of these months, or of every month the ledger ever knew."""
    query = sa.select(_MONTH.c.month, _MONTH.c.cap_nano, _MONTH.c.spent_nano).order_by(_MONTH.c.month)
    if months is not None:
        query = query.where(_MONTH.c.month.in_(sorted(set(months))))
    return {row.month: Account(row.month, row.cap_nano, row.spent_nano) for row in tx.execute(query)}


def charge(
    tx: sa.Connection, release_id: str, months: Sequence[int], rho_nano: int, *, now: datetime, delta_units: int = 0
) -> dict[int, Account]:
    """Takes the full price from every month or raises BudgetExhausted, so that the caller's transaction takes nothing at all.

    One conditional UPDATE decides: a row changes only if its own newest state has room, on both databases, and if any of the months did
    not change the raise undoes the others. The rows are locked in month order first, so two questions cannot wait for each other.
    Returns the accounts before the charge.
    """
    wanted = sorted(set(months))
    _lock(tx, wanted)
    before = accounts(tx, wanted)
    room = 0 < rho_nano <= MAX_CAP_NANO and 0 <= delta_units <= DELTA_CAP_UNITS
    if room:
        taken = tx.execute(
            sa.update(_MONTH)
            .where(
                _MONTH.c.month.in_(wanted),
                _MONTH.c.spent_nano + rho_nano <= _MONTH.c.cap_nano,
                _MONTH.c.delta_spent + delta_units <= _MONTH.c.delta_cap,
            )
            .values(spent_nano=_MONTH.c.spent_nano + rho_nano, delta_spent=_MONTH.c.delta_spent + delta_units)
        )
        room = taken.rowcount == len(wanted)
    if not room:
        raise exhausted(before, wanted, rho_nano)
    rows = [
        {"release_id": release_id, "month": month, "rho_nano": rho_nano, "delta_units": delta_units, "charged_at": now} for month in wanted
    ]
    tx.execute(sa.insert(_CHARGE), rows)
    return before


def reserve(
    tx: sa.Connection, release_id: str, digest: bytes, question: str, rho_nano: int, *, asked_by: str, holder: str, now: datetime
) -> None:
    """Writes the pending row that the answer will fill; raises Unavailable if another caller holds the same question."""
    done = tx.execute(
        _insert(tx, _RELEASE)
        .values(
            id=release_id,
            question_hash=digest,
            question=question,
            state=PENDING,
            rho_nano=rho_nano,
            asked_by=asked_by,
            holder=holder,
            reserved_at=now,
        )
        .on_conflict_do_nothing()
        .returning(_RELEASE.c.id)
    )
    if done.one_or_none() is None:
        raise pending_elsewhere(1)


def pending_elsewhere(retry_after: int) -> Unavailable:
    """The error of a caller who asks what another one is just paying for."""
    return Unavailable("the same question is being answered for another caller", code="answer_pending", retry_after=max(1, retry_after))


def live(tx: sa.Connection, digest: bytes) -> Stored | None:
    """The answer or the reservation of this question, if it has one."""
    return _one(tx, sa.and_(_RELEASE.c.question_hash == digest, _RELEASE.c.state != ABANDONED))


def by_id(tx: sa.Connection, release_id: str) -> Stored | None:
    """The release with this id in whatever state."""
    return _one(tx, _RELEASE.c.id == release_id)


def answered(
    tx: sa.Connection, *, kinds: Sequence[str] = (), months: Sequence[int] = (), before: str | None = None, limit: int | None = None
) -> list[Stored]:
    """Answered releases, newest first: of some kinds, charged to some months, older than one of them. All of it is public."""
    condition = [_RELEASE.c.state == ANSWERED]
    if kinds:
        begins = [_RELEASE.c.question.startswith(f'{{"kind":"{kind}",', autoescape=True) for kind in kinds]
        condition.append(sa.or_(*begins))
    if months:
        condition.append(_RELEASE.c.id.in_(sa.select(_CHARGE.c.release_id).where(_CHARGE.c.month.in_(months))))
    if before is not None:
        last = sa.select(_RELEASE.c.answered_at).where(_RELEASE.c.id == before).scalar_subquery()
        condition.append(sa.or_(_RELEASE.c.answered_at < last, sa.and_(_RELEASE.c.answered_at == last, _RELEASE.c.id < before)))
    columns = [_RELEASE.c[name] for name in Stored.__slots__]
    newest = sa.select(*columns).where(*condition).order_by(_RELEASE.c.answered_at.desc(), _RELEASE.c.id.desc())
    return [Stored(*row) for row in tx.execute(newest.limit(limit))]


def abandon(tx: sa.Connection, release_id: str) -> bool:
    """Gives up a reservation: its charge stays, its question may be asked and paid anew. False if it was no longer pending."""
    done = tx.execute(sa.update(_RELEASE).where(_RELEASE.c.id == release_id, _RELEASE.c.state == PENDING).values(state=ABANDONED))
    return done.rowcount == 1


def store(tx: sa.Connection, release_id: str, answer: str, *, sigma: float, half_width: int, now: datetime) -> bool:
    """Fills the pending row; False if the reservation was given up meanwhile, and then the drawn values must be forgotten."""
    done = tx.execute(
        sa.update(_RELEASE)
        .where(_RELEASE.c.id == release_id, _RELEASE.c.state == PENDING)
        .values(state=ANSWERED, answer=answer, sigma=sigma, half_width=half_width, answered_at=now)
    )
    return done.rowcount == 1


def lifetime_nano(tx: sa.Connection) -> int:
    """The sum over distinct questions ever paid, each once: what the longest-standing person can have lost at most (dp_rules P-4)."""
    return int(tx.execute(sa.select(sa.func.coalesce(sa.func.sum(_RELEASE.c.rho_nano), 0))).scalar_one())


def totals(tx: sa.Connection) -> tuple[int, int]:
    """How many charges were ever made, and their sum in nano-ρ: both only grow."""
    row = tx.execute(sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(_CHARGE.c.rho_nano), 0))).one()
    return int(row[0]), int(row[1])


def stale(row: Stored, now: datetime, lease: timedelta) -> bool:
    """Whether a reservation has been pending for longer than any answer takes."""
    return row.state == PENDING and row.reserved_at + lease <= now


def exhausted(before: Mapping[int, Account], months: Sequence[int], rho_nano: int) -> BudgetExhausted:
    """The refusal that says what is left and what would fit; all of it is public, the ledger knows no counts."""
    left = {month: before[month].left_nano if month in before else 0 for month in sorted(set(months))}
    short = [month for month in left if left[month] < rho_nano]
    named = ", ".join(f"{month}: {left[month]}" for month in short[:6]) + (", …" if len(short) > 6 else "")
    fits = min(left.values(), default=0)
    advice = f"a price of at most {fits} would fit" if fits else "nothing fits in these months any more"
    return BudgetExhausted(f"the question costs more nano-rho than these months have left ({named}); {advice}", field="rho_nano")


def _one(tx: sa.Connection, condition: sa.ColumnElement[bool]) -> Stored | None:
    columns = [_RELEASE.c[name] for name in Stored.__slots__]
    row = tx.execute(sa.select(*columns).where(condition)).one_or_none()
    return None if row is None else Stored(*row)


def _lock(tx: sa.Connection, months: Sequence[int]) -> None:
    """Holds the months' rows in order (PostgreSQL; on SQLite the whole file is the writer's already)."""
    tx.execute(sa.select(_MONTH.c.month).where(_MONTH.c.month.in_(months)).order_by(_MONTH.c.month).with_for_update()).all()


def _insert(tx: sa.Connection, table: sa.Table) -> Any:
    return postgresql.insert(table) if tx.dialect.name == "postgresql" else sqlite.insert(table)
