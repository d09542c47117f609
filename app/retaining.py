"""What time ends, and when: the earliest end first, with what is over now; and the run that ends it.

Promise: a dry run changes nothing and counts what the stores hold; each line names the setting or the rule that ends it and the law behind
it. Counts of rows and files, never people.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app import housekeeping, jobs, uploads
from ingestion.quarantine import QuarantineItem
from ingestion.verdicts import RequestVerdict
from privacy.dictionary import catalogue

if TYPE_CHECKING:
    from app.wiring import Services


def run(services: Services) -> Mapping[str, Any]:
    """Ends what is over its time; every part has its entry in the log."""
    return {**housekeeping.retention(services), **uploads.expire(services)}


def due(services: Services) -> list[dict[str, Any]]:
    """What ends next, the earliest end first; what holds nothing comes last."""
    lines = [*_stores(services), *_evidence(services), *_lapses(services), *_lake(services)]
    return sorted(lines, key=lambda one: (one["ends"] is None, one["ends"] or "", one["what"]))


def _line(
    what: str, held: int, over: int, ends: datetime | date | None, kept: str, law: str, purposes: tuple[str, ...] = ()
) -> dict[str, Any]:
    end = ends if isinstance(ends, datetime) or ends is None else datetime(ends.year, ends.month, ends.day, tzinfo=UTC)
    return {
        "what": what,
        "held": held,
        "now": over,
        "ends": None if end is None else end.isoformat(),
        "kept": kept,
        "law": law,
        "purposes": list(purposes),
    }


def _stores(services: Services) -> list[dict[str, Any]]:
    now = services.clock()
    asked = (
        ("quarantine", QuarantineItem.expires_at, "7 days", "PIPL 19"),
        ("verdicts", RequestVerdict.expires_at, "7 days", "PIPL 19"),
    )
    lines = []
    with services.read_intake() as tx:
        for what, column, kept, law in asked:
            number, first = tx.execute(sa.select(sa.func.count(), sa.func.min(column))).one()
            over = tx.execute(sa.select(sa.func.count()).where(column <= now)).scalar_one()
            lines.append(_line(what, int(number), int(over), first, kept, law))
    before = now - timedelta(days=services.settings.retention.job_days)
    done = sa.and_(jobs.Job.state == "done", jobs.Job.created_by == "schedule")
    with services.read_jobs() as tx:
        finished, oldest = tx.execute(sa.select(sa.func.count(), sa.func.min(jobs.Job.finished_at)).where(done)).one()
        over = tx.execute(sa.select(sa.func.count()).where(done, jobs.Job.finished_at < before)).scalar_one()
    days = services.settings.retention.job_days
    ends = None if oldest is None else oldest + timedelta(days=days)
    lines.append(_line("jobs", int(finished), int(over), ends, f"{days} days", "PIPL 19"))
    return lines


def _evidence(services: Services) -> list[dict[str, Any]]:
    """What entries of the access log say; and what has no end of its own, because something rests on it."""
    months = services.settings.retention.evidence_months
    held, first, over = services.log_ends.payloads(timedelta(days=31 * months))
    kept = services.evidence_held()
    return [
        _line("access log: what entries of daily work say", held, over, first, f"{months} months", "PIPL 51, 56"),
        _line("acts of consent", kept["consent_event"], 0, None, "while what they allowed can be asked about", "PIPL 7, 14; GDPR 7(1)"),
        _line("marks of the erased", kept["tombstone"], 0, None, "without end: they keep the erased from coming back", "PIPL 47"),
    ]


def _lapses(services: Services) -> list[dict[str, Any]]:
    counts = services.lapses.counts()
    first = None if counts["first_due"] is None else datetime.fromisoformat(counts["first_due"])
    days = services.settings.retention.lapse_days
    over = len(services.lapses.due().handles)
    return [
        _line("lapsed people's rows", counts["waiting"], over, first, f"{days} days after their last purpose", "PIPL 47(1)(3), 网数 24")
    ]


def _lake(services: Services) -> list[dict[str, Any]]:
    """Every table about people: its oldest month ends first, for every purpose that it serves."""
    known, months = catalogue.load(), services.settings.retention.lake_months
    today = services.clock().astimezone(services.settings.time_zone).date()
    lines = []
    for name, held in services.lake_months().items():
        ends = [_end(month, months) for month in held]
        over = sum(end <= today for end in ends)
        serves = {
            purpose
            for kind in known.records.values()
            for field in kind.fields.values()
            if any(one.table == name for one in field.becomes)
            for purpose in field.purposes
        }
        lines.append(_line(f"lake: {name}", len(held), over, min(ends, default=None), f"{months} months", "PIPL 19", tuple(sorted(serves))))
    return lines


def _end(month: int, kept: int) -> date:
    """The first day on which a month's rows are gone."""
    number = month // 100 * 12 + month % 100 - 1 + kept + 1
    return date(number // 12, number % 12 + 1, 1)
