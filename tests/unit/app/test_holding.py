"""Messages that wait for a consent on another path; the flow of the quarantine is in tests/flow/test_quarantine.py."""

from __future__ import annotations

from datetime import timedelta

from app import holding
from ingestion import quarantine
from tests.house import NOW, House, track


def held(house: House, source: str) -> list[quarantine.Held]:
    with house.services.read_intake() as tx:
        return quarantine.listing(tx, source_id=source)[0]


def test_a_message_that_waits_is_stored_once_its_consent_comes_on_another_path(house: House) -> None:
    source, key = house.source(on_no_consent="wait")
    receipt = house.batch([track(1)], key)
    assert (receipt["quarantined"], house.rows()) == (1, 0)
    assert holding.replay_waiting(house.services) == {"tried": 1, "stored": 0}
    assert len(held(house, source)) == 1
    house.grant(key, [("customer_no", "u-1")], at=(NOW - timedelta(days=1)).isoformat())
    assert holding.replay_waiting(house.services) == {"tried": 1, "stored": 1}
    assert (held(house, source), house.rows()) == ([], 1)
    assert holding.replay_waiting(house.services) == {"tried": 0, "stored": 0}


def test_trying_again_gives_a_waiting_message_no_more_time(house: House) -> None:
    source, key = house.source(on_no_consent="wait")
    house.batch([track(1)], key)
    (first,) = held(house, source)
    house.clock.forward(hours=5)
    holding.replay_waiting(house.services)
    (again,) = held(house, source)
    assert again.expires_at == first.expires_at
