"""What is fetched waits until somebody says that the recipient has it."""

from __future__ import annotations

from app.destinations.fetched import Fetched
from privacy.carriage import Parcel


def test_nothing_is_carried_and_nothing_has_reached_anybody() -> None:
    looked, sent = Fetched().look("ab" * 24, "remove-sup_1-0000.csv.sealed"), Fetched().send(Parcel("ab" * 24, "n", "m", b""))
    assert looked == sent
    assert looked is not None
    assert (looked.outcome, looked.reached) == ("offered", False)
