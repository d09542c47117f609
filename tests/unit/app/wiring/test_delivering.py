"""Where recipients are reached: the operator's file as it is now, and nothing for whom it does not name (pushes: tests/flow/test_deliveries.py)."""

from __future__ import annotations

from app.destinations.fetched import Fetched
from app.wiring import delivering
from privacy.consent import effects
from privacy.delivery import desk


def test_a_withdrawal_tells_which_recipients_were_told_and_which_confirmed() -> None:
    for name, count in (("suppressions_sent", desk.told), ("suppressions_confirmed", desk.confirmed)):
        effects.register(name, count)
    assert delivering.Fetched is Fetched
