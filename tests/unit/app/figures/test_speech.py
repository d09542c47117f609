"""Numbers, money, months and days in the reader's language; shown intervals are never narrower than the true ones."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from app.figures import speech
from app.figures.speech import Speech
from tests.fakes.documents import CHINESE, ENGLISH, counted, plain


def test_numbers_months_and_money_follow_the_language() -> None:
    assert (ENGLISH.number(1234.4), CHINESE.number(1234.4), ENGLISH.number(2.5)) == ("1,234", "1,234", "2.5")
    assert (ENGLISH.month(202610), CHINESE.month(202610)) == ("Oct 2026", "2026年10月")
    assert CHINESE.money(123_456) == "¥1,235"
    assert ENGLISH.share(0.254) == "25%"
    assert Speech("en", plain, counted, "JPY").money(500) == "¥500", "a yen has no hundredth"


def test_an_unknown_language_writes_numbers_as_english_does() -> None:
    assert Speech("xx_YY", plain, counted).number(1000) == "1,000"


@settings(max_examples=200, deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(0.01, 1e6))
def test_a_shown_interval_holds_the_true_one(value: float, half: float) -> None:
    low, high = speech.outward(value - half, value + half)
    assert low <= value - half + 1e-6 * half
    assert high >= value + half - 1e-6 * half


@settings(max_examples=200, deadline=None)
@given(st.floats(1e-3, 1e9))
def test_a_shown_margin_is_never_smaller_than_the_true_one(margin: float) -> None:
    assert margin * (1 - 1e-6) <= speech.upward(margin) <= margin * 1.1 + 1e-9
    assert speech.step_of(margin) <= margin / 2
