"""From rows in the lake to numbers with margins: a real lake, a real engine, the real release door on a real database."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from analytics.profiles import close_month
from analytics.reports.base import House, Options, Reports
from analytics.reports.kinds import KINDS
from analytics.reports.norms import StoreMonthNorms
from app.stores import Stores
from privacy import errors
from privacy.release import Releases, ReleaseSettings
from tests.fakes.lake import Lake
from tests.fakes.log import RecordingLog

MONTH = 202605
ZONE = "Asia/Shanghai"
NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)
ORDERS = {"S1": 400, "S2": 90}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "home")
    people = [f"p{number}" for number in range(500)]
    lake.allow(*people)
    hour = datetime(2026, 5, 20, 3, tzinfo=UTC)
    rows: list[dict[str, Any]] = []
    for store, count in ORDERS.items():
        rows += [
            {
                "person": people[number],
                "month": MONTH,
                "hour": hour,
                "order_key": number,
                "kind": "sale",
                "store_id": store,
                "net_minor": 2_000,
            }
            for number in range(count)
        ]
    lake.put("order_lines", rows)
    lake.put("stores", [{"id": store} for store in ORDERS])
    return lake


@pytest.fixture
def reports(lake: Lake, stores: Stores) -> Reports:
    door = Releases(stores.begin_platform, RecordingLog(), lambda: NOW, os.urandom, ReleaseSettings(zone=ZONE))
    return Reports(lake.reader, door, House(lake.dictionary, ZONE, "CNY"), KINDS, StoreMonthNorms())


def test_a_month_is_closed_paid_answered_and_repeats_itself(lake: Lake, reports: Reports) -> None:
    with pytest.raises(errors.Refused) as refused:
        reports.ask("rfm", Options(MONTH, MONTH), "usr_1")
    assert refused.value.code == "month_not_closed"
    assert close_month(lake.reader, lake.writer, MONTH, zone=ZONE, now=NOW)
    reports.release_norms(MONTH, "schedule")
    segments = reports.ask("rfm", Options(MONTH, MONTH), "usr_1")
    assert max(segments["rows"], key=lambda row: row["value"])["segment"] == "general_to_develop", "400 people, noise of 16"
    first = reports.ask("store_month", Options(MONTH, MONTH), "usr_1")
    assert first["budget"] == {str(MONTH): {"before": 47_500_000, "after": 42_500_000}}
    assert first["cost"]["epsilon"] > 0
    assert 0.0 <= first["hidden_share"] <= 1.0
    wide = {row["measure"]: row["high"] - row["low"] for row in first["rows"]}
    assert wide["sales"] == pytest.approx(2_000 * wide["orders"])
    lake.withdraw(*(f"p{number}" for number in range(500)))
    again = reports.ask("store_month", Options(MONTH, MONTH), "usr_2")
    assert (again["rows"], again["cached"], again["cost"]["rho_nano"]) == (first["rows"], True, 0)
    assert reports.show(first["release"])["rows"] == first["rows"]


def test_a_month_that_is_not_closed_costs_nothing(reports: Reports) -> None:
    with pytest.raises(errors.Refused) as refused:
        reports.ask("store_month", Options(202606, 202606), "usr_1")
    assert refused.value.code == "period_open"
    assert reports.quote("store_month", Options(MONTH, MONTH))["left"] == {str(MONTH): 50_000_000}
