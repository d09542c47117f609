"""What stands out among acts: outside office hours, and days on which somebody did far more than they usually do.

Pure: acts are counts by actor and hour, the office is an argument, so is the moment. It learns who did how much and when, never what.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from statistics import median
from typing import Protocol

DAYS = 90
"""How far back habits are looked for, and unusual acts are shown."""
TIMES = 3
"""A day is loud when it has more than so many times the median of the actor's own days."""
KNOWN_DAYS = 3
"""Days that somebody has to have been here before there is a habit."""
LEAST = 10
"""Acts of a day under which nobody is loud."""
OFFICE_HOURS, VOLUME = "office_hours", "volume"


class Busy(Protocol):
    """How many acts one actor has in the hour that begins at `hour`."""

    @property
    def actor(self) -> str: ...
    @property
    def hour(self) -> datetime: ...
    @property
    def entries(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Office:
    """When people are expected to work: Monday to Friday between two hours of the controller's day."""

    zone: tzinfo
    opens: int = 8
    closes: int = 20

    def is_open(self, at: datetime) -> bool:
        local = at.astimezone(self.zone)
        return local.weekday() < 5 and self.opens <= local.hour < self.closes

    def windows(self, since: datetime, until: datetime) -> tuple[tuple[datetime, datetime], ...]:
        """The office's days between two instants."""
        day, last = since.astimezone(self.zone).date(), until.astimezone(self.zone).date()
        found = []
        while day <= last:
            if day.weekday() < 5 and self.opens < self.closes:
                opens = datetime.combine(day, time(self.opens), self.zone)
                found.append(
                    (opens, _midnight(day + timedelta(days=1), self.zone) if self.closes == 24 else opens.replace(hour=self.closes))
                )
            day += timedelta(days=1)
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Habits:
    """What is usual: the office's days, and which days of whom were not. `since` is where looking begins."""

    office: Office
    since: datetime
    windows: tuple[tuple[datetime, datetime], ...]
    loud: frozenset[tuple[str, date]]

    def spans(self) -> list[tuple[str, datetime, datetime]]:
        """The loud days: whose, from when, until when."""
        zone = self.office.zone
        return [(actor, _midnight(day, zone), _midnight(day + timedelta(days=1), zone)) for actor, day in sorted(self.loud)]

    def of(self, actor: str, at: datetime) -> str | None:
        """Why an act is unusual; None for a usual one and for what the program does by itself."""
        if not is_person(actor) or at < self.since:
            return None
        if (actor, at.astimezone(self.office.zone).date()) in self.loud:
            return VOLUME
        return None if self.office.is_open(at) else OFFICE_HOURS


def habits(busy: Iterable[Busy], office: Office, now: datetime) -> Habits:
    """What is usual for everybody who is among the counts."""
    since = now - timedelta(days=DAYS)
    return Habits(office, since, office.windows(since, now), loud(busy, office.zone))


def loud(busy: Iterable[Busy], zone: tzinfo) -> frozenset[tuple[str, date]]:
    """(actor, day) with more than three times the median of the actor's own days."""
    days: dict[str, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    for one in busy:
        if is_person(one.actor):
            days[one.actor][one.hour.astimezone(zone).date()] += one.entries
    return frozenset(
        (actor, day)
        for actor, counts in days.items()
        if len(counts) >= KNOWN_DAYS
        for day, count in counts.items()
        if count >= LEAST and count > TIMES * median(counts.values())
    )


def is_person(actor: str) -> bool:
    """Whether an actor is somebody at work: an account, or whoever types commands."""
    return actor.startswith("usr_") or actor == "cli"


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone)
