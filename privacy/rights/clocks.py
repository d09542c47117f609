"""How long a request may take: deadlines by law and kind, in calendar days, working days or months.

Promise: pure; which days are worked on is an argument, so that China's moved working days count as they are. The day of receipt does not
count. A clock stands still only while somebody was asked to prove who they are, by whole days; it is lengthened at most once. Nothing is
rolled forward to the next working day: a deadline that falls on a holiday is kept before it, which is stricter than the law.
Where a law names no number (PIPL 45–47 say "in time"), the number is the practice of GB/T 35273-2020 8.7 and of the rules for apps.
It must never learn whose request it is.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, NamedTuple

from privacy.vocabulary import Regime, Right

Working = Callable[[date], bool]
"""Whether a day is worked on."""
Unit = Literal["days", "working_days", "months"]

SOON = 7
"""Days before a deadline from which on it is shown as near."""
LONGEST = 3_660
"""Days that a count walks at most: a calendar without working days does not hang the program."""


class Period(NamedTuple):
    """So many days, working days or months."""

    number: int
    unit: Unit


class Rule(NamedTuple):
    """What the law or its practice gives, by how much it may be lengthened once, and a word for where it stands."""

    period: Period
    longer: Period | None
    basis: str


AT_ONCE = Rule(Period(0, "days"), None, "at_once")
"""Objection to automated decisions (算法推荐规定 17) and withdrawal (PIPL 15) hold at once."""
_PRACTICE = Rule(Period(30, "days"), Period(15, "working_days"), "pipl_practice_30_days")
_APPS = Rule(Period(15, "working_days"), Period(15, "working_days"), "pipl_15_working_days")
_GDPR = Rule(Period(1, "months"), Period(2, "months"), "gdpr_12_3_one_month")

RULES: Mapping[Regime, Mapping[Right, Rule]] = {
    Regime.PIPL: {
        Right.ACCESS: _PRACTICE,
        Right.COPY: _PRACTICE,
        Right.PORTABILITY: _PRACTICE,
        Right.EXPLANATION: _PRACTICE,
        Right.CORRECTION: _APPS,
        Right.DELETION: _APPS,
        Right.RESTRICTION: _APPS,
        Right.OBJECTION: AT_ONCE,
        Right.WITHDRAWAL: AT_ONCE,
    },
    Regime.GDPR: dict.fromkeys(Right, _GDPR) | {Right.WITHDRAWAL: AT_ONCE, Right.OBJECTION: AT_ONCE},
}
OWN = Period(10, "working_days")
"""What the house wants of itself; never later than the law."""


class Pause(NamedTuple):
    """From the day on which proof was asked for until the day on which it was there; None while it is not."""

    since: date
    until: date | None

    def holds(self, day: date) -> bool:
        """Whether the clock stood still on a day."""
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """When a request is due, by the house's own rule and by law, and what moved it."""

    own: date
    legal: date
    basis: str
    paused: bool
    lengthened: bool

    def days_left(self, today: date) -> int:
        """Calendar days until the law's day; negative when it is over."""
        return (self.legal - today).days

    def state(self, today: date) -> str:
        """late, near, paused or running."""
        if today > self.legal:
            return "late"
        if self.paused:
            return "paused"
        return "near" if self.days_left(today) <= SOON or today > self.own else "running"


def deadlines(
    right: Right, regime: Regime, received: date, today: date, working: Working, *, pause: Pause | None = None, lengthened: bool = False
) -> Deadlines:
    """The deadlines of a request as they stand today: while proof is missing they move on with every day."""
    rule = RULES[regime][right]
    stopped = None if pause is None else Pause(pause.since, pause.until or max(today, pause.since))
    legal = due(received, rule.period, working, stopped)
    own = min(legal, due(received, OWN, working, stopped)) if rule is not AT_ONCE else legal
    if lengthened and rule.longer is not None:
        legal = _longer(received, legal, rule, working, stopped)
    return Deadlines(own, legal, rule.basis, pause is not None and pause.until is None, lengthened and rule.longer is not None)


def _longer(received: date, legal: date, rule: Rule, working: Working, pause: Pause | None) -> date:
    """A month's law counts its months together; otherwise the second period begins where the first one ends."""
    more = rule.longer or Period(0, "days")
    if rule.period.unit == more.unit == "months":
        return due(received, Period(rule.period.number + more.number, "months"), working, pause)
    return due(legal, more, working, pause)


def due(start: date, period: Period, working: Working, pause: Pause | None = None) -> date:
    """The last day of a period that begins on the day after `start`."""
    number = (_months_after(start, period.number) - start).days if period.unit == "months" else period.number
    if period.unit != "working_days" and (pause is None or number == 0):
        return start + timedelta(days=number)
    day, counted = start, 0
    for _ in range(LONGEST):
        if counted >= number:
            break
        day += timedelta(days=1)
        if not (pause is not None and pause.holds(day)) and (period.unit != "working_days" or working(day)):
            counted += 1
    return day


def may_lengthen(right: Right, regime: Regime) -> bool:
    """Whether the law knows a longer period for this."""
    return RULES[regime][right].longer is not None


def weekdays(day: date) -> bool:
    """Monday to Friday: where no calendar of a country is known."""
    return day.weekday() < calendar.SATURDAY


def _months_after(start: date, months: int) -> date:
    """The same day of a later month, or that month's last one."""
    number = start.year * 12 + start.month - 1 + months
    year, month = number // 12, number % 12 + 1
    return date(year, month, min(start.day, calendar.monthrange(year, month)[1]))
