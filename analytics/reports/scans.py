"""What a diagnosis compares: every share, ratio, weekday, interaction and growth that the released tables of a chain can tell.

Promise: which comparisons are made depends on the plan's tables and public lists alone, never on a released value, so that their number is
known before any is looked at and their margins can hold together (dp_rules P-13). What counts as a deviation at all is a public constant of
each scan. Post-processing of stored releases; nothing is charged and nothing exact is read. Pure.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations

import numpy as np

from analytics.reports.added import Added, added
from analytics.reports.cube import Cube
from analytics.reports.cubefacts import LOW_SUGAR, NOT_DRINKS, Sums
from analytics.reports.families import Estimate, Numbers, quotient, ratio, reach, root
from analytics.reports.planrows import OTHER, UNKNOWN, WEEKDAYS

SHARE, WORTH, WEEKDAY, MIX, GROWTH = "share", "order_value", "weekday", "mix", "growth"
WHO = ("sex", "age_band", "occupation", "tier", "home")
PROFILES = (("sex", "age_band"), ("occupation",))
"""Whose spread over the plan's groups is compared with an even one: the age pyramid as one, and work. Tiers are a pyramid by design."""
RUN = 2
"""Neighbouring age bands that may stand together as one group."""
LEAST = {SHARE: 2.0, WORTH: 1.25, WEEKDAY: 1.25, MIX: 1.5, GROWTH: 1.05}
"""How many times the comparison value is worth a sentence; of growth in a month. Public: what is nearer is no finding, however certain."""
WORKING, WEEKEND = WEEKDAYS[:5], WEEKDAYS[5:]
PAIRED = 20
"""Up to so many values are compared with each other, more of them each with all the rest."""
UNNAMED = frozenset({OTHER, UNKNOWN})

Group = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Compared:
    """One comparison: a quotient (of two quotients, if there are two parts) against the value that it has where nothing stands out."""

    scan: str
    measure: str
    by: tuple[str, ...]
    group: Group
    against: Group
    reference: float
    least: float
    parts: tuple[Sums, ...]
    months: tuple[int, ...]
    claims: frozenset[str]
    """Of two findings of a scan and measure that claim the same, only the larger is told."""
    degree: int = 1
    upward: bool = False

    def estimate(self, numbers: int) -> Estimate | None:
        """The quotient with an interval that holds together with those of all `numbers` comparisons; None where it cannot be told."""
        width = reach(numbers * len(self.parts))
        found = [ratio(one.above, one.below, one.variances, width) for one in self.parts]
        if found[0] is None or (len(found) == 2 and found[1] is None):
            return None
        return found[0] if len(found) == 1 else quotient(found[0], found[1])  # type: ignore[arg-type]

    def shown(self, found: Estimate) -> Estimate | None:
        """As it is told: growth by the month."""
        return found if self.degree == 1 else root(found, self.degree)

    @property
    def releases(self) -> list[str]:
        return list(dict.fromkeys(release for one in self.parts for release in one.releases))


def compared(year: Sequence[Cube]) -> Iterator[Compared]:
    """Every comparison of these months, oldest first."""
    for scan in (shares, worths, weekdays, mixes, growths):
        yield from scan(year)


def named(values: Sequence[str]) -> tuple[str, ...]:
    """The values that name something; what is not listed or not known is nobody's finding."""
    return tuple(one for one in values if one not in UNNAMED)


# ── who they are ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def shares(year: Sequence[Cube]) -> Iterator[Compared]:
    """Each group's share of the newest month's people, against an even spread over the plan's groups. Only what is more is told."""
    for by in PROFILES:
        table = added(year[-1:], "people", by)
        if table is None:
            continue
        cells = np.prod([len(named(values)) for _, values in table.axes])
        everybody = np.ones(table.values.shape)
        for group in _groups(table):
            inside = table.where(**group)
            number = int(inside.sum())
            claims = frozenset(f"{by}{place}" for place in np.flatnonzero(inside))
            sums = (table.sums(inside, everybody),)
            yield Compared(
                SHARE,
                "people",
                by,
                group,
                {},
                number / float(cells),
                LEAST[SHARE],
                sums,
                table.months,
                claims,
                upward=True,
            )


