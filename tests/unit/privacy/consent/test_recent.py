"""What is remembered of consent is always what the ledger says in the same transaction."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.stores import Stores
from privacy.consent import gate, ledger, recent, registry
from privacy.consent.ledger import ConsentAct
from privacy.consent.recent import RecentTimelines
from privacy.orm import PlatformBase
from tests.house import ROOT
from tests.stores import sqlite_stores, stores_at

BOTH = ("analytics.statistics", "marketing.profiling")
SECOND = 1_000_000
PEOPLE = [bytes([number]) * 16 for number in range(6)]


def act(who: int, state: str, at: int, purpose: int = 0, kind: str = "explicit") -> ConsentAct:
    return ConsentAct(PEOPLE[who], BOTH[purpose], state, kind, at * SECOND, at * SECOND)


acts = st.builds(
    act,
    st.integers(0, 5),
    st.sampled_from(["granted", "withdrawn", "denied"]),
    st.integers(1, 50),
    st.integers(0, 1),
    st.sampled_from(["explicit", "asserted"]),
)
asked = st.lists(st.integers(0, 5), max_size=6)
aliases = st.dictionaries(st.integers(0, 5), st.lists(st.integers(0, 5), min_size=1, max_size=2), max_size=2)

steps = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.lists(acts, min_size=1, max_size=3)),
        st.tuples(st.just("ask"), st.tuples(st.integers(0, 1), asked, st.lists(acts, max_size=2), aliases)),
        st.tuples(st.just("ask, later"), st.tuples(st.integers(0, 1), asked)),
        st.tuples(st.just("hold"), st.none()),
        st.tuples(st.just("let go"), st.none()),
    ),
    max_size=14,
)


@contextmanager
def seeded(folder: Path) -> Iterator[Stores]:
    with sqlite_stores(folder) as stores:
        with stores.begin_platform() as tx:
            PlatformBase.metadata.create_all(tx)
            registry.seed(tx, datetime(2026, 1, 1, tzinfo=UTC))
        yield stores


@pytest.fixture
def ledger_stores(tmp_path: Path) -> Iterator[Stores]:
    with seeded(tmp_path) as stores:
        yield stores


@pytest.fixture(scope="module")
def shared() -> Iterator[Stores]:
    """One ledger for every example; it only grows, so an example begins where the one before ended."""
    with tempfile.TemporaryDirectory() as folder, seeded(Path(folder)) as stores:
        yield stores


def agree(memory: RecentTimelines, tx: sa.Connection, handles: list[bytes], **more: Any) -> dict[bytes, Any]:
    """The memory's answer, which is the ledger's."""
    head, lines = memory.of(tx, b"".join(handles), BOTH, **more)
    assert head == ledger.head(tx)
    told = answer(lines, handles)
    assert told == ledger.timelines(tx, handles, BOTH, **more)
    return told


def answer(lines: Mapping[str, gate.Lines], handles: list[bytes]) -> dict[bytes, dict[str, gate.Timeline]]:
    """Lines as the ledger tells them: who said nothing is absent."""
    told = {who: {purpose: line.timeline(place) for purpose, line in lines.items()} for place, who in enumerate(handles)}
    said = {who: {purpose: one for purpose, one in line.items() if one.starts} for who, line in told.items()}
    return {who: line for who, line in said.items() if line}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=steps)
def test_an_answer_is_the_ledgers_own_whatever_was_asked_and_appended_before(shared: Stores, script: list[tuple[str, Any]]) -> None:
    """Two memories, as two processes have; a transaction that was opened early keeps asking of its own moment."""
    memories = (RecentTimelines(), RecentTimelines())
    second = stores_at(shared.vault.url, shared.platform().url)
    with ExitStack() as ends:
        ends.callback(second.close)
        held: list[tuple[sa.Connection, ExitStack]] = []
        for what, how in script:
            if what == "append":
                with shared.begin_platform() as tx:
                    ledger.append(tx, how)
            elif what == "hold":
                stack = ends.enter_context(ExitStack())
                tx = stack.enter_context(second.read_platform())
                ledger.head(tx)
                held.append((tx, stack))
            elif what == "let go" and held:
                held.pop(0)[1].close()
            elif what == "ask":
                which, whom, pending, merged = how
                others = {PEOPLE[who]: [PEOPLE[other] for other in them] for who, them in merged.items()}
                with (shared, second)[which].read_platform() as tx:
                    agree(memories[which], tx, [PEOPLE[who] for who in dict.fromkeys(whom)], pending=pending, aliases=others)
            elif what == "ask, later" and held:
                which, whom = how
                agree(memories[which], held[0][0], [PEOPLE[who] for who in dict.fromkeys(whom)])


def test_a_withdrawal_by_another_process_counts_in_the_next_decision(ledger_stores: Stores) -> None:
    memory = RecentTimelines()
    with ledger_stores.begin_platform() as tx:
        ledger.append(tx, [act(1, "granted", 1), act(2, "granted", 1)])
    with ledger_stores.read_platform() as tx:
        told = agree(memory, tx, PEOPLE)
        assert gate.decide(told[PEOPLE[1]][BOTH[0]], 5 * SECOND, 5 * SECOND).allowed
    code = (
        "import sys\nfrom tests.stores import stores_at\nfrom privacy.consent import ledger\n"
        "from tests.unit.privacy.consent.test_recent import act\n"
        "stores = stores_at(sys.argv[1], sys.argv[2])\n"
        "with stores.begin_platform() as tx:\n    ledger.append(tx, [act(1, 'withdrawn', 2)])\nstores.close()\n"
    )
    addresses = [ledger_stores.vault.url, ledger_stores.platform().url]
    subprocess.run([sys.executable, "-c", code, *addresses], check=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    with ledger_stores.read_platform() as tx:
        told = agree(memory, tx, PEOPLE)
        assert not gate.decide(told[PEOPLE[1]][BOTH[0]], 5 * SECOND, 5 * SECOND).allowed
        assert gate.decide(told[PEOPLE[2]][BOTH[0]], 5 * SECOND, 5 * SECOND).allowed


def test_it_holds_on_both_databases(stores: Stores) -> None:
    with stores.begin_platform() as tx:
        registry.seed(tx, datetime(2026, 1, 1, tzinfo=UTC))
    memory = RecentTimelines()
    for number, state in enumerate(["granted", "withdrawn", "granted", "denied"], 1):
        with stores.begin_platform() as tx:
            ledger.append(tx, [act(number % 3, state, number), act(0, "granted", number, 1)])
        with stores.read_platform() as tx:
            agree(memory, tx, PEOPLE)
            agree(memory, tx, PEOPLE, pending=[act(1, "withdrawn", 9)], aliases={PEOPLE[0]: [PEOPLE[1]]})
            agree(memory, tx, PEOPLE)


def test_an_older_transaction_is_not_told_what_came_later(ledger_stores: Stores) -> None:
    memory = RecentTimelines()
    with ledger_stores.read_platform() as older:
        assert ledger.head(older) == 0
        with ledger_stores.begin_platform() as tx:
            ledger.append(tx, [act(1, "granted", 1)])
        with ledger_stores.read_platform() as newer:
            assert agree(memory, newer, PEOPLE)
        assert agree(memory, older, PEOPLE) == {}
        with ledger_stores.read_platform() as newer:
            assert agree(memory, newer, PEOPLE)


def test_who_was_remembered_is_not_asked_again_and_who_acted_is(ledger_stores: Stores) -> None:
    memory, asked_ = RecentTimelines(), []
    with ledger_stores.begin_platform() as tx:
        ledger.append(tx, [act(1, "granted", 1), act(2, "granted", 1)])

    def hear(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        asked_.append("consent_state" in statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", hear)
    try:
        for expected in (True, False):
            asked_.clear()
            with ledger_stores.read_platform() as tx:
                memory.of(tx, b"".join(PEOPLE), BOTH)
            assert any(asked_) is expected
        with ledger_stores.begin_platform() as tx:
            ledger.append(tx, [act(2, "withdrawn", 2)])
        asked_.clear()
        with ledger_stores.read_platform() as tx:
            memory.of(tx, PEOPLE[1], BOTH)
        assert not any(asked_)
        with ledger_stores.read_platform() as tx:
            memory.of(tx, PEOPLE[2], BOTH)
        assert any(asked_)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", hear)


def test_a_question_about_other_purposes_is_answered_by_the_ledger(ledger_stores: Stores) -> None:
    memory = RecentTimelines()
    with ledger_stores.begin_platform() as tx:
        ledger.append(tx, [act(1, "granted", 1), act(1, "granted", 1, 1)])
    with ledger_stores.read_platform() as tx:
        agree(memory, tx, PEOPLE)
        assert answer(memory.of(tx, b"".join(PEOPLE), BOTH[:1])[1], PEOPLE) == ledger.timelines(tx, PEOPLE, BOTH[:1])
        agree(memory, tx, PEOPLE)


def test_the_memory_is_bounded_and_right_when_it_starts_anew(ledger_stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "MOST", 3)
    memory = RecentTimelines()
    with ledger_stores.begin_platform() as tx:
        ledger.append(tx, [act(who, "granted", 1) for who in range(6)])
    with ledger_stores.read_platform() as tx:
        for start in (0, 2, 4, 1):
            agree(memory, tx, PEOPLE[start : start + 2])
            assert len(memory) <= 3


def test_people_who_were_made_a_moment_ago_are_folded_from_their_acts_and_not_remembered(ledger_stores: Stores) -> None:
    memory, everyone = RecentTimelines(), b"".join(PEOPLE)
    said = [act(1, "granted", 3), act(2, "granted", 2), act(2, "withdrawn", 4), act(3, "granted", 1, 1), act(4, "denied", 2)]
    said += [act(0, "granted", 5)._replace(valid_until=9 * SECOND), act(0, "granted", 5, 1)._replace(valid_until=4 * SECOND)]
    with ledger_stores.begin_platform() as tx:
        ledger.append(tx, [act(5, "granted", 1)])
    with ledger_stores.read_platform() as tx:
        expected = ledger.timelines(tx, PEOPLE, BOTH, pending=said)
        new = np.array([True] * 5 + [False])
        assert answer(memory.of(tx, everyone, BOTH, pending=said, fresh=new)[1], PEOPLE) == expected
        assert len(memory) == 1
        assert agree(memory, tx, PEOPLE) == {PEOPLE[5]: expected[PEOPLE[5]]}
