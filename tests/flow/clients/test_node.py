"""The Node SDKs of Segment, RudderStack and Snowplow deliver to a running server, and leave nothing of whoever did not allow it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.flow.clients.conftest import missing_for_node, run_node, tallied
from tests.house import House, served

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing_for_node()), reason=missing_for_node())]

CALLS = {"segment": 5, "rudderstack": 5, "snowplow": 4}


@pytest.mark.parametrize("client", CALLS)
def test_a_node_sdk_delivers_everything_and_only_who_allowed_is_stored(sqlite_only: House, client: str) -> None:
    house = sqlite_only
    house.clock.now = datetime.now(UTC)
    _, key = house.source(kind=client)
    with served(house.home) as (address, _):
        silent = run_node(client, address, key)
        assert (silent.returncode, json.loads(silent.stdout)) == (0, {"succeeded": CALLS[client], "failed": []}), silent.stderr
        assert tallied(house) == {"refused": CALLS[client]}
        assert house.rows() == 0
        house.clock.now = datetime.now(UTC)
        assert house.grant(key, [("customer_no", "u-1001")]).status_code == 201
        house.clock.now += timedelta(seconds=1)
        told = run_node(client, address, key)
        assert json.loads(told.stdout) == {"succeeded": CALLS[client], "failed": []}, told.stderr
    assert tallied(house) == {"refused": CALLS[client] + 1, "stored": CALLS[client] - 1}
    assert house.rows() >= CALLS[client] - 1


@pytest.mark.parametrize("client", CALLS)
def test_a_node_sdk_with_an_unknown_key_is_told_once(sqlite_only: House, client: str) -> None:
    house = sqlite_only
    with served(house.home) as (address, _):
        told = run_node(client, address, "wk_" + "a" * 52)
    answer = json.loads(told.stdout)
    assert answer["succeeded"] == 0
    assert set(answer["failed"]) <= {"401"} or client == "segment", "Segment's client names its own reason"
    assert tallied(house) == {}
