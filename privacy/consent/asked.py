"""Decisions about one person: does this use of a purpose stand now, and may they be asked for it again.

Promise: pure. A purpose that does not rest on consent never depends on it (PIPL 16); who refused is not asked again before the cool-down is
over; the age that a purpose needs is counted on the day of the decision. It must never learn who the person is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from privacy.consent import gate, scope
from privacy.consent.registry import CONSENT_GROUNDS, Purpose
from privacy.consent.scope import Row, Scope
from privacy.vocabulary import PROFILING, STATISTICS, Flag, Reason

DAY = 86_400 * 1_000_000
ENDING = 30 * DAY
"""So long before a grant ends the person may be asked to renew it."""
CHILD, ADULT = 14, 18
"""Years: PIPL 31; law_rules L-1."""
GROUND_MISSING, MINOR, AGE_UNKNOWN = "ground_missing", Reason.MINOR.value, "age_unknown"


class Use(NamedTuple):
    """What is asked about: a purpose, and of it perhaps one category of data or one method."""

    purpose: str
    category: str | None = None
    method: str | None = None


class Answer(NamedTuple):
    """The verdict with its reason, and whether to ask: not before `not_before` (microseconds since 1970, UTC) where that is set."""

    allowed: bool
    reason: str
    ground: str | None
    ask: bool
    not_before: int | None


def years_needed(purpose: str) -> int:
    """How old somebody must be to decide about a purpose by themselves."""
    if purpose == PROFILING:
        return ADULT
    return CHILD if purpose == STATISTICS or purpose.startswith(("marketing.", "share.", "sensitive.", "crossborder.", "location.")) else 0


def answer(
    use: Use,
    purpose: Purpose,
    histories: Sequence[Sequence[Row]],
    covered: Scope,
    *,
    now: int,
    jurisdiction: str,
    years: int | None,
    unknown_age_barred: bool,
    cool_down: int,
    flags: Collection[Flag] = (),
) -> Answer:
    """What holds for one person at this moment. One history for each of those who turned out to be one; `cool_down` in microseconds.

    `flags` are those that stand against this purpose.
    """
    ground = purpose.grounds.get(jurisdiction)
    if ground is None:
        return _no(GROUND_MISSING, None)
    if ground not in CONSENT_GROUNDS:
        return Answer(allowed=True, reason="", ground=ground, ask=False, not_before=None)
    child = years is not None and years < years_needed(use.purpose)
    if child and (years_needed(use.purpose) > CHILD or use.purpose == STATISTICS):
        return _no(MINOR, ground)
    if flags:
        return _no(min(one.value for one in flags), ground)
    mine = [[row for row in rows if row["purpose"] == use.purpose and (not child or _by_guardian(row))] for rows in histories]
    told = [one for one in mine if one]
    anything = gate.strictest([scope.timeline(rows, Scope()) for rows in told]) if told else gate.NOTHING
    within = gate.strictest([scope.timeline(rows, covered, use.category, use.method) for rows in told]) if told else gate.NOTHING
    before, decided = gate.decide(anything, now, now), gate.decide(within, now, now)
    ask, not_before = _ask(told, anything, covered, now, cool_down)
    reason = MINOR if child and not before.allowed and before.reason == Reason.CONSENT_MISSING.value else before.reason
    if before.allowed and not decided.allowed:
        reason = scope.FORM_MISSING if covered.written and not covered.editions else scope.NOT_COVERED
    elif before.allowed and unknown_age_barred and years is None and use.purpose == PROFILING:
        reason = AGE_UNKNOWN
    return Answer(not reason, reason, ground, ask, not_before)


def _by_guardian(row: Row) -> bool:
    """Whether an act about a child counts: every no, and a yes that a guardian gave (PIPL 31)."""
    return not gate.is_grant(row["state"]) or "guardian" in (row.get("evidence") or {})


def _no(reason: str, ground: str | None) -> Answer:
    """A no that asking would not change."""
    return Answer(allowed=False, reason=reason, ground=ground, ask=False, not_before=None)


def _ask(told: Sequence[Sequence[Row]], line: gate.Timeline, covered: Scope, now: int, cool_down: int) -> tuple[bool, int | None]:
    """Whether to ask now: never while a no is fresh, whatever a notice has changed since."""
    noes = [row["received_at"] for rows in told for row in rows if not gate.is_grant(row["state"])]
    code = line.code_at(now)
    if code in (gate.WITHDRAWN, gate.DENIED) and noes:
        until = max(noes) + cool_down
        return now >= until, until if now < until else None
    if code != gate.ALLOWED:
        return True, None
    ends = next((start for start, one in zip(line.starts, line.codes, strict=True) if start > now and one == gate.EXPIRED), None)
    return (ends is not None and ends - now <= ENDING) or scope.needs_asking(told, covered, now), None
