"""What members do in the mini-program, as its messages: visits on the way to an order, and enquiries about drinks.

Promise: enquiries about drinks low in sugar by those who allow statistics grow by a fifth from each month to the next, to the nearest
whole enquiry. A visit's messages go the same way: over a socket or in a file.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.sources.synthetic.members import SIGNALS, Members
from ingestion.sources.synthetic.orders import LOW, SKU_IDS, SKUS
from ingestion.sources.synthetic.plan import Retailer, digits, picked, stamps

GROWTH = 1.2
FIRST_ENQUIRIES, LEAST_ENQUIRIES, OTHER_ENQUIRIES, VISITS = 1_200, 25, 800, 70_000
LIVE = 0.27
"""Of all visits, those whose messages come over a socket."""
STEPS = ("Product Viewed", "Product Added", "Order Completed")
ENQUIRY = "Enquiry"
CATEGORIES = np.array([category for _, category, _ in SKUS])


def enquiries_by_month(retailer: Retailer) -> list[int]:
    """How many enquiries about drinks low in sugar each month has."""
    first = retailer.scaled(FIRST_ENQUIRIES, LEAST_ENQUIRIES)
    return [round(first * GROWTH**month) for month in range(retailer.months)]


def messages(retailer: Retailer, members: Members) -> tuple[pa.Table, np.ndarray, np.ndarray]:
    """Every message; whose are counted; which come over a socket."""
    chance = retailer.chance("events")
    mine, theirs = (some[members.openid[some] != ""] for some in (members.counted, members.refused))
    blocks = [_enquiries(retailer, chance, mine, enquiries_by_month(retailer), low=True)]
    blocks.append(_enquiries(retailer, chance, mine, [retailer.scaled(OTHER_ENQUIRIES)] * retailer.months, low=False))
    blocks.append(_visits(retailer, chance, mine, retailer.scaled(VISITS, 20)))
    if len(theirs):
        blocks.append(_visits(retailer, chance, theirs, retailer.scaled(VISITS // 12, 2)))
    day, second, who, sku, step, what = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    visit = np.cumsum(step == 0)
    order = np.argsort(day * 86_400 + second, kind="stable")
    live = (_hashed(visit) < LIVE)[order]
    counted = members.admitted[who][order]
    table = _table(retailer, members, day, second + 20 * step, who, what, sku, visit, step, prefix="e")
    return table.take(order), counted, live


def signals(retailer: Retailer, members: Members) -> pa.Table:
    """Those who withdraw in the mini-program, on the window's last day."""
    who = np.flatnonzero(members.says == SIGNALS)
    nought = np.zeros(len(who), np.int64)
    last = np.full(len(who), len(retailer.days) - 1)
    what = np.full(len(who), "Application Opened")
    return _table(retailer, members, last, 43_200 + np.arange(len(who)) % 3_600, who, what, nought, np.arange(len(who)), nought, prefix="w")


def _hashed(visit: np.ndarray) -> np.ndarray:
    """A number from 0 to 1 for each visit."""
    return (visit * 2_654_435_761 % 2**32) / 2**32


def _enquiries(
    retailer: Retailer, chance: np.random.RandomState, among: np.ndarray, by_month: list[int], *, low: bool
) -> tuple[np.ndarray, ...]:
    month = np.repeat(np.arange(retailer.months), by_month)
    starts = np.searchsorted(retailer.month_of_day, np.arange(retailer.months))
    lengths = np.bincount(retailer.month_of_day)
    day = starts[month] + (chance.random_sample(len(month)) * lengths[month]).astype(np.int64)
    sku = chance.choice(np.flatnonzero(LOW if low else ~LOW), len(month))
    return *_starts(chance, among, day, sku), np.full(len(month), ENQUIRY)


def _visits(retailer: Retailer, chance: np.random.RandomState, among: np.ndarray, number: int) -> tuple[np.ndarray, ...]:
    depth = 1 + (chance.random_sample(number) < 0.45) + (chance.random_sample(number) < 0.3)
    visit = np.repeat(np.arange(number), depth)
    step = np.arange(len(visit)) - np.repeat(np.cumsum(depth) - depth, depth)
    day, second, who, sku, _ = _starts(chance, among, chance.randint(0, len(retailer.days), number), chance.randint(0, len(SKUS), number))
    return day[visit], second[visit], who[visit], sku[visit], step, np.array(STEPS)[step]


def _starts(chance: np.random.RandomState, among: np.ndarray, day: np.ndarray, sku: np.ndarray) -> tuple[np.ndarray, ...]:
    """Visits of one step: day, second of the day, who, drink, step."""
    second = 32_400 + chance.randint(0, 46_000, len(day))
    return day, second, among[chance.randint(0, len(among), len(day))], sku, np.zeros(len(day), np.int64)


def _table(
    retailer: Retailer,
    members: Members,
    day: np.ndarray,
    second: np.ndarray,
    who: np.ndarray,
    what: np.ndarray,
    sku: np.ndarray,
    visit: np.ndarray,
    step: np.ndarray,
    *,
    prefix: str,
) -> pa.Table:
    return pa.table(
        {
            "id": digits(np.arange(len(day)), 7, f"{prefix}-"),
            "at": pc.binary_join_element_wise(pc.replace_substring(stamps(retailer.days[day], second), " ", "T"), "+08:00", ""),
            "openid": picked(members.openid, who),
            "event": what,
            "sku": picked(SKU_IDS, sku),
            "category": picked(CATEGORIES, sku),
            "visit": digits(visit, 7, f"{prefix}v"),
            "step": digits(step),
            "agreed": picked(np.char.add(members.signed.astype("U10"), "T00:00:00+08:00"), who),
        }
    )
