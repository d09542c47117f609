"""One decision a person: every reason alone keeps out, nobody is counted twice, and the unknown is a no."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from privacy.errors import Invalid
from privacy.export.decide import ORDER, Exclusion, Facts, decide

GOOD: dict[str, bool] = {
    "known": True,
    "minor": False,
    "ageless": False,
    "restricted": False,
    "objected": False,
    "suppressed": False,
    "purpose": True,
    "separate": True,
    "abroad": True,
    "sensitive": True,
    "channel": True,
}
BAD = {
    "known": Exclusion.UNKNOWN,
    "minor": Exclusion.MINOR,
    "ageless": Exclusion.AGE_UNKNOWN,
    "restricted": Exclusion.RESTRICTED,
    "objected": Exclusion.OBJECTED,
    "suppressed": Exclusion.SUPPRESSED,
    "purpose": Exclusion.PURPOSE,
    "separate": Exclusion.SEPARATE,
    "abroad": Exclusion.ABROAD,
    "sensitive": Exclusion.SENSITIVE,
    "channel": Exclusion.CHANNEL,
}


def facts(rows: list[dict[str, Any]], recent: list[int] | None = None) -> Facts:
    columns = {name: np.array([row[name] for row in rows]) for name in GOOD}
    return Facts(**columns, recent=np.array(recent if recent is not None else [0] * len(rows), np.int64))


def decided(rows: list[dict[str, Any]], **rules: Any) -> Any:
    return decide(facts(rows, rules.pop("recent", None)), bars_ageless=True, cap=2, **rules)


def test_who_allows_everything_may_leave() -> None:
    """And nobody is counted as kept back."""
    found = decided([GOOD])
    assert found.allowed.tolist() == [True]
    assert found.counts() == {}


@pytest.mark.parametrize("name", GOOD)
def test_one_single_no_keeps_a_person_back(name: str) -> None:
    """Whatever else they allowed, and under the reason of that no."""
    found = decided([GOOD | {name: not GOOD[name]}])
    assert not found.allowed[0]
    assert found.counts() == {BAD[name].value: 1}


def test_every_combination_gives_the_first_reason_of_the_order_and_no_other() -> None:
    """All 2¹¹ combinations: the counts and those who leave make up the audience."""
    rows = [dict(zip(GOOD, values, strict=True)) for values in itertools.product((False, True), repeat=len(GOOD))]
    found = decided(rows)
    for row, place in zip(rows, found.reasons.tolist(), strict=True):
        against = {BAD[name] for name in GOOD if row[name] != GOOD[name]}
        assert place == next((number for number, reason in enumerate(ORDER) if reason in against), -1)
    assert sum(found.counts().values()) + int(found.allowed.sum()) == len(rows)


def test_the_cap_counts_lists_of_the_window() -> None:
    """With a cap of two the third list is refused."""
    found = decided([GOOD] * 3, recent=[1, 2, 5])
    assert found.counts() == {"frequency_capped": 2}


def test_a_consent_that_is_not_needed_is_no_obstacle() -> None:
    """A recipient at home needs no consent to a transfer."""
    plain = {name: np.array([value]) for name, value in GOOD.items() if name not in ("abroad", "sensitive", "channel")}
    assert decide(Facts(**plain)).allowed.all()


def test_age_objection_and_cap_are_rules_of_marketing_only() -> None:
    """A recall reaches who objected to marketing; restriction holds for everything."""
    rows = [GOOD | {"minor": True}, GOOD | {"objected": True}, GOOD | {"restricted": True}]
    found = decide(facts(rows, [9, 9, 9]), marketing=False, bars_ageless=True, cap=1)
    assert found.allowed.tolist() == [True, True, False]


def test_a_cap_without_counts_stops_instead_of_letting_everybody_through() -> None:
    """The unknown is a no."""
    plain = {name: np.array([value]) for name, value in GOOD.items()}
    with pytest.raises(Invalid):
        decide(Facts(**plain), cap=1)


def test_columns_of_different_lengths_stop_the_decision() -> None:
    """No person may get another's answer."""
    plain = {name: np.array([value]) for name, value in GOOD.items()} | {"minor": np.array([False, False])}
    with pytest.raises(Invalid):
        decide(Facts(**plain))
