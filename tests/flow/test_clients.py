"""Unmodified clients: what Segment's and RudderStack's SDKs sent is replayed byte for byte, and two of them are run for real."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ingestion.inbox import Tally
from tests.house import House, basic, served

CAPTURES = Path(os.environ.get("PIYING_CAPTURES", Path(__file__).parents[2] / ".." / "shared" / "captures"))
CLIENTS = {"segment-analytics-python": "segment", "segment__analytics-node": "segment", "rudder-sdk-python": "rudderstack"}
PEOPLE = [("customer_no", "u-1001"), ("customer_no", "12345"), ("customer_no", "u"), ("cookie", "anon-7")]
"""Everybody who is named in the captures."""
ITEMS = {"segment-analytics-python": 33, "segment__analytics-node": 8, "rudder-sdk-python": 24}
"""Messages that each client sent."""

REPEATED = {"segment-analytics-python": 3, "segment__analytics-node": 0, "rudder-sdk-python": 2}
"""Messages among them that carry an id once more, because the caller set it."""

captured = pytest.mark.skipif(not CAPTURES.is_dir(), reason="captured requests are not here: set PIYING_CAPTURES")


@dataclass(frozen=True, slots=True)
class Captured:
    """A request as it came over the wire."""

    at: datetime
    path: str
    headers: dict[str, str]
    raw: bytes
    items: int


def requests(client: str) -> Iterator[Captured]:
    for request in json.loads((CAPTURES / f"{client}.json").read_text(encoding="utf-8"))["requests"]:
        body = request["body"]
        if request["path"] == "/token":
            continue
        candidates = [
            base64.b64decode(request.get("raw_body_base64") or b""),
            json.dumps(body).encode(),
            json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
        ]
        raw = next(one for one in candidates if len(one) == request["raw_bytes"])
        yield Captured(datetime.fromtimestamp(request["t"], UTC), request["path"], request["headers"], raw, len(body["batch"]))


def replay(house: House, client: str, key: str) -> list[dict[str, Any]]:
    """The receipts of every request, each at the time it was captured; only the credential is another."""
    receipts = []
    for request in requests(client):
        house.clock.now = request.at
        kept = {name: value for name, value in request.headers.items() if name.lower() not in ("host", "authorization", "content-length")}
        answer = house.client.open(request.path, method="POST", data=request.raw, headers={**kept, **basic(key)})
        assert answer.status_code == 200, answer.get_data(as_text=True)
        receipt = answer.get_json()
        assert receipt["success"] is True
        assert receipt["received"] == request.items
        assert receipt["received"] == sum(receipt[verdict] for verdict in ("stored", "duplicate", "quarantined", "refused"))
        receipts.append(receipt)
    return receipts


def total(receipts: list[dict[str, Any]], verdict: str) -> int:
    return sum(receipt[verdict] for receipt in receipts)


def tallied(house: House) -> dict[str, int]:
    """Items by verdict over all sources and days."""
    with house.services.read_console() as tx:
        rows = tx.execute(sa.select(Tally.verdict, sa.func.sum(Tally.number)).group_by(Tally.verdict))
        return {verdict: int(number) for verdict, number in rows if number}


@captured
@pytest.mark.parametrize("client", CLIENTS)
def test_without_consent_every_captured_request_is_answered_200_and_not_one_row_is_kept(house: House, client: str) -> None:
    _, key = house.source(kind=CLIENTS[client])
    before = house.counts()
    receipts = replay(house, client, key)
    assert total(receipts, "received") == ITEMS[client]
    assert total(receipts, "stored") == 0
    assert house.rows() == 0
    after = house.counts()
    vault = {name for name in after if name.startswith("vault.") and after[name] != before[name]}
    assert vault <= {"vault.ephemeral_key", "vault.sealed_payload"}, "whoever allowed nothing leaves no person and no identifier"
    assert after["platform.seen"] == 0
    assert sum(tallied(house).values()) == ITEMS[client]


@captured
@pytest.mark.parametrize("client", CLIENTS)
def test_with_consent_given_beforehand_the_captured_rows_are_stored_and_a_replay_is_all_duplicates(house: House, client: str) -> None:
    _, key = house.source(kind=CLIENTS[client])
    house.clock.now = datetime(2025, 12, 1, tzinfo=UTC)
    assert house.grant(key, PEOPLE).status_code == 201
    receipts = replay(house, client, key)
    new = ITEMS[client] - REPEATED[client]
    assert (total(receipts, "stored"), total(receipts, "duplicate")) == (new, REPEATED[client])
    rows = house.rows()
    assert rows >= new
    again = replay(house, client, key)
    assert (total(again, "stored"), total(again, "duplicate")) == (0, ITEMS[client])
    assert house.rows() == rows
    assert tallied(house) == {"stored": new, "duplicate": 2 * ITEMS[client] - new}


@captured
def test_what_the_clients_sent_can_be_read_from_the_lake(sqlite_only: House) -> None:
    """The order lines that three clients told of one order each stand in the lake, under the month's virtual ID."""
    house = sqlite_only
    for client, kind in CLIENTS.items():
        _, key = house.source(client.replace("__", "-"), kind)
        house.clock.now = datetime(2025, 12, 1, tzinfo=UTC)
        house.grant(key, PEOPLE)
        replay(house, client, key)
    rows = house.rows()
    assert house.flush()["rows"] == rows
    assert house.rows() == 0
    assert house.flush()["rows"] == 0


