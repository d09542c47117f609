"""What was stored is known, in every process and at every size; what was not stored, rolled back or taken back is not."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from app.stores import Stores
from ingestion import seen
from ingestion.seen import Memory
from privacy import lookup

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)


def keys(*numbers: int) -> lookup.Words:
    """Digests as random as real ones."""
    made = b"".join(random.Random(number).randbytes(16) for number in numbers)
    return seen.keys_of("src_a", made)


def store(stores: Stores, memory: Memory, *numbers: int, now: datetime = NOW) -> list[int]:
    """Stores what is not known; gives what was."""
    with stores.begin_platform() as tx:
        known = memory.known(tx, keys(*numbers))
        fresh = np.array(numbers)[~known].tolist()
        if fresh:
            seen.add(tx, "src_a", keys(*fresh), memory, now=now)
        return np.array(numbers)[known].tolist()


def known(stores: Stores, memory: Memory, *numbers: int) -> list[int]:
    with stores.begin_platform() as tx:
        return np.array(numbers)[memory.known(tx, keys(*numbers))].tolist()


def generations(stores: Stores) -> list[int]:
    with stores.read_platform() as tx:
        return list(tx.execute(seen.sa.select(seen.SeenGeneration.number).order_by(seen.SeenGeneration.id)).scalars())


def test_two_processes_know_the_same_through_runs_and_generations(stores: Stores) -> None:
    """Batches of any size by either process; small bounds, so that runs grow into generations and these into full ones many times."""
    chance, truth = random.Random(3), set[int]()
    processes = [Memory(digests=300, runs=7), Memory(digests=300, runs=7)]
    for _ in range(60):
        numbers = chance.sample(range(4_000), chance.choice([1, 2, 40, 200]))
        assert store(stores, chance.choice(processes), *numbers) == [one for one in numbers if one in truth]
        truth.update(numbers)
    everything = list(range(4_000))
    for memory in (*processes, Memory()):
        assert known(stores, memory, *everything) == sorted(truth)
    assert len(generations(stores)) > 3


def test_what_a_transaction_takes_back_was_never_known(stores: Stores) -> None:
    """Also when the transaction asked again after it had stored, made a generation, and its numbers were given to other runs."""
    memory = Memory(digests=5)
    store(stores, memory, 1, 2)
    with pytest.raises(RuntimeError), stores.begin_platform() as tx:
        memory.known(tx, keys(3))
        seen.add(tx, "src_a", keys(3, 4, 5, 6), memory, now=NOW)
        assert memory.known(tx, keys(1, 3, 9)).tolist() == [True, True, False]
        raise RuntimeError
    assert known(stores, memory, 1, 2, 3, 4, 5, 6) == [1, 2]
    assert store(stores, Memory(), 7, 8) == []
    assert known(stores, memory, 1, 3, 7, 8) == [1, 7, 8]


def test_two_sources_never_share_a_digest() -> None:
    raw = random.Random(1).randbytes(32)
    assert (seen.keys_of("src_a", raw) != seen.keys_of("src_b", raw)).all()
    assert (seen.keys_of("src_a", raw) == seen.keys_of("src_a", raw)).all()


@pytest.mark.parametrize("bound", [10, 1_000])
def test_what_is_taken_back_may_come_again(stores: Stores, bound: int) -> None:
    """From runs and from generations, by every process, in steps; what other batches stored stays."""
    mine, others = Memory(digests=bound), Memory(digests=bound)
    later = NOW + timedelta(seconds=1)
    store(stores, mine, *range(20), now=NOW)
    store(stores, mine, *range(20, 40), now=later)
    assert known(stores, others, 5, 25) == [5, 25]
    middle = b"\x80" + bytes(15)
    with stores.begin_platform() as tx:
        assert seen.take_back(tx, "src_b", [NOW]) == 0
        first = seen.take_back(tx, "src_a", [NOW], high=middle)
    with stores.begin_platform() as tx:
        assert first + seen.take_back(tx, "src_a", [NOW], low=middle) == 20
    for memory in (mine, others, Memory()):
        assert known(stores, memory, *range(40)) == list(range(20, 40))
    assert store(stores, others, *range(20)) == []


def test_everything_is_known_for_thirty_days_and_forgotten_in_time(stores: Stores) -> None:
    memory = Memory(digests=10)
    store(stores, memory, *range(10))
    store(stores, memory, 10, 11, now=NOW + timedelta(days=1))
    with stores.begin_platform() as tx:
        assert seen.sweep(tx, NOW + timedelta(days=30) - timedelta(seconds=1)) == 0
    assert known(stores, memory, *range(12)) == list(range(12))
    with stores.begin_platform() as tx:
        assert seen.sweep(tx, NOW + timedelta(days=30)) == 10
    for one in (memory, Memory()):
        assert known(stores, one, *range(12)) == [10, 11]
    with stores.begin_platform() as tx:
        assert seen.sweep(tx, NOW + timedelta(days=31)) == 2
    assert known(stores, memory, *range(12)) == []


def test_which_batch_brought_a_digest_is_on_record_for_two_days_only(stores: Stores) -> None:
    store(stores, Memory(digests=5), *range(9))
    with stores.begin_platform() as tx:
        seen.sweep(tx, NOW + timedelta(hours=48))
        assert seen.take_back(tx, "src_a", [NOW]) == 0
    assert known(stores, Memory(), *range(9)) == list(range(9))
