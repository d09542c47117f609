"""Structured logs with an allow-list of fields, and the counters of `/metrics`.

Promise: a log line is an event name and facts whose names are on the list; a fact that is not on it is dropped. Metric labels come from
closed lists or from source ids, never from data.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

FIELDS = frozenset(
    {
        "event", "timestamp", "level", "request_id", "route", "method", "status", "milliseconds", "source", "job", "kind", "state", "code",
        "error_type", "batches", "rows", "received", "stored", "duplicate", "quarantined", "refused", "snapshot", "port", "workers", "attempt",
    }
)  # fmt: skip

REGISTRY = CollectorRegistry()
ITEMS = Counter("piying_items_total", "Items by source and verdict", ["source", "verdict"], registry=REGISTRY)
REFUSALS = Counter("piying_refusals_total", "Refused items by source and reason", ["source", "reason"], registry=REGISTRY)
REQUESTS = Counter("piying_http_requests_total", "HTTP answers by route and status", ["route", "status"], registry=REGISTRY)
SECONDS = Histogram("piying_http_seconds", "Seconds to answer by route", ["route"], registry=REGISTRY)
INBOX_AGE = Gauge("piying_inbox_age_seconds", "Age of the oldest batch that is not in the lake yet", registry=REGISTRY)
BUDGET_REFUSALS = Counter("piying_budget_refusals_total", "Questions refused for lack of budget", registry=REGISTRY)
RATE_LIMITED = Counter(
    "piying_rate_limited_total", "Requests answered 429 because their source sent too many", ["source"], registry=REGISTRY
)
LOCKED = Counter("piying_locked_answers_total", "Requests answered 503 because keys are locked", registry=REGISTRY)


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
