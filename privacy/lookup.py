"""A table in memory from keys of sixteen bytes to whole numbers, in columns: thousands of keys are asked and added at once.

Promise: an answer is exact, both halves of a key are compared; the memory is forty-eight bytes a key at most. Keys are digests or ids
that look random (made under a key): their bits choose the place, and whoever cannot make them cannot make them meet.
It must never learn what a key stands for. Not for two threads at once: whoever shares it has a lock.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
"""Keys as rows of two 64-bit words."""

_LEAST: Final = 1_024
_NONE: Final = -1


def words(joined: bytes | memoryview) -> Words:
    """Keys that stand side by side, sixteen bytes each, as rows of two words; big-endian, so that words sort as bytes do."""
    return np.frombuffer(joined, ">u8").astype(np.uint64).reshape(-1, 2)


def joined(keys: Words) -> bytes:
    """The keys side by side again."""
    return keys.astype(">u8").tobytes()


def ordered(keys: Words) -> Ints:
    """The order of keys by their bytes."""
    order = np.argsort(keys[:, 0])
    first = keys[order, 0]
    if len(first) > 1 and (first[1:] == first[:-1]).any():  # two random keys share no first half, equal keys do
        order = np.lexsort((keys[:, 1], keys[:, 0]))
    return order.astype(np.int64, copy=False)


class Lookup:
    """Open addressing with steps of one; at most half of the places are taken. Numbers are not negative; -1 says that a key is unknown."""

    def __init__(self) -> None:
        self._make(_LEAST)

    def __len__(self) -> int:
        return self._count

    def clear(self) -> None:
        """Forgets everything, and gives the memory back."""
        self._make(_LEAST)

    def find(self, keys: Words) -> Ints:
        """The number of each key, -1 where it is unknown."""
        found = np.full(len(keys), _NONE, np.int64)
        places = self._places(keys)
        waiting = np.arange(len(keys))
        while len(waiting):
            there = self._numbers[places]
            taken = there != _NONE
            same = taken & (self._first[places] == keys[waiting, 0]) & (self._second[places] == keys[waiting, 1])
            found[waiting[same]] = there[same]
            on = taken & ~same
            waiting, places = waiting[on], (places[on] + 1) & self._mask
        return found

    def add(self, keys: Words, numbers: Ints) -> None:
        """Adds keys; those that are known get the new number. A key that comes twice in one call comes with the same number."""
        if not len(keys):
            return
        while 2 * (self._count + len(keys)) > len(self._numbers):
            self._grow()
        places = self._places(keys)
        waiting = np.arange(len(keys))
        while len(waiting):
            free = self._numbers[places] == _NONE
            self._numbers[places[free]] = waiting[free]  # of those who want a place the last one written gets it
            won = free.copy()
            won[free] = self._numbers[places[free]] == waiting[free]
            self._first[places[won]], self._second[places[won]] = keys[waiting[won]].T
            self._numbers[places[won]] = numbers[waiting[won]]
            self._count += int(won.sum())
            lost = ~won
            same = lost & (self._first[places] == keys[waiting, 0]) & (self._second[places] == keys[waiting, 1])
            self._numbers[places[same]] = numbers[waiting[same]]
            on = lost & ~same
            waiting, places = waiting[on], (places[on] + 1) & self._mask

    def _places(self, keys: Words) -> Ints:
        return (keys[:, 1] & np.uint64(self._mask)).astype(np.int64)

    def _make(self, size: int) -> None:
        self._first = np.zeros(size, np.uint64)
        self._second = np.zeros(size, np.uint64)
        self._numbers = np.full(size, _NONE, np.int64)
        self._mask = size - 1
        self._count = 0

    def _grow(self) -> None:
        taken = self._numbers != _NONE
        keys = np.stack((self._first[taken], self._second[taken]), axis=1)
        numbers = self._numbers[taken]
        self._make(2 * len(self._numbers))
        self.add(keys, numbers)
