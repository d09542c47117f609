"""How far a table was read: the highest watermark, the place inside a pass, and how high the watermark was on earlier days.

Promise: a row that was read longer ago than items are remembered is never read again, whatever look-back was asked for, because then
nobody would notice that it is a duplicate. Written and read back exactly: a value keeps its type. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from privacy.errors import Invalid

REMEMBERED = timedelta(days=25)
"""Shorter than the thirty days for which message ids are known."""

_READ: dict[str, Callable[[str], Any]] = {
    "int": int,
    "str": str,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "Decimal": Decimal,
    "UUID": UUID,
}


@dataclass(frozen=True, slots=True)
class State:
    """`place` is (watermark, key…) inside a pass, or where the next one begins; `marks` are (day, highest watermark on it)."""

    high: Any = None
    place: tuple[Any, ...] | None = None
    marks: tuple[tuple[date, Any], ...] = ()

    def read_to(self, watermark: Any, key: Sequence[Any], now: datetime) -> State:
        """After a chunk whose last row has this watermark and key."""
        if type(watermark) not in (int, str, datetime, date, Decimal) or not (self.high is None or type(self.high) is type(watermark)):
            raise Invalid("a watermark is a whole number or a time, the same in every row", code="watermark_unfit", field="watermark")
        if any(type(value).__name__ not in _READ for value in key):
            raise Invalid("a key is of numbers, texts, times or UUIDs, and never empty", code="pull_key_unfit", field="key")
        high = watermark if self.high is None else max(self.high, watermark)
        today = now.date()
        kept = [(day, value) for day, value in self.marks if day != today]
        over = [one for one in kept if one[0] < today - REMEMBERED]
        recent = [one for one in kept if one[0] >= today - REMEMBERED]
        return State(high, (watermark, *key), (*over[-1:], *recent, (today, high)))

    def ended(self, *, again: bool) -> State:
        """After the last row of a pass: the next one goes on behind it, or looks back `again`."""
        return replace(self, place=None) if again and self.place is not None else self

    def floor(self, lookback: int) -> Any:
        """The watermark from which a new pass looks back; `lookback` counts seconds of a time, units of a number."""
        if isinstance(self.high, (int, Decimal)):
            return self.high - lookback
        if isinstance(self.high, datetime):
            return self.high - timedelta(seconds=lookback)
        if isinstance(self.high, date):
            return self.high - timedelta(days=-(-lookback // 86_400))
        try:
            moment = datetime.fromisoformat(self.high) - timedelta(seconds=lookback)
        except ValueError:
            raise Invalid(
                "looking back needs a watermark that is a number or an ISO time", code="watermark_unfit", field="lookback"
            ) from None
        text: str = self.high
        return moment.isoformat(sep=text[10] if len(text) > 10 else " ")[: max(len(text), 10)]

    def seen_for_good(self, now: datetime) -> Any:
        """The watermark up to which every row was first read so long ago that it must not be read again; None where there is none."""
        over = [value for day, value in self.marks if day < now.date() - REMEMBERED]
        return max(over) if over else None

    def text(self) -> bytes:
        """The state as bytes, to be sealed."""
        return json.dumps(
            {
                "high": _tagged(self.high),
                "place": None if self.place is None else [_tagged(value) for value in self.place],
                "marks": [[day.isoformat(), _tagged(value)] for day, value in self.marks],
            }
        ).encode()

    @classmethod
    def parse(cls, text: bytes) -> State:
        """What `text` wrote."""
        raw = json.loads(text)
        place = None if raw["place"] is None else tuple(_read(value) for value in raw["place"])
        return cls(_read(raw["high"]), place, tuple((date.fromisoformat(day), _read(value)) for day, value in raw["marks"]))


def _tagged(value: Any) -> list[str] | None:
    if value is None:
        return None
    return [type(value).__name__, value.isoformat() if isinstance(value, date) else str(value)]


def _read(tagged: list[str] | None) -> Any:
    return None if tagged is None else _READ[tagged[0]](tagged[1])
