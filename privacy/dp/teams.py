"""Sub-allocations: which part of a month's questions each team may spend.

Promise: shares cut the question slice alone and never add to a month's cap, which the ledger holds by itself (dp_rules §4, DP-08): two teams
together cannot spend more than the slice, one team not more than its share, and who belongs to none spends what no share took. A share
counts once a second officer has confirmed it. Without any confirmed share nothing here limits anybody.
Every function works in the caller's transaction and commits nothing. It must never learn a question or a number: it sees prices.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, aliased, mapped_column

from privacy.dp.ledger import Account
from privacy.errors import BudgetExhausted, Conflict, Invalid, NotFound, Refused
from privacy.orm import BigId, Instant, PlatformBase

SLICE_OF_CAP = (6, 50)
"""Slice G: six of a month's fifty millions are for questions (dp_rules §6); of a lower cap as much in proportion."""
WHOLE = 1_000
PEOPLE_OF_STAFF = "usr_"
"""Accounts ask for themselves; the schedule and the operator's commands buy planned slices, which belong to no team."""
_NAME = re.compile(r"[a-z0-9][a-z0-9 _-]{0,39}")


class TeamShare(PlatformBase):
    """A proposed share; the newest confirmed one of a team counts. Append-only but for its confirmation."""

    __tablename__ = "team_share"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    team: Mapped[str] = mapped_column(sa.String(40), index=True)
    permille: Mapped[int] = mapped_column(sa.Integer)
    proposed_by: Mapped[str] = mapped_column(sa.String(200))
    proposed_at: Mapped[datetime] = mapped_column(Instant)
    confirmed_by: Mapped[str | None] = mapped_column(sa.String(200))
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)


class TeamMember(PlatformBase):
    """Which team an account belongs to; an empty name is none."""

    __tablename__ = "team_member"

    account_id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    team: Mapped[str] = mapped_column(sa.String(40))


class TeamMonth(PlatformBase):
    """What a team spent of a month's question slice; the team without a name is everybody else."""

    __tablename__ = "team_month"
    __table_args__ = (sa.CheckConstraint("spent_nano >= 0", name="spent_not_negative"),)

    team: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    month: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    spent_nano: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")


_MONTH = cast(sa.Table, TeamMonth.__table__)


def shares(tx: sa.Connection) -> dict[str, int]:
    """The share of each team that has one now, in thousandths of the question slice."""
    newest: dict[str, int] = {}
    rows = tx.execute(
        sa.select(TeamShare.team, TeamShare.permille)
        .where(TeamShare.confirmed_at.is_not(None))
        .order_by(TeamShare.confirmed_at, TeamShare.id)
    )
    for row in rows:
        newest[row.team] = row.permille
    return {team: permille for team, permille in newest.items() if permille}


def team_of(tx: sa.Connection, account: str) -> str:
    """The account's team, or nothing."""
    return tx.execute(sa.select(TeamMember.team).where(TeamMember.account_id == account)).scalar() or ""


def limit(cap_nano: int, permille: int) -> int:
    """How much of a month's cap such a share of the question slice is."""
    part, whole = SLICE_OF_CAP
    return cap_nano * part * permille // (whole * WHOLE)


