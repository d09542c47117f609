"""The way of a request: what is possible where, and by whom."""

from __future__ import annotations

import pytest

from privacy.errors import Conflict, Invalid, PiyingError, Refused
from privacy.rights import steps
from privacy.vocabulary import Right, Step


def code(call: object, *arguments: object, **named: object) -> str:
    with pytest.raises(PiyingError) as wrong:
        call(*arguments, **named)  # type: ignore[operator]
    return wrong.value.code


def test_nothing_is_granted_before_proof_and_only_a_deletion_waits_for_a_second_person() -> None:
    for right in Right:
        assert code(steps.decide, right, Step.IDENTITY, "fulfilled", "", proven=False) == "identity_unproven"
        after = steps.decide(right, Step.DECIDE, "fulfilled", "", proven=True)
        assert after is (Step.DECIDE if right is Right.DELETION else Step.DELIVER)


def test_a_refusal_names_a_reason_that_does_not_tell_whether_somebody_is_known() -> None:
    assert code(steps.decide, Right.ACCESS, Step.DECIDE, "refused", "", proven=True) == "reason_missing"
    assert code(steps.decide, Right.ACCESS, Step.IDENTITY, "refused", "nothing_held", proven=False) == "identity_unproven"
    assert steps.decide(Right.ACCESS, Step.IDENTITY, "refused", "identity_unproven", proven=False) is Step.DELIVER
    assert code(steps.decide, Right.ACCESS, Step.DECIDE, "partly", "done", proven=True) == "reason_missing"
    assert code(steps.decide, Right.ACCESS, Step.DECIDE, "perhaps", "", proven=True) == "outcome_unknown"
    assert code(steps.decide, Right.ACCESS, Step.DELIVER, "refused", "excessive", proven=True) == "request_step"


def test_the_second_person_is_another_one() -> None:
    assert code(steps.approve, Step.DECIDE, "a", "a") == "own_decision"
    assert code(steps.approve, Step.DECIDE, None, "a") == "request_step"
    assert steps.approve(Step.DECIDE, "a", "b") is Step.DELIVER
    with pytest.raises(Refused):
        steps.approve(Step.DECIDE, "a", "a")


def test_closing_needs_a_reason_and_what_was_granted_is_delivered_first() -> None:
    assert code(steps.close, Step.DELIVER, "fulfilled", "", delivered=True) == "reason_missing"
    assert code(steps.close, Step.DELIVER, "fulfilled", "done", delivered=False) == "not_delivered"
    assert code(steps.close, Step.CLOSED, "fulfilled", "done", delivered=True) == "request_closed"
    assert code(steps.close, Step.REVIEW, None, "excessive", delivered=False) == "request_step"
    assert steps.close(Step.REVIEW, None, "taken_back", delivered=False) is Step.CLOSED
    assert steps.close(Step.DELIVER, "refused", "excessive", delivered=False) is Step.CLOSED


def test_proof_is_asked_for_once_and_checked_before_anything_is_collected() -> None:
    assert steps.ask(Step.RECEIVED) is Step.IDENTITY
    with pytest.raises(Conflict):
        steps.ask(Step.COLLECT)
    assert steps.after_proof(Step.RECEIVED, passed=True) is Step.COLLECT
    assert steps.after_proof(Step.IDENTITY, passed=False) is Step.IDENTITY
    with pytest.raises(Conflict):
        steps.after_proof(Step.REVIEW, passed=True)
    with pytest.raises(Invalid):
        steps.decide(Right.ACCESS, Step.DECIDE, "refused", "whim", proven=True)
