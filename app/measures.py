"""The metrics that stand in the stores and not in a process: what waits, what the log holds, how jobs stand, which sources there are.

Promise: read when somebody asks, so every process tells the same. Labels are ids of sources, their kinds, kinds and states of jobs: closed
lists and names of ours, never data. Learns no row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app import jobs, logs
from ingestion import inbox, registry

if TYPE_CHECKING:
    from app.wiring import Services

INBOX_AGE = "piying_inbox_age_seconds"
INBOX_ROWS = "piying_inbox_rows"
LOG_ENTRIES = "piying_log_entries"
CHECKPOINT_AGE = "piying_checkpoint_age_seconds"
JOBS = "piying_jobs"
JOB_AGE = "piying_job_done_age_seconds"
SOURCES = "piying_source_info"
PARTS = "piying_delivery_parts"
TO_REMOVE = "piying_removal_people"
REMOVAL_AGE = "piying_removal_age_seconds"
BLOCKED = "piying_recipients_blocked"

MEASURES: dict[str, tuple[str, tuple[str, ...]]] = {
    INBOX_AGE: ("Age of the oldest batch that is not in the lake yet", ()),
    INBOX_ROWS: ("Rows that are not in the lake yet", ()),
    LOG_ENTRIES: ("Entries of the access log", ()),
    CHECKPOINT_AGE: ("Age of the newest signed checkpoint of the access log", ()),
    JOBS: ("Jobs that are kept, by kind and state", ("kind", "state")),
    JOB_AGE: ("Seconds since a scheduled kind of job last ended well", ("kind",)),
    PARTS: ("Parts of exports and removals, by state", ("state",)),
    TO_REMOVE: ("People whom recipients have not confirmed to have removed", ()),
    REMOVAL_AGE: ("Age of the oldest no that a recipient has not confirmed", ()),
    BLOCKED: ("Recipients to which nothing is added, because a removal is overdue", ()),
    SOURCES: ("1 for each source; joins a source's kind to the counters", ("source", "kind")),
}
"""Name → what it means and its labels."""


class Stored(Collector):
    """The stores as a collector of Prometheus' library."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One look at the platform store."""
        for name, values in _values(self._services).items():
            meaning, labels = MEASURES[name]
            family = GaugeMetricFamily(name, meaning, labels=labels)
            for told, value in values.items():
                family.add_metric(told, value)
            yield family


def text(services: Services) -> bytes:
    """Everything, in Prometheus' text form: the counters of all processes, and what the stores say."""
    stored = CollectorRegistry()
    stored.register(Stored(services))
    return generate_latest(logs.counters()) + generate_latest(stored)


def _values(services: Services) -> dict[str, dict[tuple[str, ...], float]]:
    now = services.clock()
    with services.read_console() as tx:
        standing, ended = jobs.standing(tx)
        sources = registry.listing(tx)
        entries, signed_at = services.log_state(tx)
        age, (_, rows) = inbox.age(tx, now), inbox.waiting(tx)
    return {
        INBOX_AGE: {(): int(age.total_seconds())},
        INBOX_ROWS: {(): rows},
        LOG_ENTRIES: {(): entries},
        CHECKPOINT_AGE: {} if signed_at is None else {(): (now - signed_at).total_seconds()},
        JOBS: {(kind, state): number for (kind, state), number in standing.items()},
        JOB_AGE: {(kind,): (now - at).total_seconds() for kind, at in ended.items() if kind in services.schedule},
        **_left(services),
        SOURCES: {(one.facts.id, one.facts.kind): 1 for one in sources},
    }


def _left(services: Services) -> dict[str, dict[tuple[str, ...], float]]:
    """What has left, over all recipients; nothing while keys are locked."""
    if services.lock is not None:
        return {}
    board = services.deliveries.board()
    parts: Counter[str] = Counter()
    for one in board:
        parts.update(one["parts"])
    return {
        PARTS: {(state,): number for state, number in parts.items()},
        TO_REMOVE: {(): sum(one["removals"]["open"] for one in board)},
        REMOVAL_AGE: {(): max((one["removals"]["oldest_seconds"] or 0 for one in board), default=0)},
        BLOCKED: {(): sum(one["blocked"] for one in board)},
    }
