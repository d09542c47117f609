"""Cells that no spreadsheet runs, one at a time and by the column."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy import cells

DANGEROUS = [
    '=HYPERLINK("http://x","y")',
    "+cmd|'/c calc'!A1",
    "-2+3",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "\n=1",
    "\0=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    "+5",
]


@pytest.mark.parametrize("text", DANGEROUS)
def test_what_a_spreadsheet_might_run_gets_an_apostrophe(text: str) -> None:
    assert cells.safe(text) == "'" + text
    assert cells.safe_column(pa.array([text])).to_pylist() == ["'" + text]


@pytest.mark.parametrize("text", ["", "-5", "-5.25", "12", "a=b", "张伟", "o'brien", "2026-06-15", "'=1"])
def test_everything_else_stays_as_it_is(text: str) -> None:
    assert cells.safe(text) == text


@settings(max_examples=150, deadline=None)
@given(st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(cells.FORMULA), max_size=8))
def test_a_column_is_guarded_as_its_cells_are_and_nothing_but_the_apostrophe_is_added(texts: list[str | None]) -> None:
    made = cells.safe_column(pa.array(texts, pa.string())).to_pylist()
    assert made == [None if text is None else cells.safe(text) for text in texts]
    assert all(text is None or cell == text or cell == "'" + text for text, cell in zip(texts, made, strict=True))
