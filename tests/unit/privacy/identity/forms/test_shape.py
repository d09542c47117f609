"""Filling a form: refused and counted, never emptied; an address whole or not at all; in the order of its own values."""

from __future__ import annotations

import hashlib

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy import errors
from privacy.identity.forms import book, shape
from privacy.identity.forms.shape import NO_IDENTIFIER, Choice, fill

EMPTY = {hashlib.new(name, b"").hexdigest() for name in ("sha256", "sha512", "md5")}
ADDRESS = {"first_name": ["Mary"], "last_name": ["Jones"], "country": ["us"], "postcode": ["94105"]}


def columns(**texts: list[str | None]) -> dict[str, pa.StringArray]:
    return {name: pa.array(values, pa.string()) for name, values in texts.items()}


@pytest.mark.parametrize("gone", list(ADDRESS))
def test_an_address_of_google_leaves_with_all_four_or_not_at_all(gone: str) -> None:
    whole = fill(book.form("google"), columns(**ADDRESS))
    assert whole.table.num_rows == 1
    for broken in (columns(**{**ADDRESS, gone: [None]}), columns(**{name: texts for name, texts in ADDRESS.items() if name != gone})):
        filled = fill(book.form("google"), broken)
        assert filled.table.num_rows == 0
        assert filled.refused == {"address_incomplete": 1, NO_IDENTIFIER: 1}
        beside = fill(book.form("google"), {**broken, "email": pa.array(["a@example.com"])})
        assert beside.table.num_rows == 1
        assert all(beside.table[header].null_count for header in beside.table.column_names if header != "Email")


def test_a_person_counts_once_under_a_code_however_many_columns_it_concerns() -> None:
    filled = fill(book.form("meta"), columns(email=["a@example.com"], birth_date=["gestern"], first_name=["!"], last_name=["?"]))
    assert filled.refused == {"birth_date_malformed": 1, "name_malformed": 1}


def test_an_unknown_gender_is_no_man() -> None:
    filled = fill(book.form("meta"), columns(email=["a@example.com", "b@example.com"], gender=["unknown", None]))
    assert filled.table["GEN"].to_pylist() == [None, None]
    assert filled.refused == {"gender_unknown": 1}


def test_attributes_alone_find_nobody() -> None:
    filled = fill(book.form("meta"), columns(first_name=["Mary"], gender=["f"], city=["北京"]))
    assert filled.table.num_rows == 0
    assert filled.refused == {NO_IDENTIFIER: 1}


@pytest.mark.parametrize("name", ["first_name", "last_name", "title", "company", "country"])
def test_linkedin_gets_nothing_in_clear_whoever_asks(name: str) -> None:
    with pytest.raises(errors.Refused) as refused:
        fill(book.form("linkedin"), columns(email=["a@example.com"], **{name: ["x"]}))
    assert (refused.value.code, refused.value.field) == ("form_column_in_clear", name)


@pytest.mark.parametrize(
    ("family", "given_columns", "choice", "code"),
    [
        ("google", {"email": ["a"], "handle": ["b"]}, Choice(), "form_column_unknown"),
        ("google", {"email": ["a"]}, Choice(digest="md5"), "form_digest_unknown"),
        ("google", {"email": ["a"], "phone": ["1", "2"]}, Choice(), "form_columns_uneven"),
        ("google", {}, Choice(), "form_columns_uneven"),
        ("sms", {"phone": ["13800138000"]}, Choice(), "form_sender_missing"),
        (
            "email",
            {"email": ["a@b.cn"]},
            Choice(constants={"sender": "店", "sender_contact": "400", "opt_out": " "}),
            "form_sender_missing",
        ),
    ],
)
def test_what_the_form_cannot_use_stops_it(family: str, given_columns: dict[str, list[str | None]], choice: Choice, code: str) -> None:
    with pytest.raises(errors.Invalid) as wrong:
        fill(book.form(family), columns(**given_columns), choice)
    assert wrong.value.code == code


def test_an_unknown_form_is_not_found() -> None:
    with pytest.raises(errors.NotFound):
        book.form("telegram")


def test_rows_stand_in_the_order_of_their_own_values() -> None:
    """The order of two files would join them as well as a column does."""
    phones = [f"138{number * 7919 % 10**8:08d}" for number in range(500)]
    filled = fill(book.form("damopan"), columns(phone=phones))
    hashes = filled.table["phone"].to_pylist()
    assert hashes == sorted(hashes)
    assert [hashlib.sha256(phones[row].encode()).hexdigest() for row in filled.rows.to_pylist()] == hashes
    backwards = fill(book.form("damopan"), columns(phone=phones[::-1]))
    assert backwards.table == filled.table


def test_a_filled_form_shows_nobody_in_its_repr() -> None:
    assert repr(fill(book.form("damopan"), columns(phone=["13800138000"]))) == "Filled(damopan, 1 rows)"


TEXT = (
    st.none()
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    | st.sampled_from(["a@b.cn", "13800138000", "女", "北京", "@x", " "])
)


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(list(book.FORMS.values())), st.data())
def test_whatever_comes_in_no_cell_is_empty_no_digest_is_that_of_nothing_and_everybody_is_accounted_for(
    form: shape.Form, data: st.DataObject
) -> None:
    count = data.draw(st.integers(1, 6))
    given_columns = {
        name: pa.array(data.draw(st.lists(TEXT, min_size=count, max_size=count)), pa.string()) for name in sorted(form.sources)
    }
    filled = fill(form, given_columns, Choice(constants=dict.fromkeys(form.constants, "x")))
    cells = [cell for column in filled.table.columns for cell in column.to_pylist()]
    assert "" not in cells
    assert EMPTY.isdisjoint(cells)
    assert filled.table.num_rows == len(filled.rows) == len(set(filled.rows.to_pylist()))
    assert filled.table.num_rows + filled.refused.get(NO_IDENTIFIER, 0) == count
    hashed = [part.header for part in form.parts if part.hashed]
    assert all(cell is None or len(cell) == 64 for header in hashed for cell in filled.table[header].to_pylist())
