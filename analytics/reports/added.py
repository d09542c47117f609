"""A released table of several months, added up, with what is known of its noise.

Promise: post-processing of releases alone; nothing here charges, reads data or makes noise. Months are independent releases, so that the
covariance of a sum is the sum of the covariances; months whose dimensions differ from the newest one's are left out, never guessed. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analytics.reports.cube import Cube
from analytics.reports.cubefacts import Sums
from analytics.reports.families import Dimension, Numbers, centred

DENSE = 400
"""Up to so many cells the covariance of every two is written down once; above, each is worked out when it is asked for."""


@dataclass(frozen=True)
class Added:
    """The sum of one table over months. `spreads`: for each set of dimensions (by place) the variance of its effect, summed over months."""

    axes: tuple[Dimension, ...]
    values: Numbers
    spreads: tuple[tuple[tuple[int, ...], float], ...]
    months: tuple[int, ...]
    releases: tuple[str, ...]

    @property
    def by(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.axes)

    def labels(self, name: str) -> tuple[str, ...]:
        return next(values for one, values in self.axes if one == name)

    def where(self, **named: Sequence[str]) -> Numbers:
        """1 in the cells with these values, 0 elsewhere; 1 everywhere without names."""
        table = np.ones(self.values.shape)
        for place, (name, values) in enumerate(self.axes):
            if name in named:
                shape = [1] * len(self.axes)
                shape[place] = len(values)
                table = table * np.array([value in named[name] for value in values], dtype=np.float64).reshape(shape)
        return table

    def covariance(self, one: Numbers, other: Numbers) -> float:
        """The covariance of two linear combinations of the table (`families.Family` has the argument)."""
        if self.values.size <= DENSE:
            return float(one.ravel() @ self._noise @ other.ravel())
        found = 0.0
        for places, variance in self.spreads:
            away = tuple(place for place in range(len(self.axes)) if place not in places)
            size = math.prod(len(self.axes[place][1]) for place in away)
            first = centred(one.sum(axis=away) / size)
            second = first if other is one else centred(other.sum(axis=away) / size)
            found += variance * float(np.sum(first * second))
        return found

    @cached_property
    def _noise(self) -> Numbers:
        """The covariance of every two cells: of each effect a product of centrings along its dimensions and of means along the others."""
        total = np.zeros((self.values.size, self.values.size))
        for places, variance in self.spreads:
            matrix = np.array([[variance]])
            for place, (_, values) in enumerate(self.axes):
                count = len(values)
                flat = np.full((count, count), 1.0 / count)
                matrix = np.kron(matrix, np.eye(count) - flat if place in places else flat / count)
            total += matrix
        return total

    def sums(self, above: Numbers, below: Numbers) -> Sums:
        """Two combinations of this table, to be divided by each other."""
        both = (self.covariance(above, above), self.covariance(below, below), self.covariance(above, below))
        return Sums(float(np.sum(above * self.values)), float(np.sum(below * self.values)), both, list(self.releases))

    def apart(self, below: Added, weights: Numbers) -> Sums:
        """The same combination of this table and of another one of the same dimensions whose noise is independent."""
        variances = (self.covariance(weights, weights), below.covariance(weights, weights), 0.0)
        values = float(np.sum(weights * self.values)), float(np.sum(weights * below.values))
        return Sums(*values, variances, list(dict.fromkeys([*self.releases, *below.releases])))


def added(months: Sequence[Cube], measure: str, by: Sequence[str]) -> Added | None:
    """The table of these months; the newest month that has it decides about its dimensions. None where no month has it."""
    total: Added | None = None
    for cube in reversed(months):
        held = cube.find(measure, by)
        if held is None or not held.adds:
            continue
        axes = held.family.dimensions(by)
        if total is not None and axes != total.axes:
            continue
        values, spreads = held.family.table(by), held.family.spreads(by)
        if total is None:
            total = Added(axes, values, spreads, (cube.month,), held.releases)
            continue
        together = tuple((places, one + other) for (places, one), (_, other) in zip(total.spreads, spreads, strict=True))
        releases = tuple(dict.fromkeys([*total.releases, *held.releases]))
        total = Added(axes, total.values + values, together, (cube.month, *total.months), releases)
    return total
