"""The table in memory answers as a dictionary would."""

from __future__ import annotations

import random

import numpy as np

from privacy import lookup
from privacy.lookup import Lookup


def keys(*numbers: int) -> lookup.Words:
    return lookup.words(b"".join(number.to_bytes(16, "big") for number in numbers))


def test_it_answers_as_a_dictionary_does() -> None:
    """Keys that meet in one place, that share a half, that come twice in one call, and a table that has grown many times."""
    chance, table, known = random.Random(7), Lookup(), dict[int, int]()
    pool = [chance.getrandbits(128) for _ in range(3_000)] + [(half << 64) | (place << 20) for half in range(40) for place in range(20)]
    for _ in range(60):
        told = {key: chance.randrange(1_000_000) for key in chance.choices(pool, k=chance.randrange(1, 200))}
        some = [*told, *list(told)[:5]]
        table.add(keys(*some), np.array([told[key] for key in some], np.int64))
        known |= told
        asked = chance.choices(pool, k=300)
        assert table.find(keys(*asked)).tolist() == [known.get(key, -1) for key in asked]
        assert len(table) == len(known)
    table.clear()
    assert (len(table), table.find(keys(*pool[:5])).tolist()) == (0, [-1] * 5)


def test_keys_sort_as_their_bytes_do() -> None:
    chance = random.Random(8)
    some = [chance.getrandbits(128) for _ in range(100)] + [5 << 64, (5 << 64) | 3, (5 << 64) | 1, (5 << 64) | 1]
    made = keys(*some)
    order = lookup.ordered(made)
    assert lookup.joined(made[order]) == b"".join(number.to_bytes(16, "big") for number in sorted(some))
    assert lookup.words(b"").shape == (0, 2)
