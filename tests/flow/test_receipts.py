"""What whoever sends messages is told: with a client key nothing, with a server key form and no person."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from tests.conftest import NOW
from tests.house import House, bearer, track

PHONE = "13912345678"


# ── what a client key learns ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_client_key_learns_nothing_about_anybody(house: House) -> None:
    """Known, unknown, refused, withdrawn, malformed, repeated: the same bytes and headers but the request's own number."""
    _, server = house.source("shop")
    _, client = house.source("browser", public=True)
    house.grant(server, [("customer_no", "u-known"), ("customer_no", "u-withdrawn")])
    house.clock.forward(seconds=5)
    house.grant(server, [("customer_no", "u-withdrawn")], state="withdrawn")
    house.clock.forward(seconds=5)
    bodies: list[dict[str, Any]] = [
        {"batch": [track(1, user="u-known")]},
        {"batch": [track(1, user="u-known")]},
        {"batch": [track(2, user="u-unknown")]},
        {"batch": [track(3, user="u-withdrawn")]},
        {"batch": [track(4, user=None, anonymousId="anon-1")]},
        {"batch": [track(5, user=None)]},
        {"batch": [track(6, type="nonsense")]},
        {"batch": [track(7, at=NOW + timedelta(days=2))]},
        {"batch": [track(8, properties={"face_template": "x"})]},
        {"batch": [track(9, type="identify") | {"traits": {"phone": PHONE}}, "nonsense"]},
        {"batch": []},
    ]
    seen = set()
    for body in bodies:
        answer = house.send(body, client)
        seen.add((answer.status_code, answer.get_data(), tuple(sorted((k, v) for k, v in answer.headers if k != "X-Request-Id"))))
    assert len(seen) == 1
    ((status, text, _),) = seen
    assert (status, json.loads(text)) == (200, {"success": True})


def test_a_client_key_can_neither_consent_nor_read_verdicts_nor_link_anybody(house: House) -> None:
    _, client = house.source("browser", public=True)
    before = house.counts()
    assert (
        house.grant(client, [("phone", PHONE)]).status_code,
        house.grant(client, [("phone", PHONE)], state="withdrawn").status_code,
    ) == (403, 403)
    assert house.client.get("/v1/verdicts/req_0", headers=bearer(client)).status_code == 401
    house.send({"batch": [track(9, type="identify") | {"traits": {"phone": PHONE}}]}, client)
    after = house.counts()
    assert [after[f"vault.{table}"] for table in ("person", "identifier")] == [
        before[f"vault.{table}"] for table in ("person", "identifier")
    ]
    assert after["platform.consent_event"] == before["platform.consent_event"]


# ── what a server key learns ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_messages_under_another_key_are_that_sources_own(house: House) -> None:
    """A replay with another source's key finds no consent there: customer numbers mean something in their own house only."""
    _, key = house.source("shop")
    _, other = house.source("till")
    house.grant(key, [("customer_no", "u-1")])
    house.clock.forward(seconds=1)
    body = [track(1)]
    assert house.batch(body, key)["stored"] == 1
    assert house.batch(body, key)["duplicate"] == 1
    assert house.batch(body, other)["refused"] == 1


def test_verdicts_tell_form_and_nothing_about_the_person(house: House) -> None:
    _, key = house.source("shop")
    house.grant(key, [("customer_no", "u-1"), ("customer_no", "u-3")])
    house.clock.forward(seconds=1)
    house.grant(key, [("customer_no", "u-3")], state="withdrawn")
    house.clock.forward(seconds=1)
    told = house.batch([track(1), track(2, user="u-2"), track(3, user="u-3"), track(4, at=NOW + timedelta(days=1)), 5], key)
    answer = house.client.get(f"/v1/verdicts/{told['request_id']}", headers=bearer(house.token("integrator")))
    items = answer.get_json()["items"]
    assert [(item["index"], item["verdict"], item["reason"], item["path"]) for item in items] == [
        (0, "stored", None, None),
        (1, "not_processed", "not_processed", None),
        (2, "not_processed", "not_processed", None),
        (3, "quarantined", "time_future", "occurred_at"),
        (4, "quarantined", "not_an_object", ""),
    ]
    assert items[0]["message_id"] == "00000000-0000-4000-8000-000000000001"
    house.clock.forward(days=7, seconds=1)
    gone = house.client.get(f"/v1/verdicts/{told['request_id']}", headers=bearer(house.token("integrator")))
    assert (gone.status_code, gone.get_json()["code"]) == (404, "verdicts_unknown")
