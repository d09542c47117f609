"""The grammar of segments: what may be said, one canonical form, and errors that name the place and never the words."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.segments import rules
from analytics.segments.parse import DEEPEST, MOST_IN_GROUP, MOST_RULES, parse
from analytics.segments.vocabulary import RFM, STAGES, THINGS
from privacy.errors import Invalid

BOUGHT = {"count": "orders", "within": {"days": 90}, "at_least": 2}
SPENT = {"sum": "paid", "within": {"from": "2026-01-01", "to": "2026-03-31"}, "at_least": 10_000, "at_most": 50_000}
WOMEN = {"profile": "sex", "is": ["female"]}

_values = st.lists(
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x9FFF, exclude_categories=("C", "Z")), min_size=1, max_size=8),
    min_size=1,
    max_size=4,
)
_windows = st.one_of(
    st.integers(1, 366).map(lambda days: {"days": days}),
    st.dates(min_value=date(2020, 1, 1), max_value=date(2030, 1, 1)).map(lambda day: {"from": day.isoformat(), "to": day.isoformat()}),
)
_amounts = st.one_of(
    *(
        st.builds(
            lambda window, low, extra, values, how=how, of=of, field=thing.fields[-1]: {
                how: of, "within": window, "at_least": low, "at_most": low + extra, "where": [{"field": field, "is_not": values}],
            },
            _windows, st.integers(-100, 100), st.integers(0, 10), _values,
        )
        for how, things in THINGS.items() for of, thing in things.items()
    )
)  # fmt: skip
_leaves = st.one_of(
    _amounts,
    _values.map(lambda values: {"profile": "region", "is": values}),
    st.lists(st.sampled_from(STAGES), min_size=1).map(lambda names: {"stage": names}),
    st.lists(st.sampled_from(RFM), min_size=1).map(lambda names: {"rfm": names}),
    st.lists(st.integers(0, 5), min_size=1).map(lambda bands: {"cells": {"recency": bands}}),
    st.booleans().map(lambda inside: {"segment": "seg_abcdefgh", "version": 1, "member": inside}),
    st.just({"joined": {"from": 202501, "to": 202512}}),
)
documents = st.recursive(
    _leaves,
    lambda inner: st.builds(lambda kind, rules: {kind: rules}, st.sampled_from(("all", "any")), st.lists(inner, min_size=1, max_size=3)),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(documents)
def test_a_canonical_rule_is_read_back_as_itself(document: dict[str, Any]) -> None:
    rule = _read(document)
    if rule is not None:
        assert parse(json.loads(rules.canonical(rule))) == rule
        assert len(rules.digest(rule)) == 64


@settings(max_examples=40, deadline=None)
@given(documents, st.randoms(use_true_random=False))
def test_the_order_in_which_a_rule_is_written_changes_nothing(document: dict[str, Any], noise: Any) -> None:
    rule = _read(document)
    if rule is not None:
        assert rules.canonical(parse(_shuffled(document, noise))) == rules.canonical(rule)


_words = st.sampled_from(["all", "any", "profile", "is", "count", "within", "days", "sex", "x"])
_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_words, inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=80, deadline=None)
@given(_anything)
def test_whatever_is_sent_is_a_rule_or_an_error_that_names_a_place(document: Any) -> None:
    try:
        parse(document)
    except Invalid as fault:
        field = fault.field
    else:
        field = "rule"
    assert str(field).startswith("rule")


def test_groups_dissolve_and_doubles_go() -> None:
    nested = parse({"all": [WOMEN, {"all": [BOUGHT, WOMEN]}]})
    assert nested == parse({"all": [BOUGHT, WOMEN]})
    assert parse({"any": [WOMEN]}) == parse(WOMEN)
    assert parse({"any": [WOMEN, BOUGHT]}) != parse({"all": [WOMEN, BOUGHT]})


@pytest.mark.parametrize(
    ("document", "code", "field"),
    [
        ([], "segment_form", "rule"),
        ({}, "segment_form", "rule"),
        ({"all": []}, "segment_too_large", "rule.all"),
        ({"all": [WOMEN, {"python": "1"}]}, "segment_form", "rule.all[1]"),
        (WOMEN | {"stage": ["new"]}, "segment_form", "rule"),
        (WOMEN | {"extra": 1}, "segment_form", "rule"),
        ({"profile": "name", "is": ["x"]}, "segment_word", "rule.profile"),
        ({"profile": "sex", "is": ["girls"]}, "segment_word", "rule.is[0]"),
        ({"profile": "age_band", "is": ["14-17"]}, "segment_word", "rule.is[0]"),
        ({"profile": "region", "is": ["a\u0000"]}, "segment_form", "rule.is[0]"),
        ({"profile": "region"}, "segment_form", "rule"),
        ({"rfm": ["best"]}, "segment_word", "rule.rfm[0]"),
        ({"cells": {"recency": [6]}}, "segment_range", "rule.cells.recency"),
        ({"cells": {"recency": [True]}}, "segment_range", "rule.cells.recency"),
        ({"joined": {"from": 202602, "to": 202601}}, "segment_range", "rule.joined"),
        (BOUGHT | {"count": "people"}, "segment_word", "rule.count"),
        (BOUGHT | {"within": {"days": 0}}, "segment_range", "rule.within.days"),
        (BOUGHT | {"within": {"from": "2026-02-30", "to": "2026-03-01"}}, "segment_form", "rule.within.from"),
        (BOUGHT | {"at_least": 2.0}, "segment_range", "rule.at_least"),
        (BOUGHT | {"at_most": 1}, "segment_range", "rule.at_least"),
        ({"count": "orders", "within": {"days": 9}}, "segment_form", "rule"),
        (BOUGHT | {"where": [{"field": "event", "is": ["order_completed"]}]}, "segment_word", "rule.where[0].field"),
        ({"segment": "x", "version": 1}, "segment_form", "rule.segment"),
        ({"segment": "seg_abcdefgh", "version": 0}, "segment_form", "rule.version"),
    ],
)
def test_an_error_names_the_place_and_the_rule(document: Any, code: str, field: str) -> None:
    with pytest.raises(Invalid) as raised:
        parse(document)
    assert (raised.value.code, raised.value.field) == (code, field)


INJECTIONS = (
    "' OR '1'='1", "1; DROP TABLE person; --", "\" UNION SELECT * FROM identifier --", "${jndi:ldap://x}", "{{7*7}}", "__import__('os').system('id')",
    "virtual_id", "run_id) OR (1=1", "../../vault.db", "sleep(10)", "%27%20OR%201=1", "region` = `region",
)  # fmt: skip


@pytest.mark.parametrize("text", INJECTIONS)
def test_attack_48_code_in_a_name_is_no_rule_and_is_not_repeated(text: str) -> None:
    places = [
        {text: ["x"]},
        {"profile": text, "is": ["x"]},
        {"profile": "region", text: ["x"]},
        BOUGHT | {"count": text},
        BOUGHT | {"where": [{"field": text, "is": ["x"]}]},
        BOUGHT | {"within": {"from": text, "to": text}},
        BOUGHT | {"at_least": text},
        BOUGHT | {text: 1},
        {"stage": [text]},
        {"segment": text, "version": 1},
    ]
    for document in places:
        with pytest.raises(Invalid) as raised:
            parse(document)
        assert text not in raised.value.message + str(raised.value.field)


def test_size_and_depth_have_an_end() -> None:
    deep: dict[str, Any] = WOMEN
    for number in range(DEEPEST):
        deep = {("all", "any")[number % 2]: [deep, BOUGHT]}
    parse(deep)
    paid = [{"sum": "paid", "within": {"days": days}, "at_least": 1} for days in range(1, 1 + 4 * MOST_IN_GROUP)]
    wide = {"any": [{"all": paid[first : first + MOST_IN_GROUP]} for first in range(0, len(paid), MOST_IN_GROUP)]}
    assert 4 * MOST_IN_GROUP > MOST_RULES
    for document in ({"all": [deep]}, wide, {"all": [WOMEN] * 21}):
        with pytest.raises(Invalid) as raised:
            parse(document)
        assert raised.value.code == "segment_too_large"


def _read(document: dict[str, Any]) -> rules.Rule | None:
    """None for what is deeper than a segment may be."""
    try:
        return parse(document)
    except Invalid as fault:
        if fault.code != "segment_too_large":
            raise
        return None


def _shuffled(document: Any, noise: Any) -> Any:
    if isinstance(document, dict):
        items = list(document.items())
        noise.shuffle(items)
        return {name: _shuffled(value, noise) for name, value in items}
    if isinstance(document, list):
        moved = [_shuffled(one, noise) for one in document]
        noise.shuffle(moved)
        return moved
    return document
