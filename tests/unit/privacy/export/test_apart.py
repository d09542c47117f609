"""Two lists of one recipient never set a few people aside, however segments move (attack 19)."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.export.apart import Given, again, first

MINIMUM = 5
PEOPLE = [bytes([number]) for number in range(40)]


def group(*numbers: int) -> frozenset[bytes]:
    return frozenset(PEOPLE[number] for number in numbers)


def some(start: int, end: int) -> frozenset[bytes]:
    return group(*range(start, end))


def parts(one: frozenset[bytes], other: frozenset[bytes]) -> list[int]:
    return [len(one - other), len(other - one), len(one & other)]


def kept(wanted: frozenset[bytes], *lists: frozenset[bytes]) -> set[bytes]:
    return first(wanted, [Given(one, one) for one in lists], MINIMUM, lambda one: one)


def moved(wanted: frozenset[bytes], newest: frozenset[bytes], *lists: frozenset[bytes]) -> set[bytes]:
    return again(wanted, Given(newest, newest), [Given(one, one) for one in lists], MINIMUM)


def test_a_few_who_came_in_are_held_back() -> None:
    """The list is the one that the recipient has, and nobody is new in it."""
    assert kept(some(0, 22), some(0, 20), some(10, 40)) <= some(0, 20)


def test_a_few_in_both_are_held_back() -> None:
    """Two lists that share two people would tell both things of exactly those."""
    assert kept(some(18, 40), some(0, 20)) == some(20, 40)


def test_a_few_who_are_missing_are_not_alone() -> None:
    """Three are missing; two more are held back with them, and newcomers that are many enough come in."""
    found = kept(some(3, 40), some(0, 20))
    assert len(some(0, 20) - found) == MINIMUM
    assert found >= some(20, 40)


def test_a_larger_list_around_a_smaller_one_is_whole() -> None:
    """Everybody after the people of one town is nothing special."""
    assert kept(some(0, 40), some(0, 20)) == some(0, 40)


def test_the_same_definition_moves_in_groups() -> None:
    """Two newcomers wait, and two who left stay; five of each move."""
    assert moved(some(2, 22), some(0, 20)) == some(0, 20)
    assert moved(some(5, 25), some(0, 20)) == some(5, 25)
    assert moved(some(0, 22), some(0, 20)) == some(0, 20)


def test_who_says_no_today_is_no_difference() -> None:
    """Suppressions are exempt: they neither move with others nor hide that one person is missing."""
    newest = Given(some(0, 20), some(4, 20))
    assert again(some(4, 20), newest, [], MINIMUM) == some(4, 20)
    assert again(some(5, 20), newest, [], MINIMUM) == some(4, 20)
    assert newest.distance(some(5, 20)) == 1


def test_who_says_no_to_another_recipient_is_no_newcomer_beside_its_list() -> None:
    """Two who do not allow it leave; a third who does, and is in none of its lists, would be set apart."""
    other = Given(some(0, 20), some(0, 20), group(20, 21))
    assert first(some(0, 22), [other], MINIMUM, lambda one: one) == some(0, 22)
    assert first(some(0, 23), [other], MINIMUM, lambda one: one) == some(0, 22)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.frozensets(st.sampled_from(PEOPLE), min_size=0)), min_size=2, max_size=6))
def test_no_two_lists_of_a_recipient_set_a_few_people_aside(asked: list[tuple[int, frozenset[bytes]]]) -> None:
    """Three definitions in any order, each released over and over with other people: every group of every pair is empty or large."""
    lists: list[tuple[int, frozenset[bytes]]] = []
    for definition, wanted in asked:
        older = [Given(one, one) for _, one in lists]
        newest = next((one for name, one in reversed(lists) if name == definition), None)
        found = kept(wanted, *(one for _, one in lists)) if newest is None else again(wanted, Given(newest, newest), older, MINIMUM)
        if len(found) >= MINIMUM:
            lists.append((definition, frozenset(found)))
    for (_, one), (_, other) in combinations(lists, 2):
        assert not [number for number in parts(one, other) if 0 < number < MINIMUM]
