"""Consent by the API: who may record it, what is answered item by item, and what a repeated request does."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from privacy.consent.ledger import ConsentEventRow
from tests.house import House, basic, bearer

PHONE = "13912345678"


def wish(**changes: Any) -> dict[str, Any]:
    return {"identifier": {"type": "phone", "value": PHONE}, "purpose": "analytics.statistics", "state": "granted"} | changes


def events(house: House) -> int:
    with house.services.read_intake() as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(ConsentEventRow)).scalar_one())


def test_consent_needs_a_server_key_or_an_officer(house: House) -> None:
    _, key = house.source("shop")
    ways: list[tuple[dict[str, str], int, str]] = [
        ({}, 401, "key_missing"),
        (bearer("wk_" + "a" * 52), 401, "key_unknown"),
        (bearer("pat_x"), 401, "token_unknown"),
        (bearer(house.token("integrator")), 403, "permission_missing"),
        (bearer(house.token("marketer")), 403, "permission_missing"),
    ]
    for headers, status, code in ways:
        answer = house.client.post("/v1/consents", json={"consents": [wish()]}, headers=headers)
        assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert events(house) == 0
    for headers in (bearer(key), basic(key), bearer(house.token("officer"))):
        answer = house.client.post("/v1/consents", json={"consents": [wish()]}, headers=headers)
        (item,) = answer.get_json()["items"]
        assert (answer.status_code, item["index"], item["verdict"]) == (201, 0, "stored")
        assert item["receipt"].startswith("rcp_")
    assert events(house) == 3


def test_one_bad_item_does_not_stop_anothers_withdrawal(house: House) -> None:
    _, key = house.source("shop")
    body = {"consents": [wish(purpose="no.such"), wish(state="withdrawn"), wish(default_state="checked")]}
    answer = house.client.post("/v1/consents", json=body, headers=bearer(key))
    assert answer.status_code == 201
    assert [(item["verdict"], item.get("reason")) for item in answer.get_json()["items"]] == [
        ("refused", "purpose_unknown"),
        ("stored", None),
        ("refused", "consent_preticked"),
    ]


def test_a_repeated_request_under_its_idempotency_key_changes_nothing_and_another_body_is_a_conflict(house: House) -> None:
    _, key = house.source("shop")
    _, other = house.source("till")
    headers = {**bearer(key), "Idempotency-Key": "a-1"}
    first = house.client.post("/v1/consents", json={"consents": [wish()]}, headers=headers)
    house.clock.forward(seconds=3)
    again = house.client.post("/v1/consents", json={"consents": [wish()]}, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_data() == again.get_data()
    assert events(house) == 1
    changed = house.client.post("/v1/consents", json={"consents": [wish(state="withdrawn")]}, headers=headers)
    assert (changed.status_code, changed.get_json()["code"]) == (409, "idempotency_mismatch")
    assert events(house) == 1
    foreign = house.client.post("/v1/consents", json={"consents": [wish()]}, headers={**bearer(other), "Idempotency-Key": "a-1"})
    assert foreign.status_code == 201
    assert events(house) == 2
