"""Import of CSV, JSON Lines and Parquet: rows a second for new and for known people, beside an engine that turns the same file into
Parquet with no privacy.

`BENCH_ROWS` sets the rows of the file of known people (default 500,000), `BENCH_NEW` those of new people (default 100,000).
"""

from __future__ import annotations

import csv
import os
import resource
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np

MEMBERS = 50_000
FORMATS = {"csv": "FORMAT csv", "jsonl": "FORMAT json", "parquet": "FORMAT parquet"}
MEMBER_MAPPING = """
record = "member"
zone = "Asia/Shanghai"
id = ["card"]
[identifiers]
member_card = "card"
phone = "mobile"
[fields]
changed_at = "at"
sex = "sex"
tier = "level"
[consent."analytics.statistics"]
from = "ok"
grant = ["yes"]
at = "at"
"""
TILL_MAPPING = """
record = "order_line"
zone = "Asia/Shanghai"
currency = "CNY"
id = ["receipt", "line"]
[identifiers]
member_card = "card"
[fields]
occurred_at = "at"
order_id = "receipt"
line = "line"
store_id = "store"
product_id = "sku"
net_minor = { from = "paid", times = 100 }
quantity_milli = { from = "cups", times = 1000 }
channel = { const = "pos" }
"""


def main() -> None:
    """Runs both imports in a home of their own and prints the figures."""
    rows = int(os.environ.get("BENCH_ROWS", "500000"))
    new = int(os.environ.get("BENCH_NEW", "100000"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["PIYING_HOME"] = str(folder / "home")
        from app import acts, intake
        from app.cli.home import initialise
        from app.wiring import open_services

        initialise()
        services = open_services()
        acts.add_source(services, actor="bench", name="bench", kind="file")
        for mapping, text in (("members", MEMBER_MAPPING), ("tills", TILL_MAPPING)):
            (folder / f"{mapping}.toml").write_text(text)
        _members(folder / "members.csv", 0, MEMBERS)
        _tills(folder / "tills.csv", rows)
        for place, ending in enumerate(FORMATS):
            _members(folder / f"new{place}.csv", MEMBERS + place * new, new)
            _as(folder / f"new{place}.csv", folder / f"new.{ending}")
            _as(folder / "tills.csv", folder / f"tills{place}.{ending}")

        def run(file: str, mapping: str, source: str = "bench") -> tuple[int, float, float]:
            started, worked = time.perf_counter(), time.process_time()
            result = intake.import_file(
                services,
                folder / file,
                source_name=source,
                mapping_path=folder / f"{mapping}.toml",
                actor="bench",
                progress=lambda done, total: None,
            )
            assert result["stored"] == result["received"], result["reasons"]
            return result["received"], time.perf_counter() - started, time.process_time() - worked

        run("members.csv", "members")
        for place, ending in enumerate(FORMATS):
            _say(f"{ending}, new people", *run(f"new.{ending}", "members"), folder / f"new{place}.csv")
            acts.add_source(services, actor="bench", name=f"tills{place}", kind="file")
            _say(f"{ending}, known people", *run(f"tills{place}.{ending}", "tills", f"tills{place}"), folder / "tills.csv")
        started = time.perf_counter()
        flushed = intake.flush(services)
        print(f"flush into the lake: {flushed['rows']:,} rows in {time.perf_counter() - started:.2f} s")
        print(f"peak memory of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")


def _say(what: str, rows: int, seconds: float, processor: float, file: Path) -> None:
    started = time.perf_counter()
    duckdb.sql(f"COPY (SELECT * FROM read_csv('{file}')) TO '{file}.parquet' (FORMAT parquet, COMPRESSION zstd)")
    bare = time.perf_counter() - started
    print(
        f"import, {what}: N {rows:,}, {seconds:.2f} s, {rows / seconds:,.0f} rows/s, {processor / rows * 1e6:.1f} µs of processor a row;"
        f" CSV to Parquet alone {bare:.2f} s, ratio {seconds / bare:.1f}"
    )


def _as(path: Path, target: Path) -> None:
    """The same rows in the format of the target's name."""
    duckdb.sql(f"COPY (SELECT * FROM read_csv('{path}', all_varchar=true)) TO '{target}' ({FORMATS[target.suffix[1:]]})")


def _members(path: Path, first: int, count: int) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("card", "mobile", "at", "sex", "level", "ok"))
        writer.writerows(
            (f"B{one:09d}", f"13{one:09d}", "2026-01-01 08:00:00", "female", "gold", "yes") for one in range(first, first + count)
        )


def _tills(path: Path, rows: int) -> None:
    chance = np.random.default_rng(3)
    cards = chance.integers(0, MEMBERS, rows)
    minutes = chance.integers(0, 60 * 24 * 300, rows)
    start = datetime.fromisoformat("2026-01-02T00:00:00")
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("receipt", "line", "at", "store", "sku", "cups", "paid", "card"))
        for row in range(rows):
            at = start + timedelta(minutes=int(minutes[row]))
            writer.writerow((f"R{row // 2:09d}", row % 2, at, f"S{row % 60:02d}", f"D{row % 40:02d}", 1, "18.50", f"B{cards[row]:09d}"))


if __name__ == "__main__":
    main()
