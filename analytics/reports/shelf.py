"""What the closed months' cubes say, for nothing: stored releases as consistent tables, sums over months, margins.

Promise: everything here comes from stored releases; nothing charges and nothing reads the lake's rows about people. Marginals of one
measure are made consistent only inside their family (dp_rules P-10); people and distinct people are never added up over months or rows.
"""

from __future__ import annotations

import math
from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from analytics import metrics
from analytics.reports import cubefacts, followed, norms
from analytics.reports import diagnose as diagnosis
from analytics.reports.base import House, plain_rows
from analytics.reports.cube import Cube, marginals
from analytics.reports.families import Family, Numbers, reach
from analytics.reports.parameters import Filters, holds, written
from analytics.reports.plan import KIND, units
from privacy import errors

if TYPE_CHECKING:
    from privacy.records import Question, Release
    from privacy.release import Releases

MEASURES = ("orders", "sales", "lines", "people", "reach", "enquiries")
ADDED_OVER_MONTHS = frozenset({"orders", "sales", "lines", "enquiries"})
OVERVIEW = ("orders", "sales", "lines", "people")
MINOR = "minor units of currency"


class Shelf:
    """Reads cubes."""

    def __init__(self, releases: Releases, house: House) -> None:
        self._releases = releases
        self._house = house
        self._kept: dict[int, tuple[tuple[str, ...], Cube]] = {}
        self._diagnosed: tuple[tuple[Cube, ...], list[dict[str, Any]], int] = ((), [], 0)

    def months(self) -> tuple[int, ...]:
        """The closed months that have an answer, oldest first."""
        return tuple(sorted(self.cubes()))

    def cubes(self, first: int | None = None, last: int | None = None) -> dict[int, Cube]:
        """The months' cubes, oldest first."""
        wanted = () if first is None or last is None else metrics.months_between(first, last)
        by_month: dict[int, list[Release]] = {}
        for release in self._releases.listed(kinds=(KIND, norms.KIND), months=wanted):
            by_month.setdefault(release.question.months[0], []).append(release)
        closed = {month: held for month, held in sorted(by_month.items()) if any(one.question.kind == KIND for one in held)}
        return {month: self._cube(month, held) for month, held in closed.items()}

    def _cube(self, month: int, held: list[Release]) -> Cube:
        """A month's cube; kept with what it has worked out as long as it is of the same releases, which never change."""
        names = tuple(one.id for one in held)
        kept = self._kept.get(month)
        if kept is None or kept[0] != names:
            kept = self._kept[month] = (names, Cube(month, held))
        return kept[1]

    def overview(self, first: int, last: int) -> dict[str, Any]:
        """Orders, sales, lines and people of each month."""
        rows: list[dict[str, Any]] = []
        used: list[str] = []
        cubes = self.cubes(first, last)
        for month, cube in cubes.items():
            for measure in OVERVIEW:
                held = cube.find(measure, ())
                if held is not None:
                    value, deviation = float(held.family.table(())), math.sqrt(held.family.variance(()))
                    rows.append({"month": month, **number(measure, value, reach() * deviation)})
                    used += held.releases
        return self._document("overview", rows, cubes, used)

    def table(self, measure: str, by: Sequence[str], first: int, last: int, where: Sequence[str] = ()) -> dict[str, Any]:
        """A measure by any dimensions that stand together in a released table; sums over months where they may be added. Filters such as
        `channel=pos|delivery` leave rows out of it, by its own dimensions."""
        if measure not in MEASURES:
            raise errors.Invalid("there is no such measure", code="unknown_measure", field="measure")
        monthly = "month" in by
        names = tuple(name for name in dict.fromkeys(by) if name != "month")
        if first != last and not monthly and measure not in ADDED_OVER_MONTHS:
            raise errors.Invalid("people are counted once in each month and do not add up: ask by month", code="does_not_add", field="by")
        kept = _filters(where, names)
        cubes = self.cubes(first, last)
        sums: dict[tuple[int, tuple[str, ...]], tuple[float, float]] = {}
        used: list[str] = []
        for month, cube in cubes.items():
            held = cube.find(measure, names)
            if held is None:
                raise errors.Invalid("the cubes have no such table; a question of its own would cost", code="unknown_grouping", field="by")
            used += held.releases
            for cell, (value, variance) in cells(held.family, names, adds=held.adds).items():
                if not all(holds(cell[names.index(name)], operator, text) for name, operator, text in kept):
                    continue
                before, spread = sums.get((month if monthly else 0, cell), (0.0, 0.0))
                sums[month if monthly else 0, cell] = (before + value, spread + variance)
        rows = [
            ({"month": month} if monthly else {})
            | dict(zip(names, cell, strict=True))
            | number(measure, value, reach() * math.sqrt(variance))
            for (month, cell), (value, variance) in sums.items()
        ]
        if cubes and not rows:
            raise errors.Invalid("the filters leave no row of the table", code="no_cells", field="where")
        sloped = monthly or not {"day", "week"}.isdisjoint(names)
        follows = followed.of_cubes(cubes, {measure: measure}, tuple(dict.fromkeys(by)), kept, sloped=sloped) if cubes else []
        told = {"measure": measure, "by": list(by), "where": [list(one) for one in kept], "derived": follows}
        return self._document("cube", rows, cubes, used) | told

    def catalogue(self) -> dict[str, Any]:
        """Which measures may be had by which dimensions, and of which months, for nothing."""
        cubes = self.cubes()
        found: dict[tuple[str, tuple[str, ...]], list[int]] = {}
        for month, cube in cubes.items():
            for held in cube.families:
                for one in held.family.marginals:
                    found.setdefault((held.measure, tuple(name for name, _ in one.dimensions)), []).append(month)
        items = [{"measure": measure, "by": list(by), "months": months} for (measure, by), months in found.items()]
        return {"kind": "cubes", "items": items, "months": sorted(cubes), "cost": self._free()}

    def facts(self) -> dict[str, Any]:
        """The six facts of the twelve newest months (`cubefacts`)."""
        cubes = self.cubes()
        newest = {month: cubes[month] for month in sorted(cubes)[-cubefacts.YEAR :]}
        rows, missing = cubefacts.facts(newest)
        used = [release for row in rows for release in row["releases"]]
        return self._document("facts", rows, newest, used) | {"missing": missing}

    def diagnose(self) -> dict[str, Any]:
        """What stands out in the twelve newest months (`diagnose`); worked out once for the same releases, which never change."""
        cubes = self.cubes()
        newest = {month: cubes[month] for month in sorted(cubes)[-cubefacts.YEAR :]}
        held = tuple(newest.values())
        if [id(one) for one in self._diagnosed[0]] != [id(one) for one in held]:
            self._diagnosed = (held, *diagnosis.diagnose(newest))
        _, rows, compared = self._diagnosed
        used = [release for row in rows for release in row["releases"]] or [name for cube in held for name in cube.names]
        return self._document(diagnosis.KIND, rows, newest, used) | {"compared": compared}

    def document(self, release_id: str) -> dict[str, Any] | None:
        """One stored part of a plan as it was released, before least squares; None for a release that is no part of a plan."""
        release = self._releases.find(release_id)
        question = release.question
        if question.kind not in (KIND, norms.KIND):
            return None
        rows = self._released(release) if question.kind == KIND else plain_rows(release, self._house, self._releases.half_width)
        month = question.months[0]
        cost = self._releases.cost(0)
        return {
            "kind": question.kind,
            "release": release.id,
            "question": {
                "version": question.version,
                "purpose": question.purpose,
                "by": list(question.by),
                "where": [list(one) for one in question.where],
                "measures": [{"name": one, "unit": unit} for one, unit in _units(question).items()],
                "clip": question.bounds.clip,
            },
            "window": {"from": first_day(month), "to": last_day(month)},
            "rows": rows,
            "derived": [],
            "hidden_share": None,
            "months": [month],
            "cost": {"rho_nano": cost.rho_nano, "epsilon": cost.epsilon, "delta": cost.delta},
            "budget": {str(month): {"before": before, "after": after} for month, (before, after) in sorted(release.budget.items())},
            "cached": True,
        }

    def _released(self, release: Release) -> list[dict[str, Any]]:
        half, scale, unit = self._releases.half_width(release), release.question.bounds.scale, units(release.question)
        rows = []
        for measure, name, table in marginals(release):
            labels = [values for _, values in table.dimensions]
            for place in np.ndindex(table.values.shape):
                cell = {one: labels[axis][place[axis]] for axis, (one, _) in enumerate(table.dimensions)}
                rows.append({"marginal": name, **cell, **number(measure, float(table.values[place]), half * unit[measure] / scale)})
        return rows

    def _document(self, kind: str, rows: list[dict[str, Any]], cubes: Mapping[int, Cube], used: Sequence[str]) -> dict[str, Any]:
        hidden = [share for cube in cubes.values() if (share := cube.hidden(self._releases)) is not None]
        return {
            "kind": kind,
            "rows": rows,
            "months": sorted(cubes),
            "releases": list(dict.fromkeys(used)),
            "hidden_share": max(hidden, default=None),
            "cost": self._free(),
        }

    def _free(self) -> dict[str, Any]:
        cost = self._releases.cost(0)
        return {"rho_nano": cost.rho_nano, "epsilon": cost.epsilon, "delta": cost.delta}


