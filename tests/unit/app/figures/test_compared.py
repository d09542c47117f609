"""What the reports of behaviour found, in sentences: on invented rows whose truth is known, and with noise that hides it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from app.figures import compared, findings, specs, tables
from tests.fakes.documents import CHINESE, ENGLISH


def document(kind: str, rows: Sequence[dict[str, Any]], *by: str) -> dict[str, Any]:
    measures = [{"name": name, "unit": 1} for name in dict.fromkeys(row["measure"] for row in rows)]
    question = {"version": 1, "by": list(by), "where": [], "measures": measures, "clip": 1}
    return {"kind": kind, "rows": list(rows), "question": question, "months": [202610], "hidden_share": 0.0, "release": "rel_1"}


def row(measure: str, value: float, half: float, **cell: Any) -> dict[str, Any]:
    return cell | {"measure": measure, "value": value, "low": value - half, "high": value + half, "reading": {}}


def told(kind: str, rows: Sequence[dict[str, Any]], *by: str) -> str:
    found = findings.findings(document(kind, rows, *by), ENGLISH)
    assert findings.findings(document(kind, rows, *by), CHINESE) != found  # every sentence is translated
    return " ".join(found)


def moves(half: float) -> list[dict[str, Any]]:
    cells = {("active", "active"): 0.6, ("active", "cooling"): 0.4, ("cooling", "cooling"): 0.8, ("cooling", "sleeping"): 0.2}
    return [row("share", value, half, previous_stage=before, stage=now) for (before, now), value in cells.items()]


def test_the_largest_certain_move_is_told_and_noise_is_not() -> None:
    assert "“Active” a month before, between 37% and 43% are at “Cooling”" in told("lifecycle", moves(0.02), "previous_stage", "stage")
    assert "larger than the noise" in told("lifecycle", moves(0.5), "previous_stage", "stage")


def test_the_newest_cohort_is_compared_with_the_oldest() -> None:
    def cohorts(newest: float, half: float) -> list[dict[str, Any]]:
        return [row("share", value, half, cohort=month, again="within_30") for month, value in (("202505", 0.12), ("202508", newest))]

    assert "That is more than of those who first bought in May 2025" in told("cohorts", cohorts(0.25, 0.02), "cohort", "again")
    assert "That is" not in told("cohorts", cohorts(0.13, 0.02), "cohort", "again")
    assert "too few" in told("cohorts", cohorts(0.5, 0.6), "cohort", "again")


def test_a_threshold_is_found_only_where_baskets_below_it_are_certainly_left_more_often() -> None:
    def baskets(near: float) -> list[dict[str, Any]]:
        return [row("left", value, 0.05, distance=name, outcome="left") for name, value in (("over", 0.2), ("to_10", near), ("far", 0.3))]

    assert "Baskets up to a tenth below are left in between" in told("baskets", baskets(0.7), "distance", "outcome")
    assert "No distance" in told("baskets", baskets(0.25), "distance", "outcome")


def test_the_channel_with_the_most_credit_is_named_under_each_rule() -> None:
    rows = [
        row("conversions", value, 40, channel=channel, rule=rule)
        for (channel, rule), value in {("email", "first"): 900, ("sms", "first"): 300, ("email", "last"): 500, ("sms", "last"): 510}.items()
    ]
    sentence = told("attribution", rows, "channel", "rule")
    assert "By “first touch” E-mail gets the most credit" in sentence
    assert "By “last touch” no channel" in sentence


def test_a_removal_is_told_where_it_is_certainly_something() -> None:
    rows = [row("removal", 0.4, 0.05, channel="sms", marginal="channel"), row("removal", 0.2, 0.05, channel="push", marginal="channel")]
    assert "Without Text message between 34% and 46%" in told("markov", rows, "channel")
    assert "cannot be told" in told("markov", [one | {"low": 0.0} for one in rows], "channel")


def test_money_is_moved_only_between_returns_that_certainly_differ() -> None:
    def returns(half: float) -> list[dict[str, Any]]:
        return [row("roi", value, half, channel=name, marginal="channel") for name, value in (("sms", 2.0), ("ads", -0.5))]

    assert "Text message brings the most back of its cost" in told("channels", returns(0.2), "channel")
    assert "No channel certainly" in told("channels", returns(2.0), "channel")
    assert "at least two channels" in told("channels", returns(0.2)[:1], "channel")


def test_wrong_sizes_of_arms_are_an_alarm() -> None:
    rows = [row("sample_share", value, 0.02, arm=arm, marginal="sizes", expected=0.5) for arm, value in (("control", 0.55), ("a", 0.45))]
    assert "not those that were planned" in told("experiment", rows, "arm")
    assert "as they were planned" in told("experiment", [one | {"low": 0.4, "high": 0.6} for one in rows], "arm")


@pytest.mark.parametrize(("half", "words"), [(0.01, "chance and noise both inside"), (0.1, "cannot be told from none")])
def test_a_difference_is_one_where_its_interval_leaves_zero_out(half: float, words: str) -> None:
    assert words in told("experiment", [row("rate_difference", 0.05, half, arm="a", marginal="comparison")], "arm")


def comparisons(effect: float, placebo: float, naive: float) -> list[dict[str, Any]]:
    named = (("effect", effect), ("placebo", placebo), ("naive", naive))
    return [row("rate_difference", value, 0.02, comparison=name, marginal="comparison") for name, value in named]


def test_an_effect_is_told_only_beside_a_placebo_that_shows_nothing() -> None:
    assert "the campaign changed it by" in told("before_after", comparisons(0.1, 0.0, 0.1), "comparison")
    assert "no effect is told" in told("before_after", comparisons(0.1, 0.05, 0.1), "comparison")
    assert "the holdout shows as well" in told("before_after", comparisons(0.0, 0.0, 0.1), "comparison")


def test_what_is_left_after_each_step_is_told_with_the_funnel() -> None:
    steps = (("product_viewed", 1_000), ("product_added", 400), ("order_completed", 100))
    rows = [row("people", value, 10, step=step) for step, value in steps]
    rows += [row("left", value, 0.02, step=step) for step, value in (("product_viewed", 0.6), ("product_added", 0.75))]
    assert "After “Put into the basket” between 72% and 78% go no further." in told("funnel", rows, "step")


def test_kinds_without_a_sentence_of_their_own_are_left_to_the_general_ones() -> None:
    assert compared.finder(document("store_month", [row("orders", 1, 1, store_id="S1")], "store_id")) is None


def test_figures_draw_shares_in_hundredths_and_exact_costs_without_a_margin() -> None:
    rows = [row("cost", 150_000, 0, channel="sms", marginal="channel"), row("roi", 0.25, 0.05, channel="sms", marginal="channel")]
    (part,) = tables.parts(document("channels", rows, "channel", "step"))
    cost, back = tables.lines(part, ENGLISH)
    assert tables.shown(ENGLISH, cost) == "CN¥1,500"
    assert tables.shown(ENGLISH, back) == "about 24% (± 5%)"
    drawn = specs.spec(part, "roi", ENGLISH, specs.Look())
    assert '"value": 25.0' in str(drawn).replace("'", '"')
    assert [record["unit"] for record in tables.records(part)] == ["minor", "share"]
