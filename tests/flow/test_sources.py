"""Sources over their life: keys that overlap, end and are listed, what may be changed and by whom, how fast they may send."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest

from app import acts, intake
from app.logs import REGISTRY
from privacy.errors import Invalid
from tests.flow.bad_input import problem
from tests.house import House, bearer, sqlite_house, track
from tests.unit.app.commands import told

SHOP = "https://shop.example"


def opens(house: House, key: str) -> bool:
    return house.send({"batch": []}, key).status_code == 200


def listed(house: House, source: str) -> dict[str, Any]:
    return next(one for one in acts.list_sources(house.services) if one["source"] == source)


# ── keys ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_old_key_works_until_its_announced_end_and_not_a_moment_longer(house: House) -> None:
    source, old = house.source()
    token = bearer(house.token("integrator"))
    rotated = house.client.post(f"/api/sources/{source}/rotations", json={"overlap_hours": 2}, headers=token).get_json()
    new = rotated["write_key"]
    assert [one["state"] for one in listed(house, source)["keys"]] == ["ending", "live"]
    assert listed(house, source)["keys"][0]["ends_at"] == rotated["old_keys_end_at"]
    house.clock.forward(hours=2, seconds=-1)
    assert (opens(house, old), opens(house, new)) == (True, True)
    house.clock.forward(seconds=1)
    assert (opens(house, old), opens(house, new)) == (False, True)
    assert [one["state"] for one in listed(house, source)["keys"]] == ["live"]
    assert new not in json.dumps(acts.list_sources(house.services))
    house.client.post(f"/api/sources/{source}/rotations", headers=token)
    house.clock.forward(hours=23)
    assert opens(house, new), "a day where nothing is said"


def test_a_key_that_leaked_is_ended_at_once_by_its_name(house: House) -> None:
    source, old = house.source()
    token = bearer(house.token("integrator"))
    new = acts.rotate_source(house.services, source, actor="test")["write_key"]
    name = listed(house, source)["keys"][0]["key"]
    answer = house.client.post(f"/api/sources/{source}/revocations", json={"key": name}, headers=token)
    assert answer.get_json() == {"source": source, "key": name, "ended": True}
    assert (opens(house, old), opens(house, new)) == (False, True)
    assert problem(house.client.post(f"/api/sources/{source}/revocations", json={"key": name}, headers=token), 404)
    assert not opens(house, acts.rotate_source(house.services, source, actor="test")["write_key"][:-1])
    newest = acts.rotate_source(house.services, source, actor="test", overlap=acts.KEY_OVERLAP * 0)["write_key"]
    assert (opens(house, new), opens(house, newest)) == (False, True), "without an overlap the old ones end now"


def test_an_overlap_is_at_most_a_month(sqlite_only: House) -> None:
    source, _ = sqlite_only.source()
    with pytest.raises(Invalid):
        acts.rotate_source(sqlite_only.services, source, actor="test", overlap=acts.LONGEST_OVERLAP * 2)


# ── what may be changed ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_change_names_what_it_was_made_from_and_what_is_not_given_stays(house: House) -> None:
    source, _ = house.source(public=True, origins=[SHOP], categories={"ads": "marketing.profiling"})
    token, address = bearer(house.token("integrator")), f"/api/sources/{source}"
    seen = house.client.get(address, headers=token)
    assert seen.get_json() == listed(house, source)
    assert problem(house.client.patch(address, json={"origins": []}, headers=token), 428)["code"] == "precondition_missing"
    tagged = {**token, "If-Match": seen.headers["ETag"]}
    changed = house.client.patch(address, json={"origins": [SHOP, "http://localhost:3000"], "requests_per_second": 7}, headers=tagged)
    assert changed.status_code == 200
    assert changed.get_json()["origins"] == ["http://localhost:3000", SHOP]
    assert changed.get_json()["categories"] == {"ads": "marketing.profiling"}
    assert changed.headers["ETag"] != seen.headers["ETag"]
    assert problem(house.client.patch(address, json={"origins": []}, headers=tagged), 412)["code"] == "changed_meanwhile"
    assert listed(house, source)["origins"] == ["http://localhost:3000", SHOP]
    again = {**token, "If-Match": changed.headers["ETag"]}
    for body in ({"origins": ["*"]}, {"categories": {"x": "no.such"}}, {"requests_per_second": -1}, {"public": False}, {"name": "x"}):
        assert problem(house.client.patch(address, json=body, headers=again), 422)
    assert house.client.patch(address, json={"origins": []}, headers=bearer(house.token("officer"))).status_code == 403
    assert house.client.patch(address, json={"categories": {}}, headers=again).get_json()["categories"] == {}


def test_a_category_that_is_mapped_later_counts_from_then_on(sqlite_only: House) -> None:
    house = sqlite_only
    source, key = house.source()
    assert house.grant(key, [("customer_no", "u-1")], purposes=["analytics.statistics"]).status_code == 201
    house.clock.forward(seconds=1)
    said = {"consent": {"categoryPreferences": {"stats": False}}}
    assert house.batch([track(1, context=said)], key)["stored"] == 1
    acts.change_source(house.services, source, actor="test", categories={"stats": "analytics.statistics"})
    assert house.batch([track(2, context=said)], key)["refused"] == 1
    assert house.batch([track(3)], key)["refused"] == 1, "the refusal stays"


# ── how fast ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_source_has_its_own_rate_and_another_the_deployments(template_home: Path, tmp_path: Path) -> None:
    with sqlite_house(template_home, tmp_path / "home", {"PIYING_LIMITS_REQUESTS_PER_SECOND": "4"}) as house:
        _, usual = house.source("usual")
        quick, fast = house.source("fast", requests_per_second=20)
        assert [sum(opens(house, key) for _ in range(60)) for key in (usual, fast)] == [4, 20]
        acts.change_source(house.services, quick, actor="test", requests_per_second=0)
        house.clock.forward(seconds=5)
        assert sum(opens(house, fast) for _ in range(60)) == 4
        answer = house.send({"batch": []}, fast)
        assert problem(answer, 429)["code"] == "rate_limited"
        assert answer.headers["Retry-After"].isdigit()
        consents = {"consents": [{"identifier": {"type": "phone", "value": "13912345678"}, "purpose": "x", "state": "granted"}]}
        assert house.client.post("/v1/consents", json=consents, headers=bearer(fast)).status_code == 429
        counter = f'piying_rate_limited_total{{source="{quick}"}}'
        assert counter in generate_latest(REGISTRY).decode()


def test_a_flood_of_strangers_grows_nothing_and_takes_nothing_from_a_source(template_home: Path, tmp_path: Path) -> None:
    with sqlite_house(template_home, tmp_path / "home", {"PIYING_LIMITS_REQUESTS_PER_SECOND": "4"}) as house:
        _, key = house.source()
        house.send({"batch": []}, "wk_0")
        house.client.get("/c/wk_0/i?e=pv")
        before, hands = house.counts(), len(house.services.limiter._hands)
        metrics = len(generate_latest(REGISTRY).splitlines())
        for number in range(300):
            assert house.send({"batch": []}, f"wk_{number}").status_code == 401
            assert house.client.get(f"/c/wk_{number}/i?e=pv").status_code == 401
        assert house.counts() == before
        assert len(house.services.limiter._hands) == hands
        assert len(generate_latest(REGISTRY).splitlines()) < metrics + 20
        assert sum(opens(house, key) for _ in range(10)) == 4


def test_what_was_refused_for_its_rate_was_not_read_and_can_be_sent_again(template_home: Path, tmp_path: Path) -> None:
    with sqlite_house(template_home, tmp_path / "home", {"PIYING_LIMITS_REQUESTS_PER_SECOND": "1"}) as house:
        _, key = house.source()
        with house.services.begin_intake() as tx:
            assert intake.registry.root_paths_owner(tx) is None
        assert house.grant(key, [("customer_no", "u-1")]).status_code == 201
        before = house.counts()
        assert house.send({"batch": [track(1)]}, key).status_code == 429
        assert house.counts() == before
        house.clock.forward(seconds=1)
        assert house.batch([track(1)], key)["stored"] == 1


# ── the same by command ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_commands_do_the_same(sqlite_only: House) -> None:
    house = sqlite_only
    house.close()

    def piying(*words: str) -> Any:
        return told(house.home, "source", *words)

    made = piying("add", "web", "--kind", "snowplow", "--client", "--origin", SHOP, "--root-paths", "--requests-per-second", "9")
    source = made["source"]
    changed = piying("set", source, "--category", "ads=marketing.profiling", "--origin", "http://a.example", "--no-root-paths")
    assert (changed["origins"], changed["categories"], changed["root_paths"]) == (
        ["http://a.example"],
        {"ads": "marketing.profiling"},
        False,
    )
    assert changed["requests_per_second"] == 9
    changed = piying("set", source, "--no-origins", "--no-categories", "--requests-per-second", "0")
    assert (changed["origins"], changed["categories"], changed["requests_per_second"]) == ([], {}, None)
    rotated = piying("rotate", source, "--overlap", "48")
    assert rotated["write_key"] != made["write_key"]
    (one,) = piying("list")["items"]
    assert [key["state"] for key in one["keys"]] == ["ending", "live"]
    assert piying("revoke", source, one["keys"][0]["key"])["ended"] is True