def _filters(where: Sequence[str], names: Sequence[str]) -> Filters:
    """Filters on a table's own dimensions; any other would need another table."""
    found = tuple(sorted({written(text) for text in where}))
    if not {name for name, _, _ in found} <= set(names):
        raise errors.Invalid("a table is filtered by its own groupings", code="unknown_filter", field="where")
    return found


def _units(question: Question) -> dict[str, int]:
    return units(question) if question.kind == KIND else {one.name: one.unit for one in question.measures}


def first_day(month: int) -> str:
    return date(month // 100, month % 100, 1).isoformat()


def last_day(month: int) -> str:
    return date(month // 100, month % 100, monthrange(month // 100, month % 100)[1]).isoformat()


def cells(family: Family, by: Sequence[str], *, adds: bool = True) -> dict[tuple[str, ...], tuple[float, float]]:
    """Each cell of a table with its value and variance."""
    if not adds:
        family = Family(tuple(one for one in family.marginals if {name for name, _ in one.dimensions} == set(by)))
    table: Numbers = family.table(by)
    variance = family.variance(by)
    labels = [values for _, values in family.dimensions(by)]
    found = {}
    for place in np.ndindex(table.shape):
        found[tuple(labels[axis][at] for axis, at in enumerate(place))] = (float(table[place]), variance)
    return found


def number(measure: str, value: float, margin: float) -> dict[str, Any]:
    """A number as reports show it; negative values stay, or sums of them would be biased."""
    shown = metrics.reading(value, margin).document()
    unit = MINOR if measure == "sales" else measure
    return {
        "measure": measure,
        "unit": unit,
        "value": round(value, 3),
        "low": round(value - margin, 3),
        "high": round(value + margin, 3),
        "reading": shown,
    }
