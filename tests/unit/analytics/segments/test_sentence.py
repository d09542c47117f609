"""A rule in words, in both languages."""

from __future__ import annotations

import itertools

from analytics.segments import vocabulary
from analytics.segments.parse import parse
from analytics.segments.rules import Among, Amount, Profile, Window
from analytics.segments.sentence import LANGUAGES, named, sentence


def test_a_sentence_says_what_the_rule_says() -> None:
    rule = parse(
        {
            "all": [
                {"profile": "sex", "is": ["female"]},
                {"any": [{"stage": ["lost", "sleeping"]}, {"sum": "paid", "within": {"days": 30}, "at_least": 5, "at_most": 9}]},
            ]
        }
    )
    assert sentence(rule, "en") == (
        "People with (an amount paid in minor units of at least 5 and of at most 9 within the last 30 days or stage lost or sleeping now)"
        " and sex female."
    )
    assert sentence(rule, "zh") == (
        "满足以下条件的人：（最近 30 天实付金额（最小单位）不少于 5且不多于 9，或者当前阶段为 流失或沉睡），并且性别为 female。"
    )


def test_windows_of_days_bands_segments_and_the_joining_month_have_words() -> None:
    rule = parse(
        {
            "all": [
                {"joined": {"from": 202601, "to": 202603}},
                {"cells": {"recency": [4, 5], "value": [5]}},
                {"rfm": ["champions"]},
                {"segment": "seg_abcdefgh", "version": 2, "member": False},
                {"count": "orders", "within": {"from": "2026-01-01", "to": "2026-01-31"}, "at_least": 1, "at_most": 1},
            ]
        }
    )
    told = {language: sentence(rule, language) for language in LANGUAGES}
    for part in (
        "from 2026-01 to 2026-03",
        "recency band 4 or 5",
        "Champions",
        "no membership of segment seg_abcdefgh (version 2)",
        "of exactly 1 from",
    ):
        assert part in told["en"]
    for part in ("2026-01 至 2026-03", "最近购买分段为 4或5", "重要价值客户", "不属于分群 seg_abcdefgh（第 2 版）", "等于 1"):
        assert part in told["zh"]


def test_every_word_of_the_grammar_has_words_in_both_languages() -> None:
    fields = {field for things in vocabulary.THINGS.values() for thing in things.values() for field in thing.fields}
    for language, field in itertools.product(LANGUAGES, sorted({*fields, *vocabulary.PROFILE})):
        assert sentence(Profile(Among(field, ("x",))), language)
    for language, (how, things) in itertools.product(LANGUAGES, vocabulary.THINGS.items()):
        for of in things:
            assert sentence(Amount(how, of, (), Window(days=1), 1, None), language)
    for language in LANGUAGES:
        assert sentence(parse({"stage": list(vocabulary.STAGES)}), language)
        assert sentence(parse({"rfm": list(vocabulary.RFM)}), language)


def test_fields_things_and_stages_have_names_and_a_strange_word_keeps_its_own() -> None:
    assert (named("orders", "en"), named("orders", "zh"), named("lost", "zh"), named("nonsense", "en")) == (
        "number of orders",
        "订单数",
        "流失",
        "nonsense",
    )
