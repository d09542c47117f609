"""Keys that nobody knows beforehand: a rare one is not told, a common one is, and what it costs is certified."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from privacy.dp import accountant, keys
from privacy.errors import Invalid
from privacy.records import Aggregate, Bounds, Measure, Question

QUESTION = Question("keys", 1, "analytics.statistics", (202605,), ("product_id",), (), (Measure("people"),), Bounds(2, 1), 1_000_000, 1_000)


def test_the_threshold_is_what_the_closed_form_says_and_is_certified() -> None:
    """k·P(noise ≥ t − 1) ≤ δ; OpenDP's own map agrees within its rounding."""
    limit, scale = keys.threshold(QUESTION), accountant.sigma(QUESTION.rho_nano, 2)
    below, above = (4 * 0.5 * math.erfc((t - 1) / scale / math.sqrt(2)) for t in (limit * 1.02, limit * 0.98))
    assert below < 1e-12 < above
    assert keys.threshold(replace(QUESTION, delta_units=1)) > limit
    assert keys.threshold(replace(QUESTION, rho_nano=4_000_000)) < limit


def test_a_key_of_one_person_is_not_told_and_common_keys_are_told_in_their_order() -> None:
    """One build tells the rare key with a probability of at most 1e-12, all 50 together with 5e-11."""
    for _ in range(50):
        cells, noisy = keys.thresholded(QUESTION, {"rare": 1, "water": 5_000, "tea": 9_000, "few": 4})
        assert cells == (("tea",), ("water",))
        assert all(abs(value - true) < 10 * noisy.sigma for value, true in zip(noisy.values, (9_000, 5_000), strict=True))


def test_nobody_at_all_is_an_answer_too() -> None:
    assert keys.thresholded(QUESTION, {})[0] == ()


def test_a_question_of_public_cells_gets_all_of_them() -> None:
    public = replace(QUESTION, delta_units=0)
    cells, noisy = keys.drawn(public, Aggregate((("a",), ("b",)), ("people",), (0, 3)))
    assert cells == (("a",), ("b",))
    assert len(noisy.values) == 2


@pytest.mark.parametrize(
    "question",
    [
        replace(QUESTION, bounds=Bounds(2, 1_000)),
        replace(QUESTION, measures=(Measure("people"), Measure("orders"))),
    ],
)
def test_what_was_not_priced_so_is_refused(question: Question) -> None:
    with pytest.raises(Invalid):
        keys.thresholded(question, {"a": 1})


def test_a_count_that_is_none_is_refused() -> None:
    with pytest.raises(Invalid):
        keys.thresholded(QUESTION, {"a": 0})


def test_another_delta_is_another_question() -> None:
    assert replace(QUESTION, delta_units=0).canonical() != QUESTION.canonical()
