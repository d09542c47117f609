"""Clients that do as they are told: they wait as long as Retry-After says, send the same bytes again, and remember what was acknowledged.

Promise: every wait has an end; whatever is neither a 200 nor a 429 or 503 with a time is a failure, kept for the test to see.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from tests.house import basic, track

IDLE = 0.5
"""Seconds after which a connection is opened anew: a server may end one that stands idle (RFC 9112, 9.3), and nobody writes into such a one."""


@dataclass
class Client:
    """Sends batches, one connection, until told to stop; each batch until it is acknowledged."""

    address: str
    key: str
    number: int
    until: float
    batch: int = 4
    first_pause: float = 0.0
    acknowledged: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _used: float = 0.0

    def run(self) -> None:
        place = urlsplit(self.address)
        connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=60)
        sent = 0
        while not self._stop.is_set() and time.monotonic() < self.until:
            body = json.dumps({"batch": [self._message(sent, place) for place in range(self.batch)]}).encode()
            if self._delivered(connection, body):
                self.acknowledged += self.batch
            sent += 1
            time.sleep(self.first_pause)
        connection.close()

    def _message(self, sent: int, place: int) -> dict[str, Any]:
        return track(self.number * 10_000_000 + sent * 100 + place, at=datetime.now(UTC))

    def _delivered(self, connection: http.client.HTTPConnection, body: bytes) -> bool:
        while time.monotonic() < self.until:
            if time.monotonic() - self._used > IDLE:
                connection.close()
            try:
                connection.request("POST", "/v1/batch", body, {"Content-Type": "application/json", **basic(self.key)})
                answer = connection.getresponse()
                answer.read()
            except OSError as error:
                self.wrong.append(type(error).__name__)
                connection.close()
                time.sleep(0.2)
                continue
            self._used = time.monotonic()
            self.answers[answer.status] += 1
            if answer.status == 200:
                return True
            wait = answer.headers.get("Retry-After", "")
            if answer.status not in (429, 503) or not wait.isdigit() or int(wait) < 1:
                self.wrong.append(f"{answer.status} {wait!r}")
                return False
            time.sleep(int(wait))
        self.wrong.append("never acknowledged")
        return False


@contextmanager
def sending(address: str, key: str, *, clients: int, patience: float, **options: Any) -> Iterator[list[Client]]:
    """Clients at work; on leaving, each finishes the batch that it has begun."""
    made = [Client(address, key, number, time.monotonic() + patience, **options) for number in range(1, clients + 1)]
    threads = [threading.Thread(target=one.run) for one in made]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        for one in made:
            one._stop.set()
        for thread in threads:
            thread.join(timeout=patience + 90)
