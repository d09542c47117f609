"""The verdict part by part: places, verdicts that follow from below, words in both languages for every kind of rule."""

from __future__ import annotations

import pytest

from analytics.segments import trace
from analytics.segments.parse import parse
from analytics.segments.rules import Leaf
from tests.oracles.segmented import reproduced

BUYERS = parse({"count": "orders", "within": {"days": 90}, "at_least": 1})
OTHERS = {("seg_buyers00", 1): BUYERS}
SEX = {"profile": "sex", "is": ["female"]}
RULE = parse({"all": [SEX, {"any": [{"stage": ["new"]}, {"segment": "seg_buyers00", "version": 1, "member": False}]}]})


def verdicts(**said: tuple[bool, dict[str, object]]) -> dict[Leaf, tuple[bool, dict[str, object]]]:
    rules = {"sex": parse(SEX), "stage": parse({"stage": ["new"]}), "orders": BUYERS}
    return {rules[name]: verdict for name, verdict in said.items()}  # type: ignore[misc]


def test_every_part_has_its_place_and_below_a_membership_stands_the_other_segments_rule() -> None:
    told = [(part.place, part.kind) for part in trace.walk(trace.whole(RULE, OTHERS))]
    assert told[0] == ("1", "all")
    assert {kind for _, kind in told} == {"all", "any", "profile", "stage", "segment", "amount"}
    member = next(place for place, kind in told if kind == "segment")
    assert (f"{member}.1", "amount") in told


@pytest.mark.parametrize(("sex", "stage", "bought", "inside"), [(True, False, 0, True), (True, False, 2, False), (False, True, 0, False)])
def test_the_verdict_of_a_group_is_that_of_its_parts(sex: bool, stage: bool, bought: int, inside: bool) -> None:
    steps = trace.steps(
        RULE,
        OTHERS,
        verdicts(
            sex=(sex, {"sex": "female" if sex else None}),
            stage=(stage, {"stage": "new" if stage else "lost"}),
            orders=(bought > 0, {"amount": bought or None}),
        ),
    )
    assert steps[0]["holds"] is inside
    assert reproduced(steps) is inside


SEEN = (
    (SEX, {"sex": "male"}, "sex: male", "性别：male"),
    (SEX, {"sex": None}, "sex: not told", "性别：未提供"),
    ({"joined": {"from": 202501, "to": 202512}}, {"joined_month": 202503}, "month of joining: 2025-03", "入会月份：2025-03"),
    ({"joined": {"from": 202501, "to": 202512}}, {"joined_month": None}, "month of joining: not told", "入会月份：未提供"),
    ({"stage": ["new"]}, {"stage": None}, "stage: without a purchase", "当前阶段：未购买"),
    ({"stage": ["new"]}, {"stage": "lost"}, "stage: lost", "当前阶段：流失"),
    ({"count": "orders", "within": {"days": 9}, "at_least": 1}, {"amount": None}, "number of orders: 0", "订单数：0"),
    (
        {"cells": {"recency": [5], "frequency": [3]}},
        {"recency_band": 5, "frequency_band": 3},
        "recency: band 5 (bought within the last 7 days); frequency: band 3 (3 to 5 orders)",
        "最近购买：第 5 段（最近 7 天内购买过）；购买频次：第 3 段（3 至 5 笔订单）",
    ),
    (
        {"cells": {"recency": [0], "value": [5]}},
        {"recency_band": None, "value_band": None},
        "recency: band 0 (nothing bought within twelve months); value: band 0 (nothing bought, or more given back than bought)",
        "最近购买：第 0 段（过去十二个月内未购买）；消费金额：第 0 段（没有购买，或退货多于购买）",
    ),
    (
        {"rfm": ["champions"]},
        {"recency_band": 3, "frequency_band": 1, "value_band": 4},
        "RFM segment: Important to develop; recency: band 3 (last bought between 30 and 90 days ago); frequency: band 1 (1 order); "
        "value: band 4 (150000 to 499999 minor units)",
        "RFM 分群：重要发展客户；最近购买：第 3 段（上次购买在 30 至 90 天前）；购买频次：第 1 段（1 笔订单）；"
        "消费金额：第 4 段（150000 至 499999（最小单位））",
    ),
    (
        {"rfm": ["champions"]},
        {"recency_band": None, "frequency_band": None, "value_band": None},
        "nothing bought within twelve months; recency: band 0 (nothing bought within twelve months); frequency: band 0 (no order); "
        "value: band 0 (nothing bought, or more given back than bought)",
        "过去十二个月内未购买；最近购买：第 0 段（过去十二个月内未购买）；购买频次：第 0 段（没有订单）；"
        "消费金额：第 0 段（没有购买，或退货多于购买）",
    ),
)


@pytest.mark.parametrize(("document", "saw", "english", "chinese"), SEEN)
def test_what_was_seen_is_told_in_both_languages(document: dict[str, object], saw: dict[str, object], english: str, chinese: str) -> None:
    rule = parse(document)
    assert (trace.seen(rule, saw, "en"), trace.seen(rule, saw, "zh")) == (english, chinese)


def test_a_group_and_a_membership_say_nothing_their_parts_do_not() -> None:
    assert trace.seen(RULE, {}, "en") == ""
    assert trace.seen(parse({"segment": "seg_buyers00", "version": 1}), {}, "zh") == ""


def test_a_rule_that_rests_on_bands_names_the_version_of_their_edges() -> None:
    assert trace.model(RULE, OTHERS) == "retail-1"
    assert trace.model(BUYERS, {}) is None
    assert trace.model(parse({"segment": "seg_bands000", "version": 2}), {("seg_bands000", 2): parse({"rfm": ["champions"]})}) == "retail-1"


def test_a_chain_that_doubles_with_every_segment_is_measured_before_it_is_walked() -> None:
    chain: dict[tuple[str, int], object] = {("seg_chain000", 0): BUYERS}
    for number in range(1, 60):
        before = {"segment": "seg_chain000", "version": number - 1}
        chain["seg_chain000", number] = (
            parse({"any": [{"all": [before, SEX]}, {"all": [before, {"stage": ["new"]}]}]}) if number > 1 else BUYERS
        )
    assert trace.size(chain["seg_chain000", 59], chain) > 2**50  # type: ignore[arg-type]
