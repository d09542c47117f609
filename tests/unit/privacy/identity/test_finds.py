"""Columns of which most is never asked for."""

from __future__ import annotations

import numpy as np
import pytest

from privacy.identity.finds import Ids, Made, Numbers


def test_what_is_there_is_not_made_again() -> None:
    made: list[int] = []

    def make(place: int) -> str:
        made.append(place)
        return f"made {place}"

    column = Made({1: "there"}, make)
    assert (column[1], column[2], made) == ("there", "made 2", [2])
    assert (column.of(np.array([3, 1])), made) == (["made 3", "there"], [2, 3])


def test_ids_stand_side_by_side() -> None:
    ids = Ids(b"".join(bytes([one]) * 16 for one in range(5)))
    assert ids[3] == bytes([3]) * 16
    assert ids.of(np.array([4, 0])) == bytes([4]) * 16 + bytes(16)
    assert ids.of(np.array([], np.int64)) == b""


def test_known_people_have_numbers_and_new_ones_between_them_have_none() -> None:
    numbers = Numbers(np.array([11, 12, 13]), heads=2, people=5)
    assert dict(numbers) == {0: 11, 1: 12, 5: 13}
    assert numbers.among(np.array([0, 1, 2, 4, 5])).tolist() == [True, True, False, False, True]
    for place in (2, 4, 6, -1):
        with pytest.raises(KeyError):
            numbers[place]
