"""The pseudonymous table: approved columns only, in an order that is another for every recipient (P-03, attacks 18 and 51)."""

from __future__ import annotations

import os

import numpy as np
import pyarrow as pa
import pytest

from privacy import errors
from privacy.identity import pseudonyms
from privacy.identity.forms import partner
from privacy.identity.keys import Keyring
from privacy.vocabulary import IdentifierType

PEOPLE = os.urandom(16 * 20_000)


def names_for(ring: Keyring, *parts: str) -> pa.StringArray:
    return pseudonyms.recipient_pseudonyms(ring.mac_key(pseudonyms.RECIPIENT, *parts), PEOPLE)


def test_many_pseudonyms_are_those_of_one_at_a_time(keyring: Keyring) -> None:
    key = keyring.mac_key(pseudonyms.RECIPIENT, "acme", "share.acme", "2026")
    made = pseudonyms.recipient_pseudonyms(key, PEOPLE[:160]).to_pylist()
    assert made == [pseudonyms.recipient_pseudonym(key, PEOPLE[at : at + 16]) for at in range(0, 160, 16)]
    with pytest.raises(ValueError, match="16 bytes"):
        pseudonyms.recipient_pseudonyms(key, b"short")


def test_pseudonyms_of_two_recipients_purposes_or_epochs_never_match(keyring: Keyring) -> None:
    """Also not by the beginnings of their values, nor by the part of a name that moves over a boundary."""
    domains = [
        ("acme", "share.acme", "1"),
        ("acme", "share.acme", "2"),
        ("bolt", "share.acme", "1"),
        ("acme", "measure", "1"),
        ("acm", "eshare.acme", "1"),
    ]
    seen: set[str] = set()
    for parts in domains:
        values = set(names_for(keyring, *parts).to_pylist())
        assert len(values) == len(PEOPLE) // 16
        assert seen.isdisjoint(values)
        seen |= values
    assert len({value[:16] for value in seen}) == len(seen), "64 bits of 100,000 values meet once in 10⁹ runs"


def test_two_recipients_files_joined_by_order_are_no_better_than_chance(keyring: Keyring) -> None:
    rows = pa.array(np.arange(len(PEOPLE) // 16))
    files = [partner.table(names_for(keyring, one, "share", "1"), {"row": rows}, ["row"])["row"].to_numpy() for one in ("acme", "bolt")]
    assert int((files[0] == files[1]).sum()) < 13, "one match is expected by chance; thirteen come once in 10⁹ runs"


def test_only_approved_columns_leave_in_their_approved_order(keyring: Keyring) -> None:
    ids = names_for(keyring, "acme", "share", "1").slice(0, 2)
    made = partner.table(ids, {"tier": pa.array(["gold", "silver"]), "region": pa.array(["east", "south"])}, ["region", "tier"])
    assert made.column_names == ["person", "region", "tier"]
    with pytest.raises(errors.Refused, match="approved"):
        partner.table(ids, {"tier": pa.array(["gold", "silver"]), "age": pa.array([1, 2])}, ["tier"])
    with pytest.raises(errors.Invalid):
        partner.table(ids, {"tier": pa.array(["gold"])}, ["tier"])


@pytest.mark.parametrize("name", [*IdentifierType, "person_id", "virtual_id", "name"])
def test_an_identifier_is_no_column_of_a_partners_even_if_somebody_approved_it(name: str) -> None:
    with pytest.raises(errors.Refused) as refused:
        partner.table(pa.array(["a"]), {str(name): pa.array(["x"])}, [str(name)])
    assert refused.value.code == "column_is_identifier"
