"""What needs an impact assessment is told by Article 55; one covers what it names until its review, once somebody else said yes."""

from __future__ import annotations

from datetime import date

import pytest

from privacy.accountability import assessments
from privacy.accountability.assessments import Processing
from privacy.errors import Conflict, Refused

DAY = date(2026, 6, 15)
GOOD = {
    "state": "approved",
    "conclusion": "proceed",
    "review_by": "2026-06-15",
    "kinds": ["sensitive", "sharing", "crossborder"],
    "scope": ["recipient:a"],
}


@pytest.mark.parametrize(
    ("processing", "kinds"),
    [
        (Processing("purpose:analytics.statistics", ("analytics.statistics",)), ()),
        (Processing("x", ("marketing.profiling",)), ("automated",)),
        (Processing("x", ("sensitive.health",)), ("sensitive",)),
        (Processing("x", ("location.store_arrival",)), ("sensitive",)),
        (Processing("x", (), ("health",)), ("sensitive",)),
        (Processing("x", recipient="processor"), ("entrusting",)),
        (Processing("x", recipient="joint"), ("sharing",)),
        (Processing("x", recipient="independent", abroad=True), ("sharing", "crossborder")),
        (Processing("x", published=True), ("publishing",)),
    ],
)
def test_the_kinds_of_article_55(processing: Processing, kinds: tuple[str, ...]) -> None:
    assert assessments.required(processing) == kinds
    assert set(kinds) <= set(assessments.KINDS)


def test_it_covers_what_it_names_until_its_review() -> None:
    wanted = Processing("recipient:a", (), ("health",), recipient="independent", abroad=True)
    assert assessments.covered(wanted, [GOOD], DAY)
    assert not assessments.covered(wanted, [GOOD], date(2026, 6, 16))
    for worse in ({"state": "draft"}, {"conclusion": "do_not_proceed"}, {"scope": ["recipient:b"]}):
        with pytest.raises(Refused) as refused:
            assessments.check_covered(wanted, [GOOD | worse], DAY)
        assert refused.value.code == "assessment_missing"
    assert assessments.missing(wanted, [GOOD | {"kinds": ["sharing"]}], DAY) == ("sensitive", "crossborder")
    assert assessments.covered(wanted, [GOOD | {"kinds": ["sharing"]}, GOOD | {"kinds": ["sensitive", "crossborder"]}], DAY)
    assert assessments.state(GOOD, DAY) == "approved"
    assert assessments.state(GOOD, date(2026, 6, 16)) == "review_due"


def test_nobody_approves_their_own_words_and_only_a_draft() -> None:
    assessments.check_approval([{"state": "draft"}], {"ada"}, "bob")
    with pytest.raises(Refused) as own:
        assessments.check_approval([{"state": "draft"}], {"ada", "bob"}, "bob")
    assert own.value.code == "own_proposal"
    with pytest.raises(Conflict):
        assessments.check_approval([{"state": "approved"}], set(), "bob")


def test_its_fields_have_the_three_contents_of_article_56() -> None:
    named = {one.name: one for one in assessments.FIELDS}
    assert all(named[name].required for name in assessments.CONTENTS)
