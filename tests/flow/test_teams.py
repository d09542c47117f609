"""A team's share by page, API and command: one officer proposes, another confirms, a marketer sees what is left and what it means for a price."""

from __future__ import annotations

from app import teams
from tests.house import House, bearer


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


def test_the_api_does_what_the_page_does_and_tells_a_marketer_no_names(sqlite_only: House) -> None:
    house = sqlite_only
    one, two, marketer = (bearer(house.token(role)) for role in ("officer", "officer", "marketer"))

    def post(path: str, body: dict[str, object], head: dict[str, str]) -> int:
        return house.client.post(f"/api/budgets/teams{path}", json=body, headers=head).status_code

    made = house.client.post("/api/budgets/teams", json={"team": "north", "percent": 40}, headers=one | {"Idempotency-Key": "k1"})
    again = house.client.post("/api/budgets/teams", json={"team": "north", "percent": 40}, headers=one | {"Idempotency-Key": "k1"})
    assert (made.status_code, made.get_json()) == (201, {"share": 1})
    assert again.get_json() == made.get_json()
    seen = house.client.get("/api/budgets/teams", headers=two).get_json()
    assert [(wait["share"], wait["team"], wait["permille"]) for wait in seen["waiting"]] == [(1, "north", 400)]
    assert post("/confirmations", {"share": 1}, one) == 403
    assert post("/confirmations", {"share": 1}, two) == 200
    assert post("", {"team": "x", "percent": 1}, marketer) == 403
    assert post("", {"team": "x", "percent": 101}, one) == 422
    account = house.client.get("/api/budgets/teams", headers=one).get_json()["people"][0]["user"]
    assert post("/members", {"account": account, "team": "north"}, one) == 200
    told = house.client.get("/api/budgets/teams", headers=marketer).get_json()
    assert (told["waiting"], told["people"]) == ([], [])
    assert {item["team"]: item["permille"] for item in told["items"]} == {"north": 400, "": 600}


def test_a_quote_tells_what_the_askers_team_has_left_and_whether_it_suffices(sqlite_only: House) -> None:
    """One per cent of the question slice is 60,000 nano-ρ: no price of the funnel fits, though the month has nearly everything left."""
    house = sqlite_only
    one, two, marketer = house.browser("officer"), house.browser("officer"), house.browser("marketer")
    number = teams.propose(house.services, "small", "1", actor=one.account)
    teams.confirm(house.services, str(number), actor=two.account)
    teams.assign(house.services, marketer.account, "small", actor=one.account)
    page = marketer.get("/reports/new/funnel?from=2026-05").get_data(as_text=True)
    assert "your team has only ρ 0.0001 left" in page
    assert "your team may spend ρ 0.0001 of it" in page
    assert "Run for" not in page
    head = bearer(house.token("marketer"))
    told = house.client.post("/api/reports/quotes", json={"kind": "funnel", "from": "2026-05"}, headers=head).get_json()
    assert told["team_left"] == {"202605": 5_940_000}, "somebody of no team spends what no share took"
    assert told["affordable"]
