"""What was stored before: digests of items for at least thirty days, written one after another and found by a memory of them.

Promise: an item is known from the transaction that stored it on, in every process, and a digest that was taken back or rolled back is
not. Digests look random, so a table with an index on them would write a page for nearly every item; here each batch adds one run, and
runs grow into generations of half a million, sorted and cut into parts, of which a process remembers only a filter. What a filter
lets through is looked up in the part itself, so that no answer is a guess. Holds digests under a key that is destroyed with the window,
mixed with their source's name; never a message id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy import lookup
from privacy.lookup import Lookup, Words
from privacy.orm import BigId, Instant, PlatformBase

DEDUPE_WINDOW = timedelta(days=30)
"""Clients retry for hours and integrators replay for weeks; the design asks for at least thirty days."""
TAKEN_BACK = timedelta(hours=48)
"""How long it stays on record which batch brought which digests, so that an import can be taken back."""
GENERATION = 500_000
"""Digests that runs may hold together before they become a generation; a process keeps them in memory, 24 to 48 bytes each."""
RUNS = 4_096
"""Runs before they become a generation, however small: a process reads all of them when it starts."""
PART = 2_048
"""Digests in one part of a generation: what is read to look one up."""
_BITS = 24
"""Bits of the filter for each digest, five of them set: one in a thousand unknown digests is looked up for nothing."""

Bools = npt.NDArray[np.bool_]


class SeenRun(PlatformBase):
    """What one batch stored: its digests, sorted."""

    __tablename__ = "seen_run"
    __table_args__ = {"sqlite_autoincrement": True}

    seq: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    source_id: Mapped[str] = mapped_column(sa.String(40))
    received_at: Mapped[datetime] = mapped_column(Instant, index=True)
    number: Mapped[int] = mapped_column(sa.BigInteger)
    digests: Mapped[bytes] = mapped_column(sa.LargeBinary)


class SeenGeneration(PlatformBase):
    """Runs that were put together. It never changes, but for digests that are taken back; its window is that of its youngest run."""

    __tablename__ = "seen_generation"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    received_at: Mapped[datetime] = mapped_column(Instant)
    number: Mapped[int] = mapped_column(sa.BigInteger)
    sieve: Mapped[bytes] = mapped_column(sa.LargeBinary)
    fences: Mapped[bytes] = mapped_column(sa.LargeBinary)


class SeenPart(PlatformBase):
    """Some of a generation's digests, sorted; `fences` of the generation has the first eight bytes of each part."""

    __tablename__ = "seen_part"

    generation: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    place: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    digests: Mapped[bytes] = mapped_column(sa.LargeBinary)


class SeenHead(PlatformBase):
    """One row: the last run that is in a generation, and how often something was taken back or swept."""

    __tablename__ = "seen_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    through: Mapped[int] = mapped_column(sa.BigInteger)
    changes: Mapped[int] = mapped_column(sa.BigInteger)


_HEAD = sa.select(SeenHead.through, SeenHead.changes).where(SeenHead.id == 1)
_RUNS = sa.select(SeenRun.seq, SeenRun.digests).where(SeenRun.seq > sa.bindparam("after")).order_by(SeenRun.seq)
_LAST = sa.select(sa.func.length(SeenRun.digests), sa.func.substr(SeenRun.digests, 1, 16)).where(SeenRun.seq == sa.bindparam("last"))
_GENERATIONS = sa.select(SeenGeneration.id).order_by(SeenGeneration.id)
_GENERATION = sa.select(SeenGeneration.sieve, SeenGeneration.fences).where(SeenGeneration.id == sa.bindparam("one"))
_ADD_RUN = sa.insert(SeenRun)


@dataclass(frozen=True, slots=True)
class _Sieve:
    """What a process keeps of a generation."""

    words: npt.NDArray[np.uint64]
    fences: npt.NDArray[np.uint64]

    def lets_through(self, keys: Words) -> Bools:
        place, mask = _marks(keys, len(self.words))
        return np.asarray(self.words[place] & mask == mask, np.bool_)


