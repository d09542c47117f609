"""What a resolution found, in columns, for whoever writes it down: most of a batch is known and never asked for again.

Promise: a value or a digest that nobody asks for is not made; nothing here shows one. Must never learn: a database, what the rows say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from privacy.vocabulary import IdentifierType

Ints = npt.NDArray[np.int64]
T = TypeVar("T")


class Made(Generic[T]):
    """A column of which most is never asked for: some of it is there, the rest is made when it is."""

    __slots__ = ("_make", "_some")

    def __init__(self, some: Mapping[int, T], make: Callable[[int], T]) -> None:
        self._some: Mapping[int, T] = some
        self._make: Callable[[int], T] = make

    def __getitem__(self, place: int) -> T:
        found = self._some.get(place)
        return self._make(place) if found is None else found

    def of(self, places: Ints) -> list[T]:
        """Many of them."""
        asked = places.tolist()
        found = list(map(self._some.get, asked))
        return [self[place] if one is None else one for place, one in zip(asked, found, strict=True)]


class Ids:
    """Ids that stand side by side."""

    __slots__ = ("joined",)

    def __init__(self, joined: bytes) -> None:
        self.joined = joined

    def __getitem__(self, place: int) -> bytes:
        return self.joined[16 * place : 16 * place + 16]

    def of(self, places: Ints) -> bytes:
        """Some of them, side by side."""
        return np.frombuffer(self.joined, "V16")[places].tobytes()


class Numbers(Mapping[int, int]):
    """The numbers of known people by their places: those who stand for families first, merged ones behind the new."""

    __slots__ = ("_heads", "_numbers", "_people")

    def __init__(self, numbers: Ints, heads: int, people: int) -> None:
        self._numbers, self._heads, self._people = numbers, heads, people

    def __getitem__(self, place: int) -> int:
        spot = place if place < self._heads else place - self._people + self._heads if place >= self._people else -1
        if not 0 <= spot < len(self._numbers):
            raise KeyError(place)
        return int(self._numbers[spot])

    def among(self, places: Ints) -> npt.NDArray[np.bool_]:
        """Which of these places are of somebody known."""
        return np.asarray((places < self._heads) | (places >= self._people), np.bool_)

    def __iter__(self) -> Iterator[int]:
        yield from range(self._heads)
        yield from range(self._people, self._people + len(self._numbers) - self._heads)

    def __len__(self) -> int:
        return len(self._numbers)


@dataclass(frozen=True, slots=True)
class Found:
    """Unique identifiers of the batch with their digests under every version in force. Values stay in memory and out of every repr."""

    types: list[IdentifierType] = field(repr=False)
    values: Made[str] = field(repr=False)
    digests: Mapping[int, Made[bytes]] = field(repr=False)
    owner: Ints = field(repr=False)
    at_version: Ints = field(repr=False)
    version: int = 0
    tombstones: int = 0


@dataclass(frozen=True, slots=True)
class Join:
    """A row in which identifiers of two people stand who may be one: whoever admits the row must ask the consent of both.

    `late` says that `first` was known by weak identifiers alone and that `second` signed in. `members` are those of the two families
    whose identifiers met.
    """

    row: int
    first: bytes
    second: bytes
    late: bool = False
    members: tuple[bytes, bytes] = (b"", b"")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A link that was refused: to whom, and of which type; None where two whole people would be too many. `apart`: an officer said no."""

    row: int
    person: bytes = field(repr=False)
    type: IdentifierType | None
    apart: bool
