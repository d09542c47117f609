"""Bands instead of numbers: what is fitted on cells is what was fitted on people."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from analytics.models import grouped
from analytics.models.repurchase import Repurchase
from analytics.models.spend import Spend

MODEL = Repurchase(0.9, 5.0, 0.6, 3.0)
FURTHER = ((0, 1), (1, 2), (2, 3), (3, 5), (5, 10), (10, 40))
AGES, SINCE = (20.0, 30.0), ((0.0, 4.0), (4.0, 13.0), (13.0, 30.0))


def cells() -> list[tuple[int, int | None, tuple[float, float], tuple[float, float]]]:
    return [(low, high, AGES, since) for low, high in FURTHER for since in (SINCE if low else (AGES,))]


def test_the_cells_of_one_age_share_all_chances_among_them() -> None:
    """Each number of further purchases and each time of the last one lies in one cell, so their likelihoods add up to the width of the age."""
    found = np.exp(grouped.timing(cells()).log_likelihood(MODEL.log_likelihood)).sum()
    assert found / (AGES[1] - AGES[0]) == pytest.approx(1.0, abs=0.02)


def test_parameters_come_back_from_counts_that_are_as_the_model_has_them() -> None:
    points = grouped.timing(cells())
    people = 1e5 * np.exp(points.log_likelihood(MODEL.log_likelihood))
    found = grouped.fit_timing(points, people)
    assert (found.r, found.alpha, found.a, found.b) == pytest.approx((MODEL.r, MODEL.alpha, MODEL.a, MODEL.b), rel=0.02)


def test_what_purchases_are_worth_comes_back_from_bands() -> None:
    model = Spend(4.0, 4.0, 20.0)
    edges = (1.0, 10.0, 20.0, 40.0, 80.0, 600.0)
    points = grouped.worth([(low, high, band) for low, high in FURTHER[:4] for band in pairwise(edges)])
    people = 1e5 * np.exp(points.log_likelihood(model.log_likelihood))
    assert people.reshape(4, -1).sum(axis=1) == pytest.approx(np.full(4, 1e5), rel=0.02)
    found = grouped.fit_worth(points, people, 30.0)
    assert (found.p, found.q, found.gamma) == pytest.approx((model.p, model.q, model.gamma), rel=0.05)


def test_a_cells_score_lies_between_those_of_its_points() -> None:
    points = grouped.timing(cells())
    score = MODEL.expected(52, *points.columns)
    mean = points.average(MODEL.log_likelihood, score)
    for cell in range(points.cells):
        own = score[points.cell == cell]
        assert own.min() <= mean[cell] <= own.max()
