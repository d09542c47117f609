"""Reports of behaviour over a real lake, a real close and the real release door: paid once, with noise, and repeated for nothing."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from analytics.profiles import close_month
from analytics.reports.base import House, Options, Reports
from analytics.reports.kinds import KINDS
from app.figures import findings, tables
from app.stores import Stores
from privacy.release import Releases, ReleaseSettings
from tests.fakes.documents import ENGLISH
from tests.fakes.lake import Lake
from tests.fakes.log import RecordingLog

MONTH, ZONE = 202605, "Asia/Shanghai"
NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)
FIRST = datetime(2026, 5, 4, 3, tzinfo=UTC)
ASKED = {
    "lifecycle": (),
    "cohorts": (),
    "heat_map": (),
    "channels": (),
    "attribution": (),
    "markov": (),
    "shapley": (),
    "experiment": ("experiment=x1",),
    "personas": (),
    "lifetime": (),
    "feedback": (),
    "content": (),
}
"""Together ρ .029: they fit one month."""


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """1,200 people touched by text message, in three arms; a third bought a day later, half of those again within a week."""
    lake = Lake(tmp_path / "home")
    people = [f"p{number}" for number in range(1_200)]
    lake.allow(*people)
    touches = [
        {
            "person": one,
            "month": MONTH,
            "hour": FIRST,
            "channel": "sms",
            "kind": "click",
            "experiment": "x1",
            "arm": ("a", "b", "control")[n % 3],
        }
        for n, one in enumerate(people)
    ]
    lines = [
        {
            "person": one,
            "month": MONTH,
            "hour": FIRST + timedelta(days=day),
            "order_key": 2 * n + day,
            "kind": "sale",
            "store_id": "S1",
            "net_minor": 3_000,
        }
        for n, one in enumerate(people[:400])
        for day in ((1, 4) if n % 2 else (1,))
    ]
    lake.put("touches", touches)
    lake.put("order_lines", lines)
    lake.put("feedback", [{"person": one, "month": MONTH, "hour": FIRST, "topic": "taste", "store_id": "S1"} for one in people[:600]])
    lake.put("stores", [{"id": "S1", "region": "east"}])
    lake.put("campaigns", [{"id": "C1", "channel": "sms"}])
    lake.put("campaign_costs", [{"campaign": "C1", "day": date(2026, 5, 4), "cost_minor": 500_000}])
    return lake


def test_each_report_of_behaviour_is_paid_once_told_in_words_and_repeated_for_nothing(lake: Lake, stores: Stores) -> None:
    door = Releases(stores.begin_platform, RecordingLog(), lambda: NOW, os.urandom, ReleaseSettings(zone=ZONE))
    reports = Reports(lake.reader, door, House(lake.dictionary, ZONE, "CNY"), KINDS)
    assert close_month(lake.reader, lake.writer, MONTH, zone=ZONE, now=NOW)
    spent = 50_000_000
    for kind, where in ASKED.items():
        options = Options(MONTH, MONTH, (), where)
        first = reports.ask(kind, options, "usr_1")
        spent -= KINDS[kind].rho_nano
        assert first["budget"][str(MONTH)]["after"] == spent
        again = reports.ask(kind, options, "usr_2")
        assert (again["rows"], again["cached"]) == (first["rows"], True)
        for part in tables.parts(first):
            assert all(findings.findings(part, ENGLISH))
            assert all(tables.shown(ENGLISH, line) for line in tables.lines(part, ENGLISH))


def test_what_was_planted_is_found_through_the_noise(lake: Lake, stores: Stores) -> None:
    """400 of 1,200 bought: each number lies within eight standard deviations of its noise, which is missed once in 10^15."""
    door = Releases(stores.begin_platform, RecordingLog(), lambda: NOW, os.urandom, ReleaseSettings(zone=ZONE))
    reports = Reports(lake.reader, door, House(lake.dictionary, ZONE, "CNY"), KINDS)
    rows = reports.ask("shapley", Options(MONTH, MONTH), "usr_1")["rows"]
    (sms,) = (row["value"] for row in rows if row.get("channel") == "sms")
    assert abs(sms - 400) < 8 * 16  # σ is 16
    credited = reports.ask("attribution", Options(MONTH, MONTH), "usr_1")["rows"]
    assert all(abs(row["value"] - 400) < 8 * 32 for row in credited)
