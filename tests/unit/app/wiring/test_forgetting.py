"""Erasures, wired (app.wiring.forgetting): what this machine remembers, and how an upload is searched."""

from __future__ import annotations

from app import journal
from privacy.records import Gone
from tests.house import House


def test_an_erasure_that_only_this_machine_remembers_is_found_and_nobody_is_served_before_it_is_repeated(house: House) -> None:
    services = house.services
    assert (services.forgotten(), services.remembered_erasures().erasures) == ([], {})
    gone = Gone("era_" + "0" * 24, house.clock(), (b"p" * 16,), (b"d" * 32,))
    journal.keep(services.settings.keys_path, [gone])
    assert services.forgotten() == [gone]


def test_an_identifier_is_found_in_a_piece_of_a_file_and_another_is_not(house: House) -> None:
    found = house.services.needle([("email", "li@example.com")])
    assert found(b"a,LI@example.com,b")
    assert not found(b"a,la@example.com,b")
