"""One large import from end to end: ten million till lines of people who are known, into the lake, with the peak memory of the process.

`BENCH_LARGE` sets the rows (default 10,000,000), `BENCH_MEMBERS` the people (default 100,000). Runs with `LONG_TESTS=1 make bench`.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
from pathlib import Path

import duckdb

from tests.benchmarks.bench_import import MEMBER_MAPPING, TILL_MAPPING

MEMBERS = """SELECT format('B{:09d}', one) AS card, format('13{:09d}', one) AS mobile, '2026-01-01 08:00:00' AS at, 'female' AS sex,
'gold' AS level, 'yes' AS ok FROM range(?) AS members(one)"""
TILLS = """SELECT format('R{:09d}', one // 2) AS receipt, one % 2 AS line, TIMESTAMP '2026-01-02' + to_minutes((one * 7919) % 432000) AS at,
format('S{:02d}', one % 60) AS store, format('D{:02d}', one % 40) AS sku, 1 AS cups, '18.50' AS paid,
format('B{:09d}', hash(one) % ?) AS card FROM range(?) AS lines(one)"""


def main() -> None:
    """Makes the files, imports them, flushes, and prints seconds and memory."""
    rows, members = int(os.environ.get("BENCH_LARGE", "10000000")), int(os.environ.get("BENCH_MEMBERS", "100000"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["PIYING_HOME"] = str(folder / "home")
        from app import acts, intake
        from app.cli.home import initialise
        from app.wiring import open_services

        initialise()
        services = open_services()
        acts.add_source(services, actor="bench", name="bench", kind="file")
        for file, mapping, query, given in (
            ("members", MEMBER_MAPPING, MEMBERS, [members]),
            ("tills", TILL_MAPPING, TILLS, [members, rows]),
        ):
            (folder / f"{file}.toml").write_text(mapping)
            duckdb.execute(f"COPY ({query}) TO '{folder / file}.csv' (FORMAT csv)", given)
            started, worked = time.perf_counter(), time.process_time()
            result = intake.import_file(
                services,
                folder / f"{file}.csv",
                source_name="bench",
                mapping_path=folder / f"{file}.toml",
                actor="bench",
                progress=lambda done, total: None,
            )
            assert result["stored"] == result["received"], result["reasons"]
            _say(f"import, {file}", result["received"], time.perf_counter() - started, time.process_time() - worked)
        started, worked = time.perf_counter(), time.process_time()
        flushed = intake.flush(services)
        _say("flush into the lake", flushed["rows"], time.perf_counter() - started, time.process_time() - worked)


def _say(what: str, rows: int, seconds: float, processor: float) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{what}: N {rows:,}, {seconds:,.1f} s, {rows / seconds:,.0f} rows/s, {processor / rows * 1e6:.1f} µs of processor a row, "
        f"peak memory so far {peak:,.0f} MiB",
        flush=True,
    )


if __name__ == "__main__":
    main()