class Memory:
    """What a process remembers. Only what was committed is in it: a batch's own digests come in with the next look at the runs.

    `digests` and `runs` bound what stays outside generations.
    """

    def __init__(self, *, digests: int = GENERATION, runs: int = RUNS) -> None:
        self.digests, self.runs = digests, runs
        self._lock = Lock()
        self._within: Any = None
        self._table = Lookup()
        self._generations: dict[int, _Sieve] = {}
        self._through = self._last = self._runs = 0
        self._changes = -1
        self._last_mark: tuple[int, bytes] | None = None

    def known(self, tx: sa.Connection, keys: Words) -> Bools:
        """Which digests (as `keys_of` gives them) were stored before. The caller is the only one who writes now."""
        if self._within is not None and self._within is tx.get_transaction():
            return Memory(digests=self.digests, runs=self.runs).known(tx, keys)  # this transaction has written, and may yet take it back
        with self._lock:
            self._follow(tx)
            self._within = tx.get_transaction()
            found = self._table.find(keys) >= 0
            for generation, sieve in self._generations.items():
                asked = np.flatnonzero(~found & sieve.lets_through(keys))
                if len(asked):
                    found[asked] = _in_parts(tx, generation, sieve.fences, keys[asked])
            return found

    def full(self, more: int) -> bool:
        """Whether it is time for a generation, with one run of so many digests more."""
        return len(self._table) + more >= self.digests or self._runs + 1 >= self.runs

    def _follow(self, tx: sa.Connection) -> None:
        through, changes = tx.execute(_HEAD).one_or_none() or (0, 0)
        if changes != self._changes or (self._last and self._mark(tx) != self._last_mark):
            self._forget()
            self._changes = changes
        if through != self._through:
            self._table.clear()
            self._runs, self._through, self._last = 0, through, 0
            ids = list(tx.execute(_GENERATIONS).scalars())
            kept = self._generations
            self._generations = {one: kept.get(one) or _read(tx, one) for one in ids}
        for seq, digests in tx.execute(_RUNS, {"after": max(self._last, through)}):
            keys = lookup.words(digests)
            self._table.add(keys, np.zeros(len(keys), np.int64))
            self._last, self._last_mark = seq, _mark_of(digests)
            self._runs += 1

    def _mark(self, tx: sa.Connection) -> tuple[int, bytes] | None:
        """What stands where the last remembered run stood: something else, if this memory is of another past."""
        found = tx.execute(_LAST, {"last": self._last}).one_or_none()
        return None if found is None else (found[0], bytes(found[1]))

    def _forget(self) -> None:
        self._table.clear()
        self._generations = {}
        self._through = self._last = self._runs = 0
        self._last_mark = None


# ── keys ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def keys_of(source_id: str, digests: bytes | memoryview) -> Words:
    """Digests of sixteen bytes, mixed with their source's name, so that two sources never share one."""
    return lookup.words(digests) ^ lookup.words(hashlib.sha256(source_id.encode()).digest()[:16])


def add(tx: sa.Connection, source_id: str, keys: Words, memory: Memory, *, now: datetime) -> None:
    """Remembers digests that are not known and different from each other."""
    row = {"source_id": source_id, "received_at": now, "number": len(keys), "digests": lookup.joined(keys[lookup.ordered(keys)])}
    tx.execute(_ADD_RUN, row)
    if memory.full(len(keys)):
        put_together(tx, memory.digests)


# ── runs become generations ────────────────────────────────────────────────────────────────────────────────────────────────────


