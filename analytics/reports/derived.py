"""What follows from one released table: sums that add up, means and shares with Fieller's interval, slopes over time, quantiles of bins.

Promise: post-processing of a release alone: nothing here charges, reads data or makes noise. Every interval is 95 % of the noise of the
bounded numbers; where several of a kind are compared with each other or with zero they hold together (Bonferroni, dp_rules P-13). What
cannot be told has no value, and is not guessed. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analytics.reports.families import Estimate, ratio, reach

Cell = tuple[str, ...]
TOTAL, SHARE, SLOPE, QUANTILE = "total", "share", "slope", "quantile"
MEANS = {
    "sales_per_order": ("sales", "orders"),
    "sales_per_person": ("sales", "people"),
    "lines_per_order": ("lines", "orders"),
}
"""A mean is a quotient of two measures of the same cell, whose noise is independent."""
QUANTILES = (0.25, 0.5, 0.75)


@dataclass(frozen=True, slots=True)
class Table:
    """Released values in their own units: a column a measure, and the standard deviation of its independent noise."""

    by: tuple[str, ...]
    cells: tuple[Cell, ...]
    columns: Mapping[str, tuple[float, ...]]
    deviations: Mapping[str, float]


def of_table(table: Table, adding: Collection[str]) -> list[dict[str, Any]]:
    """Sums over all rows and each row's share of them for measures that add up, and means where both measures were asked."""
    return [*totals(table, adding), *means(table), *shares(table, adding)]


def totals(table: Table, adding: Collection[str]) -> list[dict[str, Any]]:
    """The sum of all rows: exactly the sum of what the rows say, with the margin of a sum."""
    found = []
    for name, values in table.columns.items():
        if name in adding and len(values) > 1:
            value, half = math.fsum(values), reach() * table.deviations[name] * math.sqrt(len(values))
            found.append(row(TOTAL, name, {}, Estimate(value, value - half, value + half)))
    return found


def shares(table: Table, adding: Collection[str]) -> list[dict[str, Any]]:
    """Each row's part of the sum of all rows. The row's own noise is in both, so they vary together by its variance."""
    found = []
    for name, values in table.columns.items():
        if name not in adding or len(values) < 2:
            continue
        total, variance = math.fsum(values), table.deviations[name] ** 2
        for cell, value in zip(table.cells, values, strict=True):
            share = ratio(value, total, (variance, variance * len(values), variance), reach())
            found.append(row(SHARE, name, _of(table, cell), share))
    return found


def means(table: Table) -> list[dict[str, Any]]:
    """What an order was worth, what a person spent, how many lines an order had: by row."""
    found = []
    for name, (above, below) in MEANS.items():
        if above not in table.columns or below not in table.columns:
            continue
        spread = (table.deviations[above] ** 2, table.deviations[below] ** 2, 0.0)
        for cell, one, other in zip(table.cells, table.columns[above], table.columns[below], strict=True):
            found.append(row("mean", name, _of(table, cell), ratio(one, other, spread, reach()) if other > 0 else None))
    return found


def slopes(table: Table, time: str) -> list[dict[str, Any]]:
    """How fast a measure rises or falls from one period to the next, for every row of the other grouping, all of them holding together.

    Argument. The least-squares slope over t = 0 … n−1 is Σ(t − t̄)·y / Σ(t − t̄)²; noise is independent and equal, so its deviation is
    σ/√Σ(t − t̄)². Whether it rises is said only where the interval leaves zero out.
    """
    place = table.by.index(time)
    moments = list(dict.fromkeys(cell[place] for cell in table.cells))
    if len(moments) < 2:
        return []
    middle = (len(moments) - 1) / 2
    away = {moment: number - middle for number, moment in enumerate(moments)}
    square = math.fsum(one * one for one in away.values())
    groups: dict[Cell, dict[str, float]] = {}
    for cell in table.cells:
        groups.setdefault(cell[:place] + cell[place + 1 :], {})
    wide = reach(len(groups) * len(table.columns))
    found = []
    for name, values in table.columns.items():
        half = wide * table.deviations[name] / math.sqrt(square)
        sums = dict.fromkeys(groups, 0.0)
        for cell, value in zip(table.cells, values, strict=True):
            sums[cell[:place] + cell[place + 1 :]] += away[cell[place]] * value / square
        others = [one for one in table.by if one != time]
        for group, slope in sums.items():
            of = dict(zip(others, group, strict=True))
            found.append(row(SLOPE, name, of, Estimate(slope, slope - half, slope + half)) | {"way": way(slope - half, slope + half)})
    return found


def way(low: float, high: float) -> str:
    """What an interval of a slope says of its sign."""
    return "rising" if low > 0 else "falling" if high < 0 else "open"


def quantiles(counts: Sequence[float], deviation: float, edges: Sequence[float]) -> list[dict[str, Any]]:
    """Quartiles of one value a person, from how many people stand in each public bin; bin i lies between edges i and i + 1.

    Argument. That the q-quantile lies below edge k means D_k = Σ_{i<k} n_i − q·Σ n_i > 0, a sum of independent noise whose deviation is
    σ·√((1−q)²·k + q²·(K−k)). All K−1 inner edges hold together for each of the quantiles. So the quantile is certainly not below
    the last edge of which D_k is certainly negative, and certainly not above the first of which it is certainly positive; the middle is
    read off between two edges in a straight line, and only the interval is certain.
    """
    found = []
    whole, bins = math.fsum(counts), len(counts)
    wide = reach((bins - 1) * len(QUANTILES))
    for share in QUANTILES:
        below = [math.fsum(counts[:place]) - share * whole for place in range(bins + 1)]
        spread = [wide * deviation * math.sqrt((1 - share) ** 2 * place + share**2 * (bins - place)) for place in range(bins + 1)]
        low = max((edges[place] for place in range(1, bins) if below[place] + spread[place] < 0), default=edges[0])
        high = min((edges[place] for place in range(1, bins) if below[place] - spread[place] > 0), default=edges[bins])
        told = Estimate(_between(below, edges), low, high) if high > low and whole > 0 else None
        found.append(row(QUANTILE, "people", {}, told) | {"share": share})
    return found


def _between(below: Sequence[float], edges: Sequence[float]) -> float:
    """Where a broken line crosses zero first."""
    for place in range(1, len(below)):
        if below[place] >= 0:
            step = below[place] - below[place - 1]
            part = -below[place - 1] / step if step > 0 else 0.0
            last = edges[place] if math.isfinite(edges[place]) else edges[place - 1]
            return edges[place - 1] + min(1.0, max(0.0, part)) * (last - edges[place - 1])
    return edges[-2]


def _of(table: Table, cell: Cell) -> dict[str, str]:
    return dict(zip(table.by, cell, strict=True))


def row(what: str, measure: str, of: Mapping[str, str], found: Estimate | None) -> dict[str, Any]:
    """One derived number; without a value where its denominator cannot be told from zero."""
    told: dict[str, float | None] = {"value": None, "low": None, "high": None}
    if found is not None:
        told = {
            "value": round(found.value, 6),
            "low": round(found.low, 6),
            "high": None if math.isinf(found.high) else round(found.high, 6),
        }
    return {"what": what, "measure": measure, "of": dict(of), **told, "way": None, "share": None}
