"""How good a source's data is, and whether every item is accounted for, as routes, commands and the doctor ask.

Promise: exact numbers on the fixed grid source × day × field and nothing finer (dp_rules X-4); the caller was asked for `exact.read`, and
an integrator sees own sources only. The balance says yes or no and where, never a number about people.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from app import ownership
from ingestion import inbox, quality, registry
from ingestion.census import ROWS
from privacy.errors import Invalid

if TYPE_CHECKING:
    import sqlalchemy as sa

    from app.access import Caller
    from app.wiring import Services

DAYS = 31
"""Shown where nobody says since when."""
MOST_DAYS = 400


def report(
    services: Services, source: str, *, first: date | None = None, last: date | None = None, caller: Caller | None = None
) -> dict[str, Any]:
    """The quality of a source (by name or id), day by day: items, lateness, fields before and after the rules, what was dropped."""
    today = services.clock().astimezone(services.settings.time_zone).date()
    last = last or today
    first = first or last - timedelta(days=DAYS - 1)
    if not 0 <= (last - first).days < MOST_DAYS:
        raise Invalid(f"the days must be in order and at most {MOST_DAYS}", code="bad_range", field="from")
    with services.read_console() as tx:
        found = registry.get(tx, source) if source.startswith("src_") else registry.by_name(tx, source)
        ownership.check(tx, found.facts.id, caller)
        days = _days(tx, found.facts.id, first, last, services.settings.zone)
    lines = [line for day in days for line in day["records"]]
    return {
        "source": found.facts.id,
        "name": found.facts.name,
        "from": first.isoformat(),
        "to": last.isoformat(),
        "days": days,
        "records": _records(lines),
        "freshness": _freshness(days),
    }


def _days(tx: sa.Connection, source_id: str, first: date, last: date, zone: str) -> list[dict[str, Any]]:
    grid: dict[date, dict[str, dict[str, quality.Line]]] = defaultdict(lambda: defaultdict(dict))
    for line in quality.grid(tx, source_id, first=first, last=last):
        grid[line.day][line.record][line.field] = line
    arrived = {day: one for (_, day), one in quality.arrivals(tx, source_id=source_id, first=first, last=last, zone=zone).items()}
    dropped = inbox.dropped_by_day(tx, source_id, first=first, last=last)
    reasons: dict[date, dict[str, int]] = defaultdict(dict)
    for _, day, _, reason, number in inbox.counts(tx, source_id=source_id, first=first, last=last):
        if reason:
            reasons[day][reason] = number
    return [
        {
            "day": day.isoformat(),
            "items": _items(arrived[day]) if day in arrived else None,
            "reasons": reasons.get(day, {}),
            "lateness": dict(arrived[day].lags) if day in arrived else None,
            "last_event": _instant(arrived[day].last_event_at) if day in arrived else None,
            "last_received": _instant(arrived[day].last_received_at) if day in arrived else None,
            "records": [_record(record, fields) for record, fields in sorted(grid.get(day, {}).items())],
            "dropped_fields": dropped.get(day, {}),
        }
        for day in sorted({*grid, *arrived, *dropped})
    ]


def _items(one: quality.Arrivals) -> dict[str, int]:
    return {"received": one.received, **one.verdicts}


def _instant(moment: Any) -> str | None:
    return None if moment is None else moment.isoformat()


def _record(record: str, fields: dict[str, quality.Line]) -> dict[str, Any]:
    rows = fields.get(ROWS)
    came, formed, stored = (rows.present, rows.valid, rows.kept) if rows else (0, 0, 0)
    return {
        "record": record,
        "rows": came,
        "well_formed": formed,
        "stored": stored,
        "fields": [
            _field(line.field, (line.present, line.valid, line.kept), came, stored) for name, line in fields.items() if name != ROWS
        ],
    }


def _field(name: str, numbers: Sequence[int], came: int, stored: int) -> dict[str, Any]:
    present, valid, kept = numbers
    return {
        "field": name,
        "present": present,
        "valid": valid,
        "kept": kept,
        "completeness_before": _share(present, came),
        "validity_before": _share(valid, present),
        "completeness_after": _share(kept, stored),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _records(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """All days together."""
    rows: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    fields: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0]))
    for line in lines:
        rows[line["record"]] = [
            a + b for a, b in zip(rows[line["record"]], (line["rows"], line["well_formed"], line["stored"]), strict=True)
        ]
        for one in line["fields"]:
            sums = fields[line["record"]][one["field"]]
            fields[line["record"]][one["field"]] = [a + b for a, b in zip(sums, (one["present"], one["valid"], one["kept"]), strict=True)]
    return [
        {
            "record": record,
            "rows": came,
            "well_formed": formed,
            "stored": stored,
            "fields": [_field(name, numbers, came, stored) for name, numbers in sorted(fields[record].items())],
        }
        for record, (came, formed, stored) in sorted(rows.items())
    ]


def _freshness(days: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The last event and the last arrival, and all rows by how late they came."""
    late = {name: sum((day["lateness"] or {}).get(name, 0) for day in days) for name in quality.LAGS}
    return {
        "last_event": max((day["last_event"] for day in days if day["last_event"]), default=None),
        "last_received": max((day["last_received"] for day in days if day["last_received"]), default=None),
        "lateness": late,
    }


def unaccounted(services: Services) -> list[str]:
    """Where items are missing from the books: minutes and days that do not balance, and days that differ from the day's tally.

    What is wrong is looked at twice: between two statements of one look another batch may be booked.
    """
    before = _unaccounted(services)
    return [place for place in _unaccounted(services) if place in before] if before else []


def _unaccounted(services: Services) -> list[str]:
    today = services.clock().astimezone(services.settings.time_zone).date()
    first = today - timedelta(days=MOST_DAYS)
    with services.read_console() as tx:
        wrong = [f"{source} {grain} {at.isoformat()}" for source, grain, at in quality.unbalanced(tx)]
        tallied: dict[tuple[str, date], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for source, day, verdict, _, number in inbox.counts(tx, first=first):
            tallied[source, day][verdict] += number
        arrived = quality.arrivals(tx, first=first, last=today + timedelta(days=1), zone=services.settings.zone)
    for place in sorted({*tallied, *arrived}):
        counted = {verdict: number for verdict, number in (arrived[place].verdicts if place in arrived else {}).items() if number}
        if counted != {verdict: number for verdict, number in tallied.get(place, {}).items() if number}:
            wrong.append(f"{place[0]} tally {place[1].isoformat()}")
    return wrong
