"""Values, names and places made even before a family's rule."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.identity.forms import digests, names, places, values


def test_what_is_empty_or_blank_is_absent_and_not_refused() -> None:
    assert values.clean(pa.chunked_array([["", "  "], ["\u200b", None, " a "]])).to_pylist() == [None, None, None, None, "a"]


def test_nothing_has_no_digest() -> None:
    with pytest.raises(ValueError, match="no digest"):
        digests.digest("sha256", pa.array(["a", ""]))
    with pytest.raises(ValueError, match="no digest"):
        digests.digest("md5", pa.array(["a"] * 20 + [""]))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8), max_size=25), st.integers(0, 3))
def test_digests_are_hashlibs_whatever_the_column_looks_like(texts: list[str | None], start: int) -> None:
    import hashlib

    column = pa.array(texts, pa.string()).slice(min(start, len(texts)))
    for name in ("sha256", "sha512", "md5"):
        right = [None if text is None else hashlib.new(name, text.encode()).hexdigest() for text in column.to_pylist()]
        assert digests.digest(name, column).to_pylist() == right


@pytest.mark.parametrize(
    ("whole", "last", "first"),
    [
        ("张伟", "张", "伟"), ("李小龙", "李", "小龙"), ("欧阳锋", "欧阳", "锋"), ("司马相如", "司马", "相如"), ("诸葛亮", "诸葛", "亮"),
        ("欧阳", "欧", "阳"), ("王马小丽", "王", "马小丽"), ("阿凡提·买买提", "买买提", "阿凡提"), ("Mary Jones", "Jones", "Mary"),
        ("Jones, Mary Ann", "Jones", "Mary Ann"), ("Mary Ann Jones", "Jones", "Mary Ann"), ("司徒王朗文", "司徒", "王朗文"),
    ],
)  # fmt: skip
def test_a_whole_name_is_taken_apart(whole: str, last: str, first: str) -> None:
    found = names.split(values.clean(pa.array([whole])))
    assert [one.to_pylist() for one in found] == [[last], [first]]


@pytest.mark.parametrize("whole", ["张", "Madonna", "张三李四王五", "张 Mary", "", "a, b, c"])
def test_a_name_that_no_rule_takes_apart_is_refused_and_never_halved(whole: str) -> None:
    last, first = names.split(values.clean(pa.array([whole])))
    assert (last.to_pylist(), first.to_pylist()) == ([None], [None])


def test_every_place_of_the_list_is_in_the_letters_a_to_z() -> None:
    assert all(word.isascii() and word.isalpha() and word.islower() for word in (*places.CHINESE.values(), *places.STATES.values()))
    assert places.roman(pa.array(list(places.CHINESE))).to_pylist() == list(places.CHINESE.values())


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
def test_a_place_is_letters_a_to_z_or_refused_and_never_empty(text: str) -> None:
    (made,) = places.roman(values.clean(pa.array([text]))).to_pylist()
    assert made is None or (made.isascii() and made.isalpha() and made.islower())


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["emails", "devices", "genders", "days", "countries", "postcodes"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
def test_no_rule_ever_answers_with_an_empty_text(rule: str, text: str) -> None:
    (made,) = getattr(values, rule)(values.clean(pa.array([text]))).to_pylist()
    assert made is None or made
