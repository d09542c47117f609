"""Segments over ten million purchase lines of a year: seconds and peak memory of finding the people of several definitions, and of explaining one.

`BENCH_SEGMENT_LINES` sets the lines (default 10,000,000), of a twentieth as many people, nine in ten of whom allow profiling. The lake is
written month by month into a temporary folder and is not measured; the engine has the memory and the threads of a fresh installation. Each
definition runs in a process of its own, for its peak memory is its own; seconds are wall clock and, in brackets, of the processor.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analytics import metrics
from analytics.audiences import Audiences
from analytics.engine import Engine
from analytics.lake.reader import LakeReader
from analytics.lake.tables import load
from analytics.lake.writer import settle, write_files
from analytics.segments.definition import Definition
from analytics.segments.parse import parse
from app.settings import LimitsSettings
from privacy.identity import profiles, pseudonyms
from privacy.preferences import Crowd
from privacy.vocabulary import PROFILING
from tests.fakes.lake import Lake

ZONE = "Asia/Shanghai"
AT = datetime(2026, 12, 31, 15, tzinfo=UTC)
MONTHS = metrics.months_between(202601, 202612)
PRODUCTS, CATEGORIES, STORES = 5_000, 40, 200
BUYERS = ("seg_buyers00", 1)
OTHERS = {BUYERS: parse({"count": "orders", "within": {"days": 90}, "at_least": 3})}
RULES: dict[str, dict[str, Any]] = {
    "three orders within 90 days": {"count": "orders", "within": {"days": 90}, "at_least": 3},
    "200 yuan in two categories within 30 days": {
        "sum": "paid", "within": {"days": 30}, "at_least": 20_000, "where": [{"field": "category", "is": ["c-1", "c-2"]}],
    },
    "five different products within a year": {"count": "products", "within": {"days": 365}, "at_least": 5},
    "champions": {"rfm": ["champions"]},
    "stage sleeping or lost": {"stage": ["sleeping", "lost"]},
    "women of two regions": {"all": [{"profile": "sex", "is": ["female"]}, {"profile": "region", "is": ["r-1", "r-2"]}]},
    "all of these together": {
        "all": [
            {"profile": "sex", "is": ["female"]},
            {"any": [{"rfm": ["champions", "important_to_keep"]}, {"stage": ["active", "cooling"]}]},
            {"count": "products", "within": {"days": 365}, "at_least": 5},
            {"segment": BUYERS[0], "version": BUYERS[1], "member": False},
        ]
    },
}  # fmt: skip


class Everybody:
    """The population of a question, as `privacy.preferences` makes it: real virtual IDs under a key a month, run IDs under one of its own."""

    def __init__(self, people: int) -> None:
        self.ids = np.random.default_rng(3).bytes(16 * people)
        self.allowed = self.ids[: 16 * (people * 9 // 10)]

    def names(self, month: int, ids: bytes) -> Any:
        return pseudonyms.virtual_ids(ids, self._cipher(month))

    def __call__(self, purpose: str) -> Crowd:
        return Crowd(purpose, "bench", lambda month: self.names(month, self.allowed), pseudonyms.run_ids(self.allowed, self._cipher(1)))

    def _cipher(self, number: int) -> Any:
        return profiles.INTERNATIONAL.permutation(number.to_bytes(32))


def main() -> None:
    """Writes the lake, and prints what each definition took."""
    lines = int(os.environ.get("BENCH_SEGMENT_LINES", "10000000"))
    with tempfile.TemporaryDirectory() as name:
        if len(sys.argv) > 1:
            measure(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
            return
        people = max(1_000, lines // 20)
        started = time.perf_counter()
        fill(Lake(Path(name) / "home"), lines, Everybody(people))
        size = sum(one.stat().st_size for one in Path(name).rglob("*.parquet")) / 2**20
        print(f"lake: N {lines:,} lines, {people:,} people, {size:,.0f} MiB, written in {time.perf_counter() - started:.0f} s", flush=True)
        for rule in RULES:
            subprocess.run([sys.executable, "-m", __spec__.name, str(Path(name) / "home"), str(people), rule], check=True)


def measure(home: Path, people: int, name: str) -> None:
    """Finds the people of one definition and explains one of them; prints both."""
    lake, limits, everybody = Lake(home), LimitsSettings(), Everybody(people)
    engine = Engine(home / "lake", home / "scratch", threads=limits.engine_threads, memory=f"{limits.engine_memory}MiB")
    reader = LakeReader(lake.catalog, lake.dictionary, engine, everybody)
    made = Audiences(lambda needs: reader, ZONE)
    definition = Definition("seg_bench0000", 1, PROFILING, "marketing", parse(RULES[name]), others=OTHERS)
    audience, found = timed(lambda: made.of(definition, AT))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    look, told = timed(lambda: made.why(definition, AT, [int(everybody.names(202612, everybody.allowed[:16])[0])]))
    assert look is not None
    size = f"{len(audience.virtual_ids):,} people"
    print(f"segment, {name}: {size} in {found}, {peak:,.0f} MiB at most; one of everybody explained in {told}", flush=True)


def timed(act: Any) -> tuple[Any, str]:
    """What an act gave, and how long it took."""
    started, worked = time.perf_counter(), time.process_time()
    told = act()
    return told, f"{time.perf_counter() - started:.1f} s ({time.process_time() - worked:.1f} s)"


# ── the lake ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def fill(lake: Lake, lines: int, everybody: Everybody) -> None:
    """A year of orders of two lines on average, a heavy tail of people; products with facts, and a profile of everybody."""
    lake.put(
        "products",
        [{"id": f"p-{one}", "category": f"c-{one % CATEGORIES}", "brand": f"b-{one % 90}", "loaded": 1} for one in range(PRODUCTS)],
    )
    noise, people = np.random.default_rng(5), len(everybody.ids) // 16
    for month in MONTHS:
        names = everybody.names(month, everybody.ids)
        count = lines // len(MONTHS)
        orders = np.sort(noise.integers(0, max(1, count // 2), count))
        buyer = (noise.pareto(1.5, count // 2 + 1) * people / 6).astype(np.int64) % people
        hour = noise.integers(0, 28 * 24, count // 2 + 1)[orders]
        start = metrics.month_start(month, ZONE)
        hours = np.datetime64(start.replace(tzinfo=None), "us") + hour.astype("timedelta64[h]")
        write(
            lake, "order_lines", month, names[buyer[orders]], hours,
            order_key=orders * 1_000_003 + month, kind=words(["sale"] * 19 + ["return"], noise.integers(0, 20, count)),
            product_id=words([f"p-{one}" for one in range(PRODUCTS)], noise.integers(0, PRODUCTS, count)),
            store_id=words([f"s-{one}" for one in range(STORES)], noise.integers(0, STORES, count)),
            net_minor=noise.integers(500, 9_000, count), quantity_milli=np.full(count, 1_000), discount_minor=noise.integers(0, 900, count),
        )  # fmt: skip
    names = everybody.names(MONTHS[0], everybody.ids)
    told = np.full(people, np.datetime64((metrics.month_start(MONTHS[0], ZONE) + timedelta(days=1)).replace(tzinfo=None), "us"))
    write(
        lake, "profiles", MONTHS[0], names, told, sex=words(["female", "male"], noise.integers(0, 2, people)),
        region=words([f"r-{one}" for one in range(30)], noise.integers(0, 30, people)), joined_month=np.full(people, 202501),
    )  # fmt: skip


def words(some: list[str], places: Any) -> pa.Array:
    """A column of words by their places."""
    return pa.array(some).take(pa.array(places))


def write(lake: Lake, name: str, month: int, names: Any, hours: Any, **columns: Any) -> None:
    """Rows as the lake's writer would leave them."""
    table, count = load(lake.catalog, name), len(names)
    rows = columns | {"virtual_id": names, "month": np.full(count, month), "source": words(["src_bench"], np.zeros(count, np.int64))}
    rows["hour"] = pc.assume_timezone(pa.array(hours), "UTC")
    schema = lake.dictionary.arrow_schema(name)
    arrays = [pa.array(rows[one.name]).cast(one.type) if one.name in rows else pa.nulls(count, one.type) for one in schema]
    paths = write_files(table, pa.table(arrays, schema=schema), np.random.default_rng(month).bytes)
    with table.transaction() as transaction:
        transaction.add_files(paths, check_duplicate_files=False)
    settle(table)


if __name__ == "__main__":
    main()
