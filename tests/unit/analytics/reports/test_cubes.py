"""A month's plan is bought once, goes on where it was killed, and takes its bound from the month before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analytics.engine import Engine, Session
from analytics.reports import plan
from analytics.reports.base import Reports
from analytics.reports.cubes import Cubes
from analytics.reports.kinds import KINDS
from analytics.reports.norms import StoreMonthNorms
from privacy.errors import BudgetExhausted
from privacy.records import Aggregate, Question, Release
from tests.fakes.chain import HOUSE, PUBLIC, reader, rows
from tests.fakes.releases import FakeReleases

MONTH, NEXT = 202605, 202606
MID = plan.load(50_000)
PARTS = {"sales", "sales_norms", "demography", "work", "stages", "days", "reach", "enquiries", "cohorts", "rfm", "funnel", "norms"}


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder: Path = tmp_path_factory.mktemp("engine")
    with Engine(folder / "lake", folder / "scratch", threads=1).session() as opened:
        yield opened


def cubes(session: Session, door: FakeReleases, known: plan.Plan = MID, **public: Any) -> Cubes:
    held = reader(session, rows(MONTH, NEXT), **public)
    releases: Any = door
    reports = Reports(held, releases, HOUSE, KINDS, StoreMonthNorms())
    return Cubes(held, releases, reports, HOUSE, known, 50_000_000)


class Killed(FakeReleases):
    """Dies before it charges the question that comes after so many."""

    def __init__(self, left: int = 4) -> None:
        super().__init__()
        self.left = left

    def answer(self, question: Question, read: Callable[[], Aggregate], asked_by: str) -> Release:
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        return super().answer(question, read, asked_by)


def test_every_part_is_bought_once_and_then_kept(session: Session) -> None:
    door = FakeReleases()
    bought = cubes(session, door)
    assert bought.due(MONTH)
    assert bought.buy(MONTH, "schedule") == dict.fromkeys(PARTS, "bought")
    assert sum(question.rho_nano for question in door.read) == 42_000_000
    assert bought.buy(MONTH, "cli") == dict.fromkeys(PARTS, "kept")
    assert len(door.read) == len(PARTS)
    assert not bought.due(MONTH)


def test_a_close_that_was_killed_between_two_slices_goes_on_and_pays_nothing_twice(session: Session) -> None:
    door = Killed(left=len(PARTS) - 1)
    with pytest.raises(KeyboardInterrupt):
        cubes(session, door).buy(NEXT, "schedule")
    assert cubes(session, door).due(NEXT), "the last part is missing"
    door = Killed()
    with pytest.raises(KeyboardInterrupt):
        cubes(session, door).buy(MONTH, "schedule")
    assert len(door.read) == 4
    door.left = 100
    assert set(cubes(session, door).buy(MONTH, "schedule").values()) == {"bought", "kept"}
    assert len(door.read) == len(PARTS)
    assert sum(question.rho_nano for question in door.read) == 42_000_000


def test_a_month_that_was_bought_under_another_version_is_not_bought_again(session: Session) -> None:
    door = FakeReleases()
    cubes(session, door).buy(MONTH, "schedule")
    later = cubes(session, door, replace(MID, version=2))
    assert set(later.buy(MONTH, "schedule").values()) == {"kept"}
    assert not later.due(MONTH)


def test_what_cannot_be_bought_is_told_and_the_rest_is_bought(session: Session) -> None:
    door = FakeReleases()
    without = cubes(session, door, stores=PUBLIC["stores"].slice(0, 0))
    told = without.buy(MONTH, "schedule")
    assert {name for name, code in told.items() if code == "no_public_cells"} == {"sales", "sales_norms", "reach", "norms"}
    assert told["demography"] == "bought"
    assert not without.due(MONTH), "nothing that is missing could be bought now"
    assert cubes(session, door).due(MONTH)


def test_a_month_without_budget_says_so_by_its_code(session: Session) -> None:
    class Empty(FakeReleases):
        def answer(self, question: Question, read: Callable[[], Aggregate], asked_by: str) -> Release:
            raise BudgetExhausted("nothing is left", field="rho_nano")

    assert set(cubes(session, Empty()).buy(MONTH, "schedule").values()) == {"budget_exhausted"}


def test_the_bound_of_a_month_comes_from_the_histogram_of_the_month_before(session: Session) -> None:
    door = FakeReleases()
    bought = cubes(session, door)
    sales = MID.slice("sales")
    assert bought.clip(sales, MONTH) == sales.clip
    bought.buy(MONTH, "schedule")
    assert bought.clip(sales, NEXT) == min(sales.clips), "everybody gave one order, whose norm is below 8"
    assert bought.clip(MID.slice("days"), NEXT) == MID.slice("days").clip
