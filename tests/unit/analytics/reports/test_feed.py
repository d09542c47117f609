"""A released table becomes flat rows: each cell of each month once, with its margin and what was paid."""

from __future__ import annotations

import pytest

from analytics.reports import feed
from tests.fakes import planted

CUBES = planted.year(planted.ALL, 2, sd=10.0, seed=1)


def test_every_released_table_has_a_name_and_no_other() -> None:
    known = feed.tables(CUBES)
    assert known["orders_by_channel_daypart"] == ("orders", ("channel", "daypart"))
    assert "people_by_sex_age_band" in known
    assert len(known) == 12


def test_a_row_is_a_cell_with_an_interval_around_its_value() -> None:
    rows = list(feed.rows(CUBES, "orders", ("channel", "daypart")))
    assert len(rows) == 2 * 4 * 4
    assert rows[0]["id"] == "202511|pos|morning"
    assert rows[0]["month"] == "2025-11-01"
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        assert row["high"] - row["value"] == pytest.approx(row["margin"], abs=2e-3)
        assert row["low"] < row["value"] < row["high"]
        assert row["release"]
