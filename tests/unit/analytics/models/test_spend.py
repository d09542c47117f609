"""Gamma-Gamma against the parameters published for CDNOW, and by what it must do at its ends."""

from __future__ import annotations

import csv
import gzip
import os
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from analytics.models import spend
from analytics.models.spend import Spend

PUBLISHED = Spend(p=6.25, q=3.74, gamma=15.44)
"""Fader, Hardie 2013: the 946 customers of CDNOW's sample who bought again within 39 weeks."""
DATA = Path(os.environ.get("PIYING_TEST_DATA", "../shared/data")) / "cdnow" / "cdnow_sample.csv.gz"


def test_the_published_parameters_come_out_of_the_published_data() -> None:
    if not DATA.is_file():
        pytest.skip("the CDNOW sample is not in PIYING_TEST_DATA")
    days: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    with gzip.open(DATA, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["date"] <= "19970930":
                days[row["sample_id"]][row["date"]] += float(row["value"])
    further = [[value for day, value in own.items() if day != min(own)] for own in days.values() if len(own) > 1]
    assert len(further) == 946
    found = spend.fit(np.array([len(own) for own in further]), np.array([sum(own) / len(own) for own in further]))
    assert (round(found.p, 2), round(found.q, 2), round(found.gamma, 2)) == pytest.approx((6.25, 3.74, 15.44), abs=0.011)


def test_a_mean_is_pulled_to_everybodys_the_more_the_fewer_purchases_were_seen() -> None:
    assert PUBLISHED.average == pytest.approx(35.22, abs=0.01)
    pulled = PUBLISHED.expected(np.array([1, 3, 10, 1_000]), np.full(4, 100.0))
    assert (np.diff(pulled) > 0).all()
    assert pulled[-1] == pytest.approx(100, rel=0.01)
    assert PUBLISHED.expected(5, PUBLISHED.average) == pytest.approx(PUBLISHED.average, rel=1e-9)


def test_parameters_do_not_depend_on_the_unit_of_money() -> None:
    count, mean = np.array([1.0, 2.0, 5.0, 3.0, 1.0, 4.0]), np.array([10.0, 30.0, 22.0, 80.0, 35.0, 18.0])
    one, other = spend.fit(count, mean), spend.fit(count, mean * 100)
    assert (other.p, other.q, other.gamma) == pytest.approx((one.p, one.q, one.gamma * 100), rel=1e-6)
