"""What the words of the reports mean: band edges, the eight segments, stages, months, and how a number with a margin may be shown.

Promise: public constants and functions of one person's own facts (dp_rules P-6); every edge stands here and nowhere else. Pure: no engine,
no lake, no clock. It must never learn two people at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

CLOSE_VERSION = "retail-1"
LOOK_BACK_MONTHS = 12

# ── recency, frequency, value ──────────────────────────────────────────────────────────────────────────────────────────────────

RECENCY_DAYS = (7, 30, 90, 180)
"""Days since the last purchase, counted back from the close: band 5 within 7 days … band 1 longer ago than 180."""
FREQUENCY_ORDERS = (1, 2, 3, 6, 11)
"""Orders within the look-back: band 1 is one order, 2 is two, 3 is 3–5, 4 is 6–10, 5 is 11 and more."""
VALUE_MINOR = (0, 20_000, 50_000, 150_000, 500_000)
"""Amount paid within the look-back, in minor units (yuan 200, 500, 1,500, 5,000): band 1 from nothing, … band 5 from yuan 5,000."""
HIGH_BAND = 3
"""A band of at least this is "high" in the eight segments: bought within 90 days, three orders, yuan 500."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One of the eight customary segments: `high` names those of R, F and M that are high, the others are low."""

    key: str
    high: str
    en: str
    zh: str

    @property
    def flags(self) -> tuple[bool, bool, bool]:
        """Whether recent, whether frequent, whether valuable."""
        return "R" in self.high, "F" in self.high, "M" in self.high


SEGMENTS = (
    Segment("champions", "RFM", "Champions", "重要价值客户"),
    Segment("important_to_develop", "RM", "Important to develop", "重要发展客户"),
    Segment("important_to_keep", "FM", "Important to keep", "重要保持客户"),
    Segment("important_to_win_back", "M", "Important to win back", "重要挽留客户"),
    Segment("general_value", "RF", "General value", "一般价值客户"),
    Segment("general_to_develop", "R", "General to develop", "一般发展客户"),
    Segment("general_to_keep", "F", "General to keep", "一般保持客户"),
    Segment("general_to_win_back", "", "General to win back", "一般挽留客户"),
)

STAGES: Mapping[str, int | None] = MappingProxyType({"active": 30, "cooling": 90, "sleeping": 180, "lost": None})
"""Stages by days since the last purchase (upper edge); besides them "new" (first purchase in this month) and "prospect" (none)."""
NEW, PROSPECT = "new", "prospect"

AGAIN_DAYS = (7, 30)
"""Days from the first purchase to the second within the look-back: band 1 within 7 days, 2 within 30, 3 later; 0 while there is none."""
AGAIN_WITHIN_7, AGAIN_WITHIN_30, AGAIN_LATER = 1, 2, 3

FURTHER_DAYS = (1, 2, 3, 5, 10)
"""Days with a purchase after the first such day, within the look-back: band 0 is none, 1 one, 2 two, 3 is 3–4, 4 is 5–9, 5 is 10 and more."""
TICKET_MINOR = (1_500, 4_000, 10_000, 25_000, 70_000)
"""What a day with a purchase was worth on average, in minor units: band 1 under the first edge, … band 6 from the last; 0 without one."""
DISCOUNT_PERCENT = (1, 10, 30)
"""The part of list prices that discounts took off, in per cent: band 1 under the first edge, … band 4 from the last; 0 without a purchase."""
SHARED = ("product_shared", "product_reviewed")
SHARED_TIMES = (1, 3)
"""How often somebody told others of a product within the look-back: band 0 never, 1 once or twice, 2 three times and more."""


def band(value: int, edges: Sequence[int]) -> int:
    """How many edges a value has reached: 0 below the first one."""
    return sum(1 for edge in edges if value >= edge)


def recency_band(days: float) -> int:
    """5 within the first edge, 1 beyond the last."""
    return 1 + sum(1 for edge in RECENCY_DAYS if days <= edge)


def segment(recency: int, frequency: int, value: int) -> str | None:
    """The segment of three bands; None for somebody without a purchase in the look-back."""
    if not recency or not frequency:
        return None
    flags = (recency >= HIGH_BAND, frequency >= HIGH_BAND, value >= HIGH_BAND)
    return next(one.key for one in SEGMENTS if one.flags == flags)


# ── the furthest step ──────────────────────────────────────────────────────────────────────────────────────────────────────────

FUNNEL = ("product_viewed", "product_added", "order_completed")
"""View, add, pay: the events of the funnel in their order."""


# ── months ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def is_month(value: int) -> bool:
    """Whether a number is a calendar month, YYYYMM."""
    return 190001 <= value <= 299912 and 1 <= value % 100 <= 12


def month_after(month: int, count: int = 1) -> int:
    """The month `count` months later, or earlier for a negative count."""
    position = month // 100 * 12 + month % 100 - 1 + count
    return position // 12 * 100 + position % 12 + 1


def months_between(first: int, last: int) -> tuple[int, ...]:
    """All months from the first to the last, both included."""
    found = []
    while first <= last:
        found.append(first)
        first = month_after(first)
    return tuple(found)


def month_start(month: int, zone: str) -> datetime:
    """The instant at which a data month begins in the controller's time zone, in UTC."""
    return datetime(month // 100, month % 100, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def month_end(month: int, zone: str) -> datetime:
    """The instant at which a data month ends."""
    return month_start(month_after(month), zone)


# ── numbers with margins ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Reading:
    """How a number may be shown (dp_rules §6): `as_` is number, about, band or too_few. Decided on the noisy value only."""

    as_: str
    low: float
    high: float
    value: float | None = None
    readable_from: float | None = None

    def document(self) -> dict[str, float | str]:
        document: dict[str, float | str] = {"as": self.as_, "low": self.low, "high": self.high}
        if self.value is not None:
            document["value"] = self.value
        if self.readable_from is not None:
            document["readable_from"] = self.readable_from
        return document


def reading(value: float, margin: float, *, floor_is_zero: bool = True) -> Reading:
    """A bare number only where the margin is small; wider margins become "about", a band, or "too few to tell". Ends are rounded outward."""
    least = 0.0 if floor_is_zero else -math.inf
    low, high = (max(least, end) for end in (_rounded(value - margin, margin, math.floor), _rounded(value + margin, margin, math.ceil)))
    share = margin / abs(value) if value else math.inf
    if share > 0.5:
        return Reading("too_few", low, high, readable_from=_rounded(4 * margin, margin))
    if share > 0.25:
        return Reading("band", low, high)
    return Reading("number" if share <= 0.1 else "about", low, high, value=_rounded(value, margin))


def _rounded(value: float, margin: float, way: Callable[[float], float] = round) -> float:
    """Rounded to a round number of at most half the margin, so that no digit pretends to more than is known."""
    if margin <= 0:
        return value
    exponent = math.floor(math.log10(margin / 2)) if margin > 0 else 0
    lead = margin / 2 / 10.0**exponent
    step = (5 if lead >= 5 else 2 if lead >= 2 else 1) * 10.0**exponent
    return round(way(value / step) * step, max(0, -exponent))
