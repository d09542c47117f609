"""What an integrator may learn about each item afterwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.stores import Stores
from ingestion import verdicts
from privacy.vocabulary import Reason, Verdict

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)


@pytest.mark.parametrize("reason", list(Reason))
def test_everything_about_the_person_reads_the_same(reason: Reason) -> None:
    assert verdicts.tell(1, None, Verdict.REFUSED, reason, "traits.x") == verdicts.Told(1, None, "not_processed", "not_processed", None)


@pytest.mark.parametrize(
    ("message_id", "shown"),
    [
        ("54da6d08-1374-4b79-80be-0a0cddc73ce9", True),
        ("node-next-1795355276126-1a2c7231-2e25-43c4-aa75-f97f00efd7a9", True),
        ("ajs-next-1795355279840-1a2c7231-2e25-43c4-aa75-f97f00efd7a9", True),
        ("li.na@example.com", False),
        ("lina-54da6d08-1374-4b79-80be-0a0cddc73ce9", False),
        ("13800138000", False),
        ("", False),
        (None, False),
    ],
)
def test_an_id_is_repeated_only_when_it_is_random(message_id: str | None, shown: bool) -> None:
    assert verdicts.tell(0, message_id, Verdict.STORED).message_id == (message_id if shown else None)


def test_verdicts_are_kept_for_seven_days(stores: Stores) -> None:
    told = [
        verdicts.tell(0, "54da6d08-1374-4b79-80be-0a0cddc73ce9", Verdict.STORED),
        verdicts.tell(1, None, Verdict.QUARANTINED, "bad_time", "timestamp"),
    ]
    with stores.begin_platform() as tx:
        verdicts.put(tx, "req_1", "src_a", told, now=NOW)
        found = verdicts.get(tx, "req_1", now=NOW + timedelta(days=6, hours=23))
        assert found is not None
        assert found[0] == "src_a"
        assert found[1][1] == {"index": 1, "message_id": None, "verdict": "quarantined", "reason": "bad_time", "path": "timestamp"}
        assert verdicts.get(tx, "req_2", now=NOW) is None
        assert verdicts.get(tx, "req_1", now=NOW + timedelta(days=7)) is None
        assert verdicts.sweep(tx, NOW + timedelta(days=7)) == 1
