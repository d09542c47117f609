"""What a margin covers, and what it does not."""

from __future__ import annotations

from app.figures import meaning
from tests.fakes.documents import CHINESE, ENGLISH, SEGMENTS, STORES, document


def test_margins_the_bound_and_what_does_not_add_up_are_said() -> None:
    told = meaning.meaning(STORES, ENGLISH)
    assert told[0] == "orders: noise moves a number by at most ±30 in 95 of 100 cases."
    assert any("hides up to 1.0% of the total, which no margin covers" in one for one in told)
    assert any(
        "do not add up" in one
        for one in meaning.meaning(document("store_month", {"store_id": ["a", "b"]}, {"people": [1.0, 2.0]}), ENGLISH)
    )
    assert not any("do not add up" in one for one in meaning.meaning(SEGMENTS, ENGLISH))


def test_what_is_not_known_is_said_to_be_not_known() -> None:
    assert "not known" in meaning.hidden(ENGLISH, None, 8)
    assert "hides nothing" in meaning.hidden(ENGLISH, 0.0, 1)


def test_labels_and_prices_are_in_the_readers_language() -> None:
    assert meaning.short_margin(ENGLISH, "people", 19.6) == "±20 people, 95 %"
    assert meaning.short_margin(CHINESE, "people", 19.6) == "±20 人数，95 %"
    assert meaning.price(ENGLISH, 5_000_000, 0.41) == "ρ 0.005 (ε 0.41 if it stood alone)"


def test_a_page_of_many_numbers_says_how_many_lie_outside() -> None:
    many = document("store_month", {"store_id": [f"S{place}" for place in range(40)]}, {"orders": [1.0] * 40})
    assert any("about 2 of them lie outside" in one for one in meaning.meaning(many, ENGLISH))
