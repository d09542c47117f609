"""The six facts of a retailer's year, read for nothing from the cubes of its closed months, each with an interval that holds.

Promise: post-processing of stored releases; nothing is charged and nothing exact is read. Intervals are 95 % of the noise and hold together
inside one fact (dp_rules P-13): a ratio has Fieller's interval, a ratio of two ratios the quotient of two such intervals that hold
together. A fact whose cubes are not there, or whose denominator cannot be told from zero, is named as missing and never guessed.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any

import numpy as np

from analytics.reports.cube import Cube, Held
from analytics.reports.families import Dimension, Estimate, Numbers, quotient, ratio, reach, root
from analytics.reports.planrows import WEEKDAYS

YEAR = 12
TWENTIES = ("20-24", "25-29")
NOT_DRINKS = ("snack", "merchandise")
LOW_SUGAR = "low_sugar"
AFTERNOON, DELIVERY, TILLS = "afternoon", "delivery", "pos"
WIDTH_OF_ONE, WIDTH_OF_TWO = reach(1), reach(2)

Weights = Callable[[tuple[Dimension, ...], int], Numbers]
"""Weights over the cells of a table, given its dimensions and its month."""


@dataclass(slots=True)
class Sums:
    """Two linear combinations of the months' tables, with variances and covariance, and the releases they came from."""

    above: float = 0.0
    below: float = 0.0
    variances: tuple[float, float, float] = (0.0, 0.0, 0.0)
    releases: list[str] = field(default_factory=list)

    def add(self, above: tuple[float, float], below: tuple[float, float], both: float) -> None:
        """Another month's (value, variance) of each; months are independent."""
        self.above += above[0]
        self.below += below[0]
        of_above, of_below, of_both = self.variances
        self.variances = (of_above + above[1], of_below + below[1], of_both + both)

    def ratio(self, width: float) -> Estimate | None:
        return ratio(self.above, self.below, self.variances, width)


class NotHeldError(Exception):
    """The cubes do not have what a fact needs."""


def facts(cubes: Mapping[int, Cube]) -> tuple[list[dict[str, Any]], list[str]]:
    """The rows of the facts that can be read, and the names of the others. `cubes` are the months' at most twelve newest."""
    year = [cubes[month] for month in sorted(cubes)[-YEAR:]]
    rows, missing = [], []
    for name, (unit, read) in FACTS.items():
        try:
            found, releases = read(year)
        except NotHeldError:
            missing.append(name)
            continue
        rows.append(
            {
                "fact": name,
                "unit": unit,
                "value": round(found.value, 6),
                "low": round(found.low, 6),
                "high": round(found.high, 6),
                "months": [year[-1].month] if name in OF_NEWEST else [cube.month for cube in year],
                "releases": releases,
            }
        )
    return rows, missing


# ── one by one ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def women_20_30(year: Sequence[Cube]) -> tuple[Estimate, list[str]]:
    """Women of 20 to 29 among all people of the newest month."""
    by = ("sex", "age_band")
    sums = _shared(year[-1:], "people", by, _where(sex=("female",), age_band=TWENTIES), _where())
    return _held(sums.ratio(WIDTH_OF_ONE)), sums.releases


def students(year: Sequence[Cube]) -> tuple[Estimate, list[str]]:
    """Students among all people of the newest month."""
    sums = _shared(year[-1:], "people", ("occupation",), _where(occupation=("student",)), _where())
    return _held(sums.ratio(WIDTH_OF_ONE)), sums.releases


def student_order(year: Sequence[Cube]) -> tuple[Estimate, list[str]]:
    """What a student's order is worth, against an office worker's. The two quotients stand in one release and hold together at 97.5 % each."""
    ours = _order_value(year, "student")
    theirs = _order_value(year, "office_worker")
    both = quotient(_held(ours.ratio(WIDTH_OF_TWO)), _held(theirs.ratio(WIDTH_OF_TWO)))
    return _held(both), _merged(ours, theirs)


