"""One value a person in public bins: against an independent count, and quartiles that lie in their intervals."""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics.engine import Engine, Session
from analytics.reports import distribution
from analytics.reports.base import Options
from privacy import errors
from tests.fakes.chain import HOUSE
from tests.unit.analytics.reports.test_sales import JUNE, MAY, asked, oracle, world


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder: Path = tmp_path_factory.mktemp("engine")
    with Engine(folder / "lake", folder / "scratch", threads=1).session() as opened:
        yield opened


@pytest.mark.parametrize("name", sorted(distribution.EDGES))
def test_every_person_who_bought_stands_in_one_bin(session: Session, name: str) -> None:
    held = world(people=40)
    lines = oracle(held)
    found = {row[name]: row["value"] for row in asked(session, held, Options(MAY, JUNE, (name,)), "distribution")["rows"]}
    labels, edges = distribution.bins(name), distribution.EDGES[name]
    wanted: Counter[str] = Counter()
    for _, rows in lines.groupby("run_id"):
        orders = len(rows[rows.sale].drop_duplicates(["month", "order_key"]))
        if orders:
            spent = int(rows.paid.sum())
            value = {"orders_each": orders, "spent": spent, "basket": spent // orders}[name]
            wanted[labels[max(0, bisect.bisect_right(edges, value) - 1)]] += 1
    assert found == {label: wanted[label] for label in labels}


def test_quartiles_of_what_was_spent_lie_in_intervals_of_bin_edges(session: Session) -> None:
    document = asked(session, world(people=200), Options(MAY, JUNE, ("spent",)), "distribution")
    quartiles = [one for one in document["derived"] if one["what"] == "quantile"]
    assert [one["share"] for one in quartiles] == [0.25, 0.5, 0.75]
    for one in quartiles:
        if one["value"] is not None and one["high"] is not None:
            assert one["low"] <= one["value"] <= one["high"]
    assert document["hidden_share"] == 0.0


def test_bins_are_named_by_the_values_that_they_hold() -> None:
    assert distribution.bins("orders_each")[:6] == ("1", "2", "3", "4", "5", "6-7")
    assert distribution.bins("orders_each")[-1] == "31+"


@pytest.mark.parametrize("by", [("store",), ("basket", "spent")])
def test_it_is_of_exactly_one_value(by: tuple[str, ...]) -> None:
    with pytest.raises(errors.Invalid) as refused:
        distribution.REPORT.question(Options(MAY, MAY, by), HOUSE)
    assert refused.value.code == "unknown_grouping"
