"""Requests that make something, sent twice: nothing is made twice, and nothing that was shown once is shown again."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app import acts, housekeeping, repeats
from app.repeats import Repeat
from tests.house import House, bearer

ROLE = {"/api/users": "administrator"}
SECRET = {
    "/api/sources": ({"name": "till", "kind": "segment"}, "write_key"),
    "/api/tokens": ({"name": "nightly"}, "token"),
    "/api/users": ({"email": "new@example.com", "role": "marketer"}, "link"),
}


def ask(house: House, token: str, path: str, body: Any, key: str = "k-1") -> Any:
    return house.client.post(path, json=body, headers={**bearer(token), "Idempotency-Key": key})


def kept(house: House) -> list[Any]:
    with house.services.stores.platform_owner.read() as tx:
        return list(tx.execute(sa.select(Repeat.__table__)))


@pytest.mark.parametrize("path", SECRET)
def test_a_secret_is_shown_once_and_a_repetition_names_what_was_made(house: House, path: str) -> None:
    body, secret = SECRET[path]
    token = house.token(ROLE.get(path, "integrator"))
    before = house.counts()
    first = ask(house, token, path, body)
    assert first.status_code == 201, first.get_data(as_text=True)
    made = {name: number - before[name] for name, number in house.counts().items() if number != before[name]}
    again = ask(house, token, path, body)
    assert (again.status_code, again.get_json()["code"]) == (409, "already_created")
    assert again.get_json()["created"].startswith({"write_key": "src_", "token": "tok_", "link": "usr_"}[secret])
    assert first.get_json()[secret] not in again.get_data(as_text=True)
    assert {name: number - before[name] for name, number in house.counts().items() if number != before[name]} == made
    (row,) = kept(house)
    shown = first.get_json()[secret].partition("#")[2] or first.get_json()[secret]
    for hidden in (shown, "k-1", "new@example.com"):
        assert hidden not in json.dumps(row.made) + repr(bytes(row.digest) + bytes(row.body))
    other = ask(house, token, path, body | {next(iter(body)): "another@example.com" if "email" in body else "another"})
    assert (other.status_code, other.get_json()["code"]) == (409, "idempotency_mismatch")
    assert ask(house, token, path, body | {next(iter(body)): "third@example.com" if "email" in body else "third"}, "k-2").status_code == 201


def test_rotations_and_links_are_made_once(sqlite_only: House) -> None:
    house = sqlite_only
    source, _ = house.source()
    token = house.token("integrator")
    for expected in (201, 409):
        assert ask(house, token, f"/api/sources/{source}/rotations", {}).status_code == expected
    assert len(house.client.get(f"/api/sources/{source}", headers=bearer(token)).get_json()["keys"]) == 2
    administrator = house.token("administrator")
    user = acts.add_user(house.services, "lost@example.com", "marketer", actor="test")["user"]
    for expected in (201, 409):
        assert ask(house, administrator, f"/api/users/{user}/links", {}).status_code == expected


def test_a_key_belongs_to_its_account_and_to_its_address(sqlite_only: House) -> None:
    house = sqlite_only
    one, other = house.token("integrator"), house.token("integrator")
    assert ask(house, one, "/api/sources", {"name": "a", "kind": "segment"}).status_code == 201
    assert ask(house, other, "/api/sources", {"name": "b", "kind": "segment"}).status_code == 201
    assert ask(house, one, "/api/tokens", {}).status_code == 201


def test_a_key_whose_act_failed_is_free_again(sqlite_only: House) -> None:
    house = sqlite_only
    token = house.token("integrator")
    house.source("taken")
    failed = ask(house, token, "/api/sources", {"name": "taken", "kind": "segment"})
    assert (failed.status_code, failed.get_json()["code"]) == (409, "source_exists")
    assert kept(house) == []
    assert ask(house, token, "/api/sources", {"name": "free", "kind": "segment"}).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 201, "schlüssel"])
def test_a_key_that_is_none_is_refused(sqlite_only: House, key: str) -> None:
    answer = ask(sqlite_only, sqlite_only.token("integrator"), "/api/tokens", {}, key)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "idempotency_key_invalid")


def test_of_many_who_ask_at_once_with_one_key_one_makes_it(house: House) -> None:
    token, answers = house.token("integrator"), []
    gate = threading.Barrier(4)

    def send() -> None:
        gate.wait()
        answers.append(ask(house, token, "/api/sources", {"name": "once", "kind": "segment"}).status_code)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201, 409, 409, 409]
    assert [one["name"] for one in acts.list_sources(house.services)] == ["once"]


def test_keys_are_forgotten_after_seven_days(sqlite_only: House) -> None:
    house = sqlite_only
    assert ask(house, house.token("integrator"), "/api/tokens", {}).status_code == 201
    house.clock.now += repeats.KEPT - timedelta(seconds=1)
    housekeeping.retention(house.services)
    assert len(kept(house)) == 1
    house.clock.forward(seconds=1)
    assert housekeeping.retention(house.services)["repeats"] == 1
    assert kept(house) == []
