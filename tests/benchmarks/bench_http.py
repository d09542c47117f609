"""Events a second over HTTP, durable before they are acknowledged, beside an endpoint that only parses.

One hundred events a batch, on the same machine as the clients, with one worker and with two. `BENCH_BATCHES` sets the batches of each
client (default 100), `BENCH_CLIENTS` how many clients there are (default 4): the more come at once, the more requests share a commit.
Processor seconds are those of the server alone, without its start, from /proc: where there is none, they are not told.
"""

from __future__ import annotations

import base64
import http.client
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

CLIENTS = int(os.environ.get("BENCH_CLIENTS", "4"))
EVENTS = 100
PEOPLE = 2_000


def main() -> None:
    """Serves a home of its own, then the endpoint that only parses, and prints both."""
    batches = int(os.environ.get("BENCH_BATCHES", "100"))
    with tempfile.TemporaryDirectory() as name:
        os.environ["PIYING_HOME"] = str(Path(name) / "home")
        key = _prepare()
        for workers in ("1", "2"):
            serve = [sys.executable, "-m", "app.cli", "serve", "--no-worker", "--workers", workers, "--port", "{port}"]
            ours = _measure(serve, key, batches, first=batches * CLIENTS * (int(workers) - 1))
            bare = _measure([sys.executable, "-m", "tests.benchmarks.parse_only", "{port}", workers], key, batches)
            _say(f"durable, workers {workers}", ours, batches)
            _say(f"parse only, workers {workers}", bare, batches)
            ratio = f", of processor seconds {ours.processor / bare.processor:.1f}" if bare.processor else ""
            print(f"durable to parse only, workers {workers}: ratio of seconds {ours.seconds / bare.seconds:.1f}{ratio}")


class _Measured(NamedTuple):
    """From the first request to the last answer, the server's processor seconds in that time, and each request's wait."""

    seconds: float
    processor: float
    waits: list[float]


def _say(what: str, told: _Measured, batches: int) -> None:
    events = CLIENTS * batches * EVENTS
    quantiles = statistics.quantiles(told.waits, n=100)
    processor = f"{told.processor / events * 1e6:.0f} ms of processor a thousand, " if told.processor else ""
    print(
        f"HTTP, {what}: N {events:,} in {CLIENTS * batches} batches, {events / told.seconds:,.0f} events/s, {processor}"
        f"p50 {quantiles[49] * 1e3:.0f} ms, p99 {quantiles[98] * 1e3:.0f} ms"
    )


def _prepare() -> str:
    from app import acts, people
    from app.cli.home import initialise
    from app.wiring import open_services

    initialise()
    services = open_services()
    key = acts.add_source(services, actor="bench", name="bench", kind="segment")["write_key"]
    from app import intake

    source = intake.source_of(services, key)
    items = [
        {"identifier": {"type": "customer_no", "value": f"c{one}"}, "purpose": "analytics.statistics", "state": "granted",
         "at": datetime(2026, 1, 1, tzinfo=UTC)}
        for one in range(PEOPLE)
    ]  # fmt: skip
    people.record_consents(services, items, actor=source.id, source=source, idempotency_key=None)
    services.stores.close()
    return str(key)


def _bodies(client: int, batches: int, first: int = 0) -> list[bytes]:
    start = datetime.now(UTC) - timedelta(hours=2)
    made = []
    for batch in range(batches):
        items = []
        for event in range(EVENTS):
            number = (first + client * batches + batch) * EVENTS + event
            at = (start + timedelta(seconds=event)).isoformat()
            items.append(
                {
                    "type": "track", "event": "Product Viewed", "userId": f"c{number % PEOPLE}", "messageId": f"b{client}-{number}", "timestamp": at,
                    "properties": {"product_id": f"D{number % 40:02d}", "category": "tea", "price": 18.5, "quantity": 1, "currency": "CNY"},
                    "context": {"library": {"name": "bench", "version": "1"}, "ip": "10.0.0.1", "locale": "zh-CN", "userAgent": "Mozilla/5.0",
                                "page": {"path": "/tea", "url": "https://shop.example/tea", "title": "tea"}},
                    "integrations": {},
                }
            )  # fmt: skip
        made.append(json.dumps({"batch": items, "sentAt": datetime.now(UTC).isoformat()}).encode())
    return made


def _client(port: int, key: str, client: int, batches: int, first: int, go: Any, out: Any) -> None:
    bodies = _bodies(client, batches, first)
    headers = {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode(), "Content-Type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    go.wait()
    waits = []
    started = time.perf_counter()
    for body in bodies:
        before = time.perf_counter()
        connection.request("POST", "/v1/batch", body, headers)
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status == 200, text
        waits.append(time.perf_counter() - before)
    out.put((started, time.perf_counter(), waits))


def _measure(command: list[str], key: str, batches: int, first: int = 0) -> _Measured:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([one.format(port=port) for one in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        context = multiprocessing.get_context("spawn")
        go, out = context.Event(), context.Queue()
        clients = [context.Process(target=_client, args=(port, key, one, batches, first, go, out)) for one in range(CLIENTS)]
        for one in clients:
            one.start()
        time.sleep(6)
        before = _processor(server.pid)
        go.set()
        told = [out.get(timeout=300) for _ in clients]
        processor = _processor(server.pid) - before
        for one in clients:
            one.join()
    finally:
        server.terminate()
        server.wait(timeout=120)
    seconds = max(end for _, end, _ in told) - min(start for start, _, _ in told)
    return _Measured(seconds, processor, [wait for _, _, waits in told for wait in waits])


def _processor(process: int) -> float:
    """Processor seconds of a process and of those that it started; 0 where the system does not tell."""
    try:
        told = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        started = [int(one) for task in Path(f"/proc/{process}/task").iterdir() for one in (task / "children").read_text().split()]
    except OSError:
        return 0.0
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK") + sum(map(_processor, started))


def _wait(port: int) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


if __name__ == "__main__":
    main()
