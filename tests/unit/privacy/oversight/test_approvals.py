"""Approvals to look at a minor: of one case, answered once, over with the case."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.stores import Stores
from privacy import errors
from privacy.orm import PlatformBase
from privacy.oversight import approvals
from privacy.oversight.approvals import APPROVED, REFUSED, Approval
from tests.conftest import NOW

ME, OTHER = "usr_0123456789abcdef", "usr_fedcba9876543210"


def asked(case: str = "cas_1") -> Approval:
    return Approval(case, ME, "rights_request", "under_14", "asks what is held", NOW, NOW + timedelta(hours=8), 1)


def test_a_case_asks_once_and_is_answered_once(sqlite: Stores) -> None:
    with sqlite.begin_platform() as tx:
        PlatformBase.metadata.create_all(tx)
        approvals.ask(tx, asked())
        assert approvals.one(tx, "cas_1").state(NOW) == "asked"
        assert approvals.standing(tx, ME, NOW) == []
        with pytest.raises(errors.Conflict, match="asked"):
            approvals.ask(tx, asked())
        approvals.decide(tx, "cas_1", APPROVED, by=OTHER, now=NOW, entry=2)
        with pytest.raises(errors.Conflict, match="decided"):
            approvals.decide(tx, "cas_1", REFUSED, by=OTHER, now=NOW, entry=3)
        assert [one.decided_by for one in approvals.standing(tx, ME, NOW)] == [OTHER]
        assert approvals.standing(tx, OTHER, NOW) == []


def test_an_approval_ends_with_its_case_and_a_refusal_stays_one(sqlite: Stores) -> None:
    with sqlite.begin_platform() as tx:
        PlatformBase.metadata.create_all(tx)
        approvals.ask(tx, asked())
        approvals.ask(tx, asked("cas_2"))
        approvals.decide(tx, "cas_1", APPROVED, by=OTHER, now=NOW, entry=2)
        approvals.decide(tx, "cas_2", REFUSED, by=OTHER, now=NOW, entry=2)
        later = NOW + timedelta(hours=8)
        assert len(approvals.standing(tx, ME, later - timedelta(microseconds=1))) == 1
        assert approvals.standing(tx, ME, later) == []
        assert {one.case_id: one.state(later) for one in approvals.listing(tx)} == {"cas_1": "over", "cas_2": "refused"}
        with pytest.raises(errors.NotFound):
            approvals.one(tx, "cas_3")
