"""Each number as wide as it is known; what is too wide is rolled up or says from where on it could be read."""

from __future__ import annotations

import math

import pytest

from app.figures import tables, words
from tests.fakes.documents import CHINESE, ENGLISH, FUNNEL, SEGMENTS, STORES


@pytest.mark.parametrize(
    ("value", "margin", "how"),
    [
        (100, 10, "number"),
        (100, 11, "about"),
        (100, 25, "about"),
        (100, 26, "band"),
        (100, 51, "too_few"),
        (0, 5, "too_few"),
        (-80, 5, "number"),
    ],
)
def test_a_margins_share_of_its_value_decides_how_it_is_shown(value: float, margin: float, how: str) -> None:
    assert tables.how(value, margin) == how


def test_no_number_is_shown_without_its_margin() -> None:
    shown = [tables.shown(ENGLISH, line) for line in tables.lines(STORES, ENGLISH) if line.measure == "orders"]
    assert shown == ["1,000 ± 30", "400 ± 30", "too few to tell: readable from about 120"]
    assert tables.shown(CHINESE, tables.lines(STORES, CHINESE)[4]) == "太少，无法判断：约 120 起可读"
    assert tables.between(ENGLISH, tables.lines(STORES, ENGLISH)[4]) == "-10 to 50"


def test_rows_that_add_up_are_rolled_up_with_the_margin_of_a_sum() -> None:
    parents = tables.rolled_up(SEGMENTS, ENGLISH)
    assert [(line.names, line.value) for line in parents] == [(("all", "general_value"), 100.0), (("Men", "all"), 410.0)]
    assert all(line.half == pytest.approx(30 * math.sqrt(2)) for line in parents)


def test_people_in_several_rows_and_steps_of_a_funnel_are_never_added() -> None:
    assert not tables.adds_up(STORES, "people")
    assert tables.rolled_up(FUNNEL, ENGLISH) == []


def test_the_file_holds_the_released_numbers_and_nothing_rounded() -> None:
    records = list(tables.records(STORES))
    assert tuple(records[0]) == tables.columns(STORES)
    assert records[0] == {
        "store_id": "S1",
        "measure": "orders",
        "value": 1000.0,
        "low": 970.0,
        "high": 1030.0,
        "shown_as": "number",
        "unit": "count",
    }
    assert {one["unit"] for one in records} == {"count", "minor"}


def test_words_are_translated_and_unknown_ones_stay_as_they_are() -> None:
    assert words.grouping(ENGLISH, "brand_new_thing") == "brand new thing"
    assert words.period(ENGLISH, [202610, 202608, 202609]) == "Aug 2026 to Oct 2026"
    assert words.kind(CHINESE, "rfm") != words.kind(ENGLISH, "rfm")
