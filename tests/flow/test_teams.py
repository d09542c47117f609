"""A team's share on the page: one officer proposes, another confirms, a marketer sees what is left."""

from __future__ import annotations

from tests.house import House


def test_the_page_lets_one_officer_propose_and_another_confirm(sqlite_only: House) -> None:
    house = sqlite_only
    one, two, marketer = house.browser("officer"), house.browser("officer"), house.browser("marketer")
    assert one.post("/budget/teams", {"team": "north", "share": "40"}).status_code == 303
    assert "proposes 40" in two.get("/budget").get_data(as_text=True)
    assert one.post("/budget/teams/confirmations", {"proposal": "1"}).status_code == 403
    assert two.post("/budget/teams/confirmations", {"proposal": "1"}).status_code == 303
    assert two.post("/budget/teams/members", {"account": marketer.account, "team": "north"}).status_code == 303
    assert house.services.teams()["members"] == {marketer.account: "north"}
    page = marketer.get("/budget").get_data(as_text=True)
    assert "north" in page
    assert "Propose the share" not in page
    assert "Since joining" in one.get("/budget").get_data(as_text=True)
    assert "Since joining" not in page
    assert marketer.post("/budget/teams", {"team": "x", "share": "1"}).status_code == 403
