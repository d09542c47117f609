"""What the months' cubes hold answers a question just as a bought answer would, and is given for nothing; everything else is bought."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analytics.engine import Engine
from analytics.reports import fromcubes, plan
from analytics.reports.base import Options, Reports
from analytics.reports.cubes import Cubes
from analytics.reports.kinds import KINDS
from analytics.reports.norms import StoreMonthNorms
from analytics.reports.shelf import Shelf
from tests.fakes.chain import HOUSE, reader, rows
from tests.fakes.releases import FakeReleases

MAY, JUNE = 202605, 202606


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shelf, Reports]]:
    """Two closed months without noise, and the reports that could be bought of them."""
    folder: Path = tmp_path_factory.mktemp("engine")
    door: Any = FakeReleases()
    with Engine(folder / "lake", folder / "scratch", threads=1).session() as session:
        held = reader(session, rows(MAY, JUNE))
        reports = Reports(held, door, HOUSE, KINDS, StoreMonthNorms())
        bought = Cubes(held, door, reports, HOUSE, plan.load(50_000), 50_000_000)
        for month in (MAY, JUNE):
            bought.buy(month, "schedule")
        yield Shelf(door, HOUSE), reports


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("sales", Options(MAY, MAY, ("store",), measures=("orders", "sales", "people"))),
        ("sales", Options(MAY, JUNE, ("channel", "weekday"), measures=("orders",))),
        ("sales", Options(MAY, JUNE, ("category", "month"), ("category!=snack",), measures=("lines", "sales"))),
        ("trend", Options(MAY, JUNE, (), measures=("orders", "sales"))),
        ("trend", Options(MAY, MAY, ("day", "channel"))),
    ],
)
def test_the_cubes_say_what_a_bought_answer_says(made: tuple[Shelf, Reports], kind: str, options: Options) -> None:
    shelf, reports = made
    question = reports.question(kind, options)
    held = fromcubes.answer(shelf, question)
    if options.by == ("channel", "weekday"):
        assert held is None, "no table has both"
        return
    assert held is not None
    document, bought = held["document"], reports.ask(kind, options, "usr_1")

    def cells(rows_: list[dict[str, Any]]) -> dict[tuple[str, ...], float]:
        return {(*(row[name] for name in question.by), row["measure"]): row["value"] for row in rows_}

    assert cells(document["rows"]) == pytest.approx(cells(bought["rows"]), rel=1e-3, abs=2), "amounts are cut to thousandths of a unit"
    assert (document["cost"]["rho_nano"], document["release"], document["cached"]) == (0, None, True)
    assert set(document) - {"releases"} == set(bought)

    def follows(found: list[dict[str, Any]]) -> dict[tuple[str, ...], float | None]:
        return {(one["what"], one["measure"], *one["of"].values()): one["value"] for one in found}

    free, paid = follows(document["derived"]), follows(bought["derived"])
    assert set(free) == set(paid)
    assert all(
        free[key] == pytest.approx(value, rel=1e-2, abs=0.6) for key, value in paid.items() if value is not None and free[key] is not None
    )


@pytest.mark.parametrize(
    "options",
    [
        Options(MAY, MAY, ("store", "tier"), measures=("orders",)),
        Options(MAY, MAY, ("store",), ("channel=pos",), measures=("orders",)),
        Options(MAY, JUNE, ("store",), measures=("people",)),
        Options(MAY, 202607, ("store",), measures=("orders",)),
        Options(MAY, MAY, ("tier",), measures=("people",)),
    ],
)
def test_what_the_cubes_do_not_hold_as_it_was_asked_is_bought(made: tuple[Shelf, Reports], options: Options) -> None:
    """Another grouping, a filter on something else, people over several months, a month that was not bought, people who need not have bought."""
    shelf, reports = made
    assert fromcubes.answer(shelf, reports.question("sales", options)) is None


def test_other_kinds_are_not_answered_from_here(made: tuple[Shelf, Reports]) -> None:
    shelf, reports = made
    assert fromcubes.answer(shelf, reports.question("rfm", Options(MAY, MAY))) is None
    assert fromcubes.answer(shelf, reports.question("distribution", Options(MAY, MAY))) is None