# ── the SDKs themselves, over real sockets ─────────────────────────────────────────────────────────────────────────────────────


def say_everything(sdk: Any) -> None:
    """One message of each kind that both SDKs have."""
    sdk.identify("u-1001", {"plan": "gold", "phone": "+8613800138000"})
    sdk.track("u-1001", "Order Completed", {"order_id": "O-1", "total": 129.5, "currency": "CNY", "products": [{"product_id": "P1"}]})
    sdk.page("u-1001", "Shoes", "Sale", {"url": "https://example.com/sale"})
    sdk.screen("u-1001", "Home", "Main", {})
    sdk.track("u-1001", "Product Viewed", {"product_id": "P2"})


def live(house: House, monkeypatch: pytest.MonkeyPatch, kind: str, make: Any) -> None:
    """Runs a real SDK against a real server: everything arrives, nothing is retried, whoever did not allow leaves nothing."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    house.clock.now = datetime.now(UTC)
    _, key = house.source(kind=kind)
    assert house.grant(key, [("customer_no", "u-1001")]).status_code == 201
    house.clock.now += timedelta(seconds=1)
    failures: list[object] = []
    with served(house.home) as (address, _):
        sdk = make(key, address, lambda error, _: failures.append(error))
        say_everything(sdk)
        sdk.track("u-who-said-nothing", "Product Viewed", {"product_id": "P2"})
        sdk.flush()
        sdk.join()
        unknown = make("wk_" + "a" * 52, address, lambda error, _: failures.append(error))
        unknown.track("u-1001", "Product Viewed", {})
        unknown.flush()
        unknown.join()
    assert [getattr(error, "status", None) for error in failures] == [401], "only the unknown key fails, and is not tried again"
    assert tallied(house) == {"stored": 5, "refused": 1}
    assert house.rows() >= 5


@pytest.mark.slow
def test_the_segment_python_sdk_delivers_to_a_running_server(sqlite_only: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from segment.analytics.client import Client

    live(sqlite_only, monkeypatch, "segment", lambda key, host, on_error: Client(key, host=host, on_error=on_error, upload_interval=0.1))


@pytest.mark.slow
def test_the_rudderstack_python_sdk_delivers_to_a_running_server(sqlite_only: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from rudderstack.analytics.client import Client

    live(
        sqlite_only, monkeypatch, "rudderstack", lambda key, host, on_error: Client(key, host=host, on_error=on_error, upload_interval=0.1)
    )
