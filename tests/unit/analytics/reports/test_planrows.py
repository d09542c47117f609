"""What one person brings to a plan: every order, line and person in exactly one cell, by public lists alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analytics.engine import Engine, Session
from analytics.reports import plan
from analytics.reports.planrows import PlanRows, hours, labels
from privacy.errors import NotConfigured, Refused
from tests.fakes.chain import HOUSE, PEOPLE, PUBLIC, ZONE, reader, rows

MONTH = 202605
MID = plan.load(50_000)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder: Path = tmp_path_factory.mktemp("engine")
    with Engine(folder / "lake", folder / "scratch", threads=1).session() as opened:
        yield opened


@pytest.fixture
def read(session: Session) -> Iterator[PlanRows]:
    held = reader(session, rows(MONTH))
    with PlanRows(held, MID, HOUSE, labels(held, MID, HOUSE, MONTH), MONTH) as made:
        yield made


def counted(read: PlanRows, table: Any, name: str) -> Counter[str]:
    values = read._known.values[name]
    return Counter(values[place] for place in read.view.run(table.select(name))[name].to_pylist())


def test_every_order_stands_in_one_cell_and_what_is_not_listed_in_the_last(read: PlanRows) -> None:
    assert counted(read, read.orders, "store") == {"S1": 7, "S2": 7, "other": 6}
    assert counted(read, read.orders, "region") == {"east": 14, "other": 6}
    assert counted(read, read.orders, "daypart") == {"afternoon": 8, "morning": 12}
    assert counted(read, read.orders, "tier") == {"silver": 8, "other": 12}
    assert counted(read, read.orders, "occupation") == {"student": 8, "office_worker": 12}
    assert sum(counted(read, read.orders, "weekday").values()) == PEOPLE


def test_lines_carry_their_category_and_what_their_order_says(read: PlanRows) -> None:
    sold = read.view.run(read.lines.select("category", "lines", "channel"))
    found: Counter[str] = Counter()
    for category, lines in zip(sold["category"].to_pylist(), sold["lines"].to_pylist(), strict=True):
        found[read._known.values["category"][category]] += lines
    assert found == {"milk_tea": 19, "low_sugar": 1, "snack": 1, "other": 19}


def test_a_person_has_one_value_of_each_attribute(read: PlanRows) -> None:
    assert counted(read, read.people, "sex") == {"female": 15, "male": 5}
    assert counted(read, read.people, "stage_before") == {"unknown": PEOPLE}
    assert counted(read, read.people, "since_first") == {"0": PEOPLE}
    assert counted(read, read.people, "bought") == {"yes": 8, "no": 12}


def test_an_enquiry_is_about_its_own_category_and_not_that_of_a_product(read: PlanRows) -> None:
    assert counted(read, read.enquiries, "category") == {"low_sugar": 1, "other": 1}


def test_the_calendar_is_right_when_clocks_change() -> None:
    known = labels(reader(None, {}), MID, HOUSE, 202603)  # type: ignore[arg-type]
    table = hours(MID, known, 202603, "Europe/Berlin")
    assert table.num_rows == 31 * 24 - 1
    assert Counter(table["day"].to_pylist())[28] == 23
    assert hours(MID, known, 202603, ZONE).num_rows == 31 * 24


def test_a_dimension_whose_table_is_empty_stops_the_slice_before_anything_is_read(session: Session) -> None:
    held = reader(session, rows(MONTH), stores=PUBLIC["stores"].slice(0, 0))
    known = labels(held, MID, HOUSE, MONTH)
    with PlanRows(held, MID, HOUSE, known, MONTH) as made, pytest.raises(NotConfigured):
        made.blocks(MID.slice("sales"))


def test_a_report_of_another_month_reads_nothing_through_a_close(read: PlanRows) -> None:
    with pytest.raises(Refused), read.open("analytics.statistics", (202604,)):
        raise AssertionError
    with read.open("analytics.statistics", (MONTH,)) as view:
        assert view is read.view


def test_lines_whose_source_named_no_order_are_one_order_an_hour(session: Session) -> None:
    held = rows(MONTH)
    for line in held["order_lines"]:
        line |= {"order_key": None, "run_id": 0}
    made = reader(session, held)
    with PlanRows(made, MID, HOUSE, labels(made, MID, HOUSE, MONTH), MONTH) as read:
        assert read.view.run(read.orders.select("orders"))["orders"].to_pylist() == [1] * len(
            {line["hour"] for line in held["order_lines"]}
        )
