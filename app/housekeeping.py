"""What the schedule does besides flushing: upkeep of the lake, and what time demands of the stores.

Promise: idempotent; deletes files, keys and rows, not only their names. Counts files and rows, never people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from app import imports, jobs, repeats
from ingestion import inbox, live, quality, quarantine, verdicts
from privacy.orm import Instant, PlatformBase
from privacy.vocabulary import LogKind

if TYPE_CHECKING:
    from app.wiring import Services

LEASE_TIME = timedelta(minutes=10)
"""Longer than any flush; a dead holder's lease ends by itself."""
ORPHAN_AGE = timedelta(hours=6)
"""Longer than any running commit or batch."""


class Lease(PlatformBase):
    """Who alone may do something now, and until when."""

    __tablename__ = "lease"
    name: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    holder: Mapped[str] = mapped_column(sa.String(60))
    until: Mapped[datetime] = mapped_column(Instant)


def take_lease(tx: sa.Connection, name: str, holder: str, *, now: datetime, gone: Callable[[str], bool] = lambda holder: False) -> bool:
    """Takes a lease that is free, over, or of a holder that certainly runs no more; one statement, so that two never hold it."""
    before = tx.execute(sa.select(Lease.holder).where(Lease.name == name)).scalar()
    if before is not None and gone(before):
        give_lease_back(tx, name, before)
    insert = (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(Lease)
    statement = insert.values(name=name, holder=holder, until=now + LEASE_TIME)
    taken = statement.on_conflict_do_update(
        index_elements=["name"], set_={"holder": holder, "until": now + LEASE_TIME}, where=Lease.until <= now
    )
    return tx.execute(taken.returning(Lease.holder)).first() is not None


def give_lease_back(tx: sa.Connection, name: str, holder: str) -> None:
    """Ends a lease that its holder still has."""
    tx.execute(sa.delete(Lease).where(Lease.name == name, Lease.holder == holder))


def end_leases(tx: sa.Connection) -> None:
    """Ends every lease: their holders wrote to a store that this one is a copy of."""
    tx.execute(sa.delete(Lease))


def upkeep(services: Services) -> Mapping[str, Any]:
    """Takes the vault to the newest key versions, joins small files, expires snapshots with physical deletion, sweeps orphan files."""
    now = services.clock()
    renewed = 0
    while (step := services.renew_keys()) > 0:
        renewed += step
    with services.lake_lease():
        with services.read_jobs() as tx:
            apart = imports.held_files(tx)
        joined = services.maintenance.compact(apart)
        expired = services.maintenance.expire(now - timedelta(days=services.settings.retention.snapshot_days))
        swept = services.maintenance.sweep(now - timedelta(days=1))
    return {
        "rows_renewed": renewed,
        "files_joined": joined.files_joined,
        "snapshots_expired": expired.snapshots_expired,
        "files_deleted": expired.files_deleted + swept.files_deleted,
    }


def retention(services: Services) -> Mapping[str, Any]:
    """Ends what is over its time: quarantine with its payloads and keys, verdicts, dedupe digests, finished jobs, orphans of the vault."""
    now = services.clock()
    with services.begin_intake() as tx:
        ended = quarantine.expire(tx, now)
        told = verdicts.sweep(tx, now)
        seen = inbox.sweep_seen(tx, now)
        cases, stopped = services.end_cases(tx)
        swept = {"quarantine": len(ended), "verdicts": told, "digests": seen, "cases": cases, "stopped": stopped}
        quality.roll(tx, now=now, zone=services.settings.zone)
        live.sweep(tx, now)
        services.log(tx, LogKind.SYSTEM, "retention.intake", actor="schedule", facts=swept)
    services.box.destroy([one.reference for one in ended if one.reference])
    keys = services.destroy_ephemeral_keys()
    orphans = services.sweep_orphans(ORPHAN_AGE)
    payloads = services.log_ends.end_payloads(timedelta(days=31 * services.settings.retention.evidence_months))
    with services.lake_lease():
        ended_files = services.maintenance.drop_before(_first_kept(services)).files_deleted
    with services.begin_jobs() as tx:
        forgotten = jobs.forget_finished(tx, before=now - timedelta(days=services.settings.retention.job_days))
        counts = {
            "keys": keys,
            "orphans": orphans,
            "payloads": payloads,
            "files": ended_files,
            "jobs": forgotten,
            "repeats": repeats.sweep(tx, now),
        }
        services.log(tx, LogKind.SYSTEM, "retention.run", actor="schedule", facts=counts)
    return swept | counts


def _first_kept(services: Services) -> int:
    """The oldest month (YYYYMM) that the lake keeps."""
    today = services.clock().astimezone(services.settings.time_zone).date()
    number = today.year * 12 + today.month - 1 - services.settings.retention.lake_months
    return number // 12 * 100 + number % 12 + 1
