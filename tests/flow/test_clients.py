"""Unmodified clients: whatever the SDKs were recorded to send is replayed byte for byte, and two of them are run for real."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app import people
from ingestion.inbox import Tally
from tests.flow.captured import ORIGIN, Recorded, captured, recorded, replay
from tests.house import House, served

KINDS = {
    "segment-analytics-python": "segment",
    "segment__analytics-node": "segment",
    "segment__analytics-next": "segment",
    "rudder-sdk-python": "rudderstack",
    "rudderstack__rudder-sdk-node": "rudderstack",
    "rudderstack__analytics-js": "rudderstack",
    "snowplow-tracker": "snowplow",
    "snowplow__node-tracker": "snowplow",
    "posthog-node": "posthog",
}
PEOPLE = [("customer_no", "u-1001"), ("customer_no", "12345"), ("customer_no", "u"), ("cookie", "anon-7")]
"""Everybody who is named in the captures."""
CATEGORIES = {"Analytics": "analytics.statistics", "analytics": "analytics.statistics", "Advertising": "marketing.profiling"}
CATEGORIES |= {"ads": "marketing.profiling"}

# requests of a name: how many, the status of each, messages stored and repeated in all of them (an id that the caller set stands in several)
EXPECTED: dict[str, dict[str, tuple[int, int, int, int]]] = {
    "segment-analytics-python": {
        "default POST /v1/batch": (1, 200, 8, 0),
        "gzip POST /v1/batch": (1, 200, 7, 1),
        "sync POST /v1/batch": (8, 200, 7, 1),
        "threads POST /v1/batch": (3, 200, 7, 1),
        "oauth-token POST /token": (1, 400, 0, 0),  # signed with a key that nobody registered
        "oauth POST /v1/batch": (1, 200, 1, 0),
    },
    "segment__analytics-node": {"default POST /v1/batch": (1, 200, 7, 0), "hostprefix POST /v1/batch": (1, 200, 1, 0)},
    "segment__analytics-next": {
        "default GET /v1/projects/wk_test_browser/settings": (3, 200, 0, 0),
        **{f"{variant} OPTIONS /v1/{one}": (1, 200, 0, 0) for variant in ("standard", "json") for one in "itpsga"},
        **{f"{variant} POST /v1/{one}": (1, 200, 1, 0) for variant in ("standard", "json") for one in "itpsga"},
        "batching OPTIONS /v1/b": (1, 200, 0, 0),
        "batching POST /v1/b": (1, 200, 6, 0),
    },
    "rudder-sdk-python": {
        "default POST /v1/batch": (1, 200, 8, 0),
        "nogzip POST /v1/batch": (1, 200, 7, 1),
        "sync POST /v1/batch": (8, 200, 7, 1),
    },
    "rudderstack__rudder-sdk-node": {
        "default POST /v1/batch": (1, 200, 7, 0),
        "nogzip POST /v1/batch": (1, 200, 6, 1),
        "firstalone POST /v1/batch": (2, 200, 2, 0),
    },
    "rudderstack__analytics-js": {
        **{
            f"{variant} {method} /sourceConfig/": (1, 200, 0, 0)
            for variant in ("standard", "batch", "beacon")
            for method in ("OPTIONS", "GET")
        },
        **{f"consent {method} /sourceConfig/": (2, 200, 0, 0) for method in ("OPTIONS", "GET")},
        **{
            f"{variant} {method} /v1/{one}": (1, 200, int(method == "POST"), 0)
            for variant in ("standard", "consent")
            for method in ("OPTIONS", "POST")
            for one in ("track", "identify", "page", "group", "alias")
        },
        "batch OPTIONS /v1/batch": (1, 200, 0, 0),
        "batch POST /v1/batch": (1, 200, 5, 0),
        "beacon POST /beacon/v1/batch": (1, 200, 5, 0),
    },
    "snowplow-tracker": {"post POST /com.snowplowanalytics.snowplow/tp2": (2, 200, 10, 0), "get GET /i": (10, 200, 10, 0)},
    "snowplow__node-tracker": {"default POST /com.snowplowanalytics.snowplow/tp2": (1, 200, 3, 0)},
    "posthog-node": {"default POST /batch/": (1, 200, 2, 0)},
}
STORED = {client: sum(stored for _, _, stored, _ in names.values()) for client, names in EXPECTED.items()}
REPEATED = {client: sum(repeated for *_, repeated in names.values()) for client, names in EXPECTED.items()}

EVENTS: dict[str, dict[str, int]] = {
    "segment-analytics-python": {
        "identify": 8, "order_completed": 4, "product_viewed": 1, "other": 5, "page_viewed": 4, "screen_viewed": 4, "group": 4,
    },
    "segment__analytics-node": {
        "identify": 2, "order_completed": 1, "product_viewed": 1, "page_viewed": 1, "screen_viewed": 1, "group": 1, "other": 1,
    },
    "segment__analytics-next": {"identify": 6, "order_completed": 3, "page_viewed": 3, "screen_viewed": 3, "group": 3},
    "rudder-sdk-python": {
        "identify": 6, "order_completed": 3, "product_viewed": 1, "other": 3, "page_viewed": 3, "screen_viewed": 3, "group": 3,
    },
    "rudderstack__rudder-sdk-node": {
        "identify": 4, "order_completed": 2, "product_viewed": 1, "other": 2, "page_viewed": 2, "screen_viewed": 2, "group": 2,
    },
    "rudderstack__analytics-js": {"identify": 8, "order_completed": 4, "page_viewed": 4, "group": 4},
    "snowplow-tracker": {"page_viewed": 4, "product_added": 4, "screen_viewed": 4, "other": 8},
    "snowplow__node-tracker": {"page_viewed": 1, "other": 2},
    "posthog-node": {"identify": 1, "order_completed": 1},
}  # fmt: skip
"""What stands in the lake afterwards, by the dictionary's word. An alias is an event of the kind `identify`, as is one without details."""


