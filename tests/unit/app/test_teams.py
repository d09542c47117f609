"""Teams share the question slice: no share adds to a month, none is passed, and two officers put one in force."""

from __future__ import annotations

import pytest

from privacy.dp import ledger, teams
from privacy.errors import BudgetExhausted, Conflict, Invalid, NotFound, Refused
from tests.house import House

CAP = 50_000_000
MONTH = 202605


def confirmed(house: House, team: str, permille: int) -> None:
    number = house.services.propose_share(team, permille, actor="usr_one")
    house.services.confirm_share(number, actor="usr_two")


def spend(house: House, who: str, rho: int) -> None:
    with house.services.begin_analysis() as tx:
        ledger.settle(tx, (MONTH,), CAP)
        teams.charge(tx, who, ledger.accounts(tx, (MONTH,)), rho)


def test_without_shares_nobody_is_limited(house: House) -> None:
    spend(house, "usr_a", CAP)


def test_a_team_spends_its_share_and_everybody_else_what_no_share_took(house: House) -> None:
    confirmed(house, "north", 500)
    confirmed(house, "south", 250)
    house.services.assign_team("usr_n", "north", actor="usr_one")
    spend(house, "usr_n", 2_000_000)
    spend(house, "usr_n", 1_000_000)
    with pytest.raises(BudgetExhausted) as refused:
        spend(house, "usr_n", 1)
    assert refused.value.code == "team_budget_exhausted"
    spend(house, "usr_nobody", 1_500_000)
    with pytest.raises(BudgetExhausted):
        spend(house, "usr_nobody", 1)
    spend(house, "schedule", CAP)
    total = sum(one["spent_nano"] for item in house.services.teams()["items"] for one in item["months"])
    assert total == 4_500_000 <= teams.limit(CAP, teams.WHOLE) == 6_000_000


def test_a_share_counts_only_once_another_officer_confirmed_it(house: House) -> None:
    number = house.services.propose_share("north", 400, actor="usr_one")
    assert house.services.teams()["items"] == []
    with pytest.raises(Refused) as own:
        house.services.confirm_share(number, actor="usr_one")
    assert own.value.code == "own_proposal"
    house.services.confirm_share(number, actor="usr_two")
    assert [(one["team"], one["permille"]) for one in house.services.teams()["items"]] == [("north", 400), ("", 600)]
    with pytest.raises(NotFound):
        house.services.confirm_share(number, actor="usr_two")


def test_shares_together_are_never_more_than_the_slice_and_an_old_proposal_lapses(house: House) -> None:
    old = house.services.propose_share("north", 100, actor="usr_one")
    confirmed(house, "north", 700)
    assert house.services.teams()["waiting"] == [], f"{old} was overtaken"
    with pytest.raises(Conflict) as over:
        confirmed(house, "south", 301)
    assert over.value.code == "shares_over"
    confirmed(house, "north", 0)
    confirmed(house, "south", 1_000)
    assert [one["team"] for one in house.services.teams()["items"]] == ["south", ""]


@pytest.mark.parametrize(("team", "permille"), [("", 1), ("North!", 1), ("north", 1_001), ("north", -1)])
def test_a_share_has_a_name_and_lies_inside_the_slice(house: House, team: str, permille: int) -> None:
    with pytest.raises(Invalid):
        house.services.propose_share(team, permille, actor="usr_one")
