"""A hundred erasures: seconds from the first to the last certificate, on a house of some thousand people with rows in lake and inbox.

`BENCH_PEOPLE` sets how many people there are (default 2,000), `BENCH_ERASURES` how many are erased (default 100).
"""

from __future__ import annotations

import os
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from app import erasing, people
from tests.conftest import NOW
from tests.house import Clock, make_home, sqlite_house, track

PEOPLE = int(os.environ.get("BENCH_PEOPLE", "2000"))
ERASURES = int(os.environ.get("BENCH_ERASURES", "100"))
OFFICER, SECOND = "usr_officer00001", "usr_officer00002"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        make_home(Path(folder) / "template", {}, Clock())
        with sqlite_house(Path(folder) / "template", Path(folder) / "home") as house:
            _, key = house.source()
            users = [f"u-{number}" for number in range(PEOPLE)]
            items = [("customer_no", user) for user in users]
            for start in range(0, PEOPLE, 500):
                house.grant(key, items[start : start + 500], at=(NOW - timedelta(days=60)).isoformat())
                part = users[start : start + 500]
                for month in (5, 30):
                    at = NOW - timedelta(days=month)
                    house.batch([track(start * 10 + month * 100_000 + place, user=user, at=at) for place, user in enumerate(part)], key)
            house.flush()
            handles = [
                people.find(
                    house.services,
                    *items[number],
                    purpose="rights_request",
                    reason="bench",
                    actor=f"usr_officer{number // 50:05}",
                    namespace="web",
                )["handle"]
                for number in range(ERASURES)
            ]
            began = time.perf_counter()
            for handle in handles:
                erasing.begin(house.services, handle, actor=OFFICER, approved_by=SECOND)
            told = erasing.run(house.services)
            took = time.perf_counter() - began
            assert told["certified"] == ERASURES, told
            print(f"{ERASURES} erasures of {PEOPLE} people: {took:.1f} s, {took / ERASURES:.3f} s each", flush=True)


if __name__ == "__main__":
    main()
