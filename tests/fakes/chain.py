"""A small chain of shops in memory: rows of one or more months whose sums a test can count by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pyarrow as pa

from analytics import metrics
from analytics.engine import Engine, Session
from analytics.reports.base import House
from privacy.dictionary import catalogue
from tests.fakes.view import MemoryReader

ZONE = "Asia/Shanghai"
HOUSE = House(catalogue.load(), ZONE, "CNY")
PUBLIC = {
    "stores": pa.table({"id": ["S1", "S2", "S3"], "region": ["east", "east", None]}),
    "products": pa.table({"id": ["D1", "D2", "D3", "D4"], "category": ["milk_tea", "low_sugar", "snack", None]}),
}
PEOPLE = 20
Rows = dict[str, list[dict[str, Any]]]


def rows(*months: int) -> Rows:
    """Twenty people a month: three in four are women in their twenties, two in five are students; each gave one order of two lines."""
    found: Rows = {"order_lines": [], "person_month": [], "events": []}
    for number, month in enumerate(months):
        begin = metrics.month_start(month, ZONE)
        for person in range(PEOPLE):
            woman, student = person % 4 < 3, person % 5 < 2
            found["person_month"].append(
                {
                    "run_id": person,
                    "month": month,
                    "sex": "female" if woman else "male",
                    "age_band": "20-24" if woman else "40-49",
                    "occupation": "student" if student else "office_worker",
                    "tier": "silver" if student else "Platin",
                    "region": "上海",
                    "recency_band": 5 if student else 3,
                    "stage": "active",
                    "previous_stage": None if number == 0 else "new",
                    "first_purchase_month": month,
                }
            )
            afternoon = person < 8
            at = begin + timedelta(days=person % 14, hours=15 if afternoon else 10)
            order = {
                "run_id": person,
                "month": month,
                "hour": at,
                "order_key": person + 1,
                "store_id": ("S1", "S2", "S9")[person % 3],
                "channel": "delivery" if person in (0, 1, 2, 3, 10, 11) else "pos",
                "kind": "sale",
                "currency": "CNY",
            }
            price = 600 if student else 1_000
            found["order_lines"].append(order | {"product_id": "D2" if person == 0 else "D1", "net_minor": price})
            found["order_lines"].append(order | {"product_id": "D3" if person == 1 else "D4", "net_minor": price})
        for one in range(2 * 2**number):
            found["events"].append(
                {
                    "run_id": one % PEOPLE,
                    "month": month,
                    "hour": begin,
                    "event": "enquiry",
                    "category": "low_sugar" if one % 2 else "coffee",
                }
            )
    return found


def reader(engine: Engine | Session, held: Rows, **public: pa.Table) -> Any:
    """A reader over these rows."""
    return MemoryReader(engine, held, PUBLIC | public)
