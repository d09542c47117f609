"""Ten times more than a source may send: refusals are 429 or 503 with a time, memory stays flat, and who does as told delivers everything.

A minute with LONG_TESTS=1, a few seconds by default.
"""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.flow.obedient import sending
from tests.flow.test_outages import ready
from tests.house import House, basic, served, track

LONG = bool(os.environ.get("LONG_TESTS"))
SECONDS = 60 if LONG else 6
ALLOWED = 8
"""Requests a second."""
RUDE = 4
GROWTH = 64 * 1024
"""KiB that the server may grow by after its first seconds: caches fill, nothing piles up."""


def memory(pid: int) -> int:
    """KiB that a process and its children hold."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        except (OSError, ValueError):
            continue
        if int(status.parent.name) == pid or int(lines["PPid"]) == pid:
            total += int(lines.get("VmRSS", "0 kB").split()[0])
    return total


def flood(address: str, key: str, until: float, seen: Counter[int], untold: list[int]) -> None:
    """Sends as fast as it can and waits for nobody; always the same message, so that it is stored once."""
    place = urlsplit(address)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=30)
    body = json.dumps({"batch": [track(1, user="u-of-the-flood", at=datetime.now(UTC))]}).encode()
    while time.monotonic() < until:
        try:
            connection.request("POST", "/v1/batch", body, {"Content-Type": "application/json", **basic(key)})
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()  # who never waits may be cut off
            continue
        seen[answer.status] += 1
        if answer.status != 200 and not (answer.headers.get("Retry-After", "").isdigit() and int(answer.headers["Retry-After"]) >= 1):
            untold.append(answer.status)
    connection.close()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="memory of processes is read from /proc, which is not here: run it on Linux")
def test_ten_times_the_rate_is_refused_with_a_time_in_flat_memory_and_the_obedient_deliver_everything(sqlite_only: House) -> None:
    house = sqlite_only
    key = ready(house)
    seen: Counter[int] = Counter()
    untold: list[int] = []
    limit = {"PIYING_LIMITS_REQUESTS_PER_SECOND": str(ALLOWED)}
    with served(house.home, limit) as (address, process):
        end = time.monotonic() + SECONDS
        rude = [threading.Thread(target=flood, args=(address, key, end, seen, untold)) for _ in range(RUDE)]
        with sending(address, key, clients=3, patience=SECONDS + 150, first_pause=0.1) as clients:
            for one in rude:
                one.start()
            time.sleep(SECONDS / 3)
            early = memory(process.pid)
            for one in rude:
                one.join(timeout=SECONDS + 60)
            late = memory(process.pid)
            time.sleep(2)
        assert process.poll() is None
    sent = sum(seen.values())
    assert sent > 10 * ALLOWED * SECONDS / 2, f"the flood was thin: {sent} requests"
    assert set(seen) <= {200, 429, 503}, seen
    assert seen[429] > seen[200], "most of it was refused"
    assert untold == []
    assert late - early < GROWTH, f"{early} KiB, then {late} KiB"
    assert [client.wrong for client in clients] == [[], [], []]
    assert sum(client.acknowledged for client in clients) > 0
    assert seen[200] + sum(client.answers[200] for client in clients) <= ALLOWED * (SECONDS + 60) + 10 * ALLOWED
    house_counts(house, clients, seen[200])


def house_counts(house: House, clients: list, flooded: int) -> None:  # type: ignore[type-arg]
    """The flood's person allowed nothing: its requests are refused items; what the obedient were told is stored, once."""
    from tests.flow.test_outages import tallied

    counts = tallied(house)
    assert counts.pop("refused", 0) == flooded
    assert counts["stored"] == sum(client.acknowledged for client in clients) == house.rows()
