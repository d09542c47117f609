"""Least squares over released marginals, and intervals of ratios: checked against plain linear algebra and by counting."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

from analytics.reports.families import Dimension, Estimate, Family, Marginal, quotient, ratio, reach, root

A: Dimension = ("a", ("1", "2"))
B: Dimension = ("b", ("1", "2", "3"))
C: Dimension = ("c", ("1", "2", "3", "4"))
BLOCKS = (((A, B), 4.0), ((C, B), 9.0), ((A,), 1.0), ((C, A), 2.0))


def cube(chance: np.random.Generator) -> np.ndarray:
    return chance.normal(100.0, 30.0, (2, 3, 4))


def marginal(whole: np.ndarray, axes: tuple[Dimension, ...]) -> np.ndarray:
    order = [A, B, C]
    away = tuple(place for place, one in enumerate(order) if one not in axes)
    kept = [one for one in order if one in axes]
    return whole.sum(axis=away).transpose([kept.index(one) for one in axes])


def family(whole: np.ndarray, chance: np.random.Generator | None = None) -> Family:
    noise = (lambda shape, variance: 0.0) if chance is None else (lambda shape, variance: chance.normal(0.0, math.sqrt(variance), shape))
    made = []
    for axes, variance in BLOCKS:
        table = marginal(whole, axes)
        made.append(Marginal(axes, table + noise(table.shape, variance), variance))
    return Family(tuple(made))


def design() -> tuple[np.ndarray, np.ndarray]:
    """Every released value as a sum of cells of the whole, and its weight."""
    rows, weights = [], []
    for axes, variance in BLOCKS:
        for cell in product(*[range(len(values)) for _, values in axes]):
            row = np.zeros((2, 3, 4))
            chosen = {one[0]: place for one, place in zip(axes, cell, strict=True)}
            row[tuple(chosen.get(name, slice(None)) for name in "abc")] = 1.0
            rows.append(row.ravel())
            weights.append(1.0 / variance)
    return np.array(rows), np.array(weights)


TABLES = [(), ("a",), ("b",), ("c",), ("a", "b"), ("b", "a"), ("b", "c"), ("c", "a")]


@pytest.mark.parametrize("by", TABLES)
def test_without_noise_every_table_is_the_truth(by: tuple[str, ...]) -> None:
    whole = cube(np.random.default_rng(1))
    axes = tuple({"a": A, "b": B, "c": C}[name] for name in by)
    assert np.allclose(family(whole).table(by), marginal(whole, axes))


@pytest.mark.parametrize("by", TABLES)
def test_the_estimate_and_its_covariance_are_those_of_weighted_least_squares(by: tuple[str, ...]) -> None:
    chance = np.random.default_rng(2)
    noisy = family(cube(chance), chance)
    x, w = design()
    y = np.concatenate([one.values.ravel() for one in noisy.marginals])
    inverse = np.linalg.pinv(x.T @ (w[:, None] * x))
    fitted = (inverse @ x.T @ (w * y)).reshape(2, 3, 4)
    axes = tuple({"a": A, "b": B, "c": C}[name] for name in by)
    assert np.allclose(noisy.table(by), marginal(fitted, axes))
    shape = marginal(fitted, axes).shape
    one, other = chance.normal(size=shape), chance.normal(size=shape)

    def over_cells(weights: np.ndarray) -> np.ndarray:
        found = np.zeros((2, 3, 4))
        for cell in np.ndindex(2, 3, 4):
            place = dict(zip("abc", cell, strict=True))
            found[cell] = weights[tuple(place[name] for name in by)]
        return found.ravel()

    expected = over_cells(one) @ inverse @ over_cells(other)
    assert math.isclose(noisy.covariance(by, one, other), expected, rel_tol=1e-9)


def test_a_table_that_was_not_released_together_is_not_made_up() -> None:
    whole = family(cube(np.random.default_rng(3)))
    assert not whole.covers(("a", "b", "c"))
    with pytest.raises(LookupError):
        whole.table(("a", "b", "c"))


def test_least_squares_never_widens_a_margin() -> None:
    whole = family(cube(np.random.default_rng(4)))
    assert whole.variance(("b",)) < min(2 * 4.0, 4 * 9.0)
    assert whole.variance(("a",)) < 1.0


def test_margins_and_ratio_intervals_cover_95_percent() -> None:
    """1,700 draws: a true 95 % leaves 91–98.5 % with probability below 1e-10 (Chernoff: exp(−1700·0.0137), exp(−1700·0.0175))."""
    chance = np.random.default_rng(5)
    whole = cube(chance)
    truth = marginal(whole, (B,))
    one, other = np.array([1.0, 0.0, 0.0]), np.array([1.0, 1.0, 1.0])
    known = family(whole)
    margin = reach() * math.sqrt(known.variance(("b",)))
    spreads = (known.covariance(("b",), one, one), known.covariance(("b",), other, other), known.covariance(("b",), one, other))
    cell = inside = 0
    draws = 1_700
    for _ in range(draws):
        table = family(whole, chance).table(("b",))
        cell += abs(float(table[1] - truth[1])) <= margin
        found = ratio(float(one @ table), float(other @ table), spreads, reach())
        assert found is not None
        inside += found.low <= truth[0] / truth.sum() <= found.high
    assert 0.91 <= cell / draws <= 0.985
    assert 0.91 <= inside / draws <= 0.985


def test_a_ratio_over_what_may_be_zero_has_no_interval() -> None:
    assert ratio(10.0, 1.0, (1.0, 1.0, 0.0), reach()) is None
    assert quotient(Estimate(2.0, 1.0, 3.0), Estimate(1.0, 0.0, 2.0)) is None
    assert root(Estimate(1.0, -0.1, 2.0), 6) is None


def test_quotients_and_roots_keep_their_ends_in_order() -> None:
    found = quotient(Estimate(-1.0, -2.0, 1.0), Estimate(2.0, 1.0, 4.0))
    assert found == Estimate(-0.5, -2.0, 1.0)
    sixth = root(Estimate(64.0, 1.0, 729.0), 6)
    assert sixth is not None
    assert (sixth.value, sixth.low, sixth.high) == pytest.approx((2.0, 1.0, 3.0))


def test_margins_that_hold_together_are_wider() -> None:
    assert reach() == pytest.approx(1.959964, abs=1e-6)
    assert reach(2) == pytest.approx(2.241403, abs=1e-6)
