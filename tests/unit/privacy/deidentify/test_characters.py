"""The plain form makes spellings alike and never loses the way back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.deidentify.characters import plain


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("１３８", "138"),
        ("١٣٨", "138"),
        ("①③⑧⓪", "1380"),
        ("1\u200b3\ufeff8", "138"),
        ("1️⃣3️⃣", "13"),
        ("ＡＢ＠ｃ", "AB@c"),
        ("一三八〇〇一三", "1380013"),
        ("一三八 零零一三", "138 0013"),
        ("三十八岁", "三十八岁"),
        ("一二三四杯", "一二三四杯"),
        ("㎏", "kg"),
        (r"138\n001", "138\n001"),
        (r"138\\r\n００１", "138\n\n001"),
    ],
)
def test_spellings_of_the_same_are_alike(written: str, read: str) -> None:
    assert plain(written).text == read


@given(st.text("a1①㎏\u200b中零, \\n", max_size=20))
def test_every_span_maps_back_to_what_was_written(text: str) -> None:
    view = plain(text)
    for i in range(len(view.text)):
        start, end = view.span(i, i + 1)
        assert plain(text[start:end]).text.find(view.text[i]) >= 0 or view.text[i] == "0"
