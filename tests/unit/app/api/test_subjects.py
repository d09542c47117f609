"""The officer's routes about people: what each answers, who may ask, and that the log knew first."""

from __future__ import annotations

from typing import Any

import pytest

from privacy.audit.reading import Filter, lines
from privacy.identity.matching import Pair
from tests.fakes.log import RefusingLog
from tests.house import House, bearer, track

WHY = {"purpose": "data_quality", "reason": "the shop holds the two to be one"}
ONE, OTHER = {"type": "customer_no", "value": "u-1"}, {"type": "customer_no", "value": "u-2"}
ROUTES: dict[str, tuple[dict[str, Any], str]] = {
    "lookups": ({"identifier": ONE, "namespace": "shop"}, "person.find"),
    "reasons": ({"handle": "00" * 16}, "person.find"),
    "unmerges": ({"handle": "00" * 16, "merge": "mrg_" + "00" * 16}, "person.unmerge"),
    "proposals/acceptances": ({"proposal": "prp_" + "00" * 16}, "person.merge"),
    "proposals/dismissals": ({"proposal": "prp_" + "00" * 16}, "person.merge"),
}
"""Path, a body, and the permission: each route is refused without it and before anything is looked for."""
ENDPOINTS = dict(
    zip(
        ROUTES,
        ("subjects.look_up", "subjects.show_reasons", "subjects.unmerge", "subjects.accept_proposal", "subjects.dismiss_proposal"),
        strict=True,
    )
)


@pytest.fixture
def shop(house: House) -> tuple[House, str]:
    """A house with two customers, and their source's key."""
    _, key = house.source("shop")
    house.grant(key, [("customer_no", "u-1"), ("customer_no", "u-2")])
    return house, key


@pytest.fixture
def officer(house: House) -> dict[str, str]:
    return bearer(house.token("officer"))


def ask(house: House, headers: dict[str, str], path: str, **body: Any) -> tuple[int, dict[str, Any]]:
    answer = house.client.post(f"/api/subjects/{path}", json={**WHY, **body}, headers=headers)
    return answer.status_code, answer.get_json()


def actions(house: House) -> list[str]:
    """What the log holds, the newest first."""
    with house.services.read_console() as tx:
        return [line.action for line in lines(tx, Filter(), limit=20).items]


def proposed(house: House) -> None:
    """A match of two records, one of each customer, says that they are one."""
    told = house.services.kinship.propose(
        {"name": ["Anna Lee", "Ana Lee"]},
        {"customer_no": ["u-1", "u-2"]},
        source="src_shop",
        namespace="shop",
        actor="test",
        match=lambda fields, *, threshold: [Pair(0, 1, 9_500, {"name": "close"})],
        **WHY,
    )
    assert told == {"records": 2, "known": 2, "pairs": 1, "proposed": 1}


def proposals(house: House, headers: dict[str, str]) -> list[dict[str, Any]]:
    answer = house.client.get("/api/subjects/proposals", headers=headers)
    assert answer.status_code == 200
    items: list[dict[str, Any]] = answer.get_json()["items"]
    return items


def test_nobody_but_an_officer_opens_them(house: House) -> None:
    for role in ("integrator", "marketer", "administrator"):
        headers = bearer(house.token(role))
        for path, (body, _) in ROUTES.items():
            status, told = ask(house, headers, path, **body)
            assert (status, told["code"]) == (403, "permission_missing"), (role, path)
            assert ask(house, {}, path, **body)[0] == 401
    assert not [action for action in actions(house) if action.startswith("person.")]


def test_each_asks_for_the_permission_that_was_agreed(house: House) -> None:
    found = {path: house.app.view_functions[endpoint].permission for path, endpoint in ENDPOINTS.items()}  # type: ignore[attr-defined]
    assert found == {path: permission for path, (_, permission) in ROUTES.items()}


@pytest.mark.parametrize("path", ROUTES)
def test_without_a_purpose_and_a_reason_nothing_is_looked_for(house: House, officer: dict[str, str], path: str) -> None:
    for missing in WHY:
        body = {**WHY, **ROUTES[path][0]}
        del body[missing]
        answer = house.client.post(f"/api/subjects/{path}", json=body, headers=officer)
        assert (answer.status_code, missing in answer.get_data(as_text=True)) == (422, True)
    assert not [action for action in actions(house) if action.startswith("person.")]


