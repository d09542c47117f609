"""What tests of pulls share: members who say themselves what they allow, a table of them, and brokers on this machine."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from app import housekeeping, pulls
from ingestion import cursors, inbox
from tests.house import House

MAPPING = """
record = "member"
zone   = "Asia/Shanghai"
[identifiers]
member_card = "card"
[fields]
changed_at = "at"
tier = "tier"
[consent."analytics.statistics"]
from  = "ok"
grant = ["yes"]
"""
PASSWORD = "open-sesame-4711"
WORDS = {"name": "members", "watermark": "changed", "mapping": MAPPING}


def small_chunks(house: House, rows: int = 100) -> None:
    settings = house.services.settings
    house.services.settings = replace(settings, limits=replace(settings.limits, import_rows=rows))


def added(house: House, name: str, kind: str, config: dict[str, Any], **options: Any) -> str:
    source, _ = house.source(name, kind, **options)
    pulls.add(house.services, name, config, every=60, actor="test")
    return source


def tallied(house: House, source: str) -> dict[str, int]:
    """Items of a source by verdict, over all days and reasons."""
    counts: Counter[str] = Counter()
    with house.services.read_console() as tx:
        for _, _, verdict, _, number in inbox.counts(tx, source_id=source):
            counts[verdict] += number
    return dict(+counts)


def run(house: House, name: str, **options: Any) -> dict[str, Any]:
    return pulls.run(house.services, name, seconds=options.pop("seconds", None), stopped=lambda: False, **options)


def free(house: House, source: str) -> None:
    """What the end of a killed process does: its lease is nobody's."""
    with house.services.begin_jobs() as tx:
        tx.execute(sa.delete(housekeeping.Lease).where(housekeeping.Lease.name == f"pull:{source}"))


def places(house: House, source: str) -> dict[str, int]:
    with house.services.read_intake() as tx:
        return {part: place.number for part, place in cursors.positions(tx, source).items()}


def in_lake(house: House, table: str, column: str) -> list[Any]:
    """Every value of a column: tests may look."""
    from analytics.lake import tables

    house.flush()
    found: list[Any] = tables.load(house.services._lake, table).scan().to_arrow()[column].to_pylist()
    return found


# ── a table of somebody else ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Shop:
    """A shop's database, written by the test and read by the pull."""

    address: str
    engine: sa.Engine

    def put(self, rows: Sequence[dict[str, Any]]) -> None:
        table = sa.table("members", *(sa.column(name) for name in ("id", "card", "at", "tier", "ok", "changed")))
        with self.engine.begin() as tx:
            tx.execute(sa.insert(table), list(rows))


@contextmanager
def shop(address: str) -> Iterator[Shop]:
    engine = sa.create_engine(address, poolclass=sa.NullPool)
    kind = "TIMESTAMP" if engine.dialect.name == "postgresql" else "TEXT"
    with engine.begin() as tx:
        tx.exec_driver_sql(
            f"CREATE TABLE members (id integer PRIMARY KEY, card text, at text, tier text, ok text, changed {kind}, secret text)"
        )
        tx.exec_driver_sql("INSERT INTO members (id, card, secret) VALUES (0, 'CARD-NULL', 'no watermark yet')")
    try:
        yield Shop(address, engine)
    finally:
        engine.dispose()


def member(number: int, changed: str = "2026-06-10 09:00:00") -> dict[str, Any]:
    card = f"CARD{number:06d}"
    return {"id": number, "card": card, "at": "2026-06-10 08:00:00", "tier": "gold", "ok": "yes", "changed": changed}


# ── brokers ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Brokers:
    """librdkafka's own broker on a socket of this machine; it lives as long as the client that made it."""

    hosts: str
    producer: Any

    @property
    def address(self) -> str:
        return f"kafka://{self.hosts}"

    def send(self, topic: str, values: Sequence[Any], partition: int = 0) -> None:
        for value in values:
            told = value if value is None or isinstance(value, bytes) else json.dumps(value).encode()
            self.producer.produce(topic, value=told, key=b"CARD-IN-KEY", partition=partition, headers={"name": b"CARD-IN-HEADER"})
        assert self.producer.flush(20) == 0


@contextmanager
def brokers() -> Iterator[Brokers]:
    import confluent_kafka

    producer = confluent_kafka.Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1, "log_level": 0})
    found = producer.list_topics(timeout=20).brokers.values()
    yield Brokers(",".join(f"{one.host}:{one.port}" for one in found), producer)
    producer.flush(5)
