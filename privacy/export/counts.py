"""Minimum size and minimum difference, decided on one stored noisy count a definition and day, on the safe side (dp_rules X-7).

Promise: the price is charged and committed before a number is drawn; a number that was drawn stays the answer of its day, so that asking again
tells nothing more; a count passes only at the minimum plus 4.75 standard deviations, so that a group below the minimum passes with probability
at most 10⁻⁶. Where the budget is used up nothing passes. It must never learn who is counted: it gets a whole number and keeps a noisy one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from privacy.dp import ledger, mechanisms
from privacy.errors import Refused, Unavailable
from privacy.orm import Begin, Instant, PlatformBase

MINIMUM: Final = 50
MARGIN: Final = 4.75
"""Standard deviations; a normal tail beyond it is 1.02 · 10⁻⁶, and the discrete Gaussian's is not above it (Canonne, Kamath, Steinke 2020)."""
RHO_NANO: Final = 200_000
"""What a count costs of its month: ρ = 0.0002, σ = 50."""
LEASE: Final = timedelta(minutes=5)
"""After which a count that was charged and not drawn is made again: whoever made it is gone."""
_ONE_PERSON: Final = 1


class CountRow(PlatformBase):
    """`noisy` is null between the charge and the draw: what a crash leaves there is spent."""

    __tablename__ = "export_count"

    digest: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    day: Mapped[date] = mapped_column(sa.Date, primary_key=True)
    noisy: Mapped[int | None] = mapped_column(sa.BigInteger)
    sigma: Mapped[float] = mapped_column(sa.Float)
    month: Mapped[int] = mapped_column(sa.Integer)
    at: Mapped[datetime] = mapped_column(Instant)


_COUNT: Any = CountRow.__table__


@dataclass(frozen=True, slots=True)
class Noisy:
    """A stored count and the scale of its noise."""

    value: int
    sigma: float

    def passes(self, minimum: int = MINIMUM) -> bool:
        """Whether there are surely at least so many."""
        return self.value >= minimum + MARGIN * self.sigma

    def document(self) -> dict[str, Any]:
        """As a marketer may see it, with its margin."""
        return {"value": max(0, self.value), "sigma": self.sigma, "passes": self.passes()}


def of_definition(definition: str, recipient: str, purpose: str) -> bytes:
    """What a count of one audience for one recipient is stored under."""
    return _digest("size", definition, recipient, purpose)


def of_difference(definition: str, others: Sequence[str], recipient: str) -> bytes:
    """What the least difference of an audience from other lists of a recipient is stored under."""
    return _digest("difference", definition, recipient, *sorted(others))


def _digest(*parts: str) -> bytes:
    return hashlib.sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).digest()


class Counter:
    """Asks for the day's count; each step commits its own. `begin` belongs to the account that may charge the budget; `cap_nano` is a month's."""

    def __init__(self, *, begin: Begin, read: Begin, cap_nano: int, rho_nano: int = RHO_NANO) -> None:
        self._begin, self._read, self._cap_nano, self._rho_nano = begin, read, cap_nano, rho_nano

    def known(self, digest: bytes, day: date) -> Noisy | None:
        """The day's count, if it was drawn."""
        with self._read() as tx:
            row = tx.execute(sa.select(_COUNT).where(_COUNT.c.digest == digest, _COUNT.c.day == day)).first()
        return None if row is None or row.noisy is None else Noisy(row.noisy, row.sigma)

    def count(self, digest: bytes, exact: Callable[[], int], *, day: date, months: Sequence[int], now: datetime) -> Noisy:
        """The day's count of something; bought of every month that it looks at, drawn and kept where the day has none.

        One person changes it by one at most. Raises BudgetExhausted, and keeps nothing then.
        """
        if (known := self.known(digest, day)) is not None:
            return known
        scale = mechanisms.calibrate(_ONE_PERSON, self._rho_nano)
        row = {"digest": digest, "day": day, "noisy": None, "sigma": scale, "month": max(months), "at": now}
        with self._begin() as tx:
            insert = (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(_COUNT)
            mine = tx.execute(insert.values(row).on_conflict_do_nothing().returning(_COUNT.c.month)).first() is not None
            if not mine and not self._take_over(tx, digest, day, now):
                raise Unavailable("this count is being made", code="count_pending", retry_after=2)
            ledger.settle(tx, months, self._cap_nano)
            ledger.charge(tx, f"gate_{_digest(digest.hex(), now.isoformat()).hex()[:24]}", months, self._rho_nano, now=now)
        drawn = mechanisms.noise([exact()], _ONE_PERSON, self._rho_nano)
        with self._begin() as tx:
            here = sa.and_(_COUNT.c.digest == digest, _COUNT.c.day == day, _COUNT.c.noisy.is_(None))
            tx.execute(sa.update(_COUNT).where(here).values(noisy=drawn.values[0], sigma=drawn.sigma))
        return self.known(digest, day) or Noisy(0, drawn.sigma)

    def forget(self, before: date) -> int:
        """Removes counts of days before one; what they cost stays charged. Returns how many."""
        with self._begin() as tx:
            return int(tx.execute(sa.delete(_COUNT).where(_COUNT.c.day < before)).rowcount)

    def _take_over(self, tx: sa.Connection, digest: bytes, day: date, now: datetime) -> bool:
        """Whether a count that somebody charged and never drew is ours now: it is paid once more."""
        here = sa.and_(_COUNT.c.digest == digest, _COUNT.c.day == day, _COUNT.c.noisy.is_(None), _COUNT.c.at <= now - LEASE)
        return bool(tx.execute(sa.update(_COUNT).where(here).values(at=now)).rowcount)


def check(noisy: Noisy | None, code: str, minimum: int = MINIMUM) -> None:
    """Raises Refused unless there are surely enough people, where there is anything to count; the message tells no number."""
    if noisy is not None and not noisy.passes(minimum):
        raise Refused("there are, or may be, too few people", code=code, field="segment")
