"""Consent decisions a second: rows of a batch against people who are remembered, people who are not, and one person at a time by the door.

`BENCH_DECISIONS` sets how many rows are decided (default 1,000,000); one person in ten has a history of several acts.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from privacy.consent import asked, gate, ledger, registry
from privacy.consent.ledger import ConsentAct
from privacy.consent.recent import RecentTimelines
from privacy.consent.scope import Scope
from privacy.orm import PlatformBase, to_micros
from privacy.vocabulary import STATISTICS
from tests.stores import sqlite_stores

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)
BATCH = 10_000
DAY = 86_400 * 1_000_000


def main() -> None:
    """Prints one line for each way."""
    decisions = int(os.environ.get("BENCH_DECISIONS", "1000000"))
    people = max(decisions // 10, 1)
    now = to_micros(NOW)
    handles = np.random.default_rng(7).bytes(16 * people)
    with tempfile.TemporaryDirectory() as folder, sqlite_stores(Path(folder)) as stores:
        with stores.begin_platform() as tx:
            PlatformBase.metadata.create_all(tx)
            registry.seed(tx, NOW)
        started = time.perf_counter()
        for first in range(0, people, BATCH):
            acts = []
            for place in range(first, min(first + BATCH, people)):
                handle = handles[16 * place : 16 * place + 16]
                acts.append(ConsentAct(handle, STATISTICS, "granted", "explicit", now - 30 * DAY, now - 30 * DAY))
                if place % 10 == 0:
                    acts.append(ConsentAct(handle, STATISTICS, "withdrawn", "explicit", now - 20 * DAY, now - 20 * DAY))
                    acts.append(ConsentAct(handle, STATISTICS, "granted", "explicit", now - 10 * DAY, now - 10 * DAY))
            with stores.begin_platform() as tx:
                ledger.append(tx, acts)
        told = time.perf_counter() - started
        print(f"acts recorded: {people * 12 // 10:,} in {told:.1f} s, {people * 1.2 / told:,.0f} a second")
        recent = RecentTimelines()
        for what in ("cold", "remembered"):
            started = time.perf_counter()
            for first in range(0, people, BATCH):
                part = handles[16 * first : 16 * (first + BATCH)]
                size = len(part) // 16
                with stores.read_platform() as tx:
                    _, lines = recent.of(tx, part, (STATISTICS,))
                rows = np.arange(10 * size) % size
                decided = gate.decide_lines(lines[STATISTICS], rows, np.full(10 * size, now - DAY, np.int64), now)
                assert decided.allowed.all()
            spent = time.perf_counter() - started
            print(f"decisions, people {what}: {people * 10:,} in {spent:.2f} s, {people * 10 / spent:,.0f} a second")
        started = time.perf_counter()
        with stores.read_platform() as tx:
            purpose = registry.purposes(tx)[STATISTICS]
            for place in range(1_000):
                told_ = [ledger.history(tx, handles[16 * place : 16 * place + 16])]
                verdict = asked.answer(
                    asked.Use(STATISTICS),
                    purpose,
                    told_,
                    Scope(),
                    now=now,
                    jurisdiction="CN",
                    years=None,
                    unknown_age_barred=False,
                    cool_down=DAY,
                )
                assert verdict.allowed
        spent = time.perf_counter() - started
        print(f"decisions one by one, as the door makes them: 1,000 in {spent:.2f} s, {1_000 / spent:,.0f} a second")
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
