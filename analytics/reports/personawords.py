"""What personas are called and how their cards read, in both languages: rules over the levels of a centre.

Promise: public rules over four numbers between 0 and 1; the words say what the levels say and nothing about why. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FREQUENCY, TICKET, DISCOUNT, SHARING = TRAITS = ("frequency", "ticket", "discount", "sharing")

Words = dict[str, str]


@dataclass(frozen=True, slots=True)
class Rule:
    """A name for a centre whose levels lie at or above and below these."""

    en: str
    zh: str
    at_least: tuple[tuple[str, float], ...] = ()
    below: tuple[tuple[str, float], ...] = ()

    def holds(self, levels: dict[str, float]) -> bool:
        return all(levels[name] >= edge for name, edge in self.at_least) and all(levels[name] < edge for name, edge in self.below)


HIGH, LOW = 0.5, 0.34
"""From where on a level is high, and up to where it is low."""
RULES = (
    Rule("Sharing", "社交分享型", at_least=((SHARING, HIGH),)),
    Rule("Price-sensitive", "价格敏感型", at_least=((DISCOUNT, HIGH),)),
    Rule("Quality-seeking", "品质追求型", at_least=((TICKET, HIGH),), below=((DISCOUNT, HIGH),)),
    Rule("Regular", "高频常客型", at_least=((FREQUENCY, HIGH),)),
    Rule("Occasional", "偶尔光顾型", below=((FREQUENCY, LOW),)),
    Rule("In between", "中间型"),
)
"""The first rule that holds names a persona."""

_LEVELS = {
    FREQUENCY: (("buy rarely", "购买很少"), ("buy now and then", "偶尔购买"), ("buy often", "购买频繁")),
    TICKET: (
        ("spend little at a time", "客单价低"),
        ("spend a middling amount at a time", "客单价中等"),
        ("spend much at a time", "客单价高"),
    ),
    DISCOUNT: (
        ("seldom with a discount", "很少用优惠"),
        ("now and then with a discount", "有时用优惠"),
        ("mostly with a discount", "多用优惠"),
    ),
    SHARING: (("tell nobody", "不分享"), ("tell others now and then", "偶尔分享"), ("tell others often", "经常分享")),
}


def _levels(centre: np.ndarray) -> dict[str, float]:
    return dict(zip(TRAITS, (float(one) for one in centre), strict=True))


def card(centre: np.ndarray) -> Words:
    """One sentence: all four traits in words."""
    found = [_LEVELS[name][int(np.searchsorted((LOW, HIGH), level, side="right"))] for name, level in _levels(centre).items()]
    return {"en": "They " + ", ".join(en for en, _ in found[:-1]) + f" and {found[-1][0]}.", "zh": "，".join(zh for _, zh in found) + "。"}


def named(centres: Sequence[np.ndarray]) -> list[Words]:
    """Each centre's name; centres that share a name are numbered."""
    rules = [next(rule for rule in RULES if rule.holds(_levels(centre))) for centre in centres]
    total, seen = Counter(rules), Counter[Rule]()
    names = []
    for rule in rules:
        seen[rule] += 1
        number = f" {seen[rule]}" if total[rule] > 1 else ""
        names.append({"en": rule.en + number, "zh": rule.zh + number})
    return names
