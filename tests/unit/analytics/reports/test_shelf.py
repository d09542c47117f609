"""What was released is read for nothing, in any grouping that was released together, and adds up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analytics.engine import Engine
from analytics.reports import plan
from analytics.reports.base import Reports
from analytics.reports.cubes import Cubes
from analytics.reports.kinds import KINDS
from analytics.reports.norms import StoreMonthNorms
from analytics.reports.shelf import Shelf
from privacy import errors
from tests.fakes.chain import HOUSE, PEOPLE, reader, rows
from tests.fakes.releases import FakeReleases

MONTHS = (202605, 202606)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two closed months without noise."""
    folder: Path = tmp_path_factory.mktemp("engine")
    made: Any = FakeReleases()
    with Engine(folder / "lake", folder / "scratch", threads=1).session() as session:
        held = reader(session, rows(*MONTHS))
        bought = Cubes(held, made, Reports(held, made, HOUSE, KINDS, StoreMonthNorms()), HOUSE, plan.load(50_000), 50_000_000)
        for month in MONTHS:
            bought.buy(month, "schedule")
        yield made


@pytest.fixture
def shelf(door: Any) -> Shelf:
    return Shelf(door, HOUSE)


def values(document: dict[str, Any], *names: str) -> dict[Any, float]:
    return {tuple(row[name] for name in names) if len(names) > 1 else row[names[0]]: row["value"] for row in document["rows"]}


def test_the_overview_tells_each_month_without_cost(shelf: Shelf) -> None:
    document = shelf.overview(*MONTHS)
    assert values(document, "month", "measure") == pytest.approx(
        {
            (month, measure): value
            for month in MONTHS
            for measure, value in {"orders": 20, "sales": 2 * (8 * 600 + 12 * 1_000), "lines": 40, "people": 20}.items()
        },
        rel=1e-3,
    )
    assert document["cost"]["rho_nano"] == 0
    assert all(row["low"] < row["value"] < row["high"] for row in document["rows"])


def test_marginals_that_stand_in_a_released_table_are_free_and_add_up(shelf: Shelf, door: Any) -> None:
    before = len(door.read)
    by_channel = values(shelf.table("orders", ("channel",), MONTHS[0], MONTHS[1]), "channel")
    assert by_channel == pytest.approx({"pos": 28, "delivery": 12, "mini_program": 0, "online": 0, "other": 0}, abs=0.1)
    both = values(shelf.table("orders", ("daypart", "channel"), MONTHS[0], MONTHS[0]), "daypart", "channel")
    assert both["afternoon", "delivery"] == pytest.approx(4, abs=0.1)
    assert sum(both.values()) == pytest.approx(PEOPLE, abs=0.1)
    days = values(shelf.table("orders", ("day",), MONTHS[0], MONTHS[0]), "day")
    assert days["01"] == pytest.approx(2, abs=0.1)
    reach = values(shelf.table("reach", ("category",), MONTHS[0], MONTHS[0]), "category")
    assert reach == pytest.approx({"milk_tea": 19, "low_sugar": 1, "snack": 1, "other": 19}, abs=0.1)
    assert len(door.read) == before


def test_filters_on_a_tables_own_words_leave_rows_out_and_what_follows_is_of_the_rest(shelf: Shelf) -> None:
    document = shelf.table("orders", ("channel",), *MONTHS, ("channel=pos|delivery",))
    assert values(document, "channel") == pytest.approx({"pos": 28, "delivery": 12}, abs=0.1)
    assert document["where"] == [["channel", "in", "delivery|pos"]]
    follows = {(one["what"], *one["of"].values()): one["value"] for one in document["derived"]}
    assert follows["total",] == pytest.approx(40, abs=0.1)
    without = shelf.table("orders", ("channel",), *MONTHS, ("channel!=pos",))
    assert "pos" not in values(without, "channel")
    for where, code in (("store=S1", "unknown_filter"), ("channel=fax", "no_cells"), ("channel", "bad_filter")):
        with pytest.raises(errors.Invalid) as wrong:
            shelf.table("orders", ("channel",), *MONTHS, (where,))
        assert wrong.value.code == code


def test_people_are_not_added_up_over_months(shelf: Shelf) -> None:
    with pytest.raises(errors.Invalid) as wrong:
        shelf.table("people", ("stage",), *MONTHS)
    assert wrong.value.code == "does_not_add"
    monthly = values(shelf.table("people", ("stage", "month"), *MONTHS), "month", "stage")
    assert monthly[MONTHS[1], "active"] == pytest.approx(PEOPLE, abs=0.1)


@pytest.mark.parametrize(
    ("measure", "by", "code"),
    [("people", ("channel",), "unknown_grouping"), ("orders", ("store", "weekday"), "unknown_grouping"), ("profit", (), "unknown_measure")],
)
def test_what_was_not_released_together_is_refused_and_never_bought(shelf: Shelf, measure: str, by: tuple[str, ...], code: str) -> None:
    with pytest.raises(errors.Invalid) as wrong:
        shelf.table(measure, by, MONTHS[0], MONTHS[0])
    assert wrong.value.code == code


def test_the_catalogue_says_what_is_there(shelf: Shelf) -> None:
    known = shelf.catalogue()
    assert known["months"] == list(MONTHS)
    assert {"measure": "orders", "by": ["channel", "daypart"], "months": list(MONTHS)} in known["items"]


def test_a_part_of_a_plan_is_shown_as_it_was_released(shelf: Shelf, door: Any) -> None:
    release = next(one for one in door.listed(kinds=("cube",)) if ("slice", "=", "stages") in one.question.where)
    document = shelf.document(release.id)
    assert document is not None
    assert len(document["rows"]) == len(release.cells)
    assert document["rows"][0].keys() >= {"marginal", "stage", "stage_before", "measure", "value", "low", "high", "reading"}
    histogram = shelf.document(next(one.id for one in door.listed(kinds=("norms",))))
    assert histogram is not None
    assert len(histogram["rows"]) == 20
    assert shelf.document(next(one.id for one in door.listed(kinds=("rfm",)))) is None


def test_the_facts_of_two_months_are_those_of_the_chain(shelf: Shelf) -> None:
    """Without noise but with the margins of noise, so wide that what is divided by little is missing."""
    document = shelf.facts()
    assert {row["fact"] for row in document["rows"]} | set(document["missing"]) == {
        "women_20_30", "students", "student_order", "midweek", "afternoon_delivery", "low_sugar", "low_sugar_share",
    }  # fmt: skip
    for row in document["rows"]:
        assert row["low"] <= row["value"] <= row["high"]
        assert row["releases"]


def test_nothing_is_read_where_no_month_was_closed() -> None:
    empty: Any = FakeReleases()
    shelf = Shelf(empty, HOUSE)
    assert shelf.months() == ()
    assert shelf.facts()["rows"] == []
    assert len(shelf.facts()["missing"]) == 7
