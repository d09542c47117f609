"""Orders at tills and by delivery, and their lines.

Promise, among those who allow statistics: a Wednesday or Thursday has exactly 13 receipts for every 20 of a Saturday or Sunday; from 14 to
17 o'clock the share of deliveries is exactly 2.5 times that of the rest of the day; a student's order is on average exactly three fifths
of an office worker's; exactly 15 in a hundred drinks are low in sugar.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ingestion.sources.synthetic import words
from ingestion.sources.synthetic.members import Members
from ingestion.sources.synthetic.plan import Retailer, digits, picked, stamps, yuan

STORES = 80
STUDENT_FEN, OFFICE_FEN = 2_160, 3_600
AFTERNOON = (14, 15, 16)
OTHER_HOURS = (9, 10, 10, 11, 11, 12, 12, 12, 13, 13, 17, 17, 18, 18, 19, 19, 20, 20, 21)
SKUS = tuple(
    (name, category, price) for category, (names, prices) in words.DRINKS.items() for name, price in zip(names, prices, strict=True)
)
LOW = np.array([category == words.LOW_SUGAR for _, category, _ in SKUS])
PRICES = np.array([price * 100 for *_, price in SKUS])
SKU_IDS = np.array([f"D{number:02d}" for number in range(1, len(SKUS) + 1)])
STORE_IDS = np.array([f"S{number:02d}" for number in range(1, STORES + 1)])


@dataclass(frozen=True, slots=True)
class Orders:
    """One entry an order in the first five arrays, one entry a line in the others."""

    day: np.ndarray
    second: np.ndarray
    delivered: np.ndarray
    member: np.ndarray
    store: np.ndarray
    order: np.ndarray
    line: np.ndarray
    sku: np.ndarray
    off: np.ndarray

    def __len__(self) -> int:
        return len(self.day)


def counted(retailer: Retailer, members: Members) -> Orders:
    """The orders of those who allow statistics, by quota."""
    chance = retailer.chance("orders")
    till_days = _receipts_by_quota(retailer)
    tills = len(till_days)
    early = round(tills * 0.18 / 21) * 21 + tills % 21
    deliveries = early * 2 // 3 + (tills - early) * 4 // 21
    day = np.concatenate([till_days, chance.randint(0, len(retailer.days), deliveries)])
    delivered = np.arange(len(day)) >= tills
    afternoon = np.concatenate([_some(chance, tills, early), _some(chance, deliveries, early * 2 // 3)])
    return _orders(retailer, members, chance, members.counted, day, delivered, afternoon, exact=True)


def uncounted(retailer: Retailer, members: Members, like: Orders) -> Orders:
    """The orders of everybody else, in proportion to their number."""
    chance = retailer.chance("uncounted")
    number = round(len(like) * len(members.others) / max(1, len(members.counted)))
    day = chance.randint(0, len(retailer.days), number)
    delivered = chance.random_sample(number) < like.delivered.mean()
    return _orders(retailer, members, chance, members.others, day, delivered, chance.random_sample(number) < 0.2, exact=False)


def _receipts_by_quota(retailer: Retailer) -> np.ndarray:
    """For every receipt at a till its day. Their number is a multiple of three, which the afternoon's quota needs."""
    weekend = retailer.scaled(48) * 20
    kind = np.array([15, 15, 13, 13, 15, 20, 20])[retailer.weekdays]
    receipts = kind * weekend // 20
    mondays = np.flatnonzero(retailer.weekdays == 0)
    receipts[mondays[: -int(receipts.sum()) % 3]] += 1
    return np.repeat(np.arange(len(receipts)), receipts)


def _some(chance: np.random.RandomState, among: int, number: int) -> np.ndarray:
    """So many of so many."""
    return chance.permutation(among) < number


def _orders(
    retailer: Retailer,
    members: Members,
    chance: np.random.RandomState,
    among: np.ndarray,
    day: np.ndarray,
    delivered: np.ndarray,
    afternoon: np.ndarray,
    *,
    exact: bool,
) -> Orders:
    number = len(day)
    chances = np.cumsum(members.zest[among])
    member = among[np.searchsorted(chances, chance.random_sample(number) * chances[-1])]
    hour = np.where(afternoon, chance.choice(AFTERNOON, number), chance.choice(OTHER_HOURS, number))
    store = np.where(chance.random_sample(number) < 0.8, members.home[member], chance.randint(0, STORES, number))
    student, office = members.job[member] == words.STUDENT, members.job[member] == words.OFFICE
    more = chance.random_sample(number)
    lines = np.where(student, 1 + (more < 0.5), np.where(office, 2 + (more < 0.4), 1 + (more < 0.7) + (more < 0.3)))
    if exact:
        lines[np.flatnonzero(~student & ~office)[: -int(lines.sum()) % 20]] += 1
    order = np.repeat(np.arange(number), lines)
    line = np.arange(len(order)) - np.repeat(np.cumsum(lines) - lines, lines) + 1
    low = _some(chance, len(order), len(order) * 15 // 100)
    sku = np.where(low, chance.choice(np.flatnonzero(LOW), len(order)), chance.choice(np.flatnonzero(~LOW), len(order)))
    off = PRICES[sku] // 20
    if exact:
        for some, paid in ((student, STUDENT_FEN), (office, OFFICE_FEN)):
            of_these = some[order]
            off[of_these] = _shared(PRICES[sku[of_these]], int(some.sum()) * paid)
    return Orders(day, hour * 3600 + chance.randint(0, 3600, number), delivered, member, store, order, line, sku, off)


def _shared(prices: np.ndarray, paid: int) -> np.ndarray:
    """What comes off each price so that together exactly so much is paid."""
    total = int(prices.sum())
    until = np.cumsum(prices) * (total - paid) // max(total, 1)
    return np.diff(until, prepend=0)


# ── files ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def tills(retailer: Retailer, members: Members, orders: Orders, prefix: str) -> pa.Table:
    """The lines of the orders at tills, in the order of time."""
    return _lines(retailer, members, orders, ~orders.delivered, prefix, {"card": members.card})


def deliveries(retailer: Retailer, members: Members, orders: Orders, prefix: str) -> pa.Table:
    """The lines of deliveries, with whom the platform names."""
    street = np.char.add(members.province, "市幸福路1号")
    return _lines(
        retailer, members, orders, orders.delivered, prefix, {"phone": members.mobile, "receiver": members.name, "address": street}
    )


def _lines(retailer: Retailer, members: Members, orders: Orders, which: np.ndarray, prefix: str, who: dict[str, np.ndarray]) -> pa.Table:
    chosen = np.flatnonzero(which[orders.order])
    order = orders.order[chosen]
    when = orders.day[order] * 86_400 + orders.second[order]
    chosen = chosen[np.argsort(when, kind="stable")]
    order = orders.order[chosen]
    price, off = PRICES[orders.sku[chosen]], orders.off[chosen]
    return pa.table(
        {
            "receipt": digits(order, 7, prefix),
            "line": digits(orders.line[chosen]),
            "at": stamps(retailer.days[orders.day[order]], orders.second[order]),
            "store": picked(STORE_IDS, orders.store[order]),
            "sku": picked(SKU_IDS, orders.sku[chosen]),
            "cups": pa.repeat("1", len(chosen)),
            "price": yuan(price),
            "off": yuan(off),
            "paid": yuan(price - off),
            **{name: picked(values, orders.member[order]) for name, values in who.items()},
        }
    )
