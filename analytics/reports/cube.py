"""One closed month's stored answers as families of consistent tables.

Promise: everything here comes from stored releases. Marginals of one measure are made consistent only inside their family (dp_rules P-10);
tables of distinct people stay as they were released. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from analytics.reports.cubes import part
from analytics.reports.families import Family, Marginal
from analytics.reports.plan import CROSS, KIND, units, written

if TYPE_CHECKING:
    from privacy.records import Release
    from privacy.release import Releases


@dataclass(frozen=True, slots=True)
class Held:
    """A family of one measure and month, and the releases that it came from. Without `adds` only the released tables themselves may be read."""

    measure: str
    family: Family
    releases: tuple[str, ...]
    adds: bool

    def covers(self, by: Sequence[str]) -> bool:
        if self.adds:
            return self.family.covers(by)
        return any({name for name, _ in one.dimensions} == set(by) for one in self.family.marginals)


class Cube:
    """One month's stored answers."""

    def __init__(self, month: int, releases: Sequence[Release]) -> None:
        self.month = month
        self._releases = {part(release.question): release for release in reversed(releases)}

    @property
    def names(self) -> tuple[str, ...]:
        """The ids of the releases of the plan."""
        return tuple(one.id for one in self._releases.values() if one.question.kind == KIND)

    def paid(self, names: Sequence[str]) -> int:
        """What some of them cost the month together, in nano-ρ."""
        return sum(one.rho_nano for one in self._releases.values() if one.id in names)

    @cached_property
    def families(self) -> tuple[Held, ...]:
        """Families in the order in which their slices were bought."""
        grouped: dict[tuple[str, str], list[tuple[Release, Marginal, bool]]] = {}
        for release in self._releases.values():
            if release.question.kind == KIND:
                said = written(release.question)
                for measure, name, marginal in marginals(release):
                    key = (said["family"] or f"{said['slice']}/{name}", measure)
                    grouped.setdefault(key, []).append((release, marginal, bool(said["family"])))
        return tuple(
            Held(
                measure, Family(tuple(one for _, one, _ in found)), tuple(dict.fromkeys(release.id for release, _, _ in found)), found[0][2]
            )
            for (_, measure), found in grouped.items()
        )

    def find(self, measure: str, by: Sequence[str]) -> Held | None:
        """The first family that has these dimensions together."""
        return next((one for one in self.families if one.measure == measure and one.covers(by)), None)

    def hidden(self, releases: Releases) -> float | None:
        """Up to which share the bound of orders, sales and lines hides; None where no histogram of the month was released."""
        cube, histogram = self._releases.get("sales"), self._releases.get("sales_norms")
        if cube is None or histogram is None:
            return None
        return releases.hidden_share(histogram, float(cube.question.bounds.clip))


def marginals(release: Release) -> list[tuple[str, str, Marginal]]:
    """The tables of a release, in the measures' own units: (measure, marginal, table). Values come back in the order they were asked."""
    scale, unit = release.question.bounds.scale, units(release.question)
    found: dict[tuple[str, str], tuple[list[tuple[str, ...]], list[int]]] = {}
    for cell, value in zip(release.cells, release.values, strict=True):
        cells, values = found.setdefault((cell[0], cell[1]), ([], []))
        cells.append(cell[2:])
        values.append(value)
    tables = []
    for (measure, name), (cells, values) in found.items():
        names = name.split(CROSS)
        dimensions = tuple((one, tuple(dict.fromkeys(cell[place] for cell in cells))) for place, one in enumerate(names))
        factor = unit[measure] / scale
        shaped = np.array(values, dtype=np.float64).reshape([len(one) for _, one in dimensions]) * factor
        tables.append((measure, name, Marginal(dimensions, shaped, (release.sigma * factor) ** 2)))
    return tables
