"""One process that asks for releases against a store given by address, for `test_budget`. Prints one outcome a question.

python -m tests.flow.budget_caller ADDRESS race FIRST COUNT     COUNT threads, each with a question of its own
python -m tests.flow.budget_caller ADDRESS hang                 charges, says so, and never finishes reading
"""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from app.stores import Store
from privacy.audit.log import AuditLog
from privacy.dp import mechanisms
from privacy.errors import PiyingError, Unavailable
from privacy.orm import Begin
from privacy.records import Aggregate
from privacy.release import Releases, ReleaseSettings
from tests.fakes.questions import NOW, QUESTION, ask, reader


def door(begin: Begin, *, lease_seconds: int = 300) -> Releases:
    """The release door as the wiring makes it, with the real log."""
    log = AuditLog(lambda: NOW, os.urandom)
    return Releases(begin, log, lambda: NOW, os.urandom, ReleaseSettings(lease_seconds=lease_seconds))


def race(address: str, processes: int, threads: int) -> None:
    """Forks before anything is opened; each child has its own connections."""
    mechanisms.calibrate(1, 1)
    children = []
    for process in range(processes):
        child = os.fork()
        if child == 0:
            store = Store(address, busy_timeout=120_000)
            outcomes = _ask(door(store.begin), process * threads, threads)
            store.close()
            os.write(1, "".join(f"{outcome}\n" for outcome in outcomes).encode())
            os._exit(0)
        children.append(child)
    for child in children:
        _, status = os.waitpid(child, 0)
        if status:
            raise SystemExit(1)


def _ask(releases: Releases, first: int, count: int) -> list[str]:
    start = threading.Barrier(count)

    def one(number: int) -> str:
        question = ask(where=(("store_id", "=", f"s{number}"),))
        refused: list[str] = []
        start.wait()
        for _ in range(2_000):
            try:
                release = releases.answer(question, reader(question), "cli")
            except Unavailable as error:
                refused.append(f"{error.code}: {error}")
                time.sleep(0.05)
            except PiyingError as error:
                print(f"{number} was refused {len(refused)} times before: {set(refused)}", file=sys.stderr, flush=True)
                return error.code
            else:
                return "answered:" + ",".join(map(str, release.values))
        return "never_answered"

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(first, first + count)))


def hang(releases: Releases) -> None:
    def never() -> Aggregate:
        print("reading", flush=True)
        time.sleep(600)
        raise AssertionError("unreachable")

    releases.answer(QUESTION, never, "cli")


def main(what: str, *rest: str) -> None:
    address = sys.stdin.readline().strip()
    if what == "race":
        race(address, int(rest[0]), int(rest[1]))
    else:
        hang(door(Store(address, busy_timeout=120_000).begin))


if __name__ == "__main__":
    main(*sys.argv[1:])
