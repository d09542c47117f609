"""What was acknowledged is kept, once (DESIGN §1.6): server, worker and import are killed at random moments while clients send.

Five kills by default, two hundred with LONG_TESTS=1. Every wait has an end; processes are stopped by their own ids.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app import housekeeping, intake
from app.wiring import Services, open_services
from ingestion import inbox
from privacy.audit.log import LogPayload
from privacy.identity import vault
from tests.house import ROOT, basic, sqlite_house

KILLS = 200 if os.environ.get("LONG_TESTS") else 5
MEMBERS = 20_000 if os.environ.get("LONG_TESTS") else 3_000
USERS, SENDERS = 10, 3
PATIENCE = 120.0 + 6.0 * KILLS
"""Seconds for everything; what takes longer is a failure, not a hang."""
MAPPING = """
record = "member"
zone   = "Asia/Shanghai"
id     = ["card"]
[identifiers]
member_card = "card"
[fields]
changed_at = "at"
tier = "tier"
[consent."analytics.statistics"]
from  = "ok"
grant = ["yes"]
"""


@dataclass
class Site:
    """A home with its processes."""

    home: Path
    folder: Path
    web: str
    key: str
    members: str
    port: int
    deadline: float = field(default_factory=lambda: time.monotonic() + PATIENCE)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    killed: Counter[str] = field(default_factory=Counter)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def left(self) -> float:
        return self.deadline - time.monotonic()

    # ── processes ────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self, name: str) -> None:
        """Each process leads a session of its own, so that those which it starts can be ended with it."""
        arguments = {
            "server": ["serve", "--no-worker", "--port", str(self.port)],
            "worker": ["worker"],
            "import": [
                "import",
                str(self.folder / "members.csv"),
                "--source",
                "crm",
                "--mapping",
                str(self.folder / "members.toml"),
                "--json",
            ],
        }[name]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PIYING_")}
        with (self.folder / f"{name}.err").open("ab") as errors:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", "app.cli", *arguments],
                cwd=ROOT,
                env={**clean, "PIYING_HOME": str(self.home), "PIYING_LIMITS_IMPORT_ROWS": "100"},
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )

    def end(self, name: str, number: signal.Signals) -> None:
        """Signals a process and those that it started, and waits for it."""
        process = self.running[name]
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=20)

    def kill(self, name: str) -> None:
        self.end(name, signal.SIGKILL)
        self.killed[name] += 1
        self.start(name)

    def imported(self) -> bool:
        return self.running["import"].poll() == 0

    def wait_for_server(self) -> None:
        while self.left() > 0:
            try:
                with urllib.request.urlopen(f"{self.address}/healthz", timeout=5):
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the server did not come up")

    def finish_import(self) -> None:
        while not self.imported():
            assert self.left() > 0, "the import did not end"
            if self.running["import"].poll() not in (None, 0):
                self.start("import")
            time.sleep(0.1)


@dataclass
class Sender:
    """A client that sends batches and repeats each until it is acknowledged, as clients do; sometimes also afterwards."""

    site: Site
    number: int
    stop: threading.Event
    acknowledged: list[str] = field(default_factory=list)
    tries: int = 0

    def run(self) -> None:
        chance = random.Random(self.number)
        sent = 0
        before: list[dict[str, Any]] = []
        while not self.stop.is_set() and self.site.left() > 0:
            names = [f"P{self.number}-{sent}-{place}" for place in range(4)]
            batch = [message(name, f"u-{chance.randrange(USERS)}") for name in names]
            batch += [message(f"{names[0]}-stranger", "stranger"), {"type": "track", "messageId": f"broken-{names[0]}"}]
            if self.until_acknowledged(batch):
                self.acknowledged += names
            if before and chance.random() < 0.3:
                self.until_acknowledged(before)
            before, sent = batch, sent + 1

    def until_acknowledged(self, batch: list[dict[str, Any]]) -> bool:
        body = json.dumps({"batch": batch}).encode()
        headers = {"Content-Type": "application/json", **basic(self.site.key)}
        while self.site.left() > 0:
            self.tries += 1
            try:
                request = urllib.request.Request(f"{self.site.address}/v1/batch", data=body, headers=headers)
                with urllib.request.urlopen(request, timeout=15) as answer:
                    receipt = json.load(answer)
            except (OSError, ValueError, http.client.HTTPException):  # an answer may break off where the server was killed
                time.sleep(0.1)
                continue
            assert receipt["received"] == len(batch) == sum(receipt[one] for one in ("stored", "duplicate", "quarantined", "refused"))
            return True
        return False


def message(name: str, user: str) -> dict[str, Any]:
    """One event; its product is its own, so that it can be found in the lake."""
    return {
        "type": "track",
        "event": "Product Viewed",
        "messageId": f"message-{name}",
        "timestamp": datetime.now(UTC).isoformat(),
        "userId": user,
        "properties": {"product_id": name},
    }


@pytest.fixture
def site(template_home: Path, tmp_path: Path) -> Iterator[Site]:
    """A home with ten people who allow statistics, a file of members who say so themselves, and three running processes."""
    with sqlite_house(template_home, tmp_path / "home") as house:
        web, key = house.source("web")
        members, _ = house.source("crm", "file")
        long_ago = (house.clock() - timedelta(days=30)).isoformat()
        people = [("customer_no", f"u-{number}") for number in range(USERS)]
        assert house.grant(key, people, purposes=["analytics.statistics"], at=long_ago).status_code == 201
    lines = [f"CARD{number:06d},2026-09-01 10:00,gold,yes" for number in range(MEMBERS)]
    (tmp_path / "members.csv").write_text("\n".join(["card,at,tier,ok", *lines, ""]), encoding="utf-8")
    (tmp_path / "members.toml").write_text(MAPPING, encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = Site(tmp_path / "home", tmp_path, web, key, members, port)
    with ExitStack() as stack:
        for name in ("server", "worker", "import"):
            made.start(name)
            stack.callback(made.end, name, signal.SIGKILL)
        made.wait_for_server()
        yield made


@contextmanager
def sending(site: Site) -> Iterator[list[Sender]]:
    stop = threading.Event()
    senders = [Sender(site, number, stop) for number in range(SENDERS)]
    threads = [threading.Thread(target=sender.run) for sender in senders]
    for thread in threads:
        thread.start()
    try:
        yield senders
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=max(site.left(), 1) + 20)


def kill_at_random(site: Site) -> None:
    """Kills each kind of process, in random order at random moments; what it hit is told when the test fails."""
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    chance = random.Random(seed)
    targets = (["server", "import", "worker", "import", "server"] * KILLS)[:KILLS]
    chance.shuffle(targets)
    for target in targets:
        time.sleep(chance.uniform(0.2, 2.5))
        site.kill("server" if target == "import" and site.imported() else target)


def lake(services: Services, name: str, column: str) -> list[Any]:
    """Every value of a column, of everybody's rows: tests may look."""
    from analytics.lake import tables

    found: list[Any] = tables.load(services._lake, name).scan().to_arrow()[column].to_pylist()
    return found


