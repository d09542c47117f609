"""Requests that real clients sent, replayed up to the canonical batch (reference/clients.md)."""

from __future__ import annotations

import base64
import json
import os
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingestion import canonical, strictjson
from ingestion.sources import segment
from privacy.dictionary.catalogue import load
from privacy.records import CanonicalBatch, SourceFacts

CAPTURES = Path(os.environ.get("PIYING_CAPTURES", Path(__file__).parents[2] / ".." / "shared" / "captures"))
CLIENTS = (
    "segment-analytics-python",
    "rudder-sdk-python",
    "segment__analytics-node",
    "rudderstack__rudder-sdk-node",
    "segment__analytics-next",
    "rudderstack__analytics-js",
)
ROUTES = {"t": "track", "i": "identify", "p": "page", "s": "screen", "g": "group", "a": "alias"}
CATEGORIES = {
    "Analytics": "analytics.statistics",
    "analytics": "analytics.statistics",
    "Advertising": "marketing.profiling",
    "ads": "marketing.profiling",
}
SOURCE = SourceFacts("src_a", "web", "segment", public=False, purposes=frozenset(), consent_categories=CATEGORIES)

pytestmark = pytest.mark.skipif(not CAPTURES.is_dir(), reason="captured requests are not here: set PIYING_CAPTURES")


def requests(client: str) -> Iterator[tuple[str | None, bytes, datetime]]:
    """The route's type, the bytes of the body and the time of receipt of each ingestion request."""
    for request in json.loads((CAPTURES / f"{client}.json").read_text(encoding="utf-8"))["requests"]:
        path = request["path"].rstrip("/").rsplit("/", 1)[-1]
        if request["method"] != "POST" or path in ("token", "m") or not isinstance(request["body"], dict):
            continue
        raw = json.dumps(request["body"]).encode()
        if request.get("raw_body_base64"):
            raw = zlib.decompressobj(31).decompress(base64.b64decode(request["raw_body_base64"]))
            assert json.loads(raw) == request["body"]
        kind = ROUTES.get(path, path)
        yield kind if kind in segment.TYPES else None, raw, datetime.fromtimestamp(request["t"], UTC)


def replay(client: str) -> list[tuple[int, CanonicalBatch]]:
    """(number of messages sent, what they became) of each request."""
    made = []
    for only, body, at in requests(client):
        parsed = strictjson.loads(body)
        assert parsed.faults == ()
        raw = segment.read(parsed, SOURCE, load(), received_at=at, request_id="req", only=only)
        sent = 1 if only else len(parsed.value["batch"])
        made.append((sent, canonical.canonicalise(raw, None, load(), now=at, retention_days=400)))
    return made


@pytest.mark.parametrize("client", CLIENTS)
def test_every_message_of_a_real_client_is_understood(client: str) -> None:
    replayed = replay(client)
    assert replayed
    for sent, batch in replayed:
        assert batch.received == sent
        assert batch.malformed == ()
        positions = {position for part in batch.parts for position in part.positions.to_pylist()}
        assert positions == set(range(sent))
        assert all(part.message_ids is not None and part.message_ids.null_count == 0 for part in batch.parts)


@pytest.mark.parametrize("client", CLIENTS)
def test_nobodys_address_stands_in_a_field(client: str) -> None:
    """Identifiers are handed on as identifiers and nowhere else, and only from identify."""
    for _, batch in replay(client):
        for part in batch.parts:
            everything = json.dumps(part.fields.to_pylist(), default=str, ensure_ascii=False)
            for canary in ("li.na", "example.com/?", "李娜", "13800138000", "203.0.113.7"):
                assert canary not in everything
            strong = part.identifiers.get("email")
            if strong is not None and "event" in part.fields.column_names:
                named = part.fields.column("event").filter(strong.is_valid()).to_pylist()
                assert set(named) <= {"identify"}
        assert all("@" not in path and not any(map(str.isdigit, path)) for path in batch.dropped_fields)


def orders(client: str) -> list[Any]:
    return [row for _, batch in replay(client) for part in batch.parts if part.record == "order_line" for row in part.fields.to_pylist()]


@pytest.mark.parametrize("client", CLIENTS[:4])
def test_the_order_arrives_to_the_minor_unit(client: str) -> None:
    found = [row for row in orders(client) if row.get("product_id") == "P1"]
    assert found
    assert all(row["net_minor"] == 12950 and row["quantity_milli"] == 2000 and row["order_id"] == "O-1" for row in found)


@pytest.mark.parametrize("client", ["segment-analytics-python", "rudder-sdk-python", "segment__analytics-node", "segment__analytics-next"])
def test_signals_of_consent_are_claims_of_the_source(client: str) -> None:
    claims = [claim for _, batch in replay(client) for part in batch.parts for claim in part.consents]
    assert {claim.purpose for claim in claims} == {"analytics.statistics", "marketing.profiling"}
    for claim in claims:
        assert not claim.explicit
        assert set(claim.granted.drop_null().to_pylist()) == {claim.purpose == "analytics.statistics"}
