"""The two models on counts of people in bands: what is known of somebody is only between which edges their numbers lie.

Promise: the likelihood of a cell is the model's own, added up and averaged over everything that the cell may hold (the further purchases, the
day of the last one, the first one's), so that bands cost precision and bring no bias; points and their weights are public constants of the
edges. Scores belong to a cell and to nobody in it. Pure.

Argument for the densities. Under the model x further purchases until the last one at t_x may have come at any x−1 moments before it, all
equally likely: integrated over their order that is t_x^(x−1)/(x−1)! beside the individual likelihood, which is what makes likelihoods of
different x and t_x comparable inside one cell. When the first purchase came inside its band is taken as even.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics.models.likelihood import maximum
from analytics.models.repurchase import START, Repurchase
from analytics.models.spend import START as SPEND_START
from analytics.models.spend import Spend

Edges = tuple[float, float]
_AGES, _LASTS, _MEANS = 2, 4, 4
"""Points of each quadrature (Gauss–Legendre)."""
_OPEN = (1.0, 1.3, 1.7, 2.2, 2.9, 3.9, 5.5)
"""Where an open band of further purchases is looked at, in times its edge."""


@dataclass(frozen=True, slots=True)
class Points:
    """Where the likelihood of each cell is looked at: points in the order of their cells, with the logarithm of their weight."""

    cell: np.ndarray
    cells: int
    columns: tuple[np.ndarray, ...]
    log_weight: np.ndarray

    def log_likelihood(self, of_point: Callable[..., Any]) -> np.ndarray:
        """The logarithm of each cell's likelihood."""
        logs = of_point(*self.columns) + self.log_weight
        most = np.full(self.cells, -np.inf)
        np.maximum.at(most, self.cell, logs)
        sums = np.bincount(self.cell, np.exp(logs - most[self.cell]), self.cells)
        return np.asarray(most + np.log(sums))

    def average(self, of_point: Callable[..., Any], score: np.ndarray) -> np.ndarray:
        """Each cell's mean of a score, over its points as likely as the model has them."""
        chance = np.exp(of_point(*self.columns) + self.log_weight - self.log_likelihood(of_point)[self.cell])
        return np.bincount(self.cell, chance * score, self.cells)


def _gauss(low: float, high: float, number: int) -> tuple[np.ndarray, np.ndarray]:
    places, weights = np.polynomial.legendre.leggauss(number)
    return (low + high) / 2 + (high - low) / 2 * places, weights / 2 * (high - low)


def _further(low: int, high: int | None) -> list[tuple[float, float]]:
    """Each number of further purchases in a band with its weight; an open band at some, each for those around it."""
    if high is not None:
        return [(float(number), 1.0) for number in range(low, high)]
    places = [low * one for one in _OPEN]
    return [(place, following - place) for place, following in zip(places, [*places[1:], places[-1] * 1.4], strict=True)]


def timing(cells: Sequence[tuple[int, int | None, Edges, Edges]]) -> Points:
    """Points of cells (least further purchases, first number above or None, ages of the relationship, times since the last purchase)."""
    from scipy.special import gammaln

    rows: list[tuple[int, float, float, float, float]] = []
    for cell, (low, high, ages, since) in enumerate(cells):
        for age, of_age in zip(*_gauss(*_at_least(max(ages[0], since[0] if low else 0.0), ages[1]), _AGES), strict=True):
            if low == 0:
                rows.append((cell, 0.0, 0.0, age, np.log(of_age)))
                continue
            for gone, of_gone in zip(*_gauss(*_at_least(since[0], min(since[1], age)), _LASTS), strict=True):
                last = max(age - gone, 1e-3)
                for number, of_number in _further(low, high):
                    weight = np.log(of_age * of_gone * of_number) + (number - 1) * np.log(last) - gammaln(number)
                    rows.append((cell, number, last, age, float(weight)))
    table = np.array(rows)
    return Points(table[:, 0].astype(np.intp), len(cells), (table[:, 1], table[:, 2], table[:, 3]), table[:, 4])


def _at_least(low: float, high: float) -> Edges:
    """An interval that is not empty, where bands meet at an edge."""
    return (min(low, high - 1e-2), high)


def worth(cells: Sequence[tuple[int, int | None, Edges]]) -> Points:
    """Points of cells (least further purchases, first number above or None, edges of the mean): one purchase more than the further ones."""
    rows: list[tuple[int, float, float, float]] = []
    for cell, (low, high, means) in enumerate(cells):
        numbers = _further(low, high)
        for number, of_number in numbers:
            whole = sum(weight for _, weight in numbers)
            for log_mean, of_mean in zip(*_gauss(np.log(means[0]), np.log(means[1]), _MEANS), strict=True):
                rows.append((cell, number + 1, float(np.exp(log_mean)), float(np.log(of_number / whole * of_mean) + log_mean)))
    table = np.array(rows)
    return Points(table[:, 0].astype(np.intp), len(cells), (table[:, 1], table[:, 2]), table[:, 3])


def fit_timing(points: Points, people: Any, start: Repurchase | None = None) -> Repurchase:
    """The parameters under which these counts of the cells are likeliest."""
    first = START if start is None else (start.r, start.alpha, start.a, start.b)
    return Repurchase(*maximum(lambda some: points.log_likelihood(Repurchase(*some).log_likelihood), people, first))


def fit_worth(points: Points, people: Any, scale: float, start: Spend | None = None) -> Spend:
    """The same for what purchases are worth; `scale` is about what one is worth."""
    scaled = Points(points.cell, points.cells, (points.columns[0], points.columns[1] / scale), points.log_weight)
    first = (*SPEND_START, (SPEND_START[1] - 1) / SPEND_START[0]) if start is None else (start.p, start.q, start.gamma / scale)
    p, q, gamma = maximum(lambda some: scaled.log_likelihood(Spend(*some).log_likelihood), people, first)
    return Spend(p, q, gamma * scale)
