"""BG/NBD against what its authors published about CDNOW, and against counts that were drawn from it."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from analytics.models import repurchase
from analytics.models.repurchase import Repurchase

PUBLISHED = Repurchase(r=0.243, alpha=4.414, a=0.793, b=2.426)
"""Fader, Hardie, Lee 2005, table 2: the 2,357 customers of CDNOW's sample, 39 weeks."""
DATA = Path(os.environ.get("PIYING_TEST_DATA", "../shared/data")) / "cdnow" / "cdnow_customers_summary.csv"


@pytest.fixture(scope="module")
def sample() -> np.ndarray:
    if not DATA.is_file():
        pytest.skip("the CDNOW sample is not in PIYING_TEST_DATA")
    with DATA.open(encoding="utf-8") as file:
        return np.array([[float(row[name]) for name in ("frequency", "recency", "T")] for row in csv.DictReader(file)])


def test_the_published_parameters_come_out_of_the_published_data(sample: np.ndarray) -> None:
    found = repurchase.fit(*sample.T)
    assert (round(found.r, 3), round(found.alpha, 3), round(found.a, 3), round(found.b, 3)) == (0.243, 4.414, 0.793, 2.426)
    assert float(found.log_likelihood(*sample.T).sum()) == pytest.approx(-9582.4, abs=0.05)


def test_the_published_likelihood_belongs_to_the_published_parameters(sample: np.ndarray) -> None:
    assert float(PUBLISHED.log_likelihood(*sample.T).sum()) == pytest.approx(-9582.4, abs=0.05)


def test_the_published_customer_is_expected_to_buy_as_often_as_published() -> None:
    """Customer 1: two further purchases, the last in week 30.43 of 38.86; 1.226 in the next 39 weeks."""
    assert float(PUBLISHED.expected(39, 2, 30.43, 38.86)) == pytest.approx(1.226, abs=5e-4)


def test_who_was_silent_for_longer_is_less_likely_there_and_buys_less() -> None:
    recency = np.array([1.0, 10.0, 30.0, 38.0])
    assert (np.diff(PUBLISHED.alive(2, recency, 38.86)) > 0).all()
    assert (np.diff(PUBLISHED.expected(39, 2, recency, 38.86)) > 0).all()
    assert float(PUBLISHED.alive(0, 0.0, 38.86)) == 1.0
    assert np.isfinite(Repurchase(0.5, 4.0, 1.0, 2.0).expected(10, 1, 5.0, 9.0))


def test_weights_count_customers_who_are_alike() -> None:
    again, recency, age = np.array([0.0, 1.0, 3.0]), np.array([0.0, 5.0, 20.0]), np.array([30.0, 31.0, 32.0])
    people = np.array([50, 20, 10])
    one = repurchase.fit(again, recency, age, people)
    other = repurchase.fit(*(np.repeat(column, people) for column in (again, recency, age)))
    assert (one.r, one.alpha) == pytest.approx((other.r, other.alpha), rel=1e-2)
