from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from app.console.lists import Column, Filter, Listing, cell, csv_of, identifier_like, parse
from privacy.errors import Invalid

FILTERS = (
    Filter("state", "State", "choice", (("done", "Done"), ("failed", "Failed"))),
    Filter("since", "Since", "date"),
    Filter("mine", "Mine", "flag"),
    Filter("q", "Name"),
)


def test_an_address_sets_only_declared_filters() -> None:
    asked = MultiDict({"state": "done", "since": "2026-11-01", "mine": "1", "q": " tea ", "role": "officer", "after": "x"})
    assert parse(asked, FILTERS) == {"state": "done", "since": "2026-11-01", "mine": "1", "q": "tea"}
    assert parse(MultiDict({"state": "", "q": "  "}), FILTERS) == {}


@pytest.mark.parametrize(
    ("name", "value"), [("state", "DONE"), ("since", "1.11.2026"), ("since", "2026-13-01"), ("mine", "yes"), ("q", "x" * 201)]
)
def test_a_filter_that_breaks_its_rule_is_named_and_its_value_is_not(name: str, value: str) -> None:
    with pytest.raises(Invalid) as raised:
        parse(MultiDict({name: value}), FILTERS)
    assert (raised.value.code, raised.value.field) == ("bad_filter", name)
    assert value not in raised.value.message


@pytest.mark.parametrize("value", ["13812345678", "+86 138 1234 5678", "li@example.com", "11010519491231002X", "card 6222-0200-1234"])
def test_an_identifier_in_an_address_is_refused(value: str) -> None:
    assert identifier_like(value)
    with pytest.raises(Invalid) as raised:
        parse(MultiDict({"q": value}), FILTERS)
    assert raised.value.code == "identifier_in_address"


@pytest.mark.parametrize("value", ["rel_0123456789abcdef0123456789abcdef", "src_90817263544", "2026-11-22", "store 12", "order_line", ""])
def test_our_own_numbers_days_and_words_are_no_identifiers(value: str) -> None:
    assert not identifier_like(value)


COLUMNS = (Column("name", "Name"), Column("rows", "Rows", "number"), Column("at", "At", "instant"), Column("tags", "Tags", "list"))


def test_a_file_has_a_mark_stable_keys_and_the_rows_as_they_are() -> None:
    moment = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
    rows = [{"name": '茶, "绿"\n', "rows": -3, "at": moment, "tags": ["a", "b"]}, {"name": None, "rows": 1.5, "at": None}]
    answer = csv_of(COLUMNS, rows, "te a.csv")
    raw = answer.get_data()
    assert raw.startswith(b"\xef\xbb\xbfname,rows,at,tags\r\n")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="te-a.csv"'
    read = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert read[1:] == [['茶, "绿"\n', "-3", "2026-11-22T08:30:00Z", "a; b"], ["", "1.5", "", ""]]


def test_a_file_ends_at_its_cap() -> None:
    lines = csv_of(COLUMNS[:1], ({"name": str(number)} for number in range(50)), "x.csv", cap=7).get_data().splitlines()
    assert len(lines) == 8
    assert Listing(COLUMNS, [], "x", total=50, csv_cap=7).csv_rows == 7


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2+3", "@sum", "\tx", "\rx"])
def test_no_cell_is_taken_for_a_formula(text: str) -> None:
    assert cell(text) == "'" + text


def test_numbers_days_and_truths_stay_what_they_are() -> None:
    assert [cell(value) for value in (-5, "-5", "-5.25", 0.5, True, date(2026, 1, 2), "a-b", None)] == [
        "-5", "-5", "-5.25", "0.5", "true", "2026-01-02", "a-b", "",
    ]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=6))
def test_whatever_is_written_can_be_read_again(texts: list[str]) -> None:
    raw = csv_of((Column("name", "Name"),), ({"name": text} for text in texts), "x.csv").get_data().decode("utf-8-sig")
    read = [row[0] if row else "" for row in csv.reader(io.StringIO(raw, newline=""))][1:]
    assert read == [cell(text) for text in texts]
    assert not any(one.startswith(("=", "+", "@", "\t", "\r")) for one in read)
