"""Names and cards of personas."""

from __future__ import annotations

import numpy as np

from analytics.reports.personawords import TRAITS, card, named


def centre(**levels: float) -> np.ndarray:
    return np.array([levels.get(name, 0.4) for name in TRAITS])


def test_the_first_rule_that_holds_names_a_persona() -> None:
    centres = [
        centre(sharing=0.8, discount=0.9),
        centre(discount=0.9, ticket=0.9),
        centre(ticket=0.7, discount=0.1),
        centre(frequency=0.9),
        centre(frequency=0.1),
        centre(),
    ]
    assert [one["en"] for one in named(centres)] == ["Sharing", "Price-sensitive", "Quality-seeking", "Regular", "Occasional", "In between"]
    assert named(centres)[1]["zh"] == "价格敏感型"


def test_two_of_one_name_are_numbered() -> None:
    assert [one["en"] for one in named([centre(), centre(frequency=0.45), centre(ticket=0.9)])] == [
        "In between 1",
        "In between 2",
        "Quality-seeking",
    ]


def test_a_card_says_all_traits_in_both_languages() -> None:
    found = card(centre(frequency=0.9, ticket=0.1, discount=0.5, sharing=0.0))
    assert found["en"] == "They buy often, spend little at a time, mostly with a discount and tell nobody."
    assert found["zh"] == "购买频繁，客单价低，多用优惠，不分享。"
