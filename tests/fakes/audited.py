"""A month of a small chain for the audit: ordinary people, and one who did as much as can be done; and how each report is asked of it. Tests only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from analytics import metrics
from analytics.reports.asked import House, Options
from analytics.reports.base import Report
from analytics.reports.kinds import KINDS
from privacy.dictionary import catalogue
from privacy.records import Question

Row = dict[str, Any]
World = dict[str, list[Row]]
ZONE, MONTH, BEFORE = "Asia/Shanghai", 202601, (202511, 202512, 202601)
HOUSE = House(catalogue.load(), ZONE, "CNY")
CHANNELS, STORES, PRODUCTS = ("email", "sms", "wechat"), ("S1", "S2", "S3"), ("P1", "P2", "P3", "P4")
KINDS_OF_TOUCH, BUYING = ("impression", "open", "click", "visit"), ("product_viewed", "product_added", "order_completed")
TIERS, SEXES, AGES, STAGES = ("basic", "silver", "gold"), ("female", "male"), ("20-24", "25-29", "40-49"), ("new", "active", "cooling")
PUBLIC = {
    "stores": pa.table({"id": list(STORES), "region": ["east", "south", "east"]}),
    "products": pa.table(
        {"id": list(PRODUCTS), "list_price_minor": [1_500, 4_500, 9_000, 2_500], "category": ["tea", "cake", "tea", "snack"]}
    ),
    "campaigns": pa.table({"id": ["C1", "C2", "C3"], "channel": list(CHANNELS)}),
    "campaign_costs": pa.table({"campaign": ["C1", "C2", "C3"], "day": [date(2026, 1, 3)] * 3, "cost_minor": [150_000, 80_000, 70_000]}),
}
WORST = 0
ASKED: Mapping[str, Options] = {
    "sales": Options(MONTH, MONTH, ("channel",), measures=("orders", "sales", "people")),
    "trend": Options(MONTH, MONTH, ("week",), measures=("orders",)),
    "baskets": Options(MONTH, MONTH, (), ("threshold=99",)),
    "experiment": Options(MONTH, MONTH, (), ("experiment=x1", "arm=a|control")),
    "before_after": Options(BEFORE[0], MONTH, (), ("experiment=x1",)),
}
"""What is asked where a question needs more than its kind, or where its own form has very many cells."""


def question(kind: str) -> Question:
    """The kind's question of this month."""
    return KINDS[kind].question(ASKED.get(kind, Options(MONTH, MONTH)), HOUSE)


def report(kind: str) -> Report:
    return KINDS[kind]


def month(people: int, *, seed: int = 1, months: Sequence[int] = BEFORE) -> World:
    """Three months of people of whom six in ten do something in each: three orders on average with a heavy tail, 1.8 lines an order."""
    noise = np.random.default_rng(seed)
    world: World = {name: [] for name in ("order_lines", "touches", "events", "person_month", "feedback")}
    for one in range(1, people + 1):
        person = _Person(one, noise)
        for data_month in months:
            world["person_month"].append(person.closed(data_month))
            if noise.random() < 0.6:
                person.act(world, data_month, orders=int(min(40, 1 + noise.poisson(2 * noise.gamma(0.8, 1 / 0.8)))))
    return world


def worst(world: World) -> World:
    """The same with somebody who did as much as can be done, in every store and on every day."""
    whole = {name: list(rows) for name, rows in world.items()}
    noise = np.random.default_rng(99)
    person = _Person(WORST, noise)
    for data_month in BEFORE:
        whole["person_month"].append(person.closed(data_month))
        person.act(whole, data_month, orders=60, lines=3, price=400_000, touches=60)
    return whole


class _Person:
    """One person: what stays the same about them, and what a month of theirs holds."""

    def __init__(self, run_id: int, noise: np.random.Generator) -> None:
        self.id, self._noise = run_id, noise
        self.known = tuple(noise.choice(STORES, 2))
        self.arm = self._one(("a", "control"))
        self.fixed = {
            "sex": self._one(SEXES),
            "age_band": self._one(AGES),
            "tier": self._one(TIERS),
            "occupation": "student",
            "region": "上海",
        }

    def _one(self, words: Sequence[Any]) -> Any:
        return words[int(self._noise.integers(0, len(words)))]

    def _at(self, data_month: int, last: float = 27.0) -> datetime:
        return metrics.month_start(data_month, ZONE) + timedelta(hours=int(self._noise.integers(0, int(last * 24))))

    def closed(self, data_month: int) -> Row:
        bands = {"recency": 5, "frequency": 5, "value": 5, "further": 5, "ticket": 6, "discount": 4, "sharing": 2, "again": 3}
        named = {
            f"{name}_band": int(self._noise.integers(0 if name in ("further", "again", "sharing") else 1, most + 1))
            for name, most in bands.items()
        }
        stages = {
            "stage": self._one(STAGES),
            "previous_stage": self._one(STAGES),
            "first_purchase_month": self._one((202508, 202511, data_month)),
        }
        return {"run_id": self.id, "month": data_month} | self.fixed | named | stages

    def act(self, world: World, data_month: int, *, orders: int, lines: int = 0, price: int = 0, touches: int = 0) -> None:
        """Orders with their lines, touches before them, visits, a note."""
        mine = {"run_id": self.id, "month": data_month}
        for number in range(orders):
            at = self._at(data_month)
            head = mine | {"hour": at, "order_key": data_month * 1_000_000 + self.id * 100 + number, "currency": "CNY", "kind": "sale"}
            head |= {"store_id": self._one(STORES if lines else self.known), "channel": self._one(("pos", "delivery", "mini_program"))}
            for _ in range(lines or 1 + int(self._noise.random() < 0.8)):
                net = price or int(self._noise.lognormal(7.4, 0.4))
                world["order_lines"].append(
                    head | {"product_id": self._one(PRODUCTS), "net_minor": net, "gross_minor": net, "discount_minor": 0}
                )
            visit = mine | {
                "hour": at,
                "visit": head["order_key"],
                "channel": "mini_program",
                "device_class": "mobile",
                "store_id": head["store_id"],
            }
            for event in BUYING[: 3 if self._noise.random() < 0.5 else 2]:
                world["events"].append(visit | {"event": event, "product_id": self._one(PRODUCTS), "quantity": 1, "category": "tea"})
        for _ in range(touches or 1 + int(self._noise.integers(0, 4))):
            place = int(self._noise.integers(0, 3))
            touch = {"hour": self._at(data_month, 20), "channel": CHANNELS[place], "campaign_id": f"C{place + 1}", "creative": "one"}
            world["touches"].append(mine | touch | {"kind": self._one(KINDS_OF_TOUCH), "experiment": "x1", "arm": self.arm})
        if touches or self._noise.random() < 0.1:
            note = {
                "hour": self._at(data_month),
                "topic": self._one(("taste", "service", "price")),
                "rating": 4,
                "store_id": self._one(STORES),
            }
            world["feedback"] += [mine | note | {"channel": "app"}] * (20 if touches else 1)
