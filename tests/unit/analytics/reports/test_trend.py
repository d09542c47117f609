"""The course of time: strips against an independent count, and slopes that are told only where the noise cannot make them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics.engine import Engine, Session
from analytics.reports import trend
from analytics.reports.base import Options
from privacy import errors
from tests.fakes.chain import HOUSE
from tests.unit.analytics.reports.test_sales import JUNE, MAY, asked, counted, oracle, world


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder: Path = tmp_path_factory.mktemp("engine")
    with Engine(folder / "lake", folder / "scratch", threads=1).session() as opened:
        yield opened


def test_months_are_counted_apart_by_one_more_dimension(session: Session) -> None:
    held = world()
    document = asked(session, held, Options(MAY, JUNE, ("channel",), measures=("orders", "people")), "trend")
    wanted = counted(oracle(held), ("month", "channel"))
    for row in document["rows"]:
        assert row["value"] == wanted.get((row["month"], row["channel"]), {"orders": 0, "people": 0})[row["measure"]]
    assert document["question"]["by"] == ["month", "channel"]


def test_every_day_of_a_month_has_its_number(session: Session) -> None:
    held = world()
    document = asked(session, held, Options(MAY, MAY, ("day",)), "trend")
    lines = oracle(held)
    wanted = counted(lines[lines.month == MAY], ("day",))
    assert [row["day"] for row in document["rows"]] == [f"{day:02d}" for day in range(1, 32)]
    assert {row["day"]: row["value"] for row in document["rows"]} == {
        f"{day:02d}": wanted.get((f"{day:02d}",), {"orders": 0})["orders"] for day in range(1, 32)
    }


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (Options(MAY, JUNE, ("day",)), "one_month_only"),
        (Options(MAY, JUNE, ("month", "day")), "many_groupings"),
        (Options(MAY, JUNE, ("store", "channel")), "many_groupings"),
    ],
)
def test_a_strip_is_of_one_month_and_one_time(options: Options, code: str) -> None:
    with pytest.raises(errors.PiyingError) as refused:
        trend.REPORT.question(options, HOUSE)
    assert refused.value.code == code


def test_a_longer_period_is_bounded_by_the_root_of_its_months() -> None:
    clips = [trend.REPORT.question(Options(202601, last, ()), HOUSE).bounds.clip for last in (202601, 202602, 202604, 202612)]
    assert clips == [9, 17, 17, 34]
    summed = trend.REPORT.bound((202601, 202602, 202603, 202604), ("channel",), trend.REPORT.chosen(("orders",))).clip
    assert summed == 34, "where months are added up, somebody may weigh four times as much"
