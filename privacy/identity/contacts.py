"""The clear addresses of many people at once, for the gate that has logged it before.

Promise: one value a person and type, the one that was noted last; whoever has none has null. What comes back stands in the order of the people
given. Values are never kept here, and in no message.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pyarrow as pa
import sqlalchemy as sa

from privacy.identity import bulk, keystate, pseudonyms, sealed, vault
from privacy.identity.keys import Keyring

_NAMESPACE = "\x1f"
_AT_ONCE = 50_000
"""People whose keys and sealed values are in memory together."""


def everybody(tx: sa.Connection) -> list[bytes]:
    """The ids of all people in the vault, those who were merged included."""
    return [bytes(row[0]) for row in tx.exec_driver_sql("SELECT person FROM person").fetchall()]


def known(tx: sa.Connection, keyring: Keyring, type_: str, values: Sequence[str]) -> set[str]:
    """Those of normalised addresses that somebody is known by."""
    found: set[str] = set()
    for version in keystate.sync(tx, keyring)["index"] if values else ():
        marks = pseudonyms.blind_index(keyring.mac_key(pseudonyms.BLIND_INDEX, version=version), type_, values)
        told = bulk.select_in(tx, "SELECT digest FROM identifier WHERE index_version = ? AND digest IN ({keys})", list(marks), (version,))
        there = {bytes(row[0]) for row in told}
        found.update(value for value, mark in zip(values, marks, strict=True) if bytes(mark) in there)
    return found


def newest(
    tx: sa.Connection, keyring: Keyring, people: Sequence[bytes], families: Mapping[bytes, Sequence[bytes]], types: Collection[str]
) -> dict[str, pa.StringArray]:
    """By type the newest address of each person, those of everybody merged into them included; the namespace is taken off."""
    parts = [_newest(tx, keyring, people[start : start + _AT_ONCE], families, types) for start in range(0, len(people), _AT_ONCE)]
    return {kind: pa.concat_arrays([pa.array([], pa.string()), *(part[kind] for part in parts)]) for kind in types}


def _newest(
    tx: sa.Connection, keyring: Keyring, people: Sequence[bytes], families: Mapping[bytes, Sequence[bytes]], types: Collection[str]
) -> dict[str, pa.StringArray]:
    place = {person: number for number, head in enumerate(people) for person in (head, *families.get(head, ()))}
    numbers = {
        int(no): bytes(person) for no, person in bulk.select_in(tx, "SELECT no, person FROM person WHERE person IN ({keys})", list(place))
    }
    keys = vault.data_keys(tx, keyring, numbers)
    told = "SELECT type, person_no, sealed, added_at FROM identifier WHERE person_no IN ({keys})"
    best: dict[tuple[str, int], tuple[int, int, bytes]] = {}
    for kind, no, value, added in bulk.select_in(tx, told, list(numbers)):
        if kind in types:
            spot = (str(kind), place[numbers[no]])
            found = (int(added), int(no), bytes(value))
            if spot not in best or found > best[spot]:
                best[spot] = found
    columns: dict[str, list[str | None]] = {kind: [None] * len(people) for kind in types}
    for (kind, spot_), (_, no, value) in best.items():
        clear = sealed.unseal(keys[no], vault.IDENTIFIER_VALUE, numbers[no], value).decode()
        columns[kind][spot_] = clear.rpartition(_NAMESPACE)[2]
    return {kind: pa.array(values, pa.string()) for kind, values in columns.items()}
