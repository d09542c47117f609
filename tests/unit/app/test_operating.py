"""Jobs, settings and health, as far as whoever asks may see them."""

from __future__ import annotations

from typing import Any

import pytest

from app import access, jobs, operating
from app.access import Caller
from app.settings import origins
from privacy.errors import Invalid, NotFound
from tests.house import House

SECRET_URL = "postgresql+psycopg://piying_vault:hunter2-hunter2@db/piying_vault"


def caller(role: str, account: str = "usr_me") -> Caller:
    return Caller(account, role, access.matrix()[role], "tok_1")


def done(house: House, kind: str, by: str, counts: dict[str, Any]) -> str:
    """A job that somebody asked for and that has ended."""
    with house.services.begin_jobs() as tx:
        made = jobs.enqueue(tx, kind, {"hidden": "argument"}, by=by, now=house.clock())
        claimed = jobs.claim(tx, "worker", now=house.clock(), job_id=made)
        assert claimed is not None
        jobs.finish(tx, claimed, counts, now=house.clock())
    house.clock.forward(seconds=1)
    return made


@pytest.mark.parametrize(
    ("role", "own", "sees", "counts"),
    [
        ("marketer", True, True, False),
        ("marketer", False, False, False),
        ("integrator", True, True, True),
        ("integrator", False, True, False),
        ("officer", False, True, True),
        ("administrator", False, True, False),
    ],
)
def test_a_job_is_shown_as_far_as_the_role_and_its_ownership_go(house: House, role: str, own: bool, sees: bool, counts: bool) -> None:
    made = done(house, "report", "usr_me" if own else "usr_other", {"release": "rel_1", "rows": 4711})
    listed = [one["id"] for one in operating.job_list(house.services, caller(role))["items"]]
    assert (made in listed) is sees
    if not sees:
        with pytest.raises(NotFound) as hidden:
            operating.job(house.services, made, caller(role))
        with pytest.raises(NotFound) as unknown:
            operating.job(house.services, "job_unknown", caller(role))
        assert (hidden.value.code, hidden.value.message) == (unknown.value.code, unknown.value.message)
        return
    shown = operating.job(house.services, made, caller(role))
    assert (shown["state"], shown["release"]) == ("done", "rel_1")
    assert shown["counts"] == ({"release": "rel_1", "rows": 4711} if counts else None)
    assert "argument" not in str(shown)
    assert counts or "4711" not in str(shown)


def test_jobs_are_listed_newest_first_page_by_page_each_once(house: House) -> None:
    made = [done(house, "flush", "schedule", {}) for _ in range(7)]
    seen: list[str] = []
    cursor = None
    while True:
        page = operating.job_list(house.services, caller("officer"), cursor=cursor, limit=3)
        seen += [one["id"] for one in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert seen == made[::-1]


def test_jobs_of_the_same_instant_are_neither_lost_nor_told_twice(house: House) -> None:
    with house.services.begin_jobs() as tx:
        made = {jobs.enqueue(tx, "flush", {}, by="cli", now=house.clock()) for _ in range(5)}
    first = operating.job_list(house.services, caller("officer"), limit=2)
    rest = operating.job_list(house.services, caller("officer"), cursor=first["next"], limit=10)
    told = [one["id"] for one in first["items"] + rest["items"]]
    assert len(told) == 5
    assert set(told) == made


def test_jobs_are_filtered_by_kind_and_state(house: House) -> None:
    done(house, "flush", "schedule", {})
    with house.services.begin_jobs() as tx:
        waiting = jobs.enqueue(tx, "flush", {}, by="schedule", now=house.clock())
    found = operating.job_list(house.services, caller("officer"), kind="flush", state="queued")["items"]
    assert [one["id"] for one in found] == [waiting]
    assert operating.job_list(house.services, caller("officer"), kind="report")["items"] == []


@pytest.mark.parametrize("cursor", ["x", "1", "1-imp_1", "１-job_1", "-job_1", "9" * 19 + "-job_1", "1'--job_1"])
def test_a_cursor_that_is_not_ours_is_refused(house: House, cursor: str) -> None:
    with pytest.raises(Invalid) as wrong:
        operating.job_list(house.services, caller("officer"), cursor=cursor)
    assert wrong.value.code == "bad_cursor"


def test_every_setting_is_told_and_of_an_address_only_that_it_is_set(house: House) -> None:
    told = {one["key"]: one for one in operating.settings(house.services)}
    assert len(told) == len(house.services.settings.listing())
    assert told["limits.disk_free"]["value"] == told["limits.disk_free"]["default"] == "256"
    assert told["languages"]["value"] == "zh, en"
    assert told["vault.url"]["value"] == "", "an empty one is told as empty"
    assert all(one["reason"] and one["unit"] for one in told.values())
    import dataclasses

    settings = house.services.settings
    house.services.settings = dataclasses.replace(settings, vault=dataclasses.replace(settings.vault, url=SECRET_URL))
    shown = operating.settings(house.services)
    assert {one["key"]: one["value"] for one in shown}["vault.url"] is None
    assert "hunter2" not in str(shown)


def test_a_setting_says_where_it_comes_from(house: House) -> None:
    (house.home / "piying.toml").write_text('currency = "CNY"\n[server]\nport = 9000\nworkers = 2\n')
    found = origins(house.home, {"PIYING_SERVER_PORT": "9001", "PIYING_HOME": "elsewhere", "PATH": "x"})
    assert found == {"currency": "file", "server.workers": "file", "server.port": "environment"}
    assert {one["key"]: one["origin"] for one in operating.settings(house.services)}["server.workers"] == "file"


def test_health_opens_at_once_and_reads_everything_when_asked(house: House) -> None:
    quick, whole = operating.health(house.services), operating.health(house.services, everything=True)
    assert {one["name"] for one in whole["checks"]} - {one["name"] for one in quick["checks"]} == operating.SLOW_CHECKS
    assert quick["inbox_age"] == 0
    assert quick["disk_free"] > 0
    assert quick["schedule"] == []
    assert {one["kind"] for one in quick["keys"]} >= {"signing"}
    with house.services.begin_jobs() as tx:
        jobs.plan(tx, "flush", 5, now=house.clock())
    done(house, "flush", "schedule", {})
    (one,) = operating.health(house.services)["schedule"]
    assert (one["kind"], one["every_seconds"]) == ("flush", 5)
    assert one["last_done_at"] is not None


def test_a_fault_makes_health_say_so(house: House) -> None:
    house.home.chmod(0o755)
    try:
        found = operating.health(house.services)
    finally:
        house.home.chmod(0o700)
    assert not found["ok"]
    assert [one["name"] for one in found["checks"] if not one["ok"]] == ["private files"]
