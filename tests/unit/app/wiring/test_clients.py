"""Formats of clients meet their readers, and a request to another's path is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.wiring import clients
from ingestion import strictjson
from ingestion.source import payload
from privacy.errors import Invalid
from privacy.records import SourceFacts
from tests.house import track

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)
ONE: dict[str, Any] = {
    "segment": {"batch": [track(1)]},
    "rudderstack": {"batch": [track(1)]},
    "snowplow": {"data": [{"e": "pv", "eid": "m", "uid": "u"}]},
    "posthog": {"batch": [{"event": "E", "uuid": "m", "distinct_id": "u"}]},
}
REQUESTS = {"segment": "batch", "rudderstack": "batch", "snowplow": "snowplow", "posthog": "posthog"}


def source(kind: str) -> SourceFacts:
    return SourceFacts("src_a", "a", kind, False, frozenset())


@pytest.mark.parametrize("kind", ONE)
def test_a_source_is_read_in_its_own_format_and_its_held_messages_again(kind: str) -> None:
    parsed = strictjson.loads(strictjson.dumps(ONE[kind]))
    raw = clients.read(source(kind), REQUESTS[kind], parsed, now=NOW, request_id="r")
    assert [(item.rule, len(item.rows)) for item in raw.items or ()] == [(None, 1)]
    again = clients.replayed(source(kind), [payload(raw, 0)], now=NOW)
    assert [(item.rule, item.message_id) for item in again.items or ()] == [(None, item.message_id) for item in raw.items or ()]


@pytest.mark.parametrize("kind", [*ONE, "file", "sensors"])
@pytest.mark.parametrize("request_", ["batch", "snowplow", "posthog"])
def test_a_request_to_anothers_path_is_refused(kind: str, request_: str) -> None:
    if REQUESTS.get(kind) == request_:
        return
    with pytest.raises(Invalid) as caught:
        clients.read(source(kind), request_, strictjson.Parsed({"batch": [], "data": []}), now=NOW, request_id="r")
    assert caught.value.code == "wrong_endpoint"
