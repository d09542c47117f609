"""The canonical form of a rule."""

from __future__ import annotations

from analytics.segments import rules
from analytics.segments.rules import Group, Rfm, Stage


def test_a_group_of_one_is_that_one_and_groups_of_a_kind_dissolve() -> None:
    new, lost, best = Stage(("new",)), Stage(("lost",)), Rfm(("champions",))
    assert rules.group(True, (new,)) == new
    nested = rules.group(True, (rules.group(True, (new, lost)), best, new))
    assert isinstance(nested, Group)
    assert set(nested.rules) == {new, lost, best}
    assert list(rules.leaves(nested)) == list(nested.rules)
    assert rules.digest(nested) == rules.digest(rules.group(True, (best, lost, new)))
    assert rules.digest(nested) != rules.digest(rules.group(False, (best, lost, new)))


def test_groups_of_different_kinds_stay_apart() -> None:
    inner = rules.group(False, (Stage(("new",)), Stage(("lost",))))
    outer = rules.group(True, (inner, Rfm(("champions",))))
    assert isinstance(outer, Group)
    assert inner in outer.rules
