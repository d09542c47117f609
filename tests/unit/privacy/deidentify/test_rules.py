"""The treatments give the lake's columns and nothing finer, wider or unasked."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from privacy import errors
from privacy.deidentify import rules
from privacy.dictionary import catalogue

DICTIONARY = catalogue.load()
SHANGHAI = "Asia/Shanghai"


def link(kind: str, values: pa.StringArray, months: pa.Int32Array) -> pa.Int64Array:
    """A stand-in for the keyed link: length times month, so that it is deterministic and typed."""
    return pc.add(pc.cast(months, pa.int64()), pc.cast(pc.utf8_length(values), pa.int64()))


def scrub(values: pa.StringArray) -> tuple[pa.StringArray, pa.BooleanArray]:
    return pc.replace_substring(values, "secret", "⟨x⟩"), pc.fill_null(pc.match_substring(values, "doubt"), fill_value=False)


def instants(*values: datetime | None) -> pa.TimestampArray:
    return pa.array(values, pa.timestamp("us", tz="UTC"))


def apply(
    record: str, table: str, columns: dict[str, list[Any]], times: pa.TimestampArray, allowed: Any = ..., zone: str = SHANGHAI
) -> pa.Table:
    schema = DICTIONARY.fields_schema(record)
    fields = pa.table({name: pa.array(values, schema.field(name).type) for name, values in columns.items()})
    if allowed is ...:
        allowed = dict.fromkeys(columns, True)
    return rules.apply(DICTIONARY, table, record, fields, times, zone=zone, link=link, scrub=scrub, allowed=allowed).rows


@pytest.mark.parametrize("table", [t.name for t in DICTIONARY.tables.values() if t.made == "records"])
def test_every_table_comes_out_with_exactly_its_columns_and_types(table: str) -> None:
    record = next(r for r in DICTIONARY.records.values() if table in r.tables)
    schema = DICTIONARY.fields_schema(record.name)
    fields = pa.table({f.name: pa.nulls(2, f.type) for f in schema})
    times = instants(datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 2, tzinfo=UTC))
    rows = rules.apply(
        DICTIONARY, table, record.name, fields, times, zone=SHANGHAI, link=link, scrub=scrub, allowed={} if record.people else None
    ).rows
    expected = [f for f in DICTIONARY.arrow_schema(table) if f.name not in catalogue.SYSTEM_COLUMNS]
    assert [(f.name, f.type) for f in rows.schema] == [(f.name, f.type) for f in expected]
    assert rows.num_rows == 2


def test_month_is_the_controllers_and_the_hour_is_whole() -> None:
    times = instants(datetime(2024, 1, 31, 15, 59, 59, 999999, UTC), datetime(2024, 1, 31, 16, 0, 0, 1, UTC), None)
    assert rules.local_month(times, SHANGHAI).to_pylist() == [202401, 202402, None]
    assert rules.local_hour(times, SHANGHAI).to_pylist() == [
        datetime(2024, 1, 31, 15, tzinfo=UTC),
        datetime(2024, 1, 31, 16, tzinfo=UTC),
        None,
    ]


def test_hours_are_whole_by_the_clock_on_the_wall_also_where_zones_are_odd() -> None:
    """In Kolkata (+05:30) 18:31 UTC is one minute past midnight: the hour begins at 18:30 UTC and lies in the new month."""
    times = instants(datetime(2024, 1, 31, 18, 31, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, tzinfo=UTC))
    assert rules.local_hour(times, "Asia/Kolkata").to_pylist()[0] == datetime(2024, 1, 31, 18, 30, tzinfo=UTC)
    assert rules.local_month(times, "Asia/Kolkata").to_pylist() == [202402, 197001]
    assert rules.local_hour(times, "UTC").to_pylist()[1] == datetime(1969, 12, 31, 23, tzinfo=UTC)


def test_the_repeated_hour_of_autumn_stays_two_hours() -> None:
    times = instants(datetime(2024, 11, 3, 5, 30, tzinfo=UTC), datetime(2024, 11, 3, 6, 30, tzinfo=UTC))
    assert rules.local_hour(times, "America/New_York").to_pylist() == [
        datetime(2024, 11, 3, 5, tzinfo=UTC),
        datetime(2024, 11, 3, 6, tzinfo=UTC),
    ]


@pytest.mark.parametrize(
    ("birth", "at", "age", "band"),
    [
        (date(2010, 6, 1), datetime(2024, 5, 31, 15, 59, 59, tzinfo=UTC), 13, None),
        (date(2010, 6, 1), datetime(2024, 5, 31, 16, 0, tzinfo=UTC), 14, "14-17"),
        (date(2006, 6, 1), datetime(2024, 5, 31, 15, 59, 59, tzinfo=UTC), 17, "14-17"),
        (date(2006, 6, 1), datetime(2024, 5, 31, 16, 0, tzinfo=UTC), 18, "18-19"),
        (date(2004, 2, 29), datetime(2022, 2, 28, 12, 0, tzinfo=UTC), 17, "14-17"),
        (date(2004, 2, 29), datetime(2022, 3, 1, 12, 0, tzinfo=UTC), 18, "18-19"),
        (date(1964, 6, 1), datetime(2024, 6, 1, 12, 0, tzinfo=UTC), 60, "60+"),
        (date(1904, 6, 1), datetime(2024, 6, 1, 12, 0, tzinfo=UTC), 120, "60+"),
        (date(2030, 1, 1), datetime(2024, 6, 1, 12, 0, tzinfo=UTC), -6, None),
    ],
)
def test_ages_turn_on_the_birthday_in_the_controllers_zone(birth: date, at: datetime, age: int, band: str | None) -> None:
    births = pa.array([birth, None], pa.date32())
    times = instants(at, at)
    assert rules.ages(births, times, SHANGHAI).to_pylist() == [age, None]
    assert rules.age_bands(DICTIONARY, births, times, SHANGHAI).to_pylist() == [band, None]


def test_a_member_becomes_bands_and_no_name_or_birthday() -> None:
    rows = apply(
        "member",
        "profiles",
        {
            "sex": ["female", "f"],
            "birth_date": [date(1998, 3, 4), None],
            "occupation": ["大学生", "astronaut"],
            "region": ["上海市静安区", "12 Elm Street"],
            "joined_on": [date(2020, 12, 31), None],
            "name": ["张三", "x"],
            "tier": ["gold", "13800138000"],
        },
        instants(datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 1, tzinfo=UTC)),
    )
    assert rows.select(["sex", "age_band", "occupation", "region", "joined_month", "tier", "city_tier"]).to_pylist() == [
        {
            "sex": "female",
            "age_band": "25-29",
            "occupation": "student",
            "region": "上海",
            "joined_month": 202012,
            "tier": "gold",
            "city_tier": None,
        },
        {"sex": None, "age_band": None, "occupation": "other", "region": "other", "joined_month": None, "tier": None, "city_tier": None},
    ]
    assert "张三" not in str(rows.to_pydict())


def test_a_field_is_kept_only_in_rows_where_its_purpose_is_allowed() -> None:
    times = instants(datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 1, tzinfo=UTC))
    columns: dict[str, list[Any]] = {"store_id": ["s1", "s1"], "product_id": ["p1", "p1"], "channel": ["pos", "pos"], "line": [1, 2]}
    rows = apply(
        "order_line",
        "order_lines",
        columns,
        times,
        {"store_id": pa.array([True, False]), "product_id": pa.array([None, True]), "line": False},
    )
    assert rows.column("store_id").to_pylist() == ["s1", None]
    assert rows.column("product_id").to_pylist() == [None, "p1"]
    assert rows.column("channel").to_pylist() == [None, None]
    assert rows.column("line").to_pylist() == [None, None]
    assert rows.column("month").to_pylist() == [202405, 202405]


def test_people_are_never_treated_without_knowing_what_is_allowed() -> None:
    with pytest.raises(errors.Refused):
        apply("order_line", "order_lines", {"store_id": ["s1"]}, instants(datetime(2024, 5, 1, tzinfo=UTC)), None)


def test_order_and_visit_are_linked_by_month_and_never_kept() -> None:
    rows = apply("order_line", "order_lines", {"order_id": ["A-1", None]}, instants(*[datetime(2024, 5, 1, tzinfo=UTC)] * 2))
    assert rows.column("order_key").to_pylist() == [202408, None]
    rows = apply("event", "events", {"session_id": ["abcde"], "step": [3]}, instants(datetime(2024, 5, 1, tzinfo=UTC)))
    assert rows.column("visit").to_pylist() == [202410]
    assert rows.column("step").type == pa.int32()


def test_text_of_which_the_scrubber_is_unsure_is_not_kept() -> None:
    rows = apply("feedback", "feedback", {"text": ["a secret", "a doubt", None]}, instants(*[datetime(2024, 5, 1, tzinfo=UTC)] * 3))
    assert rows.column("text").to_pylist() == ["a ⟨x⟩", None, None]


def test_texts_left_out_in_doubt_are_counted_and_absent_or_forbidden_ones_are_not() -> None:
    fields = pa.table({"text": pa.array(["a doubt", "a doubt", None, "a doubt", "good"], pa.string())})
    times = instants(*[datetime(2024, 5, 1, tzinfo=UTC)] * 5)
    allowed = {"text": pa.array([True, True, True, False, True])}
    treated = rules.apply(DICTIONARY, "feedback", "feedback", fields, times, zone=SHANGHAI, link=link, scrub=scrub, allowed=allowed)
    assert treated.rows.column("text").to_pylist() == [None, None, None, None, "good"]
    assert treated.doubted == {"feedback.text:text_low_confidence": 2}


def test_an_open_word_that_carries_an_identifier_is_not_kept() -> None:
    words = [
        "p-1",
        "13800138000",
        "１３８００１３８０００",
        "MTM4MDAxMzgwMDA=",
        "3133383030313338303030",
        "%31%33%38%30%30%31%33%38%30%30%30",
        "li@example.com",
    ]
    rows = apply("event", "events", {"product_id": words}, instants(*[datetime(2024, 5, 1, tzinfo=UTC)] * len(words)))
    assert rows.column("product_id").to_pylist() == ["p-1", *[None] * (len(words) - 1)]


def test_tables_without_people_are_exact() -> None:
    rows = apply(
        "till_total",
        "till_totals",
        {"store": ["s1"], "product": ["13800138000"], "day": [date(2024, 5, 1)], "net_minor": [1234567]},
        instants(None),
        None,
    )
    assert rows.to_pylist() == [
        {"store": "s1", "product": "13800138000", "day": date(2024, 5, 1), "quantity_milli": None, "net_minor": 1234567}
    ]


def test_chunked_and_empty_columns_are_whole() -> None:
    fields = pa.table({"store_id": pa.chunked_array([["a"], ["b"]])})
    rows = rules.apply(
        DICTIONARY, "order_lines", "order_line", fields, instants(*[datetime(2024, 5, 1, tzinfo=UTC)] * 2),
        zone=SHANGHAI, link=link, scrub=scrub, allowed={"store_id": True},
    ).rows  # fmt: skip
    assert rows.column("store_id").to_pylist() == ["a", "b"]
    assert apply("order_line", "order_lines", {"store_id": []}, instants()).num_rows == 0
