"""View, add, pay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from analytics.engine import Engine
from analytics.reports.base import House, Options, Reports
from analytics.reports.kinds import KINDS
from privacy.dictionary import catalogue
from tests.fakes.releases import FakeReleases
from tests.fakes.view import MemoryReader


def ask(tmp_path: Path, events: list[tuple[int, str, str]], *by: str, where: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    engine = Engine(tmp_path / "lake", tmp_path / "scratch", threads=1)
    rows = [{"run_id": person, "event": event, "channel": channel} for person, event, channel in events]
    reports = Reports(MemoryReader(engine, {"events": rows}), FakeReleases(), House(catalogue.load(), "Asia/Shanghai", "CNY"), KINDS)  # type: ignore[arg-type]
    return list(reports.ask("funnel", Options(202601, 202601, by, where), "usr_1")["rows"])


EVENTS = [
    *[(person, "product_viewed", "web") for person in range(10)] * 2,
    *[(person, "product_added", "web") for person in range(4)],
    (0, "order_completed", "web"),
    (20, "order_completed", "app"),
    (30, "cart_viewed", "web"),
]


def test_everybody_counts_at_their_furthest_step_and_at_those_before(tmp_path: Path) -> None:
    rows = ask(tmp_path, EVENTS)
    people = [(row["step"], row["value"]) for row in rows if row["measure"] == "people"]
    assert people == [("product_viewed", 11), ("product_added", 5), ("order_completed", 2)]


def test_the_share_that_goes_no_further_is_told_for_every_step_but_the_last(tmp_path: Path) -> None:
    left = {row["step"]: row for row in ask(tmp_path, EVENTS) if row["measure"] == "left"}
    assert {step: row["value"] for step, row in left.items()} == {"product_viewed": round(6 / 11, 6), "product_added": 0.6}
    assert all(row["low"] < row["value"] < row["high"] for row in left.values())


def test_the_margin_of_a_sum_is_that_of_its_parts(tmp_path: Path) -> None:
    """Three noisy cells add up to the first step: its margin is wider than that of the last."""
    rows = ask(tmp_path, EVENTS)
    assert [row["high"] - row["low"] for row in rows if row["measure"] == "people"] == [3, 2, 1]


def test_a_further_grouping_has_a_funnel_for_each_of_its_values(tmp_path: Path) -> None:
    rows = ask(tmp_path, EVENTS, "channel", where=("channel=web|app",))
    found = {(row["channel"], row["step"]): row["value"] for row in rows if row["measure"] == "people"}
    assert found[("app", "product_viewed")] == 1
    assert found[("web", "order_completed")] == 1