def charge(tx: sa.Connection, asked_by: str, months: Mapping[int, Account], rho_nano: int) -> None:
    """Takes the price from the asker's team in every month, or raises BudgetExhausted so that the caller's transaction takes nothing.

    One conditional UPDATE a month decides, on both databases; the ledger's rows of these months are locked already and in order.
    """
    part = _part(tx, asked_by)
    if part is None:
        return
    team, permille = part
    for month in sorted(months):
        most = limit(months[month].cap_nano, permille)
        insert: Any = (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(_MONTH)
        tx.execute(insert.values(team=team, month=month, spent_nano=0).on_conflict_do_nothing())
        taken = tx.execute(
            sa.update(_MONTH)
            .where(_MONTH.c.team == team, _MONTH.c.month == month, _MONTH.c.spent_nano + rho_nano <= most)
            .values(spent_nano=_MONTH.c.spent_nano + rho_nano)
        )
        if taken.rowcount != 1:
            spent = tx.execute(sa.select(_MONTH.c.spent_nano).where(_MONTH.c.team == team, _MONTH.c.month == month)).scalar_one()
            left_ = max(0, most - spent)
            message = f"the question costs more nano-rho than the team has left of {month}; a price of at most {left_} would fit"
            raise BudgetExhausted(message, code="team_budget_exhausted", field="rho_nano")


def left(tx: sa.Connection, asked_by: str, months: Mapping[int, Account]) -> dict[int, int]:
    """What the asker's team may still spend of each month; empty where no share limits the asker. What a charge would find."""
    part = _part(tx, asked_by)
    if part is None:
        return {}
    team, permille = part
    query = sa.select(_MONTH.c.month, _MONTH.c.spent_nano).where(_MONTH.c.team == team, _MONTH.c.month.in_(list(months)))
    spent = {row.month: row.spent_nano for row in tx.execute(query)}
    return {month: max(0, limit(account.cap_nano, permille) - spent.get(month, 0)) for month, account in months.items()}


def _part(tx: sa.Connection, asked_by: str) -> tuple[str, int] | None:
    """The asker's team and its share, or those of everybody else; None where nothing limits the asker."""
    known = shares(tx) if asked_by.startswith(PEOPLE_OF_STAFF) else {}
    if not known:
        return None
    team = team_of(tx, asked_by)
    return (team, known[team]) if team in known else ("", WHOLE - sum(known.values()))


def spending(tx: sa.Connection) -> dict[tuple[str, int], int]:
    """What each team spent of each month."""
    return {(row.team, row.month): row.spent_nano for row in tx.execute(sa.select(_MONTH.c.team, _MONTH.c.month, _MONTH.c.spent_nano))}


# ── officers' acts ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def propose(tx: sa.Connection, team: str, permille: int, *, by: str, now: datetime) -> int:
    """Writes a share down; it counts when another officer confirms it. Returns its number."""
    if not _NAME.fullmatch(team):
        raise Invalid("a team's name has small letters, digits, blanks, _ and -", code="bad_team", field="team")
    if not 0 <= permille <= WHOLE:
        raise Invalid("a share lies between nothing and the whole question slice", code="bad_share", field="share")
    values = {"team": team, "permille": permille, "proposed_by": by, "proposed_at": now}
    return int(tx.execute(sa.insert(TeamShare).values(values).returning(TeamShare.id)).scalar_one())


def confirm(tx: sa.Connection, number: int, *, by: str, now: datetime) -> tuple[str, int]:
    """Puts a share in force: by another officer than its proposer, and only where all shares together stay inside the slice."""
    tx.execute(sa.select(TeamShare.id).order_by(TeamShare.id).with_for_update()).all()
    row = tx.execute(sa.select(TeamShare).where(TeamShare.id == number, TeamShare.confirmed_at.is_(None))).one_or_none()
    if row is None:
        raise NotFound("there is no such proposal", code="share_unknown")
    if row.proposed_by == by:
        raise Refused("a share is confirmed by another officer than the one who proposed it", code="own_proposal")
    if sum((shares(tx) | {row.team: row.permille}).values()) > WHOLE:
        raise Conflict("the shares of all teams together are more than the question slice", code="shares_over")
    tx.execute(sa.update(TeamShare).where(TeamShare.id == number).values(confirmed_by=by, confirmed_at=now))
    return str(row.team), int(row.permille)


def waiting(tx: sa.Connection) -> list[dict[str, Any]]:
    """Proposals that nobody confirmed and that no later confirmed share of the team has overtaken, oldest first."""
    other = aliased(TeamShare)
    overtaken = sa.select(other.id).where(other.team == TeamShare.team, other.confirmed_at.is_not(None), other.id > TeamShare.id)
    query = sa.select(TeamShare.id, TeamShare.team, TeamShare.permille, TeamShare.proposed_by, TeamShare.proposed_at)
    query = query.where(TeamShare.confirmed_at.is_(None), ~overtaken.exists()).order_by(TeamShare.id)
    return [dict(row._mapping) for row in tx.execute(query)]


def assign(tx: sa.Connection, account: str, team: str) -> None:
    """Puts an account into a team, or out of every one by an empty name."""
    if team and not _NAME.fullmatch(team):
        raise Invalid("a team's name has small letters, digits, blanks, _ and -", code="bad_team", field="team")
    insert: Any = (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(TeamMember)
    tx.execute(insert.values(account_id=account, team=team).on_conflict_do_update(index_elements=["account_id"], set_={"team": team}))


def members(tx: sa.Connection) -> dict[str, str]:
    """The team of each account that has one."""
    return {row.account_id: row.team for row in tx.execute(sa.select(TeamMember.account_id, TeamMember.team)) if row.team}
