"""Consent after an undone merge: what each said by themselves."""

from __future__ import annotations

import pytest

from app.stores import Stores
from privacy.consent import gate, ledger, registry, separation
from privacy.consent.ledger import ConsentAct
from tests.conftest import NOW

ANNA, BO, CY = (bytes([one]) * 16 for one in b"abc")
STATISTICS = "analytics.statistics"


@pytest.fixture
def platform(stores: Stores) -> Stores:
    with stores.begin_platform() as tx:
        registry.seed(tx, NOW)
    return stores


def say(stores: Stores, who: bytes, state: str, at: int, *, others: tuple[bytes, ...] = ()) -> None:
    with stores.begin_platform() as tx:
        ledger.append(tx, [ConsentAct(who, STATISTICS, state, "explicit", at, at)], aliases={who: others} if others else None)


def allowed(stores: Stores, who: bytes, now: int) -> bool:
    with stores.read_platform() as tx:
        return gate.decide(ledger.timelines(tx, [who], [STATISTICS]).get(who, {}).get(STATISTICS), now, now).allowed


def separate(stores: Stores, now: int, *sides: list[bytes]) -> int:
    with stores.begin_platform() as tx:
        return separation.separate(tx, sides, now=now, by="person.unmerge")


def test_a_grant_that_only_the_other_one_gave_ends_and_ones_own_stays(platform: Stores) -> None:
    say(platform, ANNA, "granted", 10, others=(BO,))
    assert allowed(platform, BO, 15)
    assert separate(platform, 20, [ANNA], [BO]) == 1
    assert (allowed(platform, ANNA, 30), allowed(platform, BO, 30)) == (True, False)
    assert separate(platform, 40, [ANNA], [BO]) == 0, "once is enough"


def test_who_had_said_no_stands_as_before_and_who_had_said_yes_too(platform: Stores) -> None:
    say(platform, BO, "withdrawn", 5)
    say(platform, CY, "granted", 5)
    say(platform, ANNA, "granted", 10, others=(BO, CY))
    assert separate(platform, 20, [ANNA], [BO, CY]) == 1
    assert [allowed(platform, who, 30) for who in (ANNA, BO, CY)] == [True, False, True]
    with platform.read_platform() as tx:
        assert [row["state"] for row in ledger.history(tx, BO)] == ["withdrawn", "granted", "withdrawn"]


def test_a_grant_of_ones_own_side_stays(platform: Stores) -> None:
    say(platform, ANNA, "granted", 10, others=(BO, CY))
    assert separate(platform, 20, [ANNA, BO], [CY]) == 1
    assert [allowed(platform, who, 30) for who in (ANNA, BO, CY)] == [True, True, False]


def test_a_later_no_is_left_as_it_is(platform: Stores) -> None:
    say(platform, ANNA, "granted", 10, others=(BO,))
    say(platform, BO, "withdrawn", 12)
    assert separate(platform, 20, [ANNA], [BO]) == 0
    assert not allowed(platform, BO, 30)
