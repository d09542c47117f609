"""Whatever is missing (a lock, room on the disk, the keys): a 503 with a code and a time, never a loss."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.wiring import Services
from tests.flow.bad_input import GOOD, SECRET, contents, problem, receipt
from tests.house import House, bearer, open_house, sqlite_house, track


@contextmanager
def held(house: House, store: str) -> Iterator[None]:
    """Another program holds the write lock of a store and does not let go."""
    engine = getattr(house.services.stores, f"begin_{store}")
    with engine():
        yield


@pytest.mark.parametrize("store", ["vault", "platform"])
def test_while_another_program_holds_a_database_requests_are_answered_503_and_their_retry_is_stored(
    template_home: Path, tmp_path: Path, store: str
) -> None:
    with sqlite_house(template_home, tmp_path / "home") as house:
        _, key = house.source()
        assert house.grant(key, GOOD).status_code == 201
        house.clock.forward(seconds=1)
        impatient(house.services)
        body = {"batch": [track(1, user="u-1"), track(2, user="u-1", event=SECRET)]}
        before = house.counts()
        with held(house, store):
            if store == "platform":
                assert problem(house.send(body, key), 503)["code"] == "store_locked"
            assert problem(house.grant(key, [("phone", SECRET)]), 503)["code"] == "store_locked"
            headers = bearer(key)
            assert house.client.get("/healthz").status_code == 200
            assert house.client.get("/readyz", headers=headers).status_code == 503
        house.services.stores.close()
        assert house.counts()["platform.inbox"] == before["platform.inbox"]
        assert receipt(house.send(body, key))["stored"] == 2
        assert house.grant(key, [("phone", SECRET)]).status_code == 201


def impatient(services: Services, milliseconds: int = 150) -> None:
    """The same stores, but nobody waits five seconds for a lock."""
    stores = services.stores
    for store in {id(one): one for one in (stores.vault, *stores.roles.values(), stores.vault_owner, stores.platform_owner)}.values():
        store.close()
        store.busy_timeout = milliseconds


@pytest.mark.parametrize("store", ["vault", "platform"])
def test_on_a_full_disk_nothing_is_acknowledged_that_is_not_kept(template_home: Path, tmp_path: Path, store: str) -> None:
    """A store that cannot grow answers 503 with a time; with room again the same requests are stored, each once."""
    with sqlite_house(template_home, tmp_path / "home") as house:
        _, key = house.source()
        impatient(house.services, 5_000)
        one = house.services.stores.vault if store == "vault" else house.services.stores.platform()
        refused: list[int] = []
        with cramped(one, pages=24):
            acknowledged = 0
            for number in range(60):
                people = [("phone", f"139{number:04d}{place:04d}") for place in range(20)]
                answer = house.grant(key, people)
                if answer.status_code == 503:
                    assert problem(answer, 503)["code"] == "disk_full"
                    refused.append(number)
                    break
                assert answer.status_code == 201
                acknowledged += len(people) * 2
        assert refused, "the disk was never full"
        assert house.counts()["platform.consent_event"] == acknowledged
        again = house.grant(key, [("phone", f"139{refused[0]:04d}{place:04d}") for place in range(20)])
        assert again.status_code == 201
        assert house.counts()["platform.consent_event"] == acknowledged + 40


@contextmanager
def cramped(store: Any, *, pages: int) -> Iterator[None]:
    """Every connection of the store finds a disk with room for so many pages more."""

    def limit(connection: Any, _record: Any) -> None:
        used = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={used + pages}")

    with store.begin():
        pass
    writing = store._writing
    writing.dispose()
    sa.event.listen(writing, "connect", limit)
    try:
        yield
    finally:
        store.close()


def test_events_on_a_full_disk_are_answered_503_and_their_retry_loses_and_doubles_nothing(template_home: Path, tmp_path: Path) -> None:
    with sqlite_house(template_home, tmp_path / "home") as house:
        _, key = house.source()
        assert house.grant(key, GOOD).status_code == 201
        house.clock.forward(seconds=1)
        bodies = [{"batch": [track(100 * number + place, user="u-1") for place in range(50)]} for number in range(40)]
        statuses = []
        with cramped(house.services.stores.platform(), pages=16):
            for body in bodies:
                answer = house.send(body, key)
                statuses.append(answer.status_code)
                if answer.status_code != 200:
                    problem(answer, 503)
        assert {200, 503} == set(statuses)
        assert house.rows() == 50 * statuses.count(200)
        receipts = [receipt(house.send(body, key)) for body in bodies]
        assert sum(one["duplicate"] for one in receipts) == 50 * statuses.count(200)
        assert house.rows() == 50 * len(bodies)


def unlink(keys: Path) -> None:
    keys.unlink()


def scribble(keys: Path) -> None:
    keys.write_text("{", encoding="utf-8")


def open_to_all(keys: Path) -> None:
    keys.chmod(0o644)


@pytest.mark.parametrize("harm", [unlink, scribble, open_to_all])
def test_without_its_keys_every_route_but_healthz_answers_503_and_nothing_is_written(
    template_home: Path, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    with sqlite_house(template_home, tmp_path / "home") as house:
        _, key = house.source()
        token = house.token("integrator")
        house.services.stores.close()
        harm(house.services.settings.keys_path)
        locked = open_house(house.services.settings, {})
        before, files = locked.counts(), contents(house.home)
        for rule in locked.app.url_map.iter_rules():
            for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
                path = re.sub(r"<[^>]*>", "x", rule.rule) if "any(" not in rule.rule else "/v1/batch"
                answer = locked.client.open(path, method=method, headers=bearer(token), json={"batch": [track(1)]})
                if rule.endpoint == "health.healthz":
                    assert answer.status_code == 200
                    continue
                if rule.endpoint in ("console.static", "bootstrap.static"):  # files of the program, which hold nobody's data
                    assert answer.status_code == 404
                    continue
                if answer.mimetype == "text/html":  # to a browser in words
                    assert (answer.status_code, "keys_" in answer.get_data(as_text=True)) == (503, True)
                    continue
                assert problem(answer, 503)["code"].startswith("keys_")
        problem(locked.send({"batch": [track(1)]}, key), 503)
        problem(locked.client.get("/no/such/route"), 503)
        locked.close()
        assert locked.counts() == before
        locked.close()
        assert contents(house.home) == files
