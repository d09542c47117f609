"""An agreement covers its purposes and kinds of data between its first and its last day, and nothing else."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.accountability import processing_agreements as agreements
from privacy.errors import Conflict, Invalid

ONE = {"starts": "2026-01-01", "ends": "2026-12-31", "purposes": ["a.b"], "categories": ["phone"], "ended_on": None, "certificate": None}


@pytest.mark.parametrize(
    ("day", "purpose", "categories", "code"),
    [
        ("2026-01-01", "a.b", ["phone"], "in_force"),
        ("2026-12-31", "a.b", [], "in_force"),
        ("2025-12-31", "a.b", [], "agreement_not_yet"),
        ("2027-01-01", "a.b", [], "agreement_expired"),
        ("2026-06-01", "a.c", [], "agreement_other_purpose"),
        ("2026-06-01", "a.b", ["phone", "email"], "agreement_other_category"),
    ],
)
def test_each_no_has_its_code(day: str, purpose: str, categories: list[str], code: str) -> None:
    verdict = agreements.in_force(ONE, date.fromisoformat(day), purpose, categories)
    assert (verdict.code, verdict.holds) == (code, code == "in_force")


def test_none_is_missing_and_an_ended_one_ends_on_its_day() -> None:
    assert agreements.in_force(None, date(2026, 6, 1), "a.b", []).code == "agreement_missing"
    ended = ONE | {"ended_on": "2026-06-01"}
    assert agreements.in_force(ended, date(2026, 5, 31), "a.b", []).holds
    assert agreements.in_force(ended, date(2026, 6, 1), "a.b", []).code == "agreement_ended"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-400, 400), max_size=4), st.integers(-400, 400))
def test_several_hold_exactly_if_one_of_them_does(offsets: list[int], day: int) -> None:
    start, at = date(2026, 1, 1), date(2026, 1, 1) + timedelta(days=day)
    some = [
        ONE | {"starts": (start + timedelta(days=offset)).isoformat(), "ends": (start + timedelta(days=offset + 30)).isoformat()}
        for offset in offsets
    ]
    assert agreements.any_in_force(some, at, "a.b", ["phone"]).holds == any(offset <= day <= offset + 30 for offset in offsets)
    assert some or agreements.any_in_force(some, at, "a.b", []).code == "agreement_missing"


def test_states_and_the_certificate_at_the_end() -> None:
    states = [agreements.state(ONE, date.fromisoformat(day)) for day in ("2025-12-31", "2026-01-01", "2026-12-02", "2027-01-01")]
    assert states == ["not_yet", "current", "ending", "over"]
    with pytest.raises(Conflict) as running:
        agreements.check_certificate(ONE, date(2026, 6, 1))
    assert running.value.code == "agreement_running"
    agreements.check_certificate(ONE, date(2027, 1, 1))
    with pytest.raises(Conflict):
        agreements.check_certificate(ONE | {"certificate": {"outcome": "deleted"}}, date(2027, 1, 1))
    with pytest.raises(Invalid):
        agreements.check_term(ONE | {"ends": "2025-12-31"})