def midweek(year: Sequence[Cube]) -> tuple[Estimate, list[str]]:
    """Orders at the tills a day on Wednesday and Thursday, against Saturday and Sunday; how many such days there were is public."""
    days = [(WEEKDAYS[date(cube.month // 100, cube.month % 100, day).weekday()]) for cube in year for day in _days(cube.month)]
    mid, end = (sum(day in names for day in days) for names in (("wed", "thu"), ("sat", "sun")))
    if not (mid and end):
        raise NotHeldError
    sums = _shared(year, "orders", ("day", "channel"), _at_tills("wed", "thu", over=mid), _at_tills("sat", "sun", over=end))
    return _held(sums.ratio(WIDTH_OF_ONE)), sums.releases


def afternoon_delivery(year: Sequence[Cube]) -> tuple[Estimate, list[str]]:
    """The share of delivery among the afternoon's orders, against that share in the rest of the day."""
    by = ("channel", "daypart")

    def rest(**named: tuple[str, ...]) -> Weights:
        return lambda axes, month: _where(**named)(axes, month) - _where(**named, daypart=(AFTERNOON,))(axes, month)

    inside = _shared(year, "orders", by, _where(channel=(DELIVERY,), daypart=(AFTERNOON,)), _where(daypart=(AFTERNOON,)))
    outside = _shared(year, "orders", by, rest(channel=(DELIVERY,)), rest())
    both = quotient(_held(inside.ratio(WIDTH_OF_TWO)), _held(outside.ratio(WIDTH_OF_TWO)))
    return _held(both), _merged(inside, outside)


def low_sugar(year: Sequence[Cube]) -> tuple[Estimate, list[str]]:
    """The mean monthly growth of enquiries about low-sugar drinks: the later half against the earlier one, n months apart, to the root n."""
    half = len(year) // 2
    if not half:
        raise NotHeldError
    later = _single(year[-half:], "enquiries", ("category",), _where(category=(LOW_SUGAR,)))
    earlier = _single(year[-2 * half : -half], "enquiries", ("category",), _where(category=(LOW_SUGAR,)))
    found = ratio(later[0], earlier[0], (later[1], earlier[1], 0.0), WIDTH_OF_TWO)
    return _held(root(_held(found), half)), list(dict.fromkeys([*earlier[2], *later[2]]))


def low_sugar_share(year: Sequence[Cube]) -> tuple[Estimate, list[str]]:
    """Low-sugar drinks among drinks sold."""

    def drinks(axes: tuple[Dimension, ...], month: int) -> Numbers:
        return _where()(axes, month) - _where(category=NOT_DRINKS)(axes, month)

    sums = _shared(year, "lines", ("category",), _where(category=(LOW_SUGAR,)), drinks)
    return _held(sums.ratio(WIDTH_OF_TWO)), sums.releases


FACTS: Mapping[str, tuple[str, Callable[[Sequence[Cube]], tuple[Estimate, list[str]]]]] = MappingProxyType(
    {
        "women_20_30": ("share", women_20_30),
        "students": ("share", students),
        "student_order": ("ratio", student_order),
        "midweek": ("ratio", midweek),
        "afternoon_delivery": ("ratio", afternoon_delivery),
        "low_sugar": ("monthly_ratio", low_sugar),
        "low_sugar_share": ("share", low_sugar_share),
    }
)
OF_NEWEST = frozenset({"women_20_30", "students"})

# ── parts ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _where(**named: tuple[str, ...]) -> Weights:
    """1 in the cells with these values, 0 elsewhere; 1 everywhere without names."""

    def weights(axes: tuple[Dimension, ...], month: int) -> Numbers:
        table = np.ones(tuple(len(values) for _, values in axes))
        for place, (name, values) in enumerate(axes):
            if name in named:
                shape = [1] * len(axes)
                shape[place] = len(values)
                table = table * np.array([value in named[name] for value in values], dtype=np.float64).reshape(shape)
        return table

    return weights


def _at_tills(*weekdays: str, over: int) -> Weights:
    """Orders at the tills on these weekdays, divided by how many such days the window has."""

    def weights(axes: tuple[Dimension, ...], month: int) -> Numbers:
        days = tuple(f"{day:02d}" for day in _days(month) if WEEKDAYS[date(month // 100, month % 100, day).weekday()] in weekdays)
        return _where(day=days, channel=(TILLS,))(axes, month) / over

    return weights


def _days(month: int) -> range:
    return range(1, monthrange(month // 100, month % 100)[1] + 1)


def _find(cube: Cube, measure: str, by: Sequence[str]) -> Held:
    held = cube.find(measure, by)
    if held is None:
        raise NotHeldError
    return held


def _shared(year: Sequence[Cube], measure: str, by: Sequence[str], above: Weights, below: Weights) -> Sums:
    """Two combinations of the same tables."""
    sums = Sums()
    for cube in year:
        family = (held := _find(cube, measure, by)).family
        axes, table = family.dimensions(by), family.table(by)
        one, other = above(axes, cube.month), below(axes, cube.month)
        spreads = (family.covariance(by, one, one), family.covariance(by, other, other), family.covariance(by, one, other))
        sums.add((float(np.sum(one * table)), spreads[0]), (float(np.sum(other * table)), spreads[1]), spreads[2])
        sums.releases += held.releases
    if not sums.releases:
        raise NotHeldError
    return sums


def _single(year: Sequence[Cube], measure: str, by: Sequence[str], weights: Weights) -> tuple[float, float, list[str]]:
    sums = _shared(year, measure, by, weights, weights)
    return sums.above, sums.variances[0], sums.releases


def _order_value(year: Sequence[Cube], occupation: str) -> Sums:
    """Sales over orders of an occupation: different families of one release, whose noise is independent."""
    weights = _where(occupation=(occupation,))
    sales = _single(year, "sales", ("occupation",), weights)
    orders = _single(year, "orders", ("occupation",), weights)
    return Sums(sales[0], orders[0], (sales[1], orders[1], 0.0), list(dict.fromkeys([*sales[2], *orders[2]])))


def _held(found: Estimate | None) -> Estimate:
    if found is None:
        raise NotHeldError
    return found


def _merged(*sums: Sums) -> list[str]:
    return list(dict.fromkeys(release for one in sums for release in one.releases))
