"""Rows that recipients hold, sealed in the vault at marks that never meet."""

from __future__ import annotations

import os

import pyarrow as pa
import pytest

from app.stores import Stores
from privacy.delivery import holdings
from privacy.identity.keys import Keyring
from tests.unit.privacy.delivery.office import DSP, OTHER
from tests.unit.privacy.identity.people import NOW

PEOPLE = [bytes([number]) * 16 for number in range(1, 4)]
TABLE = pa.table({"PHONE": ["x", "y", "z", "control"]})


@pytest.fixture
def vault(stores: Stores) -> Stores:
    from privacy.orm import VaultBase

    with stores.begin_vault() as tx:
        VaultBase.metadata.create_all(tx)
    return stores


def keep(vault: Stores, keyring: Keyring, export: str, recipient: str = DSP, size: int = 3) -> int:
    with vault.begin_vault() as tx:
        return holdings.keep(
            tx,
            keyring,
            recipient=recipient,
            export=export,
            persons=[*PEOPLE, b""],
            table=TABLE,
            rows_per_part=size,
            now=NOW,
            random=os.urandom,
        )


def test_rows_come_back_with_their_person_their_part_and_their_control_rows(
    vault: Stores, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holdings, "AT_ONCE", 2)
    assert keep(vault, keyring, "exp_1") == 2
    assert keep(vault, keyring, "exp_1") == 2, "again is no error"
    with vault.read_vault() as tx:
        first, second = (holdings.of_part(tx, keyring, DSP, "exp_1", part) for part in (0, 1))
    assert {row.row["PHONE"] for row in first} == {"x", "y", "z"}
    assert [(row.row["PHONE"], row.control) for row in second] == [("control", True)]
    assert set(holdings.people(keyring, DSP, [row.handle for row in first])) == set(PEOPLE)


def test_two_recipients_marks_never_meet_and_one_forgets_without_the_other(vault: Stores, keyring: Keyring) -> None:
    keep(vault, keyring, "exp_1")
    keep(vault, keyring, "exp_2", OTHER)
    here, there = holdings.marks(keyring, DSP, PEOPLE), holdings.marks(keyring, OTHER, PEOPLE)
    assert not set(here) & set(there)
    with vault.begin_vault() as tx:
        assert holdings.forget(tx, DSP, here[:1], export="exp_2") == 0
        assert holdings.forget(tx, DSP, here[:1]) == 1
        assert (len(holdings.places(tx, DSP)), len(holdings.places(tx, OTHER))) == (2, 3)
        assert holdings.of_people(tx, keyring, DSP, here[1:2], ["exp_1"])[0].row == {"PHONE": "y"}
        assert holdings.end(tx, ["exp_1"]) == 3
