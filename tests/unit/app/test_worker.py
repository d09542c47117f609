"""The worker's loop: what the schedule says, job after job, and a stop between two of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import sqlalchemy as sa

from app import housekeeping, jobs, worker
from app.jobs import Job, Schedule
from app.wiring import Services
from privacy.errors import Unavailable
from tests.conftest import NOW
from tests.house import Clock, House, make_home, sqlite_house, track

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("template") / "home"
    make_home(home, {}, Clock())
    return home


@pytest.fixture
def house(template: Path, tmp_path: Path) -> Iterator[House]:
    with sqlite_house(template, tmp_path / "home") as made:
        yield made


def states(house: House) -> dict[str, set[str]]:
    """Kinds of jobs by state."""
    found: dict[str, set[str]] = {}
    with house.services.read_jobs() as tx:
        for kind, state in tx.execute(sa.select(Job.kind, Job.state)):
            found.setdefault(state, set()).add(kind)
    return found


def test_once_does_everything_that_is_due_and_stops(house: House) -> None:
    _, key = house.source()
    house.clock.forward(days=-1)
    house.grant(key, [("customer_no", "u-1")])
    house.clock.now = NOW
    house.batch([track(1), track(2)], key)
    worker.work(house.services, once=True)
    assert states(house) == {"done": set(house.services.schedule)}
    assert house.rows() == 0
    counts = house.counts()
    assert counts["platform.checkpoint"] == 1
    worker.work(house.services, once=True)
    assert house.counts()["platform.job"] == counts["platform.job"], "nothing is due again while the clock stands still"


def test_a_job_that_fails_stops_neither_the_loop_nor_the_others(house: House) -> None:
    with house.services.begin_jobs() as tx:
        jobs.enqueue(tx, "unheard_of", {}, by="test", now=house.clock())
    worker.work(house.services, once=True)
    found = states(house)
    assert found["done"] == set(house.services.schedule)
    assert found["queued"] == {"unheard_of"}


def test_the_schedule_is_planned_anew_at_each_start(house: House) -> None:
    worker.work(house.services, once=True)
    with house.services.begin_jobs() as tx:
        tx.execute(sa.update(Schedule).values(every_seconds=1))
    worker.work(house.services, once=True)
    with house.services.read_jobs() as tx:
        assert dict(tx.execute(sa.select(Schedule.kind, Schedule.every_seconds)).all()) == dict(house.services.schedule)  # type: ignore[arg-type]


def test_a_stop_signal_ends_a_real_worker_between_two_jobs(house: House) -> None:
    environment = {**os.environ, "PIYING_HOME": str(house.home)}
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "worker"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        for _ in range(300):
            if "flush" in states(house).get("done", set()) or process.poll() is not None:
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        _, problems = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0, problems.decode()
    assert "running" not in states(house)


class Unreachable(Services):
    """Services whose platform store does not answer."""

    def begin_jobs(self) -> AbstractContextManager[sa.Connection]:
        raise Unavailable("the store does not answer")


def test_once_says_so_when_a_store_does_not_answer(house: House) -> None:
    known = house.services
    services = Unreachable(known.settings, known.stores, lock=None, keyring=known.open_keyring(), clock=house.clock)
    with pytest.raises(Unavailable):
        worker.work(services, once=True)


def test_what_a_killed_worker_held_is_taken_up_at_once(house: House) -> None:
    """Its job and its lease of the lake name a process that runs no more."""
    child = subprocess.Popen(
        [sys.executable, "-c", "import app.processes as p; print(p.name())"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    name, _ = child.communicate(timeout=30)
    with house.services.begin_jobs() as tx:
        job = jobs.enqueue(tx, "flush", {}, by="test", now=house.clock())
        assert jobs.claim(tx, name.strip(), now=house.clock())
        assert housekeeping.take_lease(tx, "lake", name.strip(), now=house.clock())
    worker.work(house.services, once=True)
    with house.services.read_jobs() as tx:
        assert (jobs.find(tx, job)["state"], jobs.find(tx, job)["attempt"]) == ("done", 2)
