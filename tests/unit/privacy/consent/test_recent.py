"""What is remembered of people's consent is always what the ledger says in the same transaction."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.stores import Stores
from privacy.consent import ledger, registry
from privacy.consent.ledger import ConsentAct
from privacy.consent.recent import RecentTimelines
from privacy.orm import PlatformBase
from tests.stores import sqlite_stores

STATISTICS, PROFILING = "analytics.statistics", "marketing.profiling"
BOTH = frozenset({STATISTICS, PROFILING})
PEOPLE = [bytes([number]) * 16 for number in range(8)]
SECOND = 1_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Stores]:
    with sqlite_stores(tmp_path) as stores:
        with stores.begin_platform() as tx:
            PlatformBase.metadata.create_all(tx)
            registry.seed(tx, datetime(2026, 1, 1, tzinfo=UTC))
        yield stores


def act(handle: bytes, state: str, at: int, purpose: str = STATISTICS) -> ConsentAct:
    return ConsentAct(handle, purpose, state, "explicit", at * SECOND, at * SECOND)


def test_whatever_is_recorded_meanwhile_an_answer_is_the_ledgers(store: Stores) -> None:
    """Acts by another process between questions, acts that are pending, people who were merged, some asked about for the first time."""
    chance, recent = random.Random(11), RecentTimelines()
    for step in range(120):
        if chance.random() < 0.5:
            with store.begin_platform() as tx:
                told = [act(chance.choice(PEOPLE), chance.choice(["granted", "withdrawn", "denied"]), step, chance.choice([*BOTH]))]
                ledger.append(tx, told * chance.randrange(1, 3))
        asked = chance.sample(PEOPLE, chance.randrange(1, 6))
        pending = [act(asked[0], "withdrawn", step)] if chance.random() < 0.2 else []
        aliases = {asked[-1]: [chance.choice(PEOPLE)]} if chance.random() < 0.2 else {}
        with store.read_platform() as tx:
            head, found = recent.of(tx, asked, BOTH, pending=pending, aliases=aliases)
            assert head == ledger.head(tx)
            assert found == ledger.timelines(tx, asked, BOTH, pending=pending, aliases=aliases)


def test_a_transaction_that_began_before_an_act_is_answered_from_before_it(store: Stores) -> None:
    recent = RecentTimelines()
    with store.begin_platform() as tx:
        ledger.append(tx, [act(PEOPLE[0], "granted", 1)])
    with store.read_platform() as old:
        ledger.head(old)
        with store.begin_platform() as tx:
            ledger.append(tx, [act(PEOPLE[0], "withdrawn", 2)])
        with store.read_platform() as new:
            _, now = recent.of(new, PEOPLE, BOTH)
        _, then = recent.of(old, PEOPLE, BOTH)
        assert then == ledger.timelines(old, PEOPLE, BOTH) != now
    with store.read_platform() as new:
        assert recent.of(new, PEOPLE, BOTH)[1] == now


def test_a_question_about_other_purposes_is_not_answered_from_memory(store: Stores) -> None:
    recent = RecentTimelines()
    with store.begin_platform() as tx:
        ledger.append(tx, [act(PEOPLE[0], "granted", 1), act(PEOPLE[0], "granted", 1, PROFILING)])
    with store.read_platform() as tx:
        assert set(recent.of(tx, PEOPLE, {STATISTICS})[1][PEOPLE[0]]) == {STATISTICS}
        assert set(recent.of(tx, PEOPLE, BOTH)[1][PEOPLE[0]]) == BOTH
