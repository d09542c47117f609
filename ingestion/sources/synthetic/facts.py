"""The six facts as they were planted: the truth that released numbers are held against.

Promise: computed from what was invented, over those who allow statistics and over the whole window; the retailer's files alone could not
tell it, for they do not say who withdraws later.
"""

from __future__ import annotations

import numpy as np

from ingestion.sources.synthetic import words
from ingestion.sources.synthetic.events import enquiries_by_month
from ingestion.sources.synthetic.members import FEMALE, Members
from ingestion.sources.synthetic.orders import AFTERNOON, LOW, PRICES, Orders
from ingestion.sources.synthetic.plan import Retailer


def truth(retailer: Retailer, members: Members, orders: Orders) -> dict[str, float]:
    """Each fact's value, the sixth's share beside it. `orders` are those of people who allow."""
    counted = members.counted
    age = (np.datetime64(retailer.last) - members.birthday[counted]).astype(np.int64) / 365.25
    young = (members.sex[counted] == FEMALE) & (age >= 20) & (age < 30)
    enquiries = enquiries_by_month(retailer)
    growth = (enquiries[-1] / enquiries[0]) ** (1 / max(1, len(enquiries) - 1))
    return {
        "women_20_30": float(young.mean()),
        "students": float((members.job[counted] == words.STUDENT).mean()),
        "student_order": _average(members, orders, words.STUDENT) / _average(members, orders, words.OFFICE),
        "midweek": _daily(retailer, orders, (2, 3)) / _daily(retailer, orders, (5, 6)),
        "afternoon_delivery": _afternoon(orders),
        "low_sugar": growth,
        "low_sugar_share": float(LOW[orders.sku].mean()),
    }


def _average(members: Members, orders: Orders, job: str) -> float:
    """What one order of somebody of an occupation costs."""
    theirs = members.job[orders.member] == job
    lines = theirs[orders.order]
    return float((PRICES[orders.sku] - orders.off)[lines].sum() / max(1, theirs.sum()))


def _daily(retailer: Retailer, orders: Orders, weekdays: tuple[int, ...]) -> float:
    """Receipts at tills on such a day."""
    receipts = np.isin(retailer.weekdays[orders.day[~orders.delivered]], weekdays).sum()
    return float(receipts / max(1, np.isin(retailer.weekdays, weekdays).sum()))


def _afternoon(orders: Orders) -> float:
    """The share of deliveries from 14 to 17 o'clock, by that of the rest of the day."""
    afternoon = np.isin(orders.second // 3_600, AFTERNOON)
    return float(orders.delivered[afternoon].mean() / orders.delivered[~afternoon].mean())
