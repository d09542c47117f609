"""What the stores say to whoever collects metrics."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app import jobs, logs, measures
from ingestion.inbox import Inbox
from tests.house import House, bearer, track


def told(house: House) -> str:
    answer = house.client.get("/metrics", headers=bearer(house.token("administrator")))
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def values(house: House, name: str) -> dict[str, float]:
    """Labels as they are written → value."""
    lines = (line for line in told(house).splitlines() if line.startswith((name + "{", name + " ")))
    return {line.partition(" ")[0].removeprefix(name): float(line.rpartition(" ")[2]) for line in lines}


def test_the_gauges_follow_the_inbox(house: House) -> None:
    assert values(house, measures.INBOX_AGE) == {"": 0}
    with house.services.stores.platform_owner.begin() as tx:
        row = {"batch_id": b"1", "source_id": "src_1", "table": "event", "rows": 7, "payload": b"1"}
        tx.execute(sa.insert(Inbox).values(**row, received_at=house.clock() - timedelta(seconds=90)))
    assert values(house, measures.INBOX_AGE) == {"": 90}
    assert values(house, measures.INBOX_ROWS) == {"": 7}


def test_jobs_are_told_by_kind_and_state_and_how_long_ago_one_ended_well(house: House) -> None:
    with house.services.begin_jobs() as tx:
        jobs.enqueue(tx, "flush", {}, by="schedule", now=house.clock())
        jobs.enqueue(tx, "retention", {}, by="schedule", now=house.clock() + timedelta(hours=1))
    jobs.run_one(house.services.begin_jobs, {"flush": lambda job: {}}, "worker", clock=house.clock)
    house.clock.forward(seconds=30)
    assert values(house, measures.JOBS) == {'{kind="flush",state="done"}': 1, '{kind="retention",state="queued"}': 1}
    assert values(house, measures.JOB_AGE) == {'{kind="flush"}': 30}


def test_the_log_is_told_by_its_length_and_its_newest_signature(house: House) -> None:
    assert values(house, measures.CHECKPOINT_AGE) == {}
    house.services.oversight.checkpoint()
    house.clock.forward(seconds=61)
    (length,) = values(house, measures.LOG_ENTRIES).values()
    assert values(house, measures.CHECKPOINT_AGE) == {"": 61}
    house.source()
    assert list(values(house, measures.LOG_ENTRIES).values()) == [length + 1]


def test_what_came_in_is_counted_by_source_and_its_kind_is_told_beside(house: House) -> None:
    source, key = house.source()
    house.batch([track(1), track(2), {"type": "nonsense"}], key)
    text = told(house)
    assert f'piying_received_total{{source="{source}"}} 3.0' in text
    assert f'piying_items_total{{source="{source}",verdict="quarantined"}} 1.0' in text
    assert f'piying_refusals_total{{reason="consent_missing",source="{source}"}} 2.0' in text
    assert f'{measures.SOURCES}{{kind="segment",source="{source}"}} 1.0' in text


def test_every_metric_is_described_once_and_labelled_by_names_of_ours(house: House) -> None:
    house.source()
    described = [line.split()[2] for line in told(house).splitlines() if line.startswith("# HELP")]
    assert len(described) == len(set(described))
    assert set(measures.MEASURES) <= set(described)
    assert {label for _, labels in measures.MEASURES.values() for label in labels} <= {"source", "kind", "state"}


@pytest.mark.parametrize("role", ["marketer", None])
def test_metrics_are_for_those_who_may_read_them(house: House, role: str | None) -> None:
    answer = house.client.get("/metrics", headers=bearer(house.token(role)) if role else {})
    assert answer.status_code == (403 if role else 401)


def test_alone_a_process_counts_for_itself() -> None:
    assert logs.counters() is logs.REGISTRY
