"""Least squares over released marginals of one additive measure, and intervals of sums and ratios of what comes out.

Promise: post-processing of releases alone (dp_rules §4): nothing here charges, reads data or makes noise. Marginals are put together only
where they are sums of the same amounts under the same weights (P-10). Pure.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Dimension = tuple[str, tuple[str, ...]]
"""A dimension is its name and its values: a list that was longer another time is another dimension."""


@dataclass(frozen=True, slots=True)
class Marginal:
    """A released table: one value for each combination of its dimensions' values, each with independent noise of `variance`."""

    dimensions: tuple[Dimension, ...]
    values: Numbers
    variance: float


@dataclass(frozen=True, slots=True)
class Family:
    """Marginals of one measure, made consistent by weighted least squares.

    Argument. A table over dimensions T is the sum over subsets S of T of an effect of S: its sums over the other dimensions, centred along
    every dimension of S, spread evenly over T. Centring is an orthogonal projection and noise is equal and independent within a released
    table, so the effects that one table gives are independent of each other, and each table that contains S gives an unbiased observation
    of the same effect of S with a variance (per direction) of  (number of cells it sums over) · (variance of a cell). The least-squares
    estimate is therefore, effect by effect, the mean of these observations weighted by 1/variance, and the covariance of two linear
    combinations of one estimated table is Σ_S v_S · ⟨centred p_S, centred q_S⟩ with v_S = 1/Σ(1/variance).
    """

    marginals: tuple[Marginal, ...]
    _known: dict[tuple[Dimension, ...], tuple[Numbers, float]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def covers(self, by: Sequence[str]) -> bool:
        return self._home(by) is not None

    def dimensions(self, by: Sequence[str]) -> tuple[Dimension, ...]:
        """The dimensions of these names, in this order."""
        home = self._home(by)
        if home is None:
            raise LookupError("no released table has these dimensions together")
        known = {name: (name, values) for name, values in home.dimensions}
        return tuple(known[name] for name in by)

    def table(self, by: Sequence[str]) -> Numbers:
        """The estimated table over the dimensions of these names."""
        axes = self.dimensions(by)
        total = np.zeros(tuple(len(values) for _, values in axes))
        for effect in _subsets(axes):
            mean, _ = self._effect(effect)
            spread = math.prod(len(values) for name, values in axes if (name, values) not in effect)
            shape = [len(one[1]) if one in effect else 1 for one in axes]
            total = total + mean.reshape(shape) / spread
        return total

    def covariance(self, by: Sequence[str], one: Numbers, other: Numbers) -> float:
        """The covariance of two linear combinations of the estimated table, given by their weights over its cells."""
        axes = self.dimensions(by)
        found = 0.0
        for effect in _subsets(axes):
            _, variance = self._effect(effect)
            away = tuple(place for place, axis in enumerate(axes) if axis not in effect)
            spread = math.prod(len(axes[place][1]) for place in away)
            first, second = (centred(weights.sum(axis=away) / spread) for weights in (one, other))
            found += variance * float(np.sum(first * second))
        return found

    def variance(self, by: Sequence[str]) -> float:
        """The variance of one cell of the estimated table, which is that of every cell."""
        axes = self.dimensions(by)
        cell = np.zeros(tuple(len(values) for _, values in axes))
        cell[(0,) * len(axes)] = 1.0
        return self.covariance(by, cell, cell)

    def spreads(self, by: Sequence[str]) -> tuple[tuple[tuple[int, ...], float], ...]:
        """For each effect of the estimated table the places of its dimensions and its variance: all that covariances are made of."""
        axes = self.dimensions(by)
        return tuple((tuple(axes.index(axis) for axis in effect), self._effect(effect)[1]) for effect in _subsets(axes))

    def _home(self, by: Sequence[str]) -> Marginal | None:
        return next((one for one in self.marginals if set(by) <= {name for name, _ in one.dimensions}), None)

    def _effect(self, effect: tuple[Dimension, ...]) -> tuple[Numbers, float]:
        """The estimated effect of some dimensions, in their order, and its variance in every direction that it has; computed once."""
        if effect in self._known:
            return self._known[effect]
        precision, weighted = 0.0, np.zeros(tuple(len(values) for _, values in effect))
        for one in self.marginals:
            if not set(effect) <= set(one.dimensions):
                continue
            away = tuple(place for place, axis in enumerate(one.dimensions) if axis not in effect)
            kept = [axis for axis in one.dimensions if axis in effect]
            sums = one.values.sum(axis=away).transpose([kept.index(axis) for axis in effect])
            weight = 1.0 / (math.prod(len(one.dimensions[place][1]) for place in away) * one.variance)
            weighted = weighted + weight * centred(sums)
            precision += weight
        self._known[effect] = weighted / precision, 1.0 / precision
        return self._known[effect]


def _subsets(axes: Sequence[Dimension]) -> Iterator[tuple[Dimension, ...]]:
    for size in range(len(axes) + 1):
        yield from combinations(axes, size)


def centred(values: Any) -> Numbers:
    """The values less their mean along every axis in turn."""
    table: Numbers = np.asarray(values, dtype=np.float64)
    for axis in range(table.ndim):
        table = table - table.mean(axis=axis, keepdims=True)
    return table


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with the interval that holds it at the coverage asked for."""

    value: float
    low: float
    high: float


def reach(numbers: int = 1, coverage: float = 0.95) -> float:
    """How many standard deviations a margin has, so that `numbers` margins hold together with `coverage` (Bonferroni, dp_rules P-13).

    A sum of discrete Gaussians of σ ≥ 1 is normal up to a relative 1e-8, as `privacy.dp.accountant.half_width` argues; here σ is in the
    thousands.
    """
    return NormalDist().inv_cdf(1.0 - (1.0 - coverage) / numbers / 2.0)


def ratio(above: float, below: float, variances: tuple[float, float, float], deviations: float) -> Estimate | None:
    """Above/below with Fieller's interval; None where the denominator cannot be told from zero, so that no bounded interval holds.

    Argument. For the true ratio θ the number above − θ·below has mean 0 and the known variance  v_a − 2θ·c + θ²·v_b  (variances are
    v_a, v_b, c). The θ at which it lies within `deviations` of zero are a confidence set of exactly that coverage; it is the interval
    between the roots of a quadratic as long as below² > deviations²·v_b.
    """
    of_above, of_below, both = variances
    square = deviations * deviations
    lead = below * below - square * of_below
    if lead <= 0.0:
        return None
    middle = above * below - square * both
    last = above * above - square * of_above
    root = math.sqrt(max(0.0, middle * middle - lead * last))
    return Estimate(above / below, (middle - root) / lead, (middle + root) / lead)


def quotient(above: Estimate, below: Estimate) -> Estimate | None:
    """The quotient of two numbers whose intervals hold together; None where the lower one may be zero. Conservative: interval division."""
    if below.low <= 0.0:
        return None
    ends = [one / other for one in (above.low, above.high) for other in (below.low, below.high)]
    return Estimate(above.value / below.value, min(ends), max(ends))


def root(one: Estimate, degree: int) -> Estimate | None:
    """The root of a positive number and of its interval's ends; None where the number may be negative."""
    if one.low <= 0.0 or one.value <= 0.0:
        return None
    value, low, high = (end ** (1.0 / degree) for end in (one.value, one.low, one.high))
    return Estimate(value, low, high)
