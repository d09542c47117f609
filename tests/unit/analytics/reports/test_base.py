"""Asking a report: the closed grammar, what happens before the charge, and the document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from analytics.engine import Engine
from analytics.reports.base import CLIPS, House, Options, Reports
from analytics.reports.kinds import KINDS
from analytics.reports.norms import StoreMonthNorms
from privacy import errors
from privacy.dictionary import catalogue
from tests.fakes.releases import FakeReleases
from tests.fakes.view import MemoryReader

JANUARY = Options(202601, 202601)
LINES: list[dict[str, Any]] = [
    {"run_id": 1, "order_key": 11, "store_id": "S1", "kind": "sale", "net_minor": 4_000, "currency": "CNY", "channel": "pos"},
    {"run_id": 1, "order_key": 11, "store_id": "S1", "kind": "sale", "net_minor": 2_000, "currency": None, "channel": "pos"},
    {"run_id": 1, "order_key": 12, "store_id": "S1", "kind": None, "net_minor": 6_000, "channel": "delivery"},
    {"run_id": 2, "order_key": 21, "store_id": "S2", "kind": "sale", "net_minor": 8_000, "channel": "pos"},
    {"run_id": 2, "order_key": 22, "store_id": "S2", "kind": "return", "net_minor": -2_000, "channel": "pos"},
    {"run_id": 3, "order_key": 31, "store_id": "S2", "kind": "sale", "net_minor": 8_000, "currency": "USD"},
]


@pytest.fixture
def releases() -> FakeReleases:
    return FakeReleases()


@pytest.fixture
def reports(tmp_path: Path, releases: FakeReleases) -> Reports:
    engine = Engine(tmp_path / "lake", tmp_path / "scratch", threads=1)
    public = {"stores": pa.table({"id": ["S1", "S2", "S3"]}), "products": pa.table({"category": ["tea", None, "tea"]})}
    reader = MemoryReader(engine, {"order_lines": LINES}, public)
    return Reports(reader, releases, House(catalogue.load(), "Asia/Shanghai", "CNY"), KINDS, StoreMonthNorms())  # type: ignore[arg-type]


def values(document: dict[str, Any]) -> dict[tuple[str, str], float]:
    return {(row["store_id"], row["measure"]): row["value"] for row in document["rows"]}


def test_orders_sales_and_people_by_store(reports: Reports) -> None:
    """Two lines are one order, a return lowers sales and is no order, another currency is left out, an empty store is there."""
    found = values(reports.ask("store_month", JANUARY, "usr_1"))
    assert found[("S1", "orders")] == 2
    assert found[("S1", "sales")] == 12_000
    assert found[("S1", "people")] == 1
    assert (found[("S2", "orders")], found[("S2", "sales")], found[("S2", "people")]) == (1, 6_000, 1)
    assert (found[("S3", "orders")], found[("S3", "sales")], found[("S3", "people")]) == (0, 0, 0)


def test_the_document_has_the_shape_that_was_agreed(reports: Reports) -> None:
    document = reports.ask("store_month", JANUARY, "usr_1")
    words = {"kind", "release", "question", "window", "rows", "derived", "hidden_share", "months", "cost", "budget", "cached"}
    assert set(document) == words
    assert document["window"] == {"from": "2026-01-01", "to": "2026-01-31"}
    assert document["budget"] == {"202601": {"before": 50_000_000, "after": 45_000_000}}
    assert document["cost"]["rho_nano"] == 5_000_000
    row = document["rows"][0]
    assert (row["store_id"], row["measure"], row["low"], row["high"]) == ("S1", "orders", 1.5, 2.5)
    assert document["rows"][1]["high"] - document["rows"][1]["low"] == 2_000


def test_the_same_question_in_other_words_is_read_once_and_costs_nothing(reports: Reports, releases: FakeReleases) -> None:
    first = reports.ask("store_month", Options(202601, 202601, (), ("store_id=S2|S1", "channel=pos")), "usr_1")
    again = reports.ask("store_month", Options(202601, 202601, ("store_id",), ("channel = pos", "store_id=S1|S2", "channel=pos")), "usr_2")
    assert again["cached"]
    assert again["cost"]["rho_nano"] == 0
    assert again["rows"] == first["rows"]
    assert len(releases.read) == 1
    assert reports.show(first["release"])["rows"] == first["rows"]


def test_filters_choose_rows_and_cells(reports: Reports) -> None:
    found = values(reports.ask("store_month", Options(202601, 202601, (), ("channel=pos",)), "usr_1"))
    assert found[("S1", "orders")] == 1
    found = values(reports.ask("store_month", Options(202601, 202601, (), ("store_id!=S1",)), "usr_1"))
    assert {store for store, _ in found} == {"S2", "S3"}


def test_a_grouping_without_public_values_needs_them_named(reports: Reports, releases: FakeReleases) -> None:
    """Cells are public or they are not counted: a value that only rows about people have is no cell."""
    with pytest.raises(errors.NotConfigured) as refused:
        reports.ask("store_month", Options(202601, 202601, ("store_id", "channel")), "usr_1")
    assert refused.value.code == "no_public_cells"
    assert releases.read == []
    document = reports.ask("store_month", Options(202601, 202601, ("store_id", "channel"), ("channel=pos|delivery",)), "usr_1")
    orders = {(row["store_id"], row["channel"]): row["value"] for row in document["rows"] if row["measure"] == "orders"}
    assert orders == {
        ("S1", "delivery"): 1,
        ("S1", "pos"): 1,
        ("S2", "delivery"): 0,
        ("S2", "pos"): 1,
        ("S3", "delivery"): 0,
        ("S3", "pos"): 0,
    }


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (Options(202613, 202613), "bad_period"),
        (Options(202602, 202601), "bad_period"),
        (Options(202601, 202601, ("virtual_id",)), "unknown_grouping"),
        (Options(202601, 202601, ("hour",)), "unknown_grouping"),
        (Options(202601, 202601, (), ("virtual_id=1",)), "unknown_filter"),
        (Options(202601, 202601, (), ("net_minor=1",)), "unknown_filter"),
        (Options(202601, 202601, (), ("store_id>S1",)), "bad_filter"),
        (Options(202601, 202601, (), ("store_id",)), "bad_filter"),
        (Options(202601, 202601, (), ("store_id=S1|",)), "bad_filter"),
        (Options(202601, 202601, (), ("store_id!=S1|S2",)), "bad_filter"),
    ],
)
def test_what_is_not_in_the_grammar_is_refused_before_anything_is_read(
    reports: Reports, releases: FakeReleases, options: Options, code: str
) -> None:
    with pytest.raises(errors.Invalid) as refused:
        reports.ask("store_month", options, "usr_1")
    assert refused.value.code == code
    assert releases.read == []


def test_an_unknown_report_is_not_found(reports: Reports) -> None:
    with pytest.raises(errors.NotFound):
        reports.ask("everybody", JANUARY, "usr_1")


def test_the_hidden_share_is_unknown_until_the_norms_are_released(reports: Reports) -> None:
    assert reports.ask("store_month", JANUARY, "usr_1")["hidden_share"] is None
    reports.release_norms(202601, "schedule")
    assert reports.ask("store_month", JANUARY, "usr_1")["hidden_share"] == 0.0


def test_a_quote_reads_nothing(reports: Reports, releases: FakeReleases) -> None:
    quote = reports.quote("store_month", JANUARY)
    assert quote["margins"] == {"orders": 0.5, "sales": 1_000, "people": 0.5}
    assert quote["left"] == {"202601": 50_000_000}
    assert releases.read == []


def test_the_clip_is_the_plans_own_until_the_month_before_has_its_histogram(reports: Reports) -> None:
    """P-7: chosen from an earlier month's released histogram, never from this month's rows."""
    february = Options(202602, 202602)
    assert reports.question("store_month", february).bounds.clip == 16
    reports.release_norms(202602, "schedule")
    assert reports.question("store_month", february).bounds.clip == 16, "the month's own histogram decides nothing"
    reports.release_norms(202601, "schedule")
    chosen = reports.question("store_month", february).bounds.clip
    assert chosen in CLIPS
    assert chosen < 16
    assert reports.question("rfm", february).bounds.clip == 1
