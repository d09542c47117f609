"""How far a table was read: exact through bytes and back, and never back to rows that nobody remembers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.watermarks import REMEMBERED, State
from privacy.errors import Invalid
from tests.conftest import NOW

KEYS = st.one_of(
    st.integers(), st.text(max_size=20), st.dates(), st.datetimes(timezones=st.just(UTC)), st.datetimes(), st.uuids(),
    st.decimals(allow_nan=False, allow_infinity=False),
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(), min_size=1, max_size=5), st.lists(KEYS, min_size=1, max_size=3))
def test_a_state_comes_back_as_it_was_written_with_the_types_of_its_values(watermarks: list[int], key: list[Any]) -> None:
    state = State()
    for number, watermark in enumerate(watermarks):
        state = state.read_to(watermark, key, NOW + timedelta(days=number))
    again = State.parse(state.text())
    assert again == state
    assert [type(value) for value in again.place or ()] == [int, *map(type, key)]
    assert again.high == max(watermarks)


@pytest.mark.parametrize(
    ("high", "floor"),
    [
        (100, 40),
        (Decimal("100"), Decimal("40")),
        (datetime(2026, 6, 1, 10, 0, 30), datetime(2026, 6, 1, 9, 59, 30)),  # noqa: DTZ001
        (date(2026, 6, 2), date(2026, 6, 1)),
        ("2026-06-01 10:00:30", "2026-06-01 09:59:30"),
        ("2026-06-01T10:00:30", "2026-06-01T09:59:30"),
        ("2026-06-01", "2026-05-31"),
    ],
)
def test_looking_back_counts_seconds_of_times_days_of_dates_and_units_of_numbers(high: Any, floor: Any) -> None:
    assert State().read_to(high, [1], NOW).floor(60) == floor


@pytest.mark.parametrize("watermark", [1.5, True, None, b"x"])
def test_a_watermark_of_another_kind_is_refused(watermark: Any) -> None:
    with pytest.raises(Invalid, match="watermark"):
        State().read_to(watermark, [1], NOW)


def test_a_watermark_that_changes_its_type_a_key_without_a_value_and_a_text_that_is_no_time_are_refused() -> None:
    with pytest.raises(Invalid, match="same in every row"):
        State().read_to(1, [1], NOW).read_to("2", [1], NOW)
    with pytest.raises(Invalid, match="key"):
        State().read_to(1, [None], NOW)
    with pytest.raises(Invalid, match="ISO"):
        State().read_to("yesterday", [1], NOW).floor(60)


def test_a_pass_that_looks_back_begins_anew_and_one_that_does_not_goes_on_behind_its_last_row() -> None:
    state = State().read_to(5, [7], NOW)
    assert state.ended(again=False) == state
    ended = state.ended(again=True)
    assert (ended.place, ended.high) == (None, 5)
    assert ended.ended(again=True) == ended


def test_what_was_read_longer_ago_than_items_are_known_is_seen_for_good() -> None:
    state = State()
    for day in range(60):
        state = state.read_to(day, [1], NOW + timedelta(days=day))
        seen = state.seen_for_good(NOW + timedelta(days=day))
        assert seen == (day - REMEMBERED.days - 1 if day > REMEMBERED.days else None)
        assert len(state.marks) <= REMEMBERED.days + 2
    assert state.seen_for_good(NOW + timedelta(days=200)) == 59
    assert UUID(int=1) in State.parse(State().read_to(1, [UUID(int=1)], NOW).text()).place  # type: ignore[operator]
