"""Teams share the question slice on every database: none passes its share, and shares together are the slice at most."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.stores import Stores
from privacy.dp import ledger, teams
from privacy.errors import BudgetExhausted

NOW = datetime(2026, 6, 15, tzinfo=UTC)
MONTH = 202605


def test_a_share_is_a_part_of_the_question_slice_of_a_months_own_cap() -> None:
    assert teams.limit(50_000_000, teams.WHOLE) == 6_000_000
    assert teams.limit(10_000_000, 500) == 600_000
    assert sum(teams.limit(50_000_001, part) for part in (333, 333, 334)) <= teams.limit(50_000_001, teams.WHOLE)


def test_a_charge_beyond_the_share_takes_nothing_from_anybody(stores: Stores) -> None:
    with stores.begin_platform() as tx:
        ledger.settle(tx, (MONTH,), 50_000_000)
        teams.confirm(tx, teams.propose(tx, "north", 500, by="usr_1", now=NOW), by="usr_2", now=NOW)
        teams.assign(tx, "usr_n", "north")
    with stores.begin_platform() as tx:
        teams.charge(tx, "usr_n", ledger.accounts(tx, (MONTH,)), 3_000_000)
    with pytest.raises(BudgetExhausted), stores.begin_platform() as tx:
        before = ledger.charge(tx, "rel_1", (MONTH,), 1, now=NOW)
        teams.charge(tx, "usr_n", before, 1)
    with stores.begin_platform() as tx:
        assert teams.spending(tx) == {("north", MONTH): 3_000_000}
        assert ledger.totals(tx) == (0, 0)


def test_what_is_told_to_be_left_is_what_a_charge_would_find(stores: Stores) -> None:
    """Of one's own team, of everybody else, and nothing where no share limits anybody or where the schedule asks."""
    with stores.begin_platform() as tx:
        ledger.settle(tx, (MONTH,), 50_000_000)
        months = ledger.accounts(tx, (MONTH,))
        assert teams.left(tx, "usr_n", months) == {}
        teams.confirm(tx, teams.propose(tx, "north", 500, by="usr_1", now=NOW), by="usr_2", now=NOW)
        teams.assign(tx, "usr_n", "north")
        teams.charge(tx, "usr_n", months, 1_000_000)
        assert teams.left(tx, "usr_n", months) == {MONTH: 2_000_000}
        assert teams.left(tx, "usr_other", months) == {MONTH: 3_000_000}
        assert teams.left(tx, "schedule", months) == {}
        teams.charge(tx, "usr_n", months, teams.left(tx, "usr_n", months)[MONTH])
        assert teams.left(tx, "usr_n", months) == {MONTH: 0}
