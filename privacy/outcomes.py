"""What became of the items of a batch, in columns.

Promise: pure; the same mapping as one verdict a position in a dictionary would be. It knows positions and verdicts, nothing of items.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from privacy.vocabulary import Verdict


class Verdicts(Mapping[int, Verdict]):
    """One verdict a position, in columns: a mapping to whoever asks for one, counts and runs to whoever has a hundred thousand."""

    __slots__ = ("_codes", "_kinds", "_positions")

    def __init__(self, positions: npt.NDArray[np.int64], codes: npt.NDArray[np.int8], kinds: Sequence[Verdict]) -> None:
        """`positions` rise; a code is a place in `kinds`."""
        self._positions, self._codes, self._kinds = positions, codes, tuple(kinds)

    @classmethod
    def of(cls, told: Mapping[int, Verdict]) -> Verdicts:
        """Any mapping as columns."""
        if isinstance(told, cls):
            return told
        kinds = list(dict.fromkeys(told.values()))
        ordered = sorted(told)
        codes = np.fromiter((kinds.index(told[one]) for one in ordered), np.int8, len(ordered))
        return cls(np.array(ordered, np.int64), codes, kinds)

    def tally(self) -> dict[Verdict, int]:
        """How many positions have each verdict."""
        return dict(zip(self._kinds, np.bincount(self._codes, minlength=len(self._kinds)).tolist(), strict=True))

    def runs(self) -> list[tuple[int, int, Verdict]]:
        """First and last position of each run of neighbours with one verdict, in order."""
        if not len(self._positions):
            return []
        breaks = np.flatnonzero((np.diff(self._positions) != 1) | (np.diff(self._codes) != 0))
        starts, ends = np.concatenate([[0], breaks + 1]), np.append(breaks, len(self._positions) - 1)
        first, last, codes = self._positions[starts].tolist(), self._positions[ends].tolist(), self._codes[starts].tolist()
        return [(one, other, self._kinds[code]) for one, other, code in zip(first, last, codes, strict=True)]

    def of_kind(self, kind: Verdict) -> list[int]:
        """The positions that have this verdict."""
        codes = [code for code, one in enumerate(self._kinds) if one is kind]
        found: list[int] = self._positions[np.isin(self._codes, codes)].tolist()
        return found

    def between(self, first: int, end: int) -> Verdicts:
        """The verdicts of the positions from `first` up to before `end`."""
        low, high = np.searchsorted(self._positions, [first, end]).tolist()
        return Verdicts(self._positions[low:high], self._codes[low:high], self._kinds)

    def among(self, positions: Sequence[int] | npt.NDArray[np.int64], kind: Verdict) -> npt.NDArray[np.bool_]:
        """Which of these positions have this verdict; one without any has not."""
        asked = np.asarray(positions, np.int64)
        if not len(self._positions) or kind not in self._kinds:
            return np.zeros(len(asked), np.bool_)
        place = np.minimum(np.searchsorted(self._positions, asked), len(self._positions) - 1)
        return np.asarray((self._positions[place] == asked) & (self._codes[place] == self._kinds.index(kind)), np.bool_)

    def __getitem__(self, position: int) -> Verdict:
        place = int(np.searchsorted(self._positions, position))
        if place == len(self._positions) or self._positions[place] != position:
            raise KeyError(position)
        kind: Verdict = self._kinds[int(self._codes[place])]
        return kind

    def __iter__(self) -> Iterator[int]:
        return iter(self._positions.tolist())

    def __len__(self) -> int:
        return len(self._positions)

    def items(self) -> ItemsView[int, Verdict]:
        return dict(zip(self._positions.tolist(), map(self._kinds.__getitem__, self._codes.tolist()), strict=True)).items()