def put_together(tx: sa.Connection, full: int = GENERATION) -> None:
    """Makes all runs a generation, together with the last one where that has fewer than `full` digests."""
    through, changes = tx.execute(_HEAD).one_or_none() or (0, 0)
    rows = tx.execute(sa.select(SeenRun.seq, SeenRun.received_at, SeenRun.digests).where(SeenRun.seq > through)).all()
    if not rows:
        return
    pieces, youngest = [lookup.words(row.digests) for row in rows], max(row.received_at for row in rows)
    last = tx.execute(
        sa.select(SeenGeneration.id, SeenGeneration.received_at, SeenGeneration.number).order_by(SeenGeneration.id.desc()).limit(1)
    ).first()
    if last is not None and last.number < full:
        pieces.append(_all_of(tx, last.id))
        youngest = max(youngest, last.received_at)
        _drop(tx, [last.id])
    keys = np.concatenate(pieces)
    keys = keys[lookup.ordered(keys)]
    parts = [keys[start : start + PART] for start in range(0, len(keys), PART)]
    made = {"received_at": youngest, "number": len(keys), "sieve": _sieve(keys).tobytes(), "fences": keys[::PART, 0].tobytes()}
    generation = tx.execute(sa.insert(SeenGeneration).returning(SeenGeneration.id), made).scalar_one()
    tx.execute(
        sa.insert(SeenPart),
        [{"generation": generation, "place": place, "digests": lookup.joined(part)} for place, part in enumerate(parts)],
    )
    _move(tx, max(row.seq for row in rows), changes, new=through == 0 and changes == 0)


def _move(tx: sa.Connection, through: int, changes: int, *, new: bool) -> None:
    moved = tx.execute(sa.update(SeenHead).where(SeenHead.id == 1).values(through=through, changes=changes)) if not new else None
    if moved is None or not moved.rowcount:
        tx.execute(sa.insert(SeenHead), {"id": 1, "through": through, "changes": changes})


def _drop(tx: sa.Connection, generations: Sequence[int]) -> None:
    tx.execute(sa.delete(SeenPart).where(SeenPart.generation.in_(generations)))
    tx.execute(sa.delete(SeenGeneration).where(SeenGeneration.id.in_(generations)))


