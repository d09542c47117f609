"""What somebody asks: a question that names nothing is the plan's own; the public facts hold no table until a report names it."""

from __future__ import annotations

from analytics.reports import asked, base
from tests.fakes.chain import HOUSE


def test_a_question_that_names_nothing_is_the_plans_own() -> None:
    options = asked.Options(202605, 202605)
    assert (options.by, options.where, options.measures, options.price) == ((), (), (), 0)


def test_the_forms_are_the_same_wherever_they_are_taken_from() -> None:
    assert (base.Options, base.House, base.Opens, base.Margin) == (asked.Options, asked.House, asked.Opens, asked.Margin)
    assert HOUSE.tables == {}
