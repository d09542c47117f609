"""Segments over a real lake with invented people: every word of the grammar, and who is in no segment whatever its rule says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analytics.audiences import looked_into
from analytics.segments.compiled import Compiled, Moment, needs
from analytics.segments.definition import Definition
from analytics.segments.parse import parse
from privacy.errors import Refused
from privacy.vocabulary import PROFILING, STATISTICS
from tests.fakes.lake import Lake
from tests.fakes.population import virtual_id
from tests.oracles.segmented import reproduced

ZONE = "Asia/Shanghai"
AT = datetime(2026, 6, 30, 16, tzinfo=UTC)
"""The first instant of July, by the controller's clock."""
PEOPLE = ("ann", "bob", "cai", "dee")
WITHIN = {"days": 90}
BUYERS = {"count": "orders", "within": WITHIN, "at_least": 1}


def line(person: str, days: float, **columns: Any) -> dict[str, Any]:
    hour = (AT - timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
    local = hour + timedelta(hours=8)
    return {
        "person": person, "hour": hour, "month": local.year * 100 + local.month, "order_key": 1, "kind": "sale", "net_minor": 10_000,
        "product_id": "tea", "store_id": "s1", "quantity_milli": 1_000, **columns,
    }  # fmt: skip


@pytest.fixture
def shop(lake: Lake) -> Lake:
    lake.allow(*PEOPLE, purpose=PROFILING)
    facts = {
        "tea": ("drinks", "x", ""),
        "cake": ("food", "x", "goods"),
        "vitamin": ("pills", "y", "infers:health"),
        "bib": ("food", "z", "infers:child"),
    }
    columns = ("id", "category", "brand", "flags")
    lake.put("products", [dict(zip(columns, (one, *told), strict=True), loaded=1) for one, told in facts.items()])
    lake.put(
        "order_lines",
        [
            line("ann", 3, order_key=1), line("ann", 3, order_key=1, product_id="cake", net_minor=5_000, discount_minor=700),
            line("ann", 20, order_key=2, store_id="s2"), line("ann", 200, order_key=3),
            line("bob", 40, order_key=4, product_id="cake"), line("bob", 39, order_key=5, kind="return", net_minor=4_000, product_id="cake"),
            line("cai", 10, order_key=6, product_id="vitamin"), line("cai", 10, order_key=6, product_id="bib"),
            line("out", 1, order_key=7),
        ],
    )  # fmt: skip
    lake.put(
        "profiles",
        [
            {**line("ann", 300), "sex": "female", "region": "shanghai", "joined_month": 202501},
            {**line("ann", 100), "region": "beijing"},
            {**line("bob", 50), "sex": "male", "occupation": "student", "joined_month": 202604},
        ],
    )
    lake.put(
        "events", [{**line("dee", 5), "event": "product_viewed"}, {**line("dee", 5), "event": "product_viewed", "product_id": "vitamin"}]
    )
    lake.put("touches", [{**line("dee", 5), "kind": "click", "campaign_id": "c1"}])
    return lake


def moment(lake: Lake, at: datetime = AT) -> Moment:
    return Moment(at, ZONE, lake.reader.open_table("products"), lake.reader.months_held("profiles"))


def found(lake: Lake, document: dict[str, Any], at: datetime = AT) -> set[str]:
    return all_found(lake, [document], at)[0]


def all_found(lake: Lake, documents: Sequence[dict[str, Any]], at: datetime = AT) -> list[set[str]]:
    """Whom each of these rules finds, all of them asked in one view."""
    others = {("seg_buyers00", 1): parse(BUYERS)}
    wanted, when = [parse(one) for one in documents], moment(lake, at)
    months = {month for rule in wanted for month in needs(rule, others, when).months}
    with lake.reader.open(PROFILING, sorted(months)) as view:
        compiled = [Compiled(view, when, others).members(rule) for rule in wanted]
        runs = [set(view.run(one)["run_id"].to_pylist()) for one in compiled]
    return [{person for person in (*PEOPLE, "out") if virtual_id(person, 0) in one} for one in runs]


WORDS = (
    ({"count": "orders", "within": WITHIN, "at_least": 2}, {"ann"}),
    ({"count": "orders", "within": WITHIN, "at_most": 0}, {"dee"}),
    ({"count": "orders", "within": {"days": 366}, "at_least": 3, "at_most": 3}, {"ann"}),
    ({"count": "orders", "within": {"from": "2026-06-28", "to": "2026-06-28"}, "at_least": 1}, {"ann"}),
    ({"count": "orders", "within": {"from": "2026-06-29", "to": "2026-06-30"}, "at_least": 1}, set()),
    ({"count": "returns", "within": WITHIN, "at_least": 1}, {"bob"}),
    ({"count": "stores", "within": WITHIN, "at_least": 2}, {"ann"}),
    ({"count": "products", "within": WITHIN, "at_least": 2}, {"ann", "cai"}),
    ({"sum": "paid", "within": WITHIN, "at_least": 6_000, "at_most": 6_000}, {"bob"}),
    ({"sum": "paid", "within": WITHIN, "at_least": 25_000}, {"ann"}),
    ({"sum": "discount", "within": WITHIN, "at_least": 1}, {"ann"}),
    ({"sum": "quantity", "within": WITHIN, "at_least": 3_000}, {"ann"}),
    ({"count": "orders", "within": WITHIN, "at_least": 1, "where": [{"field": "category", "is": ["food"]}]}, {"ann", "bob"}),
    ({"count": "orders", "within": WITHIN, "at_least": 1, "where": [{"field": "product_id", "is_not": ["tea"]}]}, {"ann", "bob"}),
    ({"count": "orders", "within": WITHIN, "at_least": 1, "where": [{"field": "brand", "is_not": ["x"]}]}, set()),
    ({"count": "orders", "within": WITHIN, "at_least": 1, "where": [{"field": "store_id", "is": ["s2"]}]}, {"ann"}),
    ({"count": "events", "within": WITHIN, "at_least": 2}, {"dee"}),
    ({"count": "events", "within": WITHIN, "at_least": 1, "where": [{"field": "product_id", "is_not": ["tea"]}]}, set()),
    ({"count": "touches", "within": WITHIN, "at_least": 1, "where": [{"field": "kind", "is": ["click"]}]}, {"dee"}),
    ({"profile": "sex", "is": ["female"]}, {"ann"}),
    ({"profile": "region", "is": ["shanghai"]}, set()),
    ({"profile": "sex", "is_not": ["female"]}, {"bob"}),
    ({"joined": {"from": 202601, "to": 202612}}, {"bob"}),
    ({"stage": ["active"]}, {"ann", "cai"}),
    ({"stage": ["cooling"]}, {"bob"}),
    ({"stage": ["prospect"]}, {"dee"}),
    ({"rfm": ["important_to_develop", "champions", "general_value"]}, {"ann"}),
    ({"cells": {"recency": [5], "frequency": [3]}}, {"ann"}),
    ({"cells": {"recency": [0]}}, {"dee"}),
    ({"segment": "seg_buyers00", "version": 1, "member": False}, {"dee"}),
    ({"all": [{"segment": "seg_buyers00", "version": 1}, {"profile": "sex", "is": ["female", "male"]}]}, {"ann", "bob"}),
    ({"any": [{"stage": ["prospect"]}, {"all": [{"stage": ["active"]}, {"profile": "sex", "is": ["male"]}]}]}, {"dee"}),
)


def test_every_word_finds_whom_it_means(shop: Lake) -> None:
    people = all_found(shop, [document for document, _ in WORDS])
    for (document, expected), those in zip(WORDS, people, strict=True):
        assert those == expected, document


def test_what_is_told_of_everybody_says_who_is_in_and_follows_from_what_was_seen(shop: Lake) -> None:
    """S-05: for every word of the grammar and everybody."""
    others, when = {("seg_buyers00", 1): parse(BUYERS)}, moment(shop)
    wanted = [(Definition("seg_words000", 1, PROFILING, "marketing", parse(one), others=others), those) for one, those in WORDS]
    months = {month for one, _ in wanted for month in needs(one.rule, others, when).months}
    with shop.reader.open(PROFILING, sorted(months)) as view:
        told = [view.run(Compiled(view, when, others).looked_at(one.rule)).to_pylist() for one, _ in wanted]
        ann = virtual_id("ann", 0)
        alone = [view.run(Compiled(view, when, others, only=ann).looked_at(one.rule)).to_pylist() for one, _ in wanted]
    assert alone == [[row for row in rows if row["run_id"] == ann] for rows in told], "whoever is asked about alone is told the same"
    for (definition, those), rows in zip(wanted, told, strict=True):
        looks = {row["run_id"]: looked_into(definition, row, "test") for row in rows}
        assert looks.keys() == {virtual_id(person, 0) for person in PEOPLE}
        for person in PEOPLE:
            look = looks[virtual_id(person, 0)]
            assert reproduced(look.steps) is look.inside is (person in those), (definition.rule, person)


def test_who_does_not_allow_profiling_is_in_no_segment(shop: Lake) -> None:
    everybody = {"count": "orders", "within": WITHIN, "at_least": 0}
    shop.allow("out", purpose=STATISTICS)
    assert found(shop, everybody) == set(PEOPLE)
    shop.withdraw("ann", purpose=PROFILING)
    assert found(shop, everybody) == {"bob", "cai", "dee"}


def test_what_came_after_the_moment_does_not_count(shop: Lake) -> None:
    bought = {"count": "orders", "within": WITHIN, "at_least": 1}
    assert found(shop, bought, AT - timedelta(days=30)) == {"bob"}
    assert found(shop, {"stage": ["new"]}, AT - timedelta(hours=1)) == {"cai"}
    assert found(shop, {"stage": ["new"]}, AT) == set()


@pytest.mark.parametrize(("field", "value"), [("product_id", "vitamin"), ("category", "pills"), ("brand", "z")])
def test_a_rule_that_names_what_tells_something_sensitive_is_refused(shop: Lake, field: str, value: str) -> None:
    rule = parse({"count": "orders", "within": WITHIN, "at_least": 1, "where": [{"field": field, "is": [value]}]})
    with pytest.raises(Refused) as raised:
        needs(rule, {}, moment(shop))
    assert (raised.value.code, raised.value.field) == ("segment_sensitive", field)


def test_a_rule_needs_its_months_the_tags_it_is_built_on_and_a_known_age_for_students(shop: Lake) -> None:
    when = moment(shop)
    counted = needs(parse({"count": "orders", "within": {"days": 31}, "at_least": 1}), {}, when)
    assert (counted.months, counted.tags, counted.youth_signal) == ((202605, 202606, 202607), (), False)
    assert needs(parse({"stage": ["new"]}), {}, when).tags == ("stage",)
    assert needs(parse({"rfm": ["champions"]}), {}, when).tags == ("frequency_band", "recency_band", "value_band")
    assert len(needs(parse({"rfm": ["champions"]}), {}, when).months) == 12
    students = parse({"profile": "occupation", "is": ["student"]})
    assert needs(students, {}, when).youth_signal
    other = needs(parse({"segment": "seg_students", "version": 1}), {("seg_students", 1): students}, when)
    assert other.youth_signal
    assert other.tags == ("occupation",)


@pytest.mark.parametrize("text", ["' OR '1'='1", "x'); DROP TABLE held_1; --", "\\' OR 1=1 --", "%' OR 'a' LIKE '%"])
def test_attack_48_a_value_is_a_word_to_compare_with_and_nothing_else(shop: Lake, text: str) -> None:
    fields = ("store_id", "product_id", "category", "brand", "channel")
    bought = [{"count": "orders", "within": WITHIN, "at_least": 1, "where": [{"field": one, "is": [text]}]} for one in fields]
    assert all_found(shop, [*bought, {"profile": "region", "is": [text]}]) == [set()] * 6
