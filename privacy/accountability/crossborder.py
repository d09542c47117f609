"""When transfers abroad need more than consent: the yearly thresholds, as data, and what a count of people means under them.

Promise: pure; people are counted once a calendar year, whoever receives them and under whatever pseudonym. A transfer that would lift the
year over what its mechanism covers is refused before it happens. The thresholds [S] are those of `reference/law_rules.md` and want a lawyer.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date

LAW = "促进和规范数据跨境流动规定 (2024) 5, 7, 8; PIPL 38, 40"
EXEMPT, CONTRACT, ASSESSMENT = "exempt", "standard_contract", "security_assessment"
ROUTES = (EXEMPT, CONTRACT, ASSESSMENT)
COVERS = {
    "none": EXEMPT,
    "": EXEMPT,
    "exempt": EXEMPT,
    "standard_contract": CONTRACT,
    "certification": CONTRACT,
    "security_assessment": ASSESSMENT,
}
"""Mechanism of a recipient → the heaviest route that it satisfies."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """From this many people of a calendar year on, this route."""

    route: str
    people: int
    sensitive: bool


THRESHOLDS = (
    Threshold(CONTRACT, 100_000, sensitive=False),
    Threshold(CONTRACT, 1, sensitive=True),
    Threshold(ASSESSMENT, 1_000_000, sensitive=False),
    Threshold(ASSESSMENT, 10_000, sensitive=True),
)


@dataclass(frozen=True, slots=True)
class Counts:
    """Distinct people of a year; `sensitive` are those of them whose sensitive data went abroad."""

    people: int
    sensitive: int


@dataclass(frozen=True, slots=True)
class Crossing:
    """Whether a transfer may happen: `code` is within, or names the route that it would need."""

    code: str
    route: str
    after: Counts

    @property
    def allowed(self) -> bool:
        return self.code == "within"


def route(counts: Counts) -> str:
    """What a year with so many people needs."""
    reached = [one.route for one in THRESHOLDS if (counts.sensitive if one.sensitive else counts.people) >= one.people]
    return max(reached, key=ROUTES.index, default=EXEMPT)


def crossing(after: Counts, mechanism: str) -> Crossing:
    """What a transfer means after which the year has so many people, to a recipient with this mechanism."""
    needed = route(after)
    within = ROUTES.index(needed) <= ROUTES.index(COVERS.get(mechanism, EXEMPT))
    return Crossing("within" if within else f"crossborder_needs_{needed}", needed, after)


def next_threshold(counts: Counts) -> tuple[Threshold, float] | None:
    """The threshold that is nearest to being reached, and how much of it is used up; None where all are."""
    open_ = [(one, (counts.sensitive if one.sensitive else counts.people) / one.people) for one in THRESHOLDS]
    left = [(one, share) for one, share in open_ if share < 1 and ROUTES.index(one.route) > ROUTES.index(route(counts))]
    return max(left, key=lambda pair: pair[1], default=None)


def forecast(people: int, today: date) -> int:
    """How many there will be at the end of the year if they go on coming as they did since 1 January."""
    days = 366 if calendar.isleap(today.year) else 365
    return round(people * days / today.timetuple().tm_yday)
