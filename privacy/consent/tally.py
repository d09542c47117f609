"""How many acts of consent were recorded, by purpose and day: for the officer's start page.

Promise: counts of acts, by what was said and when it was received; no handle, no source. Exact, so only for whoever may see exact numbers.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from privacy.consent.ledger import ConsentEventRow, ConsentStateRow
from privacy.orm import to_micros

_QUARTER = 900_000_000
"""Microseconds of a quarter of an hour: days of every time zone begin at one."""


def acts_by_day(tx: sa.Connection, *, since: datetime, zone: str) -> dict[tuple[date, str], tuple[int, int]]:
    """(day of the zone, purpose) → (grants, withdrawals and refusals) received since an instant."""
    quarter = (ConsentEventRow.received_at // _QUARTER).label("quarter")
    granted: Any = sa.func.sum(sa.case((ConsentEventRow.state == "granted", 1), else_=0))
    query = (
        sa.select(quarter, ConsentEventRow.purpose, granted, sa.func.count())
        .where(ConsentEventRow.received_at >= int(since.timestamp() * 1_000_000))
        .group_by(quarter, ConsentEventRow.purpose)
    )
    days: dict[tuple[date, str], list[int]] = defaultdict(lambda: [0, 0])
    for at, purpose, grants, acts in tx.execute(query):
        day = datetime.fromtimestamp(int(at) * _QUARTER / 1_000_000, UTC).astimezone(ZoneInfo(zone)).date()
        days[day, purpose][0] += int(grants)
        days[day, purpose][1] += int(acts) - int(grants)
    return {key: (grants, others) for key, (grants, others) in days.items()}


def allowing(tx: sa.Connection, now: datetime) -> dict[str, int]:
    """How many allow each purpose at this moment; two who turned out to be one count as two."""
    row, at = ConsentStateRow, to_micros(now)
    holds = sa.and_(row.allowed, row.since <= at, sa.or_(row.expires.is_(None), row.expires > at))
    query = sa.select(row.purpose, sa.func.count()).where(holds).group_by(row.purpose)
    return {purpose: int(number) for purpose, number in tx.execute(query)}
