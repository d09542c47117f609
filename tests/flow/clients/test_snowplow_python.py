"""Snowplow's Python tracker delivers to a running server, and leaves nothing of whoever did not allow it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.flow.clients.conftest import tallied
from tests.house import House, served

MESSAGES = 4


def say(endpoint: str, method: str) -> list[object]:
    """Three things of somebody who may have allowed it, one of somebody who did not; what failed."""
    from snowplow_tracker import Emitter, PageView, StructuredEvent, Subject, Tracker

    failed: list[object] = []
    emitter = Emitter(endpoint, protocol="http", method=method, batch_size=1, on_failure=lambda number, events: failed.append(number))
    tracker = Tracker(namespace="ns", emitters=emitter, app_id="shop")
    for user, times in (("u-1001", 3), ("u-who-said-nothing", 1)):
        subject = Subject()
        subject.set_user_id(user)
        tracker.track(PageView("https://shop.example/sale", "Sale", event_subject=subject))
        for _ in range(times - 1):
            tracker.track(StructuredEvent("shop", "add-to-basket", label="P2", value=2, event_subject=subject))
    tracker.flush()
    return failed


@pytest.mark.slow
@pytest.mark.parametrize("method", ["post", "get"])
def test_snowplows_python_tracker_delivers_and_only_who_allowed_is_stored(
    sqlite_only: House, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    house = sqlite_only
    _, key = house.source(kind="snowplow")
    with served(house.home) as (address, _):
        endpoint = f"{address.removeprefix('http://')}/c/{key}"
        assert say(endpoint, method) == []
        assert (tallied(house), house.rows()) == ({"refused": MESSAGES}, 0)
        house.clock.now = datetime.now(UTC)
        assert house.grant(key, [("customer_no", "u-1001")]).status_code == 201
        house.clock.now += timedelta(seconds=1)
        assert say(endpoint, method) == []
    assert tallied(house) == {"refused": MESSAGES + 1, "stored": MESSAGES - 1}
