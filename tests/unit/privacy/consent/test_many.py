"""Columns of many people say what one timeline after another says, on both databases."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import numpy as np

from app.stores import Stores
from privacy.consent import gate, ledger, many, registry
from privacy.consent.ledger import ConsentAct

PURPOSES = ("analytics.statistics", "marketing.profiling")
SECOND = 1_000_000
NOW, LATER = 50 * SECOND, 60 * SECOND


def acts(chance: random.Random, people: list[bytes]) -> list[ConsentAct]:
    """Of most people one grant; of some several acts, ends of validity, grants that come later."""
    made = []
    for person in people:
        for purpose in PURPOSES:
            for _ in range(chance.choice([0, 1, 1, 1, 1, 3])):
                state = "granted" if chance.random() < 0.8 else "withdrawn"
                until = chance.choice([None, None, None, chance.randint(1, 99) * SECOND]) if state == "granted" else None
                at = chance.randint(1, 70) * SECOND
                made.append(ConsentAct(person, purpose, state, "explicit", at, at, valid_until=until))
    return made


def test_many_people_in_columns_stand_as_each_of_them_does_alone(stores: Stores) -> None:
    chance = random.Random(11)
    people = [bytes([one // 256, one % 256]) * 8 for one in range(600)]
    aliases = {people[one]: [people[one + 1], people[one + 2]] for one in range(0, 90, 3)}
    with stores.begin_platform() as tx:
        registry.seed(tx, datetime(2026, 1, 1, tzinfo=UTC))
        ledger.append(tx, acts(chance, people))
        told = ledger.timelines(tx, people, PURPOSES, aliases=aliases)
        found = many.lines(tx, people, PURPOSES, aliases=aliases)
        nobody = many.lines(tx, [], PURPOSES)
    assert found.keys() == set(PURPOSES)
    for purpose, lines in found.items():
        single = [told.get(person, {}).get(purpose, gate.NOTHING) for person in people]
        assert [lines.timeline(place) for place in range(len(people))] == single
        for since in (None, 20 * SECOND):
            expected = [
                gate.decide(one, NOW, NOW).allowed
                and gate.decide(one, LATER, LATER).allowed
                and (since is None or gate.standing(one).since >= since)
                for one in single
            ]
            assert many.allowed(lines, NOW, LATER, since).tolist() == expected
            assert 0 < sum(expected) < len(expected)
        assert len(nobody[purpose].said) == 0
        assert many.allowed(nobody[purpose], NOW, LATER).dtype == np.bool_
