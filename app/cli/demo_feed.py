"""How the demonstration's rows come in: files by import, messages over sockets, as those of anybody.

Promise: what a server is not ready for is sent again, as clients do; every answer is added up. Learns nothing of a row.
"""

from __future__ import annotations

import base64
import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from privacy.errors import Unavailable

VERDICTS = ("stored", "duplicate", "quarantined", "refused")
TOGETHER = 500
"""Messages in one request."""
SENDERS = 4
ATTEMPTS = 30
BUSY = frozenset({429, 503})


def send(host: str, port: int, key: str, path: Path, *, stopping: Callable[[], bool]) -> Counter[str]:
    """Posts a file's messages, one a line, until the end or somebody stops; what became of them. Raises Unavailable where the server stays away."""
    connections = threading.local()
    headers = {"Content-Type": "application/json", "Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}

    def post(lines: list[bytes]) -> Counter[str]:
        if stopping():
            return Counter()
        if not hasattr(connections, "one"):
            connections.one = http.client.HTTPConnection(host, port, timeout=60)
        return _posted(connections.one, b'{"batch":[' + b",".join(lines) + b"]}", headers)

    total: Counter[str] = Counter()
    with path.open("rb") as file, ThreadPoolExecutor(SENDERS, "sender") as senders:
        for counts in senders.map(post, _batches(file)):
            total += counts
    return total


def _batches(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    while batch := list(islice(lines, TOGETHER)):
        yield batch


def _posted(connection: http.client.HTTPConnection, body: bytes, headers: dict[str, str]) -> Counter[str]:
    """One request, and again while the server is busy or away: a message has an id, so nothing is stored twice."""
    for attempt in range(ATTEMPTS):
        try:
            connection.request("POST", "/v1/batch", body, headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            time.sleep(min(0.2 * (attempt + 1), 2))
            continue
        if answer.status == 200:
            told = json.loads(content)
            return Counter({verdict: told[verdict] for verdict in ("received", *VERDICTS)})
        if answer.status not in BUSY:
            raise Unavailable(f"the server answered {answer.status} to the demonstration's messages", code="demo_not_taken")
        time.sleep(float(answer.getheader("Retry-After") or 1))
    raise Unavailable("the server did not take the demonstration's messages", code="demo_not_taken", retry_after=5)