def _sieve(keys: Words) -> npt.NDArray[np.uint64]:
    made = np.zeros(max(1, len(keys) * _BITS // 64), np.uint64)
    place, mask = _marks(keys, len(made))
    np.bitwise_or.at(made, place, mask)
    return made


def _marks(keys: Words, size: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    """The word of the filter that stands for each key, and the bits in it."""
    place = ((keys[:, 0] >> np.uint64(32)) * np.uint64(size)) >> np.uint64(32)
    mask = np.zeros(len(keys), np.uint64)
    for step in range(5):
        mask |= np.uint64(1) << ((keys[:, 1] >> np.uint64(6 * step)) & np.uint64(63))
    return place.astype(np.int64), mask


def _read(tx: sa.Connection, generation: int) -> _Sieve:
    sieve, fences = tx.execute(_GENERATION, {"one": generation}).one()
    return _Sieve(np.frombuffer(sieve, np.uint64), np.frombuffer(fences, np.uint64))


def _all_of(tx: sa.Connection, generation: int) -> Words:
    found = tx.execute(sa.select(SeenPart.digests).where(SeenPart.generation == generation).order_by(SeenPart.place)).scalars()
    return lookup.words(b"".join(found))


def _in_parts(tx: sa.Connection, generation: int, fences: npt.NDArray[np.uint64], keys: Words) -> Bools:
    """Which keys stand in a generation, by its parts."""
    found = np.zeros(len(keys), bool)
    low = np.maximum(np.searchsorted(fences, keys[:, 0], side="left") - 1, 0)
    high = np.maximum(np.searchsorted(fences, keys[:, 0], side="right") - 1, 0)
    wanted = np.unique(np.concatenate([low, high])).tolist()
    for start in range(0, len(wanted), 500):
        some = wanted[start : start + 500]
        asked = sa.select(SeenPart.digests).where(SeenPart.generation == generation, SeenPart.place.in_(some)).order_by(SeenPart.place)
        found |= _among(keys, lookup.words(b"".join(tx.execute(asked).scalars())))
    return found


def _among(keys: Words, sorted_keys: Words) -> Bools:
    """Which keys are among sorted ones."""
    found = np.zeros(len(keys), bool)
    place = np.searchsorted(sorted_keys[:, 0], keys[:, 0])
    rows = np.arange(len(keys))
    while True:
        on = place < len(sorted_keys)
        rows, place = rows[on], place[on]
        same = sorted_keys[place, 0] == keys[rows, 0]
        rows, place = rows[same], place[same]
        if not len(rows):
            return found
        found[rows[sorted_keys[place, 1] == keys[rows, 1]]] = True
        place = place + 1


def _mark_of(digests: bytes) -> tuple[int, bytes]:
    return len(digests), bytes(digests[:16])


# ── taken back, and forgotten in time ──────────────────────────────────────────────────────────────────────────────────────────


def take_back(tx: sa.Connection, source_id: str, received: Sequence[datetime], *, low: bytes = b"", high: bytes | None = None) -> int:
    """Forgets the items that batches of these very instants stored, so that they may come again; returns how many.

    `low` and `high` bound the digests that one call looks through (from, up to before). After TAKEN_BACK nobody knows any more which
    batch stored what.
    """
    through, changes = tx.execute(_HEAD).one_or_none() or (0, 0)
    first = int.from_bytes(low[:8].ljust(8, b"\0"), "big")
    last = None if high is None else int.from_bytes(high[:8].ljust(8, b"\0"), "big")
    gone: list[Words] = []
    for begin in range(0, len(received), 500):
        asked = sa.select(SeenRun.seq, SeenRun.digests).where(
            SeenRun.source_id == source_id, SeenRun.received_at.in_(received[begin : begin + 500])
        )
        for seq, digests in tx.execute(asked).all():
            keys = lookup.words(digests)
            inside = keys[:, 0] >= np.uint64(first)
            if last is not None:
                inside &= keys[:, 0] < np.uint64(last)
            _shrink_run(tx, seq, keys[~inside])
            gone.append(keys[inside])
    if not gone:
        return 0
    keys = np.concatenate(gone)
    keys = keys[lookup.ordered(keys)]
    for generation in tx.execute(_GENERATIONS).scalars().all():
        _shrink_generation(tx, generation, keys)
    _move(tx, through, changes + 1, new=through == 0 and changes == 0)
    return len(keys)


def _shrink_run(tx: sa.Connection, seq: int, rest: Words) -> None:
    where = SeenRun.seq == seq
    if len(rest):
        tx.execute(sa.update(SeenRun).where(where).values(number=len(rest), digests=lookup.joined(rest)))
    else:
        tx.execute(sa.delete(SeenRun).where(where))


def _shrink_generation(tx: sa.Connection, generation: int, gone: Words) -> None:
    """Takes digests out of the parts in which they stand; the filter may go on letting them through."""
    sieve = _read(tx, generation)
    asked = gone[sieve.lets_through(gone)]
    low = np.maximum(np.searchsorted(sieve.fences, asked[:, 0], side="left") - 1, 0)
    high = np.maximum(np.searchsorted(sieve.fences, asked[:, 0], side="right") - 1, 0)
    for place in np.unique(np.concatenate([low, high])).tolist():
        where = (SeenPart.generation == generation) & (SeenPart.place == place)
        keys = lookup.words(tx.execute(sa.select(SeenPart.digests).where(where)).scalar_one())
        left = ~_among(keys, asked)
        if not left.all():
            tx.execute(sa.update(SeenPart).where(where).values(digests=lookup.joined(keys[left])))


def sweep(tx: sa.Connection, now: datetime) -> int:
    """Forgets digests whose window ended; returns how many."""
    through, changes = tx.execute(_HEAD).one_or_none() or (0, 0)
    ended = SeenRun.received_at <= now - DEDUPE_WINDOW
    runs = int(tx.scalar(sa.select(sa.func.coalesce(sa.func.sum(SeenRun.number), 0)).where(ended, SeenRun.seq > through)) or 0)
    tx.execute(sa.delete(SeenRun).where(sa.or_(ended, sa.and_(SeenRun.seq <= through, SeenRun.received_at <= now - TAKEN_BACK))))
    over = tx.execute(sa.select(SeenGeneration.id, SeenGeneration.number).where(SeenGeneration.received_at <= now - DEDUPE_WINDOW)).all()
    _drop(tx, [one.id for one in over])
    if runs or over:
        _move(tx, through, changes + 1, new=through == 0 and changes == 0)
    return runs + sum(one.number for one in over)
