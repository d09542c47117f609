"""What the values of groupings are called, in both languages."""

from __future__ import annotations

import pytest

from analytics.reports import plan, planrows
from app.figures import cells
from privacy.dictionary import catalogue
from tests.fakes.documents import CHINESE, ENGLISH

KINDS = catalogue.load().generalisations
CLOSED = {
    "weekday": planrows.WEEKDAYS,
    "daypart": tuple(plan.load(0).dayparts),
    "stage": planrows.STAGES,
    "occupation": tuple(KINDS["groups"]["occupation"]),
    "region": tuple(KINDS["regions"]["provinces"]),
}
"""Groupings whose values are a closed list of ours."""


def test_a_value_is_called_by_its_name_and_one_of_an_open_list_stays_as_it_is() -> None:
    assert cells.cell(CHINESE, "sex", "female") == "女"
    assert cells.cell(ENGLISH, "store_id", "S1") == "S1"
    assert cells.cell(ENGLISH, "month", "202610") == "Oct 2026"
    assert cells.cell(CHINESE, "segment", "champions", {"name": {"en": "Champions", "zh": "重要价值客户"}}) == "重要价值客户"


def test_a_filter_is_said_in_words() -> None:
    assert cells.condition(ENGLISH, "channel", "in", "delivery|pos") == "Channel: Delivery, Till"
    assert cells.condition(CHINESE, "channel", "!=", "pos") == "渠道：不含收银台"


@pytest.mark.parametrize("name", CLOSED)
def test_every_value_of_a_closed_list_has_a_name_in_both_languages(name: str) -> None:
    for value in CLOSED[name]:
        assert cells.cell(ENGLISH, name, value) != value, value
        assert cells.cell(CHINESE, name, value) not in (value, cells.cell(ENGLISH, name, value)), value
