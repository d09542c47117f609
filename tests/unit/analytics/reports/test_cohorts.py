"""Who buys again within 7 and within 30 days."""

from __future__ import annotations

import random
from pathlib import Path

import pandas as pd
import pytest

from tests.fakes.behaviour import Row, ask, told

DRAW = random.Random(5)
MONTHS = (202506, 202508, 202509, 202510, 202511, 202512, None)
ROWS: list[Row] = [
    {"run_id": person, "first_purchase_month": DRAW.choice(MONTHS), "again_band": DRAW.choice((0, 1, 2, 3, None))} for person in range(400)
]


def test_repurchase_by_month_of_the_first_purchase_agrees_with_pandas(tmp_path: Path) -> None:
    rows = ask(tmp_path, "cohorts", {"person_month": ROWS})
    frame = pd.DataFrame(ROWS)
    people = told(rows, "people", "cohort")
    shares = told(rows, "share", "cohort", "again")
    assert list(people) == ["202508", "202509", "202510", "202511"]  # thirty days are over, half a year of look-back lies before
    for cohort, number in people.items():
        own = frame[frame.first_purchase_month == int(cohort)]
        assert number == len(own)
        assert shares[cohort, "within_7"] == pytest.approx((own.again_band == 1).mean(), abs=1e-6)
        assert shares[cohort, "within_30"] == pytest.approx(own.again_band.isin((1, 2)).mean(), abs=1e-6)


def test_a_margin_of_three_cells_is_wider_than_that_of_one(tmp_path: Path) -> None:
    row = ask(tmp_path, "cohorts", {"person_month": ROWS})[0]
    assert row["high"] - row["low"] == 3.0


def test_the_cells_stand_in_the_order_that_was_asked_for(tmp_path: Path) -> None:
    from analytics.reports.base import Options
    from tests.fakes.behaviour import reports

    plain = ask(tmp_path / "one", "cohorts", {"person_month": ROWS})
    turned = reports(tmp_path / "two", {"person_month": ROWS}).ask("cohorts", Options(202601, 202601, ("again", "cohort")), "usr_1")["rows"]
    assert told(turned, "share", "cohort", "again") == told(plain, "share", "cohort", "again")
