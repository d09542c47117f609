"""What follows from tables that the months' cubes hold: sums, shares, means and slopes, each with its interval, for nothing.

Promise: post-processing of stored releases alone; nothing here charges, reads data or makes noise. It says of a free table what
`analytics.reports.derived` says of a bought one, and what cannot be told has no value. Pure.

Argument. Cells of one month's table came out of a least-squares estimate, so their noise is not independent; months are independent. The
covariance of the estimate does not change when a dimension's values change places (`families.Family`), and the cells that filters leave
are a product of sets of values, among which such changes lead from any cell to any other. So all of them have one variance v, their sum
has one variance w, and each varies together with the sum by w/n, of n cells. A slope over days or weeks is one linear combination of a
month's table, whose variance the family tells; over months, it is one of independent numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from analytics.reports import derived
from analytics.reports.families import Estimate, Family, ratio, reach
from analytics.reports.parameters import Filters, holds

if TYPE_CHECKING:
    from analytics.reports.cube import Cube
    from analytics.reports.families import Numbers

MONTH = "month"
TIMES = (MONTH, "week", "day")
Cell = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Slab:
    """One month's table: the cells that the filters leave, the variance of each, the variance of their sum."""

    family: Family
    by: Cell
    values: Mapping[Cell, float]
    each: float
    whole: float


@dataclass(slots=True)
class Column:
    """One measure over all rows: each row's value, its variance, how it varies together with the sum; and the sum."""

    adds: bool
    values: dict[Cell, float] = field(default_factory=dict)
    variances: dict[Cell, float] = field(default_factory=dict)
    with_sum: dict[Cell, float] = field(default_factory=dict)
    total: float = 0.0
    spread: float = 0.0

    def take(self, row: Cell, value: float, slab: Slab) -> None:
        """Another month's part of a row."""
        self.values[row] = self.values.get(row, 0.0) + value
        self.variances[row] = self.variances.get(row, 0.0) + slab.each
        self.with_sum[row] = self.with_sum.get(row, 0.0) + slab.whole / len(slab.values)
        self.total += value


def of_cubes(
    cubes: Mapping[int, Cube], measures: Mapping[str, str], by: Sequence[str], where: Filters = (), *, sloped: bool = False
) -> list[dict[str, Any]]:
    """What follows from these measures (by what the cubes call them) in a table by `by`; every month has it."""
    names = tuple(name for name in dict.fromkeys(by) if name != MONTH)
    held = {name: {month: _slab(cube, measure, names, where) for month, cube in cubes.items()} for name, measure in measures.items()}
    if sloped:
        time = next(name for name in by if name in TIMES)
        return [one for name, slabs in held.items() for one in _slopes(name, slabs, by, time, len(held))]
    columns = {name: _column(name, cubes, measures[name], slabs, by, names) for name, slabs in held.items()}
    return [*_totals(columns), *_means(columns, by), *_shares(columns, by)]


def _slab(cube: Cube, measure: str, names: Cell, where: Filters) -> Slab:
    held = cube.find(measure, names)
    assert held is not None, "asked for tables that every month has"
    family = held.family
    if not held.adds:  # a table of its own: distinct people are not made consistent with other tables
        family = Family(tuple(one for one in family.marginals if {name for name, _ in one.dimensions} == set(names)))
    axes, table = family.dimensions(names), family.table(names)
    kept: Numbers = np.zeros(table.shape)
    values: dict[Cell, float] = {}
    for place in np.ndindex(table.shape):
        cell = tuple(axes[axis][1][at] for axis, at in enumerate(place))
        if all(holds(cell[names.index(name)], operator, text) for name, operator, text in where):
            values[cell] = float(table[place])
            kept[place] = 1.0
    return Slab(family, names, values, family.variance(names), family.covariance(names, kept, kept))


