"""A person counts once a year, whoever receives them; sensitive data raises an earlier mark; erased people keep their number."""

from __future__ import annotations

from datetime import UTC, datetime

from app.stores import Stores
from privacy.accountability import transfers
from privacy.accountability.crossborder import Counts

NOW = datetime(2026, 6, 15, tzinfo=UTC)


def marks(*numbers: int) -> list[bytes]:
    return [number.to_bytes(16, "big") for number in numbers]


def test_people_are_counted_once_a_year(stores: Stores) -> None:
    with stores.begin_platform() as tx:
        assert transfers.after(tx, 2026, marks(1, 2, 2), sensitive=False) == Counts(2, 0)
        assert transfers.counts(tx, 2026) == Counts(0, 0)
        assert transfers.note(tx, 2026, marks(1, 2, 2), sensitive=False, now=NOW) == Counts(2, 0)
        assert transfers.after(tx, 2026, marks(2, 3), sensitive=True) == Counts(3, 2)
        assert transfers.note(tx, 2026, marks(2, 3), sensitive=True, now=NOW) == Counts(3, 2)
        assert transfers.note(tx, 2026, marks(2, 3), sensitive=True, now=NOW) == Counts(3, 2)
        assert transfers.note(tx, 2027, marks(1), sensitive=False, now=NOW) == Counts(1, 0)
        assert transfers.years_of(tx, marks(1)) == [2026, 2027]


def test_an_erased_person_keeps_the_number_and_loses_the_row(stores: Stores) -> None:
    with stores.begin_platform() as tx:
        transfers.note(tx, 2026, marks(1, 2), sensitive=False, now=NOW)
        transfers.note(tx, 2026, marks(3), sensitive=True, now=NOW)
        assert transfers.forget(tx, marks(1, 3, 9)) == 2
        assert transfers.forget(tx, marks(2)) == 1
        assert transfers.counts(tx, 2026) == Counts(3, 1)
        assert transfers.years_of(tx, marks(1, 2, 3)) == []
