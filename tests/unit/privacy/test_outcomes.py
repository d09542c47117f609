"""Verdicts in columns are the mapping that they stand for."""

from __future__ import annotations

import random

import numpy as np
import pytest

from privacy.outcomes import Verdicts
from privacy.records import RawBatch, SourceFacts
from privacy.vocabulary import Verdict
from tests.conftest import NOW


def told(seed: int) -> dict[int, Verdict]:
    chance = random.Random(seed)
    return {position: chance.choice(list(Verdict)) for position in chance.sample(range(60), chance.randrange(0, 60))}


@pytest.mark.parametrize("seed", range(20))
def test_verdicts_in_columns_are_the_same_mapping(seed: int) -> None:
    plain = told(seed)
    made = Verdicts.of(plain)
    assert dict(made) == plain == dict(made.items())
    assert Verdicts.of(made) is made
    assert {kind: number for kind, number in made.tally().items() if number} == {
        kind: list(plain.values()).count(kind) for kind in set(plain.values())
    }
    assert dict(made.between(20, 40)) == {position: kind for position, kind in plain.items() if 20 <= position < 40}
    for kind in Verdict:
        assert made.of_kind(kind) == sorted(position for position in plain if plain[position] is kind)
        assert made.among(np.arange(70), kind).tolist() == [plain.get(position) is kind for position in range(70)]
    spread = {position: kind for first, last, kind in made.runs() for position in range(first, last + 1)}
    assert spread == plain
    assert all(one[2] is not other[2] or one[1] + 1 < other[0] for one, other in zip(made.runs(), made.runs()[1:], strict=False))
    with pytest.raises(KeyError):
        made[61]


def test_a_place_is_counted_from_where_its_request_begins() -> None:
    source = SourceFacts("src_a", "a", "segment", False, frozenset())
    joined = RawBatch(source, NOW, items=[1, 2, 3, 4], starts=(0, 2, 3))
    assert [joined.place(position) for position in range(4)] == [0, 1, 0, 0]
    assert RawBatch(source, NOW, items=[1], first=10_000).place(10_007) == 10_007