def opened(house: House, client: str, **options: Any) -> str:
    """A source as an integrator would make it for this client: its key."""
    kind = KINDS[client]
    _, key = house.source(client.replace("_", "-"), kind, root_paths=kind == "snowplow", origins=[ORIGIN], **options)
    return key


def walk(house: House, client: str, key: str) -> dict[str, tuple[int, int, int, int]]:
    """Every request of a client replayed; what became of those of each name. Every receipt adds up."""
    found: dict[str, list[int]] = {}
    for request in recorded(client):
        answer = replay(house, request, key)
        told = answer.get_json(silent=True) or {}
        one = found.setdefault(request.name, [0, answer.status_code, 0, 0])
        assert one[1] == answer.status_code, request.name
        one[0] += 1
        if answer.status_code != 200:
            assert told["code"]
            assert told["message"]
        elif request.method == "POST" or request.path == "/i":
            assert (told["success"], told["received"]) == (True, request.items), request.name
            assert told["received"] == told["stored"] + told["duplicate"] + told["quarantined"] + told["refused"]
            one[2] += told["stored"]
            one[3] += told["duplicate"]
        readable(request, answer)
    return {name: (number, status, stored, repeated) for name, (number, status, stored, repeated) in found.items()}


def readable(request: Recorded, answer: Any) -> None:
    """What a browser needs to read the answer of a request that came from its page."""
    if "Origin" not in request.headers:
        assert "Access-Control-Allow-Origin" not in answer.headers
        return
    assert answer.headers["Access-Control-Allow-Origin"] == request.headers["Origin"]
    assert answer.headers["Access-Control-Expose-Headers"] == "Retry-After"
    assert "Origin" in answer.headers["Vary"]
    allowed = answer.headers["Access-Control-Allow-Headers"].split(", ")
    assert set(filter(None, request.headers.get("Access-Control-Request-Headers", "").split(","))) <= set(allowed)


def tallied(house: House) -> dict[str, int]:
    """Items by verdict over all sources and days."""
    with house.services.read_console() as tx:
        rows = tx.execute(sa.select(Tally.verdict, sa.func.sum(Tally.number)).group_by(Tally.verdict))
        return {verdict: int(number) for verdict, number in rows if number}


