"""Streams that we read ourselves, and readers that are killed: nothing is lost, nothing is doubled."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import holding, pulls
from app.wiring import open_services
from privacy.errors import Conflict, Unavailable
from tests.flow.pulling import (
    MAPPING,
    WORDS,
    Brokers,
    added,
    brokers,
    in_lake,
    member,
    places,
    run,
    shop,
    tallied,
)
from tests.house import ROOT, House, track

KILLS = 20 if os.environ.get("LONG_TESTS") else 2


@pytest.fixture(scope="module")
def stream() -> Iterator[Brokers]:
    with brokers() as made:
        yield made


# ── streams ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def told(number: int) -> dict[str, Any]:
    return {"card": f"CARD{number:06d}", "at": "2026-06-10T08:00:00", "tier": "gold", "ok": "yes"}


def test_records_are_stored_once_and_poison_is_held_by_its_place(
    house: House, stream: Brokers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    topic = f"members-{tmp_path.name}-{'l' if house.services.stores.vault.on_sqlite else 'p'}"
    monkeypatch.setenv("PIYING_SOURCE_LIVE_URL", stream.address)
    stream.send(topic, [told(1), told(2), None, b"{no json", [1], {**told(3), "at": "10.06.2026 08:00"}, told(4)])
    stream.send(topic, [told(number) for number in range(10, 30)], partition=1)
    source = added(house, "live", "stream", {"topic": topic, "mapping": MAPPING})
    done = run(house, "live")
    assert {name: done[name] for name in ("stored", "duplicate", "quarantined", "tombstones")} == {
        "stored": 23, "duplicate": 0, "quarantined": 3, "tombstones": 1,
    }  # fmt: skip
    assert (places(house, source)["0"], places(house, source)["1"]) == (7, 20)
    held = holding.page(house.services, source)["items"]
    assert sorted(one["rule"] for one in held) == ["bad_time", "not_an_object", "not_an_object"]
    stream.send(topic, [told(5)])
    assert run(house, "live")["stored"] == 1
    pulls.remove(house.services, "live", actor="test")
    pulls.add(house.services, "live", {"topic": topic, "mapping": MAPPING}, every=60, actor="test")
    done = run(house, "live")
    assert (done["stored"], done["duplicate"]) == (0, 24), "read from the beginning, every record is known by its place"
    assert len(in_lake(house, "profiles", "virtual_id")) == 24
    again = holding.replay(house.services, source_name="live", mapping_path=None, actor="test")
    assert (again["replayed"], again["stored"]) == (6, 0), "the pull's own mapping reads them as before"
    corrected = tmp_path / "corrected.toml"
    corrected.write_text(MAPPING.replace('"at"\n', '{ from = "at", format = "%d.%m.%Y %H:%M" }\n'), encoding="utf-8")
    again = holding.replay(house.services, source_name="live", mapping_path=corrected, actor="test")
    assert (again["stored"], again["duplicate"]) == (1, 1), "held twice, stored once: a held record keeps its place"


def test_messages_in_segments_form_come_by_stream_too(sqlite_only: House, stream: Brokers, monkeypatch: pytest.MonkeyPatch) -> None:
    house = sqlite_only
    monkeypatch.setenv("PIYING_SOURCE_EVENTS_URL", stream.address)
    _, key = house.source("web")
    house.grant(key, [("customer_no", "u-1")], at="2026-06-01T00:00:00+00:00")
    stream.send("events", [track(1), track(2, messageId=None), b"nonsense", track(1)])
    added(house, "events", "stream", {"topic": "events"}, namespace="web")
    done = run(house, "events")
    assert (done["received"], done["stored"], done["duplicate"], done["quarantined"]) == (4, 2, 1, 1)


def test_a_topic_that_is_not_there_and_brokers_that_do_not_answer_have_their_codes(
    sqlite_only: House, stream: Brokers, monkeypatch: pytest.MonkeyPatch
) -> None:
    added(sqlite_only, "live", "stream", {"topic": "members-x", "mapping": MAPPING})
    monkeypatch.setenv("PIYING_SOURCE_LIVE_URL", "kafka://127.0.0.1:9")
    with pytest.raises(Unavailable) as refused:
        run(sqlite_only, "live")
    assert refused.value.code == "stream_unavailable"
    monkeypatch.setenv("PIYING_SOURCE_LIVE_URL", stream.address)
    with sqlite_only.services.begin_intake() as tx:
        source = pulls.registry.by_name(tx, "live").facts.id
        pulls.cursors.move(tx, source, "0", 1_000, expected=None, now=sqlite_only.clock())
    stream.send("members-x", [told(1)])
    with pytest.raises(Conflict) as lost:
        run(sqlite_only, "live")
    assert lost.value.code == "stream_offset_lost", "what the brokers no longer have is never passed over in silence"


# ── processes that are killed ──────────────────────────────────────────────────────────────────────────────────────────────────


def started(home: Path, address: str, *words: str) -> subprocess.Popen[bytes]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PIYING_")}
    environment = {**clean, "PIYING_HOME": str(home), "PIYING_LIMITS_IMPORT_ROWS": "100", "PIYING_SOURCE_LIVE_URL": address}
    command = [sys.executable, "-m", "app.cli", "pull", "run", "live", "--json", *words]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def place_of(home: Path) -> int:
    """How far the pull is, seen from outside."""
    services = open_services(home=home)
    try:
        with services.read_intake() as tx:
            return sum(place.number for one in pulls.registry.listing(tx) for place in pulls.cursors.positions(tx, one.facts.id).values())
    finally:
        services.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["database", "stream"])
def test_a_killed_reader_loses_nothing_and_doubles_nothing(kind: str, sqlite_only: House, stream: Brokers, tmp_path: Path) -> None:
    """SIGKILL while batches are stored; then SIGTERM, which ends it well behind the batch at hand."""
    rows = 1_500 * KILLS
    if kind == "stream":
        address, config = stream.address, {"topic": "killed", "mapping": MAPPING}
        for partition in range(2):
            stream.send("killed", [told(number) for number in range(partition, rows, 2)], partition)
        source = added(sqlite_only, "live", "stream", config)
    else:
        address, config = f"sqlite:///{tmp_path / 'shop.db'}", {**WORDS, "address": "LIVE"}
        with shop(f"sqlite+pysqlite3:///{tmp_path / 'shop.db'}") as shops:
            shops.put([member(number) for number in range(1, rows + 1)])
        source = added(sqlite_only, "live", "database", config)
    sqlite_only.services.stores.close()
    chance = random.Random(20261122)
    deadline = time.monotonic() + 120 + 30 * KILLS
    for _ in range(KILLS):
        before, process = place_of(sqlite_only.home), started(sqlite_only.home, address)
        while place_of(sqlite_only.home) == before and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        time.sleep(chance.uniform(0, 0.2))
        process.kill()
        process.communicate(timeout=20)
    process = started(sqlite_only.home, address, "--follow")
    while sum(tallied(sqlite_only, source).values()) < rows:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert json.loads(out)["source"] == source
    assert tallied(sqlite_only, source) == {"stored": rows}
    assert len(set(in_lake(sqlite_only, "profiles", "virtual_id"))) == rows
