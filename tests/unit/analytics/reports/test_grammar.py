"""What a form may offer: the plans' own words, the dictionary's closed lists, tables without people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from analytics.engine import Engine
from analytics.reports import grammar
from analytics.reports.base import House, Options
from analytics.reports.kinds import KINDS
from privacy import errors
from privacy.dictionary import catalogue
from tests.fakes.view import MemoryReader

HOUSE = House(catalogue.load(), "Asia/Shanghai", "CNY")


def test_each_kind_says_what_it_may_be_grouped_and_filtered_by_and_what_it_costs() -> None:
    found = grammar.described(KINDS["store_month"])
    assert (found["groups"], found["by"], found["one_month"]) == (["store_id", "channel"], ["store_id"], False)
    assert found["filters"] == ["store_id", "channel", "product_id"]
    assert found["prices"] == [1_250_000, 2_500_000, 5_000_000, 10_000_000, 20_000_000]
    assert grammar.described(KINDS["rfm"])["one_month"]
    assert grammar.described(KINDS["funnel"])["own"] == {"step": ["product_viewed", "product_added", "order_completed"]}


def test_of_kinds_that_are_by_one_thing_a_form_lets_one_be_chosen() -> None:
    """People by product or by coupon, by orders or by what was spent: choosing both would be refused."""
    single = {kind for kind, report in KINDS.items() if grammar.described(report)["one_grouping"]}
    assert single == {"keys", "distribution"}
    assert grammar.described(KINDS["distribution"])["groups"] == ["basket", "orders_each", "spent"]


def test_values_come_from_public_lists_and_are_empty_where_nobody_knows_them(tmp_path: Path) -> None:
    public = {"stores": pa.table({"id": ["S1", "S2"]}), "products": pa.table({"category": ["tea"]})}
    reader = MemoryReader(Engine(tmp_path / "lake", tmp_path / "scratch", threads=1), {}, public)
    offered = grammar.values(KINDS["store_month"], reader, HOUSE)  # type: ignore[arg-type]
    assert (offered["store_id"], offered["channel"]) == (["S1", "S2"], [])
    assert grammar.values(KINDS["rfm"], reader, HOUSE)["sex"] == ["female", "male", "other", "unknown"]  # type: ignore[arg-type]
    public["stores"] = pa.table({"id": [f"S{number}" for number in range(grammar.MOST_VALUES + 1)]})
    assert grammar.values(KINDS["store_month"], reader, HOUSE)["store_id"] == []  # type: ignore[arg-type]


def usual(kind: str) -> Options:
    """The least that a question of this kind has to say."""
    report = KINDS[kind]
    where = tuple(f"{name}=x1" for name, said in report.parameters.items() if not said.default)
    return Options(202601, 202601 + max(report.months, 1) - 1, where=where)


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_question_may_cost_one_of_a_few_public_prices_and_no_other(kind: str) -> None:
    report = KINDS[kind]
    for price in report.prices:
        assert report.question(replace(usual(kind), price=price), HOUSE).rho_nano == price
    assert report.question(usual(kind), HOUSE).rho_nano == report.rho_nano
    for price in (1, report.rho_nano + 1, -report.rho_nano, report.rho_nano * 1000):
        with pytest.raises(errors.Invalid) as wrong:
            report.question(replace(usual(kind), price=price), HOUSE)
        assert (wrong.value.code, wrong.value.field) == ("bad_price", "price")