@pytest.mark.parametrize("path", ROUTES)
def test_without_the_log_nothing_is_answered(shop: tuple[House, str], path: str) -> None:
    house, key = shop
    officer = bearer(house.token("officer"))
    proposed(house)
    (proposal,) = proposals(house, officer)
    house.batch([track(1, type="alias", user="u-1") | {"previousId": "u-2"}], key)
    handle = ask(house, officer, "lookups", **ROUTES["lookups"][0])[1]["handle"]
    (merge,) = ask(house, officer, "reasons", handle=handle)[1]["merges"]
    names = {"handle": handle, "proposal": proposal["proposal"], "merge": merge["merge"]}
    body = {name: names.get(name, value) for name, value in ROUTES[path][0].items()}
    house.services.log = RefusingLog()  # type: ignore[assignment]
    for door in ("oversight", "kinship", "cases"):
        house.services.__dict__.pop(door, None)
    status, _ = ask(house, officer, path, **body)
    assert status == 503


def test_a_person_is_found_masked_and_nobody_looks_the_same(shop: tuple[House, str], officer: dict[str, str]) -> None:
    house, _ = shop
    status, found = ask(house, officer, "lookups", identifier=ONE, namespace="shop")
    assert status == 201
    assert [one["type"] for one in found["identifiers"]] == ["customer_no"]
    assert "u-1" not in str(found)
    assert "person.find" in actions(house)
    status, nobody = ask(house, officer, "lookups", identifier={"type": "customer_no", "value": "u-9"}, namespace="shop")
    assert (status, nobody["identifiers"], nobody.keys()) == (201, [], found.keys())


def test_a_handle_or_a_name_that_nobody_gave_is_not_found(house: House, officer: dict[str, str]) -> None:
    codes = {path: ask(house, officer, path, **ROUTES[path][0]) for path in ROUTES if path != "lookups"}
    assert {path: status for path, (status, _) in codes.items()} == dict.fromkeys(codes, 404)
    assert {path: told["code"] for path, (_, told) in codes.items()} == {
        "reasons": "person_unknown",
        "unmerges": "merge_unknown",
        "proposals/acceptances": "proposal_unknown",
        "proposals/dismissals": "proposal_unknown",
    }


def test_a_merge_is_shown_with_its_reason_and_undone(shop: tuple[House, str], officer: dict[str, str]) -> None:
    house, key = shop
    assert house.batch([track(1, type="alias", user="u-1") | {"previousId": "u-2"}], key)["stored"] == 1
    handle = ask(house, officer, "lookups", identifier=ONE, namespace="shop")[1]["handle"]
    status, told = ask(house, officer, "reasons", handle=handle)
    (merge,) = told["merges"]
    assert (status, merge["rule"], merge["undone_at"]) == (201, "alias", None)
    status, undone = ask(house, officer, "unmerges", handle=handle, merge=merge["merge"])
    assert status == 201
    assert len({one["handle"] for one in undone["people"]}) == 2
    assert actions(house)[:2] == ["person.unmerge", "person.unmerge"], "asked, then done"
    assert ask(house, officer, "unmerges", handle=handle, merge=merge["merge"])[1]["code"] == "merge_unknown"


def test_a_proposal_waits_until_it_is_accepted_and_is_then_gone(shop: tuple[House, str], officer: dict[str, str]) -> None:
    house, _ = shop
    proposed(house)
    (one,) = proposals(house, officer)
    assert (one["weight"], one["fields"], len(set(one["handles"]))) == (9.5, {"name": "close"}, 2)
    assert actions(house)[0] == "person.proposals"
    status, merged = ask(house, officer, "proposals/acceptances", proposal=one["proposal"])
    assert (status, merged["members"]) == (201, 2)
    assert actions(house)[0] == "person.merge"
    same = {ask(house, officer, "lookups", identifier=each, namespace="shop")[1]["handle"] for each in (ONE, OTHER)}
    assert same == {merged["handle"]}
    assert proposals(house, officer) == []
    assert ask(house, officer, "proposals/acceptances", proposal=one["proposal"])[1]["code"] == "proposal_unknown"


def test_a_dismissed_proposal_merges_nobody(shop: tuple[House, str], officer: dict[str, str]) -> None:
    house, _ = shop
    proposed(house)
    (one,) = proposals(house, officer)
    status, told = ask(house, officer, "proposals/dismissals", proposal=one["proposal"])
    assert (status, told["dismissed"]) == (201, one["proposal"])
    assert actions(house)[0] == "person.dismiss"
    handles = {ask(house, officer, "lookups", identifier=each, namespace="shop")[1]["handle"] for each in (ONE, OTHER)}
    assert len(handles) == 2
    assert proposals(house, officer) == []
