"""Stored releases a second: from the door (a question asked again), as a document, and over HTTP; one thread on one processor.

Run: python -m tests.benchmarks.bench_store [times]. The aim is 500 a second from the store. Prints N as run.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app import asking
from tests.fakes.answered import store_month
from tests.house import Clock, bearer, make_home, sqlite_house

ROUNDS = 5


def rate(act: Callable[[], Any], times: int) -> float:
    """The median of five rounds, after one to warm up."""
    found = []
    for number in range(ROUNDS + 1):
        started = time.perf_counter()
        for _ in range(times):
            act()
        if number:
            found.append(times / (time.perf_counter() - started))
    return statistics.median(found)


def main(times: int = 500) -> None:
    with tempfile.TemporaryDirectory(prefix="piying-bench-") as name:
        folder = Path(name)
        make_home(folder / "template", {}, Clock())
        with sqlite_house(folder / "template", folder / "home") as house:
            release = store_month(house.services)
            door = house.services.releases
            question = door.find(release).question
            head, client = bearer(house.token("marketer")), house.client

            def over_http() -> None:
                assert client.get(f"/api/releases/{release}", headers=head).status_code == 200

            acts: dict[str, Callable[[], Any]] = {
                "stored answers by question, without a log entry": lambda: door.known(question),
                "stored answers by their number": lambda: door.find(release),
                "documents": lambda: asking.show_release(house.services, release),
                "the same question asked again, with its log entry": lambda: door.answer(question, _never, "usr_bench"),
                "over HTTP, in one process, without a socket": over_http,
            }
            for what, act in acts.items():
                print(f"store: {what}: {rate(act, times):,.0f} a second (aim >= 500); N = {times} in each of {ROUNDS} rounds", flush=True)


def _never() -> Any:
    raise AssertionError("a stored answer reads nothing")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
