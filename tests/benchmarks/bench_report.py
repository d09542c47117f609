"""The report over ten (and a hundred) million lines: seconds, peak memory, and the ratio to the same bounded and joined query by hand in DuckDB.

Run: python -m tests.benchmarks.bench_report [lines] [people]. It writes its lake in chunks into a temporary folder, asks there first
whether the disk is large enough, and prints N as run. Each measurement is a process of its own, in turns, for its peak memory is its own.
`LONG_TESTS=1` (`make bench`) adds the hundred millions.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import statistics
import subprocess
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
CHUNK = 2_000_000
SIZES = ((10_000_000, 500_000, 5), (100_000_000, 5_000_000, 3))
"""Lines, people, rounds; the second only with LONG_TESTS=1."""
BYTES_A_LINE = 60
"""On disk at most, with room for what the engines spill."""


class Everybody:
    """Nine in ten people allow the purpose; the run IDs are another permutation."""

    policy = "bench"

    def __init__(self, purpose: str, identifiers: np.ndarray[Any, Any]) -> None:
        self.purpose = purpose
        self.everyone = identifiers
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


def opened(folder: Path, people: int) -> tuple[Lake, Everybody]:
    """The lake in a folder with its people, as a process finds it."""
    lake = Lake(folder / "home")
    lake.engine._threads = 2
    everybody = Everybody(STATISTICS, np.random.default_rng(1).integers(0, 2**63 - 1, people))
    lake.reader._open_population = lambda purpose: everybody
    return lake, everybody


def acts(lake: Lake, everybody: Everybody, folder: Path) -> dict[str, Callable[[], tuple[int, ...]]]:
    """The report as the release door would read it, and the same by hand."""
    report, house = KINDS["store_month"], House(lake.dictionary, "Asia/Shanghai", "CNY")
    question = report.question(Options(MONTH, MONTH), house)
    cells = report.cells(lake.reader, question, house)
    paths = [local_path(task.file.file_path) for task in load(lake.catalog, "order_lines").scan().plan_files()]
    stores = pa.table({"store_id": [cell[0] for cell in cells]})

    def by_hand() -> tuple[int, ...]:
        config = {"threads": 2, "memory_limit": "2GiB", "temp_directory": str(folder / "spilled"), "preserve_insertion_order": False}
        with duckdb.connect(":memory:", config=config) as raw:
            raw.register("bridge_rows", everybody.bridge([MONTH]))
            raw.register("store_rows", stores)
            raw.execute("CREATE TEMP TABLE bridge AS FROM bridge_rows; CREATE TEMP TABLE stores AS FROM store_rows")
            return tuple(int(value) for row in raw.execute(BY_HAND.format(paths=paths)).fetchall() for value in row[1:])

    return {"ours": lambda: report.read(lake.reader, question, cells, house).values, "hand": by_hand}


def peak_kib() -> int:
    """The most memory that this process held. Not `getrusage`: its maximum is handed down from the process that started this one."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1])


def measure(what: str, folder: Path, people: int) -> None:
    """One warm run and one that counts, in this process; prints what it took."""
    act = acts(*opened(folder, people), folder)[what]
    act()
    wall, processor = time.perf_counter(), time.process_time()
    found = act()
    told = {
        "wall": time.perf_counter() - wall,
        "processor": time.process_time() - processor,
        "peak_mib": peak_kib() / 1024,
        "answer": hashlib.sha256(json.dumps(found).encode()).hexdigest(),
    }
    print(json.dumps(told))


def main(lines: int, people: int, rounds: int) -> None:
    """Makes the lake, then lets both answer in turns."""
    folder = Path(tempfile.mkdtemp(prefix="piying-bench-"))
    try:
        if shutil.disk_usage(folder).free < 2 * lines * BYTES_A_LINE:
            print(
                f"report store_month: N = {lines:,} lines need {2 * lines * BYTES_A_LINE / 2**30:,.0f} GiB of disk, which is not free: left out"
            )
            return
        started = time.perf_counter()
        lake, everybody = opened(folder, people)
        assert isinstance(lake.writer, LakeWriter)
        fill(lake, lines, everybody.everyone)
        lake.put("stores", [{"id": f"S{number:03d}"} for number in range(STORES)])
        size = sum(path.stat().st_size for path in folder.rglob("*.parquet"))
        del lake, everybody
        print(
            f"report store_month: N = {lines:,} lines, {people:,} people, {STORES} stores, {size / 2**30:.2f} GiB of Parquet made in "
            f"{time.perf_counter() - started:,.0f} s; {rounds} rounds in turns, 2 threads",
            flush=True,
        )
        found: dict[str, list[dict[str, Any]]] = {"ours": [], "hand": []}
        for _ in range(rounds):
            for what, told in found.items():
                command = [sys.executable, "-m", "tests.benchmarks.bench_report", "--measure", what, str(folder), str(people)]
                told.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
        say(found)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def say(found: dict[str, list[dict[str, Any]]]) -> None:
    """Medians, ratios, the largest peak of each, and whether both said the same."""
    for name, unit in (("wall", "s"), ("processor", "s of processor")):
        ours, hand = (statistics.median(one[name] for one in found[what]) for what in ("ours", "hand"))
        print(f"report store_month: {ours:.2f} {unit}; by hand in DuckDB {hand:.2f}; ratio {ours / hand:.2f} (aim <= 1.2)")
    ours, hand = (max(one["peak_mib"] for one in found[what]) for what in ("ours", "hand"))
    print(f"report store_month: peak memory {ours:,.0f} MiB; by hand {hand:,.0f} MiB (both engines may take 2 GiB)")
    print(f"report store_month: same numbers: {len({one['answer'] for told in found.values() for one in told}) == 1}", flush=True)


if __name__ == "__main__":
    given = sys.argv[1:]
    if given[:1] == ["--measure"]:
        measure(given[1], Path(given[2]), int(given[3]))
    elif given:
        main(int(given[0]), int(given[1]) if len(given) > 1 else 500_000, 3)
    else:
        for one in SIZES if os.environ.get("LONG_TESTS") == "1" else SIZES[:1]:
            main(*one)
