"""The plan is public constants: its slices cost what the rules give them, and its question says everything that its numbers depend on."""

from __future__ import annotations

import pytest

from analytics.reports import plan
from analytics.reports.cubes import ALSO
from analytics.reports.kinds import KINDS
from analytics.reports.norms import RHO_NANO
from privacy.dp import bounds, questions

SIZES = {5_000: "small", 19_999: "small", 20_000: "mid", 50_000: "mid", 999_999: "mid", 1_000_000: "large"}
MEASURES = {"orders", "sales", "lines", "people", "reach", "enquiries"}


@pytest.mark.parametrize(("members", "size"), SIZES.items())
def test_the_size_is_the_declared_number_of_members(members: int, size: str) -> None:
    assert plan.load(members).size == size


@pytest.mark.parametrize("members", [0, 20_000, 1_000_000])
def test_slices_cost_no_more_than_the_rules_give_them(members: int) -> None:
    """dp_rules §6: A 20, B 8, C 6, D 3, E 5 millions; 8 millions of F and G are left for questions."""
    known = plan.load(members)
    spent: dict[str, int] = {}
    for one in known.slices:
        spent[one.letter] = spent.get(one.letter, 0) + one.rho_nano
        spent["E"] = spent.get("E", 0) + one.norms_nano
    spent["B"] += KINDS["rfm"].rho_nano
    spent["E"] += KINDS["funnel"].rho_nano + RHO_NANO
    assert set(ALSO) == {"rfm", "funnel"}
    assert {letter: nano / 1_000_000 for letter, nano in spent.items()} == {"A": 20, "B": 8, "C": 6, "D": 3, "E": 5}


@pytest.mark.parametrize("members", [0, 20_000, 1_000_000])
def test_every_slice_is_a_question_that_the_door_takes_and_reads_back(members: int) -> None:
    known = plan.load(members)
    seen = set()
    for one in known.slices:
        question = known.question(one, 202605, clip=one.clip, cap_nano=50_000_000)
        questions.check(question)
        bounds.check(question.bounds)
        assert questions.loads(questions.dumps(question)) == question
        assert plan.written(question)["slice"] == one.name
        assert plan.units(question) == dict(one.units)
        assert set(one.units) <= MEASURES
        seen.add(questions.digest(question))
    assert len(seen) == len(known.slices)


def test_another_size_is_another_question() -> None:
    small, mid = plan.load(0), plan.load(50_000)
    first = small.question(small.slice("stages"), 202605, clip=1, cap_nano=50_000_000)
    other = mid.question(mid.slice("stages"), 202605, clip=1, cap_nano=50_000_000)
    assert questions.digest(first) != questions.digest(other)


def test_prices_shrink_with_the_cap_and_never_grow() -> None:
    known = plan.load(50_000)
    sales = known.slice("sales")
    assert known.price(sales, 25_000_000) == 10_000_000
    assert known.price(sales, 250_000_000) == 20_000_000
    assert known.price(sales, 1) == 1


def test_every_hour_stands_in_one_part_of_the_day() -> None:
    hours = sorted(hour for held in plan.load(0).dayparts.values() for hour in held)
    assert hours == list(range(24))


@pytest.mark.parametrize("members", [0, 20_000, 1_000_000])
def test_orders_are_never_counted_by_what_an_order_has_several_of(members: int) -> None:
    """P-10: an order has several categories, a person visits several stores: only lines and reach go by these."""
    for one in plan.load(members).slices:
        for marginal in one.marginals:
            if "category" in marginal.by:
                assert not {"orders", "people"} & set(marginal.of)
            if "people" in marginal.of:
                assert not {"store", "channel", "day", "week", "weekday", "daypart"} & set(marginal.by)
