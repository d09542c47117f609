"""`make bench`: every benchmark in a process of its own, one after the other; each prints its N as run."""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = ("bench_import", "bench_http", "bench_report", "bench_identity")


def main() -> None:
    """Runs them all; a failing one fails the whole."""
    for name in BENCHMARKS:
        print(f"— {name}", flush=True)
        subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"], check=True)


if __name__ == "__main__":
    main()