def _groups(table: Added) -> Iterator[dict[str, tuple[str, ...]]]:
    """Each value alone, each run of neighbouring ages, and, where there are two dimensions, both together."""
    found: list[list[tuple[str, ...]]] = []
    for name, values in table.axes:
        known = named(values)
        runs = range(1, RUN + 1) if name == "age_band" else range(1, 2)
        found.append([known[start : start + length] for length in runs for start in range(len(known) - length + 1)])
    names = table.by
    if len(names) == 1:
        yield from ({names[0]: one} for one in found[0])
        return
    for place, name in enumerate(names):
        yield from ({name: one} for one in found[place])
    yield from ({names[0]: one, names[1]: other} for one in found[0] for other in found[1])


# ── what an order is worth ─────────────────────────────────────────────────────────────────────────────────────────────────────


def worths(year: Sequence[Cube]) -> Iterator[Compared]:
    """What an order of one group is worth on average, against each other group of the same dimension, or against all the rest."""
    for name in _dimensions(year, "sales"):
        sales, orders = added(year, "sales", (name,)), added(year, "orders", (name,))
        if sales is None or orders is None or sales.axes != orders.axes or sales.months != orders.months:
            continue
        values = named(sales.labels(name))

        def worth(of: Sequence[str], sales: Added = sales, orders: Added = orders, name: str = name) -> Sums:
            return sales.apart(orders, sales.where(**{name: of}))

        alone = {value: worth((value,)) for value in values}
        pairs: list[tuple[tuple[str, Sums], tuple[tuple[str, ...], Sums]]]
        if len(values) <= PAIRED:
            pairs = [((one, alone[one]), ((other,), alone[other])) for one, other in combinations(values, 2)]
        else:
            every = sales.labels(name)
            rests = {value: tuple(other for other in every if other != value) for value in values}
            pairs = [((one, alone[one]), (rests[one], worth(rests[one]))) for one in values]
        for (one, ours), (others, theirs) in pairs:
            paired = len(others) == 1
            claims = frozenset({f"{name}={one}", *((f"{name}={others[0]}",) if paired else ())})
            against = {name: others} if paired else {}
            group = {name: (one,)}
            yield Compared(WORTH, "sales", (name,), group, against, 1.0, LEAST[WORTH], (ours, theirs), sales.months, claims)


# ── when they come ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def weekdays(year: Sequence[Cube]) -> Iterator[Compared]:
    """Orders a day on each working day and on each two in a row, against the weekend's; in every channel and in all together."""
    held = [cube for cube in year if cube.find("orders", ("day", "channel"))]
    tables = {cube.month: table for cube in held if (table := added([cube], "orders", ("day", "channel")))}
    if not tables:
        return
    channels = [(), *((one,) for one in named(tables[max(tables)].labels("channel")))]
    runs = [WORKING[start : start + length] for length in (1, 2) for start in range(len(WORKING) - length + 1)]
    for channel in channels:
        for run in runs:
            parts = (_by_day(tables, run, channel),)
            group: dict[str, tuple[str, ...]] = {"weekday": run} | ({"channel": channel} if channel else {})
            by = ("weekday", "channel") if channel else ("weekday",)
            against = {"weekday": WEEKEND}
            yield Compared(WEEKDAY, "orders", by, group, against, 1.0, LEAST[WEEKDAY], parts, tuple(sorted(tables)), frozenset(run))


