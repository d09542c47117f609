"""Orders by region and hour."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from analytics.reports.base import Options
from analytics.reports.heat_map import HOURS, clock
from privacy import errors
from tests.fakes.behaviour import PUBLIC, Row, ask, reports, told, world


def oracle(lines: list[Row]) -> dict[tuple[str, str], int]:
    frame = pd.DataFrame(lines)
    frame = frame[frame.kind.isna() | (frame.kind == "sale")]
    orders = frame.groupby(["run_id", "order_key"]).agg(
        at=("hour", "min"), shop=("store_id", lambda some: min((one for one in some if one), default=None))
    )
    orders["region"] = orders.shop.map({"S1": "east", "S2": "south", "S3": "east"})
    orders = orders.dropna(subset=["region"])
    orders["of_day"] = orders["at"].dt.tz_convert("Asia/Shanghai").dt.strftime("%H")
    return orders.groupby(["region", "of_day"]).size().to_dict()


def test_the_map_agrees_with_pandas_and_has_every_bin(tmp_path: Path) -> None:
    lines = world(people=500)["order_lines"]
    found = told(ask(tmp_path, "heat_map", {"order_lines": lines}), "orders", "region", "hour")
    assert set(found) == {(region, hour) for region in ("east", "south") for hour in HOURS}
    assert {key: number for key, number in found.items() if number} == oracle(lines)


def test_a_bin_with_one_visitor_reads_like_an_empty_one(tmp_path: Path) -> None:
    """With the noise of its price a single order is too few to tell, like none."""
    lines = [{"run_id": 1, "hour": datetime(2026, 1, 5, 6, tzinfo=UTC), "order_key": 1, "kind": "sale", "store_id": "S2"}]
    asked = reports(tmp_path, {"order_lines": lines})
    door = asked._releases
    door.half_width = lambda release, *, terms=1: 101_000 * terms  # type: ignore[method-assign,misc,assignment]
    rows = asked.ask("heat_map", Options(202601, 202601), "usr_1")["rows"]
    assert {row["reading"]["as"] for row in rows} == {"too_few"}


def test_the_same_map_asked_again_is_the_same_map(tmp_path: Path) -> None:
    """Two maps of one month differ in nothing, whatever came in between: the answer is stored."""
    rows = world()
    asked = reports(tmp_path, rows)
    first = asked.ask("heat_map", Options(202601, 202601), "usr_1")
    rows["order_lines"].clear()
    again = asked.ask("heat_map", Options(202601, 202601), "usr_2")
    assert again["cached"]
    assert again["rows"] == first["rows"]


def test_without_stores_nothing_is_asked(tmp_path: Path) -> None:
    asked = reports(tmp_path, world(), PUBLIC | {"stores": PUBLIC["stores"].slice(0, 0)})
    with pytest.raises(errors.NotConfigured):
        asked.ask("heat_map", Options(202601, 202601), "usr_1")


def test_the_clock_has_every_hour_of_the_months_by_local_time() -> None:
    table = clock((202601, 202602), "Asia/Shanghai")
    assert table.num_rows == (31 + 28) * 24
    assert table["of_day"][0].as_py() == "00"
    assert table["at"][0].as_py() == datetime(2025, 12, 31, 16, tzinfo=UTC)
    assert clock((202603,), "Europe/Berlin").num_rows == 31 * 24 - 1