def _column(name: str, cubes: Mapping[int, Cube], measure: str, slabs: Mapping[int, Slab], by: Sequence[str], names: Cell) -> Column:
    """A measure's rows; they add up where the tables do (dp_rules P-10), and over months only what is no count of people."""
    families = all((held := cube.find(measure, names)) is not None and held.adds for cube in cubes.values())
    over = len(slabs) == 1 or measure in ("orders", "sales", "lines", "enquiries")
    column = Column(families and over and not (name == "orders" and "category" in names))
    for month, slab in slabs.items():
        column.spread += slab.whole
        for cell, value in slab.values.items():
            column.take(_row(by, month, dict(zip(names, cell, strict=True))), value, slab)
    return column


def _row(by: Sequence[str], month: int, cell: Mapping[str, str]) -> Cell:
    return tuple(str(month) if name == MONTH else cell[name] for name in by)


def _totals(columns: Mapping[str, Column]) -> list[dict[str, Any]]:
    found = []
    for name, column in columns.items():
        if column.adds and len(column.values) > 1:
            half = reach() * math.sqrt(column.spread)
            found.append(derived.row(derived.TOTAL, name, {}, Estimate(column.total, column.total - half, column.total + half)))
    return found


def _means(columns: Mapping[str, Column], by: Sequence[str]) -> list[dict[str, Any]]:
    """Quotients of two measures of one row, whose noise is independent."""
    found = []
    for name, (above, below) in derived.MEANS.items():
        if above in columns and below in columns:
            one, other = columns[above], columns[below]
            for row, value in one.values.items():
                spread = (one.variances[row], other.variances[row], 0.0)
                told = ratio(value, other.values[row], spread, reach()) if other.values[row] > 0 else None
                found.append(derived.row("mean", name, dict(zip(by, row, strict=True)), told))
    return found


def _shares(columns: Mapping[str, Column], by: Sequence[str]) -> list[dict[str, Any]]:
    found = []
    for name, column in columns.items():
        if column.adds and len(column.values) > 1:
            for row, value in column.values.items():
                told = ratio(value, column.total, (column.variances[row], column.spread, column.with_sum[row]), reach())
                found.append(derived.row(derived.SHARE, name, dict(zip(by, row, strict=True)), told))
    return found


def _slopes(name: str, slabs: Mapping[int, Slab], by: Sequence[str], time: str, measures: int) -> list[dict[str, Any]]:
    """How fast the measure rises from one period to the next, in every row of the other groupings, all of them holding together."""
    rows = {
        _row(by, month, dict(zip(slab.by, cell, strict=True))): (value, slab)
        for month, slab in slabs.items()
        for cell, value in slab.values.items()
    }
    place = list(by).index(time)
    moments = list(dict.fromkeys(row[place] for row in rows))
    if len(moments) < 2:
        return []
    away = {moment: number - (len(moments) - 1) / 2 for number, moment in enumerate(moments)}
    square = math.fsum(one * one for one in away.values())
    groups: dict[Cell, float] = {}
    for row, (value, _) in rows.items():
        group = row[:place] + row[place + 1 :]
        groups[group] = groups.get(group, 0.0) + away[row[place]] * value / square
    deviation = math.sqrt(_slope_variance(slabs, time, away)) / square
    half = reach(len(groups) * measures) * deviation
    others = [one for one in by if one != time]
    return [
        derived.row(derived.SLOPE, name, dict(zip(others, group, strict=True)), Estimate(slope, slope - half, slope + half))
        | {"way": derived.way(slope - half, slope + half)}
        for group, slope in groups.items()
    ]


def _slope_variance(slabs: Mapping[int, Slab], time: str, away: Mapping[str, float]) -> float:
    """Of Σ away · value over one row of the other groupings; it is the same in each of them."""
    if time == MONTH:
        return math.fsum(away[str(month)] ** 2 * slab.each for month, slab in slabs.items())
    (slab,) = slabs.values()
    axes = slab.family.dimensions(slab.by)
    weights: Numbers = np.zeros(tuple(len(values) for _, values in axes))
    axis = slab.by.index(time)
    at = [0] * len(axes)
    for number, moment in enumerate(axes[axis][1]):
        at[axis] = number
        weights[tuple(at)] = away.get(moment, 0.0)
    return slab.family.covariance(slab.by, weights, weights)