def lake(house: House, table: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = house.services._lake.load_table(("lake", table)).scan().to_arrow().to_pylist()
    return rows


@captured
@pytest.mark.parametrize("client", KINDS)
def test_every_recorded_request_is_answered_as_its_client_needs_and_lands_as_what_it_says(sqlite_only: House, client: str) -> None:
    house = sqlite_only
    key = opened(house, client, categories=CATEGORIES)
    house.clock.now = datetime(2025, 12, 1, tzinfo=UTC)
    assert house.grant(key, PEOPLE).status_code == 201
    assert walk(house, client, key) == EXPECTED[client]
    rows = house.rows()
    assert house.flush()["rows"] == rows
    assert Counter(row["event"] for row in lake(house, "events")) == EVENTS[client]
    again = walk(house, client, key)
    assert sum(stored for _, _, stored, _ in again.values()) == 0, "a replay is all duplicates"
    assert house.rows() == 0
    assert tallied(house) == {"stored": STORED[client], "duplicate": 2 * REPEATED[client] + STORED[client]}


@captured
@pytest.mark.parametrize("client", KINDS)
def test_without_consent_every_recorded_request_is_answered_alike_and_not_one_row_is_kept(house: House, client: str) -> None:
    key = opened(house, client)
    before = house.counts()
    told = walk(house, client, key)
    assert {name: one[:2] for name, one in told.items()} == {name: one[:2] for name, one in EXPECTED[client].items()}
    assert sum(stored for _, _, stored, _ in told.values()) == 0
    assert house.rows() == 0
    after = house.counts()
    vault = {name for name in after if name.startswith("vault.") and after[name] != before[name]}
    assert vault <= {"vault.ephemeral_key", "vault.sealed_payload"}, "whoever allowed nothing leaves no person and no identifier"
    assert after["platform.seen_run"] == 0
    assert tallied(house) == {"refused": STORED[client] + REPEATED[client]}


@captured
@pytest.mark.parametrize("client", ["segment__analytics-next", "rudderstack__analytics-js"])
def test_what_the_visitor_refused_in_the_banner_is_refused_and_what_they_allowed_needs_an_act(sqlite_only: House, client: str) -> None:
    """Both were recorded with statistics allowed and advertising refused."""
    house = sqlite_only
    key = opened(house, client, categories=CATEGORIES)
    house.clock.now = datetime(2025, 12, 1, tzinfo=UTC)
    assert house.grant(key, PEOPLE, purposes=["marketing.profiling"]).status_code == 201
    walk(house, client, key)
    shown = people.show_consents(house.services, "customer_no", "u-1001", actor="test", namespace=client.replace("_", "-"))["purposes"]
    assert shown["marketing.profiling"]["allowed"] is False
    assert shown["analytics.statistics"]["allowed"] is False


@captured
@pytest.mark.parametrize("client", ["segment__analytics-next", "rudderstack__analytics-js"])
def test_to_a_key_that_anybody_can_read_each_answer_is_the_same_bytes_whoever_it_is_about(sqlite_only: House, client: str) -> None:
    """Known, refused, unknown: the recorded person first without consent, then with it, then withdrawn."""
    house = sqlite_only
    key = opened(house, client, public=True, namespace="shop")
    _, server = house.source("server", namespace="shop")
    bodies = set()
    for state in (None, "granted", "withdrawn"):
        house.clock.now = datetime(2025, 12, 1, tzinfo=UTC)
        if state is not None:
            assert house.grant(server, PEOPLE, state=state).status_code == 201
        for request in recorded(client):
            answer = replay(house, request, key)
            assert answer.status_code == 200
            if request.method == "POST":
                bodies.add((answer.get_data(), *sorted(name for name, _ in answer.headers)))
    assert {body for body, *_ in bodies} == {b'{"success":true}\n'}
    assert len(bodies) == 1


# ── the SDKs themselves, over real sockets ─────────────────────────────────────────────────────────────────────────────────────


def say_everything(sdk: Any) -> None:
    """One message of each kind that both SDKs have."""
    sdk.identify("u-1001", {"plan": "gold", "phone": "+8613800138000"})
    sdk.track("u-1001", "Order Completed", {"order_id": "O-1", "total": 129.5, "currency": "CNY", "products": [{"product_id": "P1"}]})
    sdk.page("u-1001", "Shoes", "Sale", {"url": "https://example.com/sale"})
    sdk.screen("u-1001", "Home", "Main", {})
    sdk.track("u-1001", "Product Viewed", {"product_id": "P2"})


def live(house: House, monkeypatch: pytest.MonkeyPatch, kind: str, make: Any) -> tuple[dict[str, int], list[object]]:
    """Runs a real SDK against a real server: what became of what it sent, and what it was told went wrong."""
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
    assert house.rows() >= 5
    return tallied(house), [getattr(error, "status", None) for error in failures]


ARRIVED: tuple[dict[str, int], list[object]] = {"stored": 5, "refused": 1}, [401]
"""Everything arrives, whoever did not allow leaves nothing; only the unknown key fails, and is not tried again."""


@pytest.mark.slow
def test_the_segment_python_sdk_delivers_to_a_running_server(sqlite_only: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from segment.analytics.client import Client

    def make(key: str, host: str, on_error: Any) -> Client:
        return Client(key, host=host, on_error=on_error, upload_interval=0.1)

    assert live(sqlite_only, monkeypatch, "segment", make) == ARRIVED


@pytest.mark.slow
def test_the_rudderstack_python_sdk_delivers_to_a_running_server(sqlite_only: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from rudderstack.analytics.client import Client

    def make(key: str, host: str, on_error: Any) -> Client:
        return Client(key, host=host, on_error=on_error, upload_interval=0.1)

    assert live(sqlite_only, monkeypatch, "rudderstack", make) == ARRIVED
