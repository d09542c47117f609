"""The report over ten million lines: seconds, and the ratio to the same bounded and joined query written by hand for DuckDB.

Run: python -m tests.benchmarks.bench_report [lines] [people]. It writes its lake into a temporary folder and prints N as run.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from analytics.lake.tables import load, local_path
from analytics.lake.writer import LakeWriter, settle, write_files
from analytics.reports.base import House, Options
from analytics.reports.kinds import KINDS
from privacy.vocabulary import STATISTICS
from tests.fakes.lake import HOUR, Lake

MONTH = 202601
STORES = 80
ROUNDS = 5
CHUNK = 2_000_000


class Everybody:
    """Nine in ten people allow the purpose; the run IDs are another permutation."""

    policy = "bench"

    def __init__(self, purpose: str, identifiers: np.ndarray[Any, Any]) -> None:
        self.purpose = purpose
        self._identifiers = identifiers[: len(identifiers) * 9 // 10]

    def bridge(self, months: Any) -> pa.Table:
        count = len(self._identifiers)
        return pa.table(
            {"month": pa.array(np.full(count, MONTH, np.int32)), "virtual_id": self._identifiers, "run_id": self._identifiers[::-1].copy()}
        )


def fill(lake: Lake, lines: int, identifiers: np.ndarray[Any, Any]) -> None:
    """Lines of orders of 1.8 lines on average, a heavy tail of people, eighty stores of which each person knows a few."""
    noise = np.random.default_rng(5)
    schema = lake.dictionary.arrow_schema("order_lines")
    table = load(lake.catalog, "order_lines")
    for start in range(0, lines, CHUNK):
        count = min(CHUNK, lines - start)
        orders = np.sort(noise.integers(0, max(1, int(count / 1.8)), count)) + start
        person = (noise.pareto(1.5, int(count / 1.8) + 1) * len(identifiers) / 12).astype(np.int64) % len(identifiers)
        who = person[orders - start]
        store = (who * 7 + noise.integers(0, 3, len(person))[orders - start]) % STORES
        rows = {
            "virtual_id": identifiers[who],
            "month": np.full(count, MONTH, np.int32),
            "hour": pa.array([HOUR]).cast(pa.timestamp("us", tz="UTC")).take(pa.array(np.zeros(count, np.int32))),
            "source": pa.array(["src_bench"]).take(pa.array(np.zeros(count, np.int32))),
            "order_key": orders * 1_000_003,
            "kind": pa.array(["sale", "sale", "sale", "return"]).take(pa.array(noise.integers(0, 4, count) // 1)),
            "store_id": pa.array([f"S{number:03d}" for number in range(STORES)]).take(pa.array(store)),
            "net_minor": noise.integers(500, 9_000, count),
            "currency": pa.array(["CNY"]).take(pa.array(np.zeros(count, np.int32))),
        }
        arrays = [
            pa.array(rows[column.name]).cast(column.type) if column.name in rows else pa.nulls(count, column.type) for column in schema
        ]
        paths = write_files(table, pa.table(arrays, schema=schema), np.random.default_rng(start).bytes)
        with table.transaction() as transaction:
            transaction.add_files(paths, check_duplicate_files=False)
        settle(table)


BY_HAND = """
WITH lines AS (
  SELECT b.run_id, l.store_id, coalesce(l.order_key, epoch_us(l.hour)) AS order_no, coalesce(l.kind, 'sale') = 'sale' AS sale, l.net_minor
  FROM read_parquet({paths}) l JOIN bridge b ON l.month = b.month AND l.virtual_id = b.virtual_id
  WHERE coalesce(l.currency, 'CNY') = 'CNY'
), orders AS (
  SELECT run_id, store_id, order_no, max(sale::int) AS orders, sum(CASE WHEN sale THEN net_minor ELSE -abs(net_minor) END) AS sales
  FROM lines GROUP BY ALL
), cells AS (
  SELECT run_id, store_id, sum(orders)::double AS orders, sum(sales)::double / 2000 AS sales, max(orders)::double AS people
  FROM orders SEMI JOIN stores USING (store_id) GROUP BY ALL
), norms AS (
  SELECT run_id, sqrt(sum(orders * orders + sales * sales + people * people)) AS norm FROM cells GROUP BY run_id
), weighted AS (
  SELECT store_id, orders, sales, people, 1000 * (CASE WHEN norm <= 16 THEN 1.0 ELSE 16 / norm END) AS w FROM cells JOIN norms USING (run_id)
)
SELECT store_id, sum(trunc(w * orders)::bigint), sum(trunc(w * sales)::bigint), sum(trunc(w * people)::bigint)
FROM weighted GROUP BY store_id ORDER BY store_id
"""


def seconds(*acts: Callable[[], Any]) -> tuple[list[tuple[float, float]], list[Any]]:
    """For each act the medians of wall and processor seconds of five runs after one to warm up, taken in turns; and the last results."""
    results = [act() for act in acts]
    walls: list[list[float]] = [[] for _ in acts]
    processor: list[list[float]] = [[] for _ in acts]
    for _ in range(ROUNDS):
        for number, act in enumerate(acts):
            wall, cpu = time.perf_counter(), time.process_time()
            results[number] = act()
            walls[number].append(time.perf_counter() - wall)
            processor[number].append(time.process_time() - cpu)
    return [(statistics.median(wall), statistics.median(cpu)) for wall, cpu in zip(walls, processor, strict=True)], results


def main(lines: int = 10_000_000, people: int = 500_000) -> None:
    folder = Path(tempfile.mkdtemp(prefix="piying-bench-"))
    try:
        lake = Lake(folder / "home")
        lake.engine._threads = 2
        identifiers = np.random.default_rng(1).integers(0, 2**63 - 1, people)
        fill(lake, lines, identifiers)
        assert isinstance(lake.writer, LakeWriter)
        lake.put("stores", [{"id": f"S{number:03d}"} for number in range(STORES)])
        everybody = Everybody(STATISTICS, identifiers)
        lake.reader._open_population = lambda purpose: everybody
        report, house = KINDS["store_month"], House(lake.dictionary, "Asia/Shanghai", "CNY")
        question = report.question(Options(MONTH, MONTH), house)
        cells = report.cells(lake.reader, question, house)
        paths = [local_path(task.file.file_path) for task in load(lake.catalog, "order_lines").scan().plan_files()]
        bridge = everybody.bridge([MONTH])
        stores = pa.table({"store_id": [cell[0] for cell in cells]})

        def by_hand() -> Any:
            with duckdb.connect(":memory:", config={"threads": 2, "memory_limit": "2GiB"}) as raw:
                raw.register("bridge_rows", bridge)
                raw.register("store_rows", stores)
                raw.execute("CREATE TEMP TABLE bridge AS FROM bridge_rows; CREATE TEMP TABLE stores AS FROM store_rows")
                return raw.execute(BY_HAND.format(paths=paths)).fetchall()

        (ours, hand), (aggregate, rows) = seconds(lambda: report.read(lake.reader, question, cells, house), by_hand)
        expected = tuple(value for row in rows for value in row[1:])
        print(
            f"report store_month: N = {lines:,} lines, {people:,} people, {STORES} stores, {len(paths)} files, {ROUNDS} rounds, 2 threads"
        )
        print(f"report store_month: {ours[0]:.2f} s; by hand in DuckDB {hand[0]:.2f} s; ratio {ours[0] / hand[0]:.2f} (aim <= 1.3)")
        print(f"report store_month: processor {ours[1]:.2f} s; by hand {hand[1]:.2f} s; ratio {ours[1] / hand[1]:.2f}")
        print(f"report store_month: same numbers: {expected == aggregate.values}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
