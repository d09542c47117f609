"""`make bench`: every benchmark in a process of its own, one after the other; each prints its N as run. `LONG_TESTS=1` adds the long one."""

from __future__ import annotations

import os
import subprocess
import sys

BENCHMARKS = (
    *("bench_import", "bench_http", "bench_report", "bench_store", "bench_margin", "bench_identity"),
    *("bench_anonymity", "bench_consent", "bench_erasure", "bench_log", "bench_pages", "bench_paint"),
    *("bench_segments", "bench_export"),
)
LONG = ("bench_large",)


def main() -> None:
    """Runs them all; a failing one fails the whole."""
    for name in (*BENCHMARKS, *(LONG if os.environ.get("LONG_TESTS") == "1" else ())):
        print(f"— {name}", flush=True)
        subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"], check=True)


if __name__ == "__main__":
    main()
