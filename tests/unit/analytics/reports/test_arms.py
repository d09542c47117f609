"""People by the arm of an experiment."""

from __future__ import annotations

from pathlib import Path

from analytics.engine import Engine
from analytics.reports.arms import cap_minor, difference, enrolled
from analytics.reports.base import Options
from analytics.reports.kinds import KINDS
from tests.fakes.behaviour import HOUSE, world
from tests.fakes.view import MemoryView
from tests.oracles import behaviour as oracle

QUESTION = KINDS["experiment"].question(Options(202601, 202601, (), ("experiment=x1", "cap=100")), HOUSE)


def test_whoever_was_touched_in_several_arms_stands_apart(tmp_path: Path) -> None:
    rows = world()
    with Engine(tmp_path / "lake", tmp_path / "scratch", threads=1).session() as session:
        view = MemoryView(session, rows)
        found = view.run(enrolled(view, QUESTION)).to_pylist()  # type: ignore[arg-type]
    expected = oracle.arms(rows["touches"], rows["order_lines"], "x1", 10_000)
    assert {row["run_id"]: row["arm"] for row in found} == expected.arm.to_dict()
    assert {row["run_id"]: row["since"] for row in found} == expected.since.to_dict()


def test_the_cap_is_money_of_the_house() -> None:
    assert cap_minor(QUESTION, HOUSE) == 10_000


def test_a_difference_is_as_wide_as_both_of_its_errors() -> None:
    row = difference((0.3, 0.03), (0.1, 0.04))
    assert (row["value"], row["low"], row["high"]) == (0.2, 0.102001, 0.297999)