def _by_day(tables: Mapping[int, Added], run: Sequence[str], channel: tuple[str, ...]) -> Sums:
    days = [_weekday(month, day) for month in tables for day in range(1, monthrange(month // 100, month % 100)[1] + 1)]
    number = {True: sum(one in run for one in days), False: sum(one in WEEKEND for one in days)}
    sums = Sums()
    for month, table in tables.items():
        of = {"channel": channel} if channel else {}

        def weights(wanted: Sequence[str], count: int, table: Added = table, month: int = month, of: Group = of) -> Numbers:
            days = tuple(day for day in table.labels("day") if _weekday(month, int(day)) in wanted)
            return table.where(day=days, **of) / max(1, count)

        one = table.sums(weights(run, number[True]), weights(WEEKEND, number[False]))
        sums.add((one.above, one.variances[0]), (one.below, one.variances[1]), one.variances[2])
        sums.releases += one.releases
    return sums


def _weekday(month: int, day: int) -> str:
    return WEEKDAYS[date(month // 100, month % 100, day).weekday()]


# ── what goes together ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def mixes(year: Sequence[Cube]) -> Iterator[Compared]:
    """The share of each value of one dimension inside each value of another, against its share in the rest."""
    for measure in ("orders", "lines"):
        for one, other in _pairs(year, measure):
            table = added(year, measure, (one, other))
            if table is None:
                continue
            for inner in named(table.labels(one)):
                for outer in named(table.labels(other)):
                    yield _mix(table, measure, {one: (inner,)}, {other: (outer,)})


def _mix(table: Added, measure: str, inner: Group, outer: Group) -> Compared:
    both, here, whole, everywhere = table.where(**inner, **outer), table.where(**outer), table.where(**inner), table.where()
    parts = (table.sums(both, here), table.sums(whole - both, everywhere - here))
    claims = frozenset(f"{table.by}{name}={value[0]}" for name, value in {**inner, **outer}.items())
    return Compared(MIX, measure, table.by, {**inner, **outer}, dict(outer), 1.0, LEAST[MIX], parts, table.months, claims)


def _pairs(year: Sequence[Cube], measure: str) -> list[tuple[str, str]]:
    """Pairs of dimensions that were released together, what is bought how first; attributes of people are no pair among themselves."""
    found: dict[tuple[str, str], None] = {}
    for cube in year[-1:]:
        for held in cube.families:
            if held.measure != measure or not held.adds:
                continue
            for one in held.family.marginals:
                names = [name for name, _ in one.dimensions if name not in ("day", "week")]
                for first, second in combinations(names, 2):
                    if not (first in WHO and second in WHO):
                        found[(second, first) if second == "channel" else (first, second)] = None
    return list(found)


# ── how it grows ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def growths(year: Sequence[Cube]) -> Iterator[Compared]:
    """The later half of the months against the earlier one, by value of every dimension and altogether; what the calendar adds is known."""
    half = len(year) // 2
    if not half:
        return
    later, earlier = year[-half:], year[-2 * half : -half]
    for measure in ("orders", "sales", "lines", "enquiries", "people"):
        dimensions = _dimensions(year, measure) if measure != "people" else ()
        for by in ((), *((name,) for name in dimensions)):
            after, before = added(later, measure, by), added(earlier, measure, by)
            if after is None or before is None or after.axes != before.axes or {len(after.months), len(before.months)} != {half}:
                continue
            days = 1.0 if measure == "people" else _days(after.months) / _days(before.months)
            for value in named(after.labels(by[0])) if by else ("",):
                group = {by[0]: (value,)} if by else {}
                part = after.apart(before, after.where(**group))
                months = (*before.months, *after.months)
                claims = frozenset({f"{by}{value}"})
                yield Compared(GROWTH, measure, by, group, {}, days, LEAST[GROWTH] ** half, (part,), months, claims, half)


def _days(months: Sequence[int]) -> int:
    return sum(monthrange(month // 100, month % 100)[1] for month in months)


def _dimensions(year: Sequence[Cube], measure: str) -> tuple[str, ...]:
    """The dimensions by which a measure was released, without days."""
    found = [
        name
        for held in year[-1].families
        if held.measure == measure and held.adds
        for one in held.family.marginals
        for name, _ in one.dimensions
    ]
    return tuple(name for name in dict.fromkeys(found) if name not in ("day", "week", "weekday"))


# ── what stands beside it ──────────────────────────────────────────────────────────────────────────────────────────────────────


def beside(year: Sequence[Cube], category: str) -> Sums | None:
    """The share of a category in the lines that were sold; a drink's among drinks."""
    table = added(year, "lines", ("category",))
    if table is None or category not in table.labels("category"):
        return None
    among = table.where() - (table.where(category=NOT_DRINKS) if category == LOW_SUGAR else 0)
    return table.sums(table.where(category=(category,)), among)
