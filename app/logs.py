"""Structured logs with an allow-list of fields, and the counters of `/metrics`.

Promise: a log line is an event name and facts whose names are on the list; a fact that is not on it is dropped, and of what a library has
to say only its name and how bad it is. Metric labels come from closed lists or from source ids, never from data. Under `piying serve` the
counters of all its processes stand in one folder and are added up by whichever is asked; a process alone counts for itself.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

FIELDS = frozenset(
    {
        "event", "timestamp", "level", "request_id", "route", "method", "status", "milliseconds", "source", "job", "kind", "state", "code",
        "error_type", "batches", "rows", "received", "stored", "duplicate", "quarantined", "refused", "snapshot", "port", "workers", "attempt",
        "recipient",
    }
)  # fmt: skip

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Where the processes of one server keep their counters; read by the library as it is imported, so `piying serve` sets it before that."""

REGISTRY = CollectorRegistry()
RECEIVED = Counter("piying_received_total", "Items that came, by source", ["source"], registry=REGISTRY)
ITEMS = Counter("piying_items_total", "Items by source and verdict", ["source", "verdict"], registry=REGISTRY)
REFUSALS = Counter("piying_refusals_total", "Refused items by source and reason", ["source", "reason"], registry=REGISTRY)
REQUESTS = Counter("piying_http_requests_total", "HTTP answers by route and status", ["route", "status"], registry=REGISTRY)
SECONDS = Histogram("piying_http_seconds", "Seconds to answer by route", ["route"], registry=REGISTRY)
FLUSHED = Counter("piying_flushed_rows_total", "Rows moved into the lake", registry=REGISTRY)
JOBS = Counter("piying_job_attempts_total", "Attempts at jobs by kind and how they ended", ["kind", "end"], registry=REGISTRY)
BUDGET_REFUSALS = Counter("piying_budget_refusals_total", "Questions refused for lack of budget", registry=REGISTRY)
RATE_LIMITED = Counter(
    "piying_rate_limited_total", "Requests answered 429 because their source sent too many", ["source"], registry=REGISTRY
)
DECISIONS = Counter(
    "piying_decisions_total", "Consents that were asked about, by source and answer", ["source", "reason"], registry=REGISTRY
)
EXPORT_REFUSALS = Counter("piying_export_refusals_total", "Refusals of the export gate by code", ["code"], registry=REGISTRY)
LOCKED = Counter("piying_locked_answers_total", "Requests answered 503 because keys are locked", registry=REGISTRY)


def counters() -> CollectorRegistry:
    """The counters of this process, or of all processes that share its folder."""
    if FOLDER_VARIABLE not in os.environ:
        return REGISTRY
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return together


def _allowed(_: Any, __: str, facts: MutableMapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in facts.items() if name in FIELDS}


structlog.configure(
    processors=[structlog.processors.TimeStamper(fmt="iso", utc=True), _allowed, structlog.processors.JSONRenderer()],
    logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    cache_logger_on_first_use=False,
)


def event(name: str, **facts: Any) -> None:
    """Writes one line to stderr."""
    structlog.get_logger().msg(name, **facts)


class Hushed(logging.Handler):
    """Instead of what a library says, which may quote a value: who said it and how bad it is."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one line."""
        event("library_message", kind=record.name, level=record.levelname.lower())


def hush() -> None:
    """From now on no library writes a line of its own."""
    root = logging.getLogger()
    root.handlers = [Hushed(logging.WARNING)]
    root.setLevel(logging.WARNING)
