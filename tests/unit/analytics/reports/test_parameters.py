"""Public constants that a question names."""

from __future__ import annotations

import pytest

from analytics.reports.parameters import Parameter, complete, filters, left, value
from privacy import errors
from privacy.records import Bounds, Measure, Question

KNOWN = {"threshold": Parameter("[1-9][0-9]*", "99"), "experiment": Parameter("[a-z0-9]+")}


def question(where: tuple[tuple[str, str, str], ...]) -> Question:
    return Question("baskets", 1, "analytics.statistics", (202601,), (), where, (Measure("people"),), Bounds(1), 1)


def test_a_parameter_that_is_left_out_is_the_same_question_as_its_usual_value() -> None:
    named = (("experiment", "=", "x1"), ("threshold", "=", "99"))
    assert complete(KNOWN, named) == complete(KNOWN, named[:1]) == named
    asked = question((*named, ("channel", "=", "pos")))
    assert value(asked, "threshold") == "99"
    assert filters(asked, *KNOWN) == (("channel", "=", "pos"),)


@pytest.mark.parametrize(
    "where",
    [
        (),
        (("experiment", "=", "x1"), ("threshold", "=", "099")),
        (("experiment", "=", "x1"), ("threshold", "!=", "99")),
        (("experiment", "in", "x1|x2"),),
        (("experiment", "=", "x1"), ("experiment", "!=", "x2")),
    ],
)
def test_a_parameter_that_is_missing_twice_there_or_in_another_form_is_refused(where: tuple[tuple[str, str, str], ...]) -> None:
    with pytest.raises(errors.Invalid) as refused:
        complete(KNOWN, where)
    assert refused.value.code == "bad_filter"


def test_what_filters_leave_of_a_grouping_is_known_or_named() -> None:
    known = ["sms", "email"]
    assert left(question(()), "channel", known) == ("sms", "email")
    assert left(question((("channel", "!=", "sms"),)), "channel", known) == ("email",)
    assert left(question((("channel", "in", "a|b"), ("channel", "!=", "b"))), "channel", []) == ("a",)
    with pytest.raises(errors.NotConfigured):
        left(question(()), "channel", [])
