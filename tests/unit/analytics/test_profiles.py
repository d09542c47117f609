"""The month's close, against an oracle that reads the same rows in plain Python."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analytics import metrics
from analytics.lake.reader import LakeReader
from analytics.profiles import close_month
from privacy import errors
from privacy.vocabulary import STATISTICS
from tests.fakes.lake import Lake
from tests.fakes.population import virtual_id

ZONE = "Asia/Shanghai"
MONTH = 202606
END = metrics.month_end(MONTH, ZONE)
NOW = END + timedelta(days=7)


def month_of(instant: datetime) -> int:
    local = instant + timedelta(hours=8)
    return local.year * 100 + local.month


def line(
    person: str, days_before: float, *, order: int = 1, net: int = 10_000, kind: str | None = "sale", off: int | None = None
) -> dict[str, Any]:
    hour = (END - timedelta(days=days_before)).replace(minute=0, second=0, microsecond=0)
    return {
        "person": person, "hour": hour, "month": month_of(hour), "order_key": order, "kind": kind, "net_minor": net, "store_id": "S1",
        "discount_minor": off,
    }  # fmt: skip


def closed(lake: Lake, month: int = MONTH) -> dict[int, dict[str, Any]]:
    with lake.reader.open(STATISTICS, [month]) as view:
        return {row["run_id"]: row for row in view.run(view.people("person_month")).to_pylist()}


def close(lake: Lake, month: int = MONTH) -> bool:
    return close_month(lake.reader, lake.writer, month, zone=ZONE, now=NOW)


def test_bands_agree_with_an_oracle_on_invented_people(lake: Lake) -> None:
    noise = random.Random(11)
    people = [f"p{number}" for number in range(60)]
    lake.allow(*people)
    lines = [
        line(
            noise.choice(people),
            noise.uniform(0.01, 360),
            order=noise.randrange(40),
            net=noise.randrange(100, 90_000),
            kind=kind,
            off=noise.choice((None, 0, 500, 30_000)),
        )
        for kind in noise.choices(["sale", "sale", "sale", None, "return", "cancel"], k=500)
    ]
    lake.put("order_lines", lines)
    assert close(lake)
    found = closed(lake)
    mine: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in lines:
        mine[one["person"]].append(one)
    assert len(found) == len(mine)
    for person, own in mine.items():
        row = found[virtual_id(person, 0)]
        sales = [one for one in own if one["kind"] in ("sale", None)]
        orders = len({(one["month"], one["order_key"]) for one in sales})
        paid = sum(one["net_minor"] if one in sales else -abs(one["net_minor"]) for one in own)
        days = min(((END - one["hour"]) / timedelta(days=1) for one in sales), default=None)
        expected = (
            0 if days is None else metrics.recency_band(days),
            metrics.band(orders, metrics.FREQUENCY_ORDERS),
            metrics.band(paid, metrics.VALUE_MINOR) if orders else 0,
            min((one["month"] for one in sales), default=None),
        )
        assert (row["recency_band"], row["frequency_band"], row["value_band"], row["first_purchase_month"]) == expected
        begun: dict[tuple[int, int], datetime] = {}
        for one in sorted(sales, key=lambda one: one["hour"]):
            begun.setdefault((one["month"], one["order_key"]), one["hour"])
        times = sorted(begun.values())
        gap = (times[1] - times[0]) / timedelta(days=1) if len(times) > 1 else None
        assert row["again_band"] == (0 if gap is None else 1 if gap <= 7 else 2 if gap <= 30 else 3)
        ends = {key: max(one["hour"] for one in sales if (one["month"], one["order_key"]) == key) for key in begun}
        bought_on = {(hour + timedelta(hours=8)).date() for hour in ends.values()}
        assert row["further_band"] == metrics.band(len(bought_on) - 1, metrics.FURTHER_DAYS)
        assert row["ticket_band"] == (1 + metrics.band(paid // len(bought_on), metrics.TICKET_MINOR) if bought_on else 0)
        off = sum(one["discount_minor"] or 0 for one in sales)
        listed = sum(one["net_minor"] for one in sales) + off
        part = 1 + sum(100 * off >= edge * listed for edge in metrics.DISCOUNT_PERCENT) if bought_on else 0
        assert (row["discount_band"], row["sharing_band"]) == (part, 0)


@pytest.mark.parametrize(
    ("days", "earlier", "stage"),
    [(3, None, "new"), (3, 200, "active"), (29, 200, "active"), (60, 200, "cooling"), (120, 200, "sleeping"), (200, None, "lost")],
)
def test_stages_follow_the_last_purchase(lake: Lake, days: float, earlier: float | None, stage: str) -> None:
    lake.allow("anna")
    lake.put("order_lines", [line("anna", days)] + ([line("anna", earlier, order=2)] if earlier else []))
    close(lake)
    (row,) = closed(lake).values()
    assert row["stage"] == stage


@pytest.mark.parametrize(("times", "band"), [(0, 0), (1, 1), (2, 1), (3, 2), (9, 2)])
def test_how_often_somebody_told_others_is_banded(lake: Lake, times: int, band: int) -> None:
    lake.allow("anna")
    hour = END - timedelta(days=3)
    events = [{"person": "anna", "hour": hour, "month": MONTH, "event": event} for event in ("product_viewed", *["product_shared"] * times)]
    lake.put("events", events)
    close(lake)
    (row,) = closed(lake).values()
    assert (row["sharing_band"], row["ticket_band"], row["discount_band"], row["further_band"]) == (band, 0, 0, 0)


def test_a_member_who_bought_nothing_is_a_prospect_with_the_profile_as_of_the_close(lake: Lake) -> None:
    lake.allow("anna")
    before, at = END - timedelta(days=400), END - timedelta(days=2)
    lake.put(
        "profiles",
        [
            {"person": "anna", "hour": before, "month": month_of(before), "sex": "female", "tier": "silver"},
            {"person": "anna", "hour": at, "month": MONTH, "tier": "gold"},
            {"person": "anna", "hour": END + timedelta(days=1), "month": 202607, "tier": "black"},
        ],
    )
    close(lake)
    (row,) = closed(lake).values()
    assert (row["sex"], row["tier"], row["stage"]) == ("female", "gold", "prospect")
    assert (row["recency_band"], row["frequency_band"], row["value_band"]) == (0, 0, 0)


def test_the_stage_before_is_that_of_the_month_before(lake: Lake) -> None:
    lake.allow("anna", "bo")
    lake.put("order_lines", [line("anna", 60), line("bo", 3)])
    close_month(lake.reader, lake.writer, metrics.month_after(MONTH, -1), zone=ZONE, now=NOW)
    close(lake)
    rows = closed(lake)
    anna, bo = rows[virtual_id("anna", 0)], rows[virtual_id("bo", 0)]
    assert (anna["previous_stage"], anna["stage"]) == ("new", "cooling")
    assert (bo["previous_stage"], bo["stage"]) == (None, "new")


def test_look_back_ends_after_twelve_months(lake: Lake) -> None:
    lake.allow("anna")
    lake.put("order_lines", [line("anna", 400)])
    close(lake)
    assert closed(lake) == {}


def test_two_merged_people_are_one_row(lake: Lake) -> None:
    lake.allow("anna", "card")
    lake.populations.merged["card"] = "anna"
    lake.put("order_lines", [line("anna", 3), line("card", 5, order=2)])
    close(lake)
    (row,) = closed(lake).values()
    assert row["frequency_band"] == 2


def test_who_does_not_allow_analysis_has_no_row(lake: Lake) -> None:
    lake.put("order_lines", [line("stranger", 3)])
    close(lake)
    lake.allow("stranger")
    assert closed(lake) == {}


def test_a_month_closes_once_and_late_rows_do_not_enter(lake: Lake) -> None:
    lake.allow("anna")
    lake.put("order_lines", [line("anna", 3)])
    assert close(lake)
    lake.put("order_lines", [line("anna", 4, order=2)])
    assert not close(lake)
    (row,) = closed(lake).values()
    assert row["frequency_band"] == 1


def test_a_month_that_is_not_over_is_refused(lake: Lake) -> None:
    with pytest.raises(errors.Refused) as refused:
        close_month(lake.reader, lake.writer, MONTH, zone=ZONE, now=END - timedelta(hours=1))
    assert refused.value.code == "period_open"
    with pytest.raises(errors.Invalid):
        close_month(lake.reader, lake.writer, 202613, zone=ZONE, now=NOW)


def test_rows_of_a_close_carry_the_months_virtual_id_and_no_arrival(lake: Lake) -> None:
    import pyarrow.parquet as pq

    from analytics.lake.tables import load, local_path

    lake.allow("anna")
    lake.put("order_lines", [line("anna", 3)])
    close(lake)
    (task,) = load(lake.catalog, "person_month").scan().plan_files()
    (row,) = pq.ParquetFile(local_path(task.file.file_path)).read().to_pylist()
    assert row["virtual_id"] == virtual_id("anna", MONTH)
    assert row["hour"] == datetime(2026, 6, 30, 15, tzinfo=UTC)
    assert isinstance(lake.reader, LakeReader)
