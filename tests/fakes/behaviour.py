"""A small invented world of touches, orders, events and closed months, for reports of what customers do, and the one way to ask them. Tests only."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from analytics.engine import Engine
from analytics.reports.base import House, Options, Reports
from analytics.reports.kinds import KINDS
from privacy.dictionary import catalogue
from tests.fakes.releases import FakeReleases
from tests.fakes.view import MemoryReader

Row = dict[str, Any]
HOUSE = House(catalogue.load(), "Asia/Shanghai", "CNY")
CHANNELS = ("email", "sms", "wechat")
KINDS_OF_TOUCH = ("impression", "open", "click", "visit")
PUBLIC = {
    "stores": pa.table({"id": ["S1", "S2", "S3"], "region": ["east", "south", "east"]}),
    "products": pa.table({"id": ["P1", "P2"], "list_price_minor": [4_500, 9_000], "category": ["tea", "cake"]}),
    "campaigns": pa.table({"id": ["C1", "C2", "C3"], "channel": list(CHANNELS)}),
    "campaign_costs": pa.table(
        {
            "campaign": ["C1", "C1", "C2", "C3"],
            "day": [date(2026, 1, 3), date(2026, 1, 4), date(2026, 1, 9), date(2026, 2, 1)],
            "cost_minor": [100_000, 50_000, 80_000, 70_000],
        }
    ),
}


def hour(days: float, month: int = 1) -> datetime:
    """A whole hour, counted from the beginning of a month of 2026."""
    return datetime(2026, month, 1, tzinfo=UTC) + timedelta(hours=int(days * 24))


def world(seed: int = 1, people: int = 60, touches: int = 200, orders: int = 120) -> dict[str, list[Row]]:
    """Rows of all tables under run IDs; some touches lie after the last order, some people do only one of the things."""
    draw = random.Random(seed)

    def who() -> int:
        return draw.randrange(people)

    return {
        "touches": [
            {
                "run_id": who(),
                "hour": hour(draw.uniform(0, 28)),
                "channel": draw.choice((*CHANNELS, "unlisted", None)),
                "kind": draw.choice(KINDS_OF_TOUCH),
                "experiment": draw.choice(("x1", "x2", None)),
                "arm": draw.choice(("a", "b", "control")),
            }
            for _ in range(touches)
        ],
        "order_lines": [
            {
                "run_id": who(),
                "hour": hour(draw.uniform(0, 28)),
                "order_key": draw.randrange(orders),
                "kind": draw.choice(("sale", "sale", "sale", None, "return")),
                "net_minor": draw.randrange(500, 40_000),
                "currency": draw.choice(("CNY", None, "USD")),
                "store_id": draw.choice(("S1", "S2", "S3", "elsewhere", None)),
                "channel": "pos",
            }
            for _ in range(orders)
        ],
        "events": [
            {
                "run_id": who(),
                "hour": hour(draw.uniform(0, 28)),
                "visit": draw.choice((*range(80), None)),
                "event": draw.choice(("product_viewed", "product_added", "product_added", "product_removed", "order_completed")),
                "product_id": draw.choice(("P1", "P2", "P9", None)),
                "quantity": draw.choice((1, 2, None)),
                "value_minor": draw.choice((2_000, None)),
            }
            for _ in range(400)
        ],
    }


def reports(folder: Path, rows: Mapping[str, Sequence[Row]], public: Mapping[str, pa.Table] | None = None) -> Reports:
    """Reports over rows in memory, through a door without noise."""
    engine = Engine(folder / "lake", folder / "scratch", threads=1)
    reader = MemoryReader(engine, rows, PUBLIC if public is None else public)
    return Reports(reader, FakeReleases(), HOUSE, KINDS)  # type: ignore[arg-type]


def ask(folder: Path, kind: str, rows: Mapping[str, Sequence[Row]], *where: str, start: int = 202601, end: int = 202601) -> list[Row]:
    """The rows of a report's document, without noise."""
    return list(reports(folder, rows).ask(kind, Options(start, end, (), where), "usr_1")["rows"])


def told(rows: Sequence[Row], measure: str, *by: str) -> dict[Any, float]:
    """The values of one measure by their cell; one name gives plain keys."""
    found = {tuple(row[name] for name in by): row["value"] for row in rows if row["measure"] == measure and all(name in row for name in by)}
    return {key[0]: value for key, value in found.items()} if len(by) == 1 else found
