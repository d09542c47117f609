"""The search for likeliest parameters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from analytics.models.likelihood import LIMIT, maximum

COUNTS = np.array([2.0, 3.0, 7.0])


def poisson(some: Sequence[float]) -> np.ndarray:
    return COUNTS * np.log(some[0]) - some[0]


def test_the_likeliest_rate_is_the_weighted_mean() -> None:
    assert maximum(poisson, [1.0, 1.0, 2.0], (1.0,))[0] == pytest.approx(19 / 4, rel=1e-4)


def test_where_nobody_is_nothing_is_learnt() -> None:
    assert maximum(poisson, [0.0, 0.0, 0.0], (3.0,)) == (3.0,)
    assert maximum(poisson, [-1.0, 0.0, 0.0], (3.0,)) == (3.0,)


def test_a_search_without_an_end_stops_at_a_public_limit() -> None:
    assert maximum(lambda some: np.log(some), 1.0, (2.0,))[0] == pytest.approx(LIMIT)
