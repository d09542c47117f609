"""A partner's table beside what the partner was told before (P-05, attacks 18, 56 and 57)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa
import pytest

from privacy.errors import Refused
from privacy.export import content
from privacy.export.content import Content
from privacy.identity import pseudonyms
from privacy.identity.keys import Keyring

PEOPLE = [number.to_bytes(16, "big") for number in range(200)]
COLUMNS = {
    "sex": ["f" if number % 2 else "m" for number in range(200)],
    "city": [f"c{number // 20}" for number in range(200)],
    "ill": ["yes" if number % 4 < 2 else "no" for number in range(200)],
}


def made(
    keyring: Keyring, approved: tuple[str, ...], told: tuple[str, ...] = (), sensitive: tuple[str, ...] = (), most: int = 200
) -> Content:
    key = keyring.mac_key(pseudonyms.RECIPIENT, "tea", version=1)
    names = dict.fromkeys((*approved, *told))
    return content.pseudonymous(key, PEOPLE[:most], pa.table({name: COLUMNS[name][:most] for name in names}), approved, sensitive, told)


def values(one: Content, name: str) -> set[Any]:
    return set(one.table[name].to_pylist())


def test_alone_a_column_leaves_as_it_is_and_beside_another_one_it_does_not(keyring: Keyring) -> None:
    """Ten cities of twenty people each; by sex they are ten and ten, and the partner knows everybody's sex."""
    assert len(values(made(keyring, ("city",)), "city")) == 10
    beside = made(keyring, ("city",), told=("sex",))
    assert beside.table.column_names == ["person", "city"]
    assert values(beside, "city") == {"*"}
    assert beside.risk is not None
    assert beside.risk["quasi_identifiers"] == ("city", "sex")
    assert beside.risk["generalised"] == {"city": 1, "sex": 0}


def test_what_was_told_leaves_again_as_it_was(keyring: Keyring) -> None:
    assert values(made(keyring, ("sex",), told=("sex",)), "sex") == {"f", "m"}


def test_where_nothing_new_can_be_said_only_what_was_told_is_said(keyring: Keyring) -> None:
    """Thirty people are left, who are fifteen and fifteen: the table says of them no more than before, and less where it has to."""
    few = made(keyring, ("sex", "city"), told=("sex",), most=30)
    assert values(few, "city") == {"*"}
    assert min(Counter(few.table["sex"].to_pylist()).values()) >= content.K
    assert few.risk is not None
    assert few.risk["generalised"]["city"] == 1


def test_a_sensitive_column_that_a_class_has_in_common_stays(keyring: Keyring) -> None:
    """Where it is open in every class of the join it leaves; where sex tells it, nothing does."""
    assert values(made(keyring, ("ill",), told=("sex",), sensitive=("ill",)), "ill") == {"yes", "no"}
    COLUMNS["known"] = ["yes" if one == "f" else "no" for one in COLUMNS["sex"]]
    with pytest.raises(Refused):
        made(keyring, ("known",), told=("sex",), sensitive=("known",))
