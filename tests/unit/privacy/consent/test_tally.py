"""Acts are counted on the controller's days, on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from app.stores import Stores
from privacy.consent import ledger, registry, tally
from privacy.consent.ledger import ConsentAct

STATISTICS, PROFILING = "analytics.statistics", "marketing.profiling"


def received(handle: int, purpose: str, state: str, at: datetime) -> ConsentAct:
    moment = int(at.timestamp() * 1_000_000)
    return ConsentAct(bytes([handle]) * 16, purpose, state, "explicit", moment, moment)


@pytest.fixture
def seeded(stores: Stores) -> Stores:
    with stores.begin_platform() as tx:
        registry.seed(tx, datetime(2026, 1, 1, tzinfo=UTC))
        ledger.append(
            tx,
            [
                received(1, STATISTICS, "granted", datetime(2026, 6, 1, 15, 59, 59, tzinfo=UTC)),
                received(2, STATISTICS, "granted", datetime(2026, 6, 1, 16, 0, tzinfo=UTC)),
                received(2, PROFILING, "denied", datetime(2026, 6, 1, 16, 1, tzinfo=UTC)),
                received(2, STATISTICS, "withdrawn", datetime(2026, 6, 2, 1, 0, tzinfo=UTC)),
                received(3, STATISTICS, "granted", datetime(2026, 5, 1, 1, 0, tzinfo=UTC)),
            ],
        )
    return stores


def test_an_act_counts_on_the_day_of_the_controllers_zone(seeded: Stores) -> None:
    since = datetime(2026, 5, 20, tzinfo=UTC)
    with seeded.read_platform() as tx:
        assert tally.acts_by_day(tx, since=since, zone="Asia/Shanghai") == {
            (date(2026, 6, 1), STATISTICS): (1, 0),
            (date(2026, 6, 2), STATISTICS): (1, 1),
            (date(2026, 6, 2), PROFILING): (0, 1),
        }


def test_a_zone_may_lie_a_quarter_of_an_hour_apart(seeded: Stores) -> None:
    with seeded.read_platform() as tx:
        found = tally.acts_by_day(tx, since=datetime(2026, 5, 20, tzinfo=UTC), zone="Asia/Kathmandu")
    assert found[date(2026, 6, 1), STATISTICS] == (2, 0)
    assert found[date(2026, 6, 2), STATISTICS] == (0, 1)
