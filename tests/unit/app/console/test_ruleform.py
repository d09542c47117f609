"""The builder's form and the grammar say the same, and every button does what it says."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from analytics.segments.parse import parse
from app.console import ruleform
from app.console.ruleform import Form, Rows

RULES: list[dict[str, Any]] = [
    {"profile": "sex", "is": ["female"]},
    {"profile": "region", "is_not": ["east", "north"]},
    {"rfm": ["champions"]},
    {"stage": ["lost", "sleeping"]},
    {"cells": {"recency": [4, 5]}},
    {"joined": {"from": 202501, "to": 202512}},
    {"segment": "seg_" + "a" * 24, "version": 2, "member": False},
    {"count": "orders", "within": {"days": 90}, "at_least": 2, "at_most": 9},
    {
        "sum": "paid",
        "within": {"from": "2026-01-01", "to": "2026-03-31"},
        "at_least": 10_000,
        "where": [{"field": "channel", "is": ["pos"]}],
    },
]


def sent(form: Form) -> MultiDict[str, str]:
    """What a browser would send of a form."""
    words: MultiDict[str, str] = MultiDict({"every": "all" if form.every else "any"})
    for number, group in enumerate(form.groups):
        words[f"g{number}-every"] = "all" if group.every else "any"
        for place, row in enumerate(group.rows):
            for name, value in row.items():
                words.setlist(f"g{number}-{place}-{name}", list(value) if isinstance(value, list) else [value])
    return words


def words() -> list[dict[str, Any]]:
    return [one for one in RULES if "rfm" not in one] + [{"rfm": [ruleform.closed("rfm")[0]]}]


@pytest.mark.parametrize("rule", words(), ids=str)
def test_a_rule_becomes_rows_and_the_rows_become_the_rule(rule: dict[str, Any]) -> None:
    form = ruleform.of(parse(rule).document())
    assert form is not None
    again = ruleform.rule(ruleform.read(sent(form)))
    assert again is not None
    assert parse(again) == parse(rule)


@pytest.mark.parametrize(
    "rule", [{"all": words()}, {"any": words()[:3]}, {"all": [{"any": words()[:2]}, words()[4], {"any": words()[5:7]}]}]
)
def test_groups_come_back_as_they_were(rule: dict[str, Any]) -> None:
    form = ruleform.of(parse(rule).document())
    assert form is not None
    again = ruleform.rule(ruleform.read(sent(form)))
    assert again is not None
    assert parse(again) == parse(rule)


def test_what_two_levels_cannot_say_is_left_to_json() -> None:
    deep = {"all": [words()[0], {"any": [words()[1], {"all": words()[2:4]}]}]}
    assert ruleform.of(parse(deep).document()) is None
    assert ruleform.of(parse({"cells": {"recency": [1], "value": [2]}}).document()) is None


def test_templates_are_rules_and_fit_the_form() -> None:
    for one in ruleform.TEMPLATES.values():
        assert ruleform.of(parse(one).document()) is not None


def test_every_word_that_is_offered_is_a_word_of_the_grammar() -> None:
    for group in ruleform.choices().values():
        for what in group:
            assert ruleform.known(what)
            assert ruleform.closed(what) or ruleform.narrowings(what) or what in ("joined", "segment") or what.startswith("profile:")
    assert not ruleform.known("profile:name")
    assert ruleform.narrowings("profile:sex") == ()


def test_buttons_add_move_and_remove() -> None:
    form = Form()
    for what in ("stage", "rfm"):
        form = ruleform.stepped(form, "add:0", MultiDict({"g0-add": what}))
    assert [row["what"] for row in form.groups[0].rows] == ["stage", "rfm"]
    assert [row["what"] for row in ruleform.stepped(form, "up:0:1", MultiDict()).groups[0].rows] == ["rfm", "stage"]
    assert [row["what"] for row in ruleform.stepped(form, "down:0:0", MultiDict()).groups[0].rows] == ["rfm", "stage"]
    assert ruleform.stepped(form, "up:0:0", MultiDict()) == form
    assert [row["what"] for row in ruleform.stepped(form, "remove:0:0", MultiDict()).groups[0].rows] == ["rfm"]
    two = ruleform.stepped(form, "group", MultiDict())
    assert [len(one.rows) for one in two.groups] == [2, 0]
    assert ruleform.stepped(two, "remove:1", MultiDict()) == form
    for nonsense in ("add:9", "fly:0", "up:0:99", "remove:x", "add:0"):
        assert ruleform.stepped(form, nonsense, MultiDict({"g0-add": "profile:name"})) == form


def test_an_empty_form_has_no_rule_and_a_half_filled_one_is_for_the_reader_to_refuse() -> None:
    assert ruleform.rule(Form()) is None
    half = ruleform.rule(Form(groups=(Rows(rows=({"what": "joined", "values": [], **dict.fromkeys(ruleform.TYPED, "")},)),)))
    assert half == {"joined": {"from": None, "to": None}}
