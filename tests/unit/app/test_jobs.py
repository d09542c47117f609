"""One table of work: claimed by one worker at a time, tried at most five times, and never by somebody who lost the lease."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app import jobs
from app.jobs import Claimed, Job, Schedule
from app.stores import Stores
from privacy.errors import Invalid, NotFound, Raced, Unavailable
from privacy.orm import PlatformBase
from tests.conftest import NOW

SECOND = timedelta(seconds=1)


@pytest.fixture
def table(empty_stores: Stores) -> Stores:
    """The two tables of work, on each database."""
    with empty_stores.begin_platform() as tx:
        PlatformBase.metadata.create_all(tx, tables=[Job.__table__, Schedule.__table__])  # type: ignore[list-item]
    return empty_stores


def put(stores: Stores, kind: str = "flush", **more: Any) -> str:
    with stores.begin_platform() as tx:
        return jobs.enqueue(tx, kind, {}, by="test", now=NOW, **more)


def take(stores: Stores, holder: str = "one", at: datetime = NOW) -> Claimed | None:
    with stores.begin_platform() as tx:
        return jobs.claim(tx, holder, now=at)


def state(stores: Stores, job: str) -> dict[str, Any]:
    with stores.begin_platform() as tx:
        return jobs.find(tx, job)


def do(stores: Stores, handler: Callable[[Claimed], Mapping[str, Any]], at: datetime = NOW) -> bool:
    return jobs.run_one(stores.begin_platform, {"flush": handler}, "one", clock=lambda: at)


def raising(error: BaseException) -> Callable[[Claimed], Mapping[str, Any]]:
    def handler(job: Claimed) -> Mapping[str, Any]:
        raise error

    return handler


def test_a_job_is_queued_claimed_done_and_tells_its_counts(table: Stores) -> None:
    job = put(table)
    assert state(table, job)["state"] == "queued"
    assert do(table, lambda claimed: {"rows": 3})
    found = state(table, job)
    assert (found["state"], found["counts"], found["error_code"], found["attempt"]) == ("done", {"rows": 3}, None, 1)
    assert not do(table, lambda claimed: {})


def test_a_job_is_claimed_by_one_worker_only(table: Stores) -> None:
    """Eight workers at once and five jobs: each is claimed once."""
    queued = {put(table) for _ in range(5)}
    with ThreadPoolExecutor(8) as pool:
        claimed = [one.id for one in pool.map(lambda number: take(table, f"w{number}"), range(8)) if one]
    assert sorted(claimed) == sorted(queued)


def test_the_oldest_due_job_comes_first_and_none_before_its_time(table: Stores) -> None:
    later = put(table, after=NOW + 2 * SECOND)
    sooner = put(table, after=NOW + SECOND)
    assert take(table) is None
    assert [one.id for one in (take(table, at=NOW + 3 * SECOND), take(table, at=NOW + 3 * SECOND)) if one] == [sooner, later]


def test_with_a_key_the_same_job_is_not_queued_twice(table: Stores) -> None:
    assert put(table, key="close-202605") == put(table, key="close-202605")
    assert put(table, key="close-202606") != put(table, key="close-202605")


@pytest.mark.parametrize("error", [Unavailable("busy"), Raced("again"), ZeroDivisionError("a value nobody may see")])
def test_what_may_pass_is_tried_five_times_with_growing_pauses(table: Stores, error: Exception) -> None:
    job, at, pauses = put(table), NOW, []
    for _ in range(5):
        assert do(table, raising(error), at)
        assert not do(table, raising(error), at)
        with table.begin_platform() as tx:
            after: datetime = tx.execute(sa.select(Job.run_after)).scalar_one()
        pauses.append((after - at).total_seconds())
        at = max(at, after)
    assert pauses[:4] == [2, 4, 8, 16]
    found = state(table, job)
    assert (found["state"], found["attempt"]) == ("failed", 5)
    assert found["error_code"] == ("internal" if isinstance(error, ZeroDivisionError) else getattr(error, "code", ""))
    assert "value" not in str(found)


def test_what_cannot_pass_is_not_tried_again(table: Stores) -> None:
    job = put(table)
    assert do(table, raising(Invalid("no", code="bad_month")))
    assert (state(table, job)["state"], state(table, job)["error_code"]) == ("failed", "bad_month")


def test_a_kind_that_nobody_handles_fails_without_stopping_the_loop(table: Stores) -> None:
    job = put(table, "unheard_of")
    assert do(table, lambda claimed: {})
    assert state(table, job)["error_code"] == "internal"


def test_a_dead_workers_job_is_taken_over_when_its_lease_is_over(table: Stores) -> None:
    job = put(table)
    assert take(table, "dead")
    assert take(table, "other", at=NOW + jobs.LEASE) is None
    again = take(table, "other", at=NOW + jobs.LEASE + SECOND)
    assert again is not None
    assert (again.id, again.attempt) == (job, 2)


def test_who_lost_the_lease_changes_nothing_any_more(table: Stores) -> None:
    """A worker that slept through its lease neither ends, fails nor renews the job that another one has now."""
    job = put(table)
    slow = take(table, "slow")
    late = NOW + jobs.LEASE + SECOND
    quick = take(table, "quick", at=late)
    assert slow
    assert quick
    with table.begin_platform() as tx:
        jobs.finish(tx, slow, {"rows": 1}, now=late)
        jobs.fail(tx, slow, "internal", again=True, now=late)
        assert jobs.progress(tx, slow, done=1, total=2, now=late), "it is told to stop"
    assert (state(table, job)["state"], state(table, job)["done"]) == ("running", 0)
    with table.begin_platform() as tx:
        jobs.finish(tx, quick, {"rows": 2}, now=late)
    assert state(table, job)["counts"] == {"rows": 2}


def test_a_job_that_kills_its_workers_ends_after_five_of_them(table: Stores) -> None:
    job, at = put(table), NOW
    for _ in range(jobs.ATTEMPTS):
        assert take(table, "dying", at=at)
        at += jobs.LEASE + SECOND
    assert take(table, "careful", at=at) is None
    assert (state(table, job)["state"], state(table, job)["error_code"]) == ("failed", "worker_lost")


def test_progress_renews_the_lease_and_tells_of_a_wish_to_stop(table: Stores) -> None:
    put(table)
    job = take(table)
    assert job
    with table.begin_platform() as tx:
        assert not jobs.progress(tx, job, done=1, total=10, now=NOW + jobs.LEASE)
    assert take(table, "other", at=NOW + jobs.LEASE + SECOND) is None
    with table.begin_platform() as tx:
        tx.execute(sa.update(Job).values(cancel=True))
        assert jobs.progress(tx, job, done=2, total=10, now=NOW)


def test_a_job_that_nobody_queued_is_not_found(table: Stores) -> None:
    with pytest.raises(NotFound):
        state(table, "job_0")


def test_the_schedule_queues_what_is_due_once_and_not_while_it_runs(table: Stores) -> None:
    with table.begin_platform() as tx:
        jobs.plan(tx, "flush", 5, now=NOW)
        jobs.plan(tx, "upkeep", 3600, now=NOW)
        assert jobs.queue_due(tx, now=NOW) == 2
        assert jobs.queue_due(tx, now=NOW) == 0
        assert jobs.queue_due(tx, now=NOW + 6 * SECOND) == 0, "the first flush still waits"
    job = take(table)
    assert job
    with table.begin_platform() as tx:
        jobs.finish(tx, job, {}, now=NOW)
        assert jobs.queue_due(tx, now=NOW + 20 * SECOND) == (1 if job.kind == "flush" else 0)


def test_changing_how_often_a_kind_comes_keeps_when_it_comes_next(table: Stores) -> None:
    with table.begin_platform() as tx:
        jobs.plan(tx, "flush", 5, now=NOW)
        jobs.queue_due(tx, now=NOW)
        jobs.plan(tx, "flush", 60, now=NOW + 3 * SECOND)
        found = tx.execute(sa.select(Schedule.every_seconds, Schedule.next_at)).one()
    assert tuple(found) == (60, NOW + 5 * SECOND)


def test_finished_scheduled_jobs_are_forgotten_and_what_somebody_asked_for_stays(table: Stores) -> None:
    asked = put(table)
    with table.begin_platform() as tx:
        jobs.enqueue(tx, "flush", {}, by="schedule", now=NOW)
    while do(table, lambda claimed: {}):
        pass
    with table.begin_platform() as tx:
        assert jobs.forget_finished(tx, before=NOW) == 0
        assert jobs.forget_finished(tx, before=NOW + SECOND) == 1
        assert tx.execute(sa.select(Job.id)).scalars().all() == [asked]


def test_a_killed_workers_job_need_not_wait_for_its_lease(table: Stores) -> None:
    """Of a holder that may still run nothing is taken."""
    job = put(table)
    put(table, "upkeep", after=NOW + SECOND)
    assert take(table, "killed")
    assert take(table, "alive", at=NOW + SECOND)
    with table.begin_platform() as tx:
        assert jobs.free_lost(tx, lambda holder: holder == "killed", now=NOW + SECOND) == 1
    again = take(table, "other", at=NOW + SECOND)
    assert again is not None
    assert again.id == job
    assert take(table, "other", at=NOW + SECOND) is None
