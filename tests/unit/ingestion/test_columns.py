"""Text becomes typed columns exactly, or a named fault."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion import columns
from privacy.dictionary.catalogue import Field, Input, load
from privacy.vocabulary import FormRule


def field(type_: str, **rules: object) -> Field:
    return Field("f", type_, None, "f", "f", "behavioural", "c", (), Input(**rules), ())  # type: ignore[arg-type]


def text(*values: str | None) -> pa.Array:
    return pa.array(values, pa.string())


@pytest.mark.parametrize(
    ("written", "times", "whole"),
    [
        ("12.34", "100", 1234),
        ("-0.5", "100", -50),
        ("+7", "1", 7),
        ("0.1", "1000", 100),
        ("1500", "0.01", 15),
        ("1e3", "1", 1000),
        ("3.00000", "1", 3),
        ("9223372036854775807", "1", 2**63 - 1),
        ("12.345", "100", FormRule.WRONG_TYPE),
        ("9223372036854775808", "1", FormRule.OUT_OF_RANGE),
        ("1e400", "1", FormRule.OUT_OF_RANGE),
        ("1e200", "1", FormRule.OUT_OF_RANGE),
        ("nan", "1", FormRule.WRONG_TYPE),
        ("1_000", "1", FormRule.WRONG_TYPE),
        ("1,000", "1", FormRule.WRONG_TYPE),
        ("٣", "1", FormRule.WRONG_TYPE),
        ("0x10", "1", FormRule.WRONG_TYPE),
    ],
)
def test_numbers_are_read_exactly_or_not_at_all(written: str, times: str, whole: int | FormRule) -> None:
    for column in (text(None, written), text(written, "12", "0.3")):
        typed = columns.whole(column, Decimal(times))
        place = column.to_pylist().index(written)
        if isinstance(whole, FormRule):
            assert (place, whole) in typed.faults
        else:
            assert typed.values[place].as_py() == whole
            assert place not in dict(typed.faults)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.none() | st.decimals(-(10**12), 10**12, places=3), max_size=20), st.sampled_from(["1", "100", "1000", "0.001", "7"]))
def test_the_vector_agrees_with_decimal_arithmetic(values: list[Decimal | None], times: str) -> None:
    typed = columns.whole(text(*(None if value is None else f"{value:f}" for value in values)), Decimal(times))
    faults = dict(typed.faults)
    for row, value in enumerate(values):
        product = None if value is None else value * Decimal(times)
        if product is not None and product != product.to_integral_value():
            assert faults.pop(row) is FormRule.WRONG_TYPE
        else:
            assert typed.values[row].as_py() == (None if product is None else int(product))
    assert faults == {}


def test_a_slice_of_a_column_is_read_as_itself() -> None:
    assert columns.whole(text("1", "2", None, "4").slice(1), Decimal(100)).values.to_pylist() == [200, None, 400]


@pytest.mark.parametrize(
    ("written", "zone", "form", "instant"),
    [
        ("2026-01-02T03:04:05Z", None, None, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02 03:04:05+08:00", None, None, datetime(2026, 1, 1, 19, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05.123456789+0800", None, None, datetime(2026, 1, 1, 19, 4, 5, 123456, tzinfo=UTC)),
        ("2026-01-02 03:04:05", "Asia/Shanghai", None, datetime(2026, 1, 1, 19, 4, 5, tzinfo=UTC)),
        ("2026-01-02", "Asia/Shanghai", None, datetime(2026, 1, 1, 16, tzinfo=UTC)),
        ("02/01/2026 03:04", "Asia/Shanghai", "%d/%m/%Y %H:%M", datetime(2026, 1, 1, 19, 4, tzinfo=UTC)),
        ("2026-01-02 03:04:05 +0800", None, "%Y-%m-%d %H:%M:%S %z", datetime(2026, 1, 1, 19, 4, 5, tzinfo=UTC)),
        ("1795355277518", None, "epoch_ms", datetime(2026, 11, 22, 13, 47, 57, 518000, tzinfo=UTC)),
        ("2026-11-01 01:30:00", "America/New_York", None, datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
        ("2026-01-02 03:04:05", None, None, FormRule.ZONE_MISSING),
        ("2026-02-30T00:00:00Z", None, None, FormRule.BAD_TIME),
        ("yesterday", "UTC", None, FormRule.BAD_TIME),
        ("99999999999999999", None, "epoch_s", FormRule.OUT_OF_RANGE),
        ("999999999999", None, "epoch_s", FormRule.BAD_TIME),
        ("x" * 1000, "UTC", None, FormRule.BAD_TIME),
    ],
)
def test_a_time_is_an_instant_or_a_fault(written: str, zone: str | None, form: str | None, instant: datetime | FormRule) -> None:
    for column in (text(written, None), text(written, "2026-01-02T00:00:00Z", "nonsense")):
        typed = columns.instant(column, zone=zone, form=form)
        if isinstance(instant, FormRule):
            assert dict(typed.faults)[0] is instant
        else:
            assert typed.values[0].as_py() == instant


@settings(max_examples=40, deadline=None)
@given(st.lists(st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1)), min_size=1, max_size=8))  # noqa: DTZ001
def test_local_times_are_those_of_the_zone(moments: list[datetime]) -> None:
    typed = columns.instant(text(*(moment.isoformat(" ") for moment in moments)), zone="Asia/Shanghai")
    assert typed.values.to_pylist() == [moment.replace(tzinfo=ZoneInfo("Asia/Shanghai")) for moment in moments]


@pytest.mark.parametrize(
    ("written", "form", "day"),
    [
        ("2004-02-29", None, date(2004, 2, 29)),
        ("29.02.2004", "%d.%m.%Y", date(2004, 2, 29)),
        ("2004-02-29T17:00:00Z", None, date(2004, 3, 1)),
        ("2004-02-29 17:00:00", None, date(2004, 2, 29)),
        ("2005-02-29", None, FormRule.BAD_TIME),
        ("1990", None, FormRule.BAD_TIME),
    ],
)
def test_a_day_is_a_day_of_the_calendar(written: str, form: str | None, day: date | FormRule) -> None:
    typed = columns.day(text(written), form, "Asia/Shanghai")
    assert (dict(typed.faults).get(0) or typed.values[0].as_py()) == day


def test_truth_is_told_in_few_words() -> None:
    typed = columns.boolean(text("True", "0", "是", None, "maybe"))
    assert typed.values.to_pylist() == [True, False, True, None, None]
    assert typed.faults == [(4, FormRule.WRONG_TYPE)]


@pytest.mark.parametrize(
    ("entry", "value", "rule"),
    [
        (field("string", max_length=3), "abcd", FormRule.TOO_LONG),
        (field("string", max_length=3), "奶茶店", None),
        (field("string", values=("a", "b")), "c", FormRule.NOT_ALLOWED),
        (field("string", pattern="^[A-Z]{3}$"), "cny", FormRule.BAD_PATTERN),
        (field("string"), "a\0b", FormRule.BAD_TEXT),
        (field("string"), {"phone": "x"}, FormRule.WRONG_TYPE),
        (field("string"), ["x"], FormRule.WRONG_TYPE),
        (field("int", min=0), -1, FormRule.OUT_OF_RANGE),
        (field("int", max=10), "11", FormRule.OUT_OF_RANGE),
        (field("int"), 1.5, FormRule.WRONG_TYPE),
        (field("int"), True, FormRule.WRONG_TYPE),
        (field("int"), 2.0, None),
        (field("minor"), "12", None),
        (field("date", max="2020-01-01"), "2021-01-01", FormRule.OUT_OF_RANGE),
    ],
)
def test_json_values_follow_the_input_rules(entry: Field, value: object, rule: FormRule | None) -> None:
    typed = columns.from_python(entry, [None, value], calendar="UTC")
    assert typed.faults == ([] if rule is None else [(1, rule)])
    assert typed.values.type == entry.arrow_type
    assert typed.values[0].as_py() is None


def test_every_field_of_the_dictionary_can_be_read_from_text() -> None:
    for record in load().records.values():
        for entry in record.fields.values():
            assert columns.from_text(entry, text(None, None), calendar="UTC").values.type == entry.arrow_type


def test_white_space_is_absence() -> None:
    assert columns.tidy(text(" a ", "", "  ", None, "\u3000b")).to_pylist() == ["a", None, None, None, "b"]


def test_a_constant_is_converted_once_and_fails_everywhere() -> None:
    assert columns.repeated(columns.whole(text("5")), 3).values.to_pylist() == [5, 5, 5]
    assert columns.repeated(columns.whole(text("x")), 2).faults == [(0, FormRule.WRONG_TYPE), (1, FormRule.WRONG_TYPE)]