def told_by_log(services: Services) -> Counter[tuple[str, str]]:
    """Items by source and verdict as the entries of the batches say."""
    counts: Counter[tuple[str, str]] = Counter()
    with services.read_console() as tx:
        for actor, payload in tx.execute(sa.select(LogPayload.actor, LogPayload.payload).where(LogPayload.action == "ingest.batch")):
            assert payload is not None
            facts = json.loads(payload)["facts"]
            counts.update({(actor, verdict): facts[verdict] for verdict in ("stored", "duplicate", "quarantined", "refused")})
    return +counts


def tallied(services: Services) -> Counter[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()
    with services.read_console() as tx:
        for source, _, verdict, _, number in inbox.counts(tx):
            counts[source, verdict] += number
    return +counts


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_and_nothing_is_doubled_whatever_is_killed(site: Site) -> None:
    with sending(site) as senders:
        kill_at_random(site)
        while sum(len(sender.acknowledged) for sender in senders) <= 4 * SENDERS and site.left() > 0:
            time.sleep(0.5)
    site.finish_import()
    for name in ("server", "worker"):
        site.end(name, signal.SIGTERM)
    acknowledged = sorted(name for sender in senders for name in sender.acknowledged)
    assert site.left() > 0
    assert len(acknowledged) > 4 * SENDERS
    assert sum(site.killed.values()) == KILLS
    services = open_services(home=site.home)
    try:
        intake.flush(services)
        assert sorted(lake(services, "events", "product_id")) == acknowledged
        assert len(lake(services, "profiles", "virtual_id")) == len(set(lake(services, "profiles", "virtual_id"))) == MEMBERS
        with services.read_console() as tx:
            assert inbox.waiting(tx) == (0, 0)
        counts = tallied(services)
        assert counts == told_by_log(services)
        assert (counts[site.web, "stored"], counts[site.members, "stored"]) == (len(acknowledged), MEMBERS)
        assert counts[site.web, "refused"] == counts[site.web, "quarantined"] >= len(acknowledged) // 4
        assert services.oversight.verify(actor="test")["ok"]
    finally:
        services.stores.close()
    later = open_services(home=site.home, at=(datetime.now(UTC) + housekeeping.ORPHAN_AGE + timedelta(minutes=1)).isoformat())
    try:
        housekeeping.retention(later)
        with later.stores.read_vault() as tx:
            people, keys = (
                int(tx.execute(sa.select(sa.func.count()).select_from(one)).scalar_one()) for one in (vault.Person, vault.DataKey)
            )
        assert people == keys == MEMBERS + USERS
        assert later.oversight.verify(actor="test")["ok"]
    finally:
        later.stores.close()
