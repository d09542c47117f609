"""What of a row may be shown while it comes in: less than the lake keeps, and the same whoever it is about."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.admission import showing
from privacy.dictionary import catalogue
from privacy.orm import to_micros
from privacy.records import CanonicalPart
from tests.conftest import NOW

KNOWN = catalogue.load()


def part(record: str, **fields: Any) -> CanonicalPart:
    kind = KNOWN.record(record)
    size = len(next(iter(fields.values())))
    return CanonicalPart(
        record=record,
        positions=pa.array(range(size), pa.int64()),
        message_ids=None,
        times=pa.array([to_micros(NOW)] * size, pa.timestamp("us", tz="UTC")),
        fields=pa.table({name: pa.array(values, kind.fields[name].arrow_type) for name, values in fields.items()}),
        identifiers={},
    )


def shown(record: str, **fields: Any) -> list[dict[str, str]]:
    made = part(record, **fields)
    return [dict(row) for row in showing.shown(KNOWN, made, range(len(made.positions)), zone="Asia/Shanghai")]


def test_words_of_closed_lists_and_groups_are_shown_and_numbers_by_their_magnitude() -> None:
    (row,) = shown(
        "event",
        event=["product_viewed"],
        page=["/checkout/4711?phone=13812345678"],
        product_id=["P1"],
        quantity=[12],
        value_minor=[425_000],
        currency=["CNY"],
    )
    assert row == {
        "event": "product_viewed",
        "page_group": row["page_group"],
        "product_id": "P1",
        "quantity": "10…99",
        "value_minor": "100000…999999",
        "currency": "CNY",
        "hour": "2026-06-15T04:00Z",
    }
    assert row["page_group"] in KNOWN.generalisations["groups"]["page_group"] or row["page_group"] == "other"


def test_who_somebody_is_and_where_shows_only_that_it_came() -> None:
    (row,) = shown(
        "member", sex=["female"], birth_date=[date(1990, 5, 1)], occupation=["student"], region=["Shanghai"], tier=["gold"], name=["Zhen"]
    )
    assert row == {
        "sex": showing.CAME,
        "age_band": showing.CAME,
        "occupation": showing.CAME,
        "region": showing.CAME,
        "tier": "gold",
        "hour": "2026-06-15T04:00Z",
    }


def test_texts_and_links_show_only_that_they_came() -> None:
    (row,) = shown("feedback", text=["call me at 13812345678"], rating=[4])
    assert row["text"] == showing.CAME
    (visit,) = shown("event", event=["page_viewed"], session_id=["s-1"], region=["Beijing"])
    assert (visit["visit"], visit["region"]) == (showing.CAME, showing.CAME)


@pytest.mark.parametrize("word", ["13812345678", "zhen@canary.example", "110101199003078873", "x" * 41, "6222021234567894"])
def test_an_open_word_that_names_somebody_or_is_no_name_of_a_thing_is_not_shown(word: str) -> None:
    (row,) = shown("event", event=["product_viewed"], product_id=[word])
    assert row["product_id"] == showing.CAME


def test_what_did_not_come_is_not_there() -> None:
    first, second = shown("event", event=["page_viewed", "page_viewed"], product_id=["P1", None])
    assert "product_id" in first
    assert "product_id" not in second
    assert "channel" not in first


def test_records_without_people_are_shown_as_they_are() -> None:
    (row,) = shown("product", id=["P1"], list_price_minor=[1_950])
    assert row["list_price_minor"] == "1950"


def test_only_the_rows_that_are_asked_for_are_shown_in_their_order() -> None:
    made = part("event", event=["page_viewed", "product_viewed", "link_clicked"])
    assert [row["event"] for row in showing.shown(KNOWN, made, [2, 0], zone="UTC")] == ["link_clicked", "page_viewed"]


@settings(max_examples=200, deadline=None)
@given(st.integers(-(10**12), 10**12))
def test_a_magnitude_holds_its_number_and_is_shared_by_all_of_its_length(value: int) -> None:
    low, _, high = showing.magnitude(value).replace("−", "-").partition("…")
    assert int(low) <= value <= int(high or low)
    assert showing.magnitude(value) == showing.magnitude(int(low)) == showing.magnitude(int(high or low))


@pytest.mark.parametrize("record", [name for name, kind in KNOWN.records.items() if kind.people])
def test_no_column_of_a_person_is_ever_told_that_the_dictionary_calls_one_of_identity(record: str) -> None:
    kind = KNOWN.record(record)
    for table in kind.tables:
        for field, becomes in kind.feeds(table):
            if field.category in ("demographic", "location", "identity", "health", "religion", "child") or becomes.treatment == "link":
                assert not showing._told(kind, field, becomes)
