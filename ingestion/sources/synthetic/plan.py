"""What is to be invented and how much of it: members, days, rows, all in proportion to the members.

Promise: the same plan gives the same bytes on every machine and with every later version of a library: chance is drawn from NumPy's frozen
generator, each part from a stream of its own, so that one part's changes do not touch another's.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

FULL = 50_000
"""Members of the whole demonstration; everything else is scaled by how many there are instead."""
MALFORMED, DUPLICATE = 0.02, 0.01
NOTICE = "retail-notice-2026-01"
APPID = "wx7d3f0e5c1a9b2864"
"""The mini-program's name at WeChat, which is its namespace; invented."""


@dataclass(frozen=True)
class Retailer:
    """Members, the first and the last day (whole months in the shop's time zone), the seed."""

    members: int
    first: date
    last: date
    seed: int = 7

    def chance(self, part: str) -> np.random.RandomState:
        """A part's own stream of chance."""
        return np.random.RandomState(zlib.crc32(f"{self.seed}/{part}".encode()))

    def scaled(self, of_full: int, least: int = 1) -> int:
        """A number of the whole demonstration, in proportion to the members."""
        return max(least, round(of_full * self.members / FULL))

    @cached_property
    def days(self) -> np.ndarray:
        """Every day of the window."""
        return np.arange(np.datetime64(self.first), np.datetime64(self.last) + 1)

    @cached_property
    def weekdays(self) -> np.ndarray:
        """Monday is 0."""
        return (self.days.astype("datetime64[D]").astype(np.int64) + 3) % 7

    @cached_property
    def month_of_day(self) -> np.ndarray:
        """For each day how many months of the window lie before its own."""
        months = self.days.astype("datetime64[M]").astype(np.int64)
        return months - months[0]

    @property
    def months(self) -> int:
        return int(self.month_of_day[-1]) + 1

    @property
    def allowing(self) -> int:
        """How many allow statistics: 92 in a hundred, a multiple of twenty so that every quota comes out even."""
        return self.members * 92 // 100 // 20 * 20

    @property
    def signing(self) -> date:
        """The first day on which members gave their consents; all of them did before the window begins."""
        return self.first - timedelta(days=60)


# ── text, a column at a time ───────────────────────────────────────────────────────────────────────────────────────────────────


def padded(values: np.ndarray, width: int, before: str = "") -> np.ndarray:
    """Whole numbers as text of one width, with something before them."""
    return np.char.add(before, np.char.zfill(values.astype(f"U{width}"), width))


def digits(values: np.ndarray, width: int = 1, before: str = "") -> pa.Array:
    """The same as a column, for many."""
    plain = pc.utf8_lpad(pc.cast(pa.array(values), pa.string()), width, "0")
    return pc.binary_join_element_wise(before, plain, "") if before else plain


def picked(values: np.ndarray, places: np.ndarray) -> pa.Array:
    """The values at these places as a column."""
    return pa.array(values).take(pa.array(places))


def stamps(days: np.ndarray, seconds: np.ndarray) -> pa.Array:
    """Instants by the shop's clock as text: `2026-01-31 14:05:59`."""
    return pc.cast(pa.array(days.astype("datetime64[s]") + seconds.astype("timedelta64[s]")), pa.string())


def yuan(fen: np.ndarray) -> pa.Array:
    """Amounts as a till writes them: `12.50`."""
    known, places = np.unique(fen, return_inverse=True)
    written = np.char.add(np.char.add((known // 100).astype("U12"), "."), padded(known % 100, 2))
    return picked(written, places)
