"""Takes the vault to the newest key versions, a part at a time, while everything runs.

Promise: nothing splits and nothing is lost; called until it returns 0, it leaves nothing that needs an older version.
Must never learn: whose rows it renews.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from privacy.identity import bulk, keystate, pseudonyms, sealed, vault
from privacy.identity.keys import Keyring
from privacy.orm import to_micros
from privacy.records import RandomBytes


def reindex(tx: sa.Connection, keyring: Keyring, *, limit: int = 10_000) -> int:
    """Gives identifiers that stand only under older index versions a row under the newest; returns how many it looked at.

    Called again until it returns 0; then older versions can go.
    """
    keystate.take_numbers(tx, 0)
    version = keystate.sync(tx, keyring)["index"][-1]
    newer = aliased(vault.Identifier)
    there = sa.exists().where(
        newer.person_no == vault.Identifier.person_no, newer.sealed == vault.Identifier.sealed, newer.index_version == version
    )
    old = sa.select(
        *(
            vault.Identifier.type,
            vault.Person.no,
            vault.Person.person,
            vault.Identifier.sealed,
            vault.Identifier.added_at,
            vault.Identifier.rule,
            vault.Identifier.batch_no,
        )
    ).join(vault.Person, vault.Person.no == vault.Identifier.person_no)
    rows = tx.execute(old.where(vault.Identifier.index_version < version, ~there).limit(limit)).all()
    keys = vault.data_keys(tx, keyring, {row.no: row.person for row in rows})
    key = keyring.mac_key(pseudonyms.BLIND_INDEX, version=version)
    made = []
    for kind, no, person, value, added_at, rule, batch_no in rows:
        opened = sealed.unseal(keys[no], vault.IDENTIFIER_VALUE, person, value).decode()
        made.append((version, pseudonyms.blind_index(key, kind, [opened])[0], kind, no, value, to_micros(added_at), rule, batch_no))
    bulk.insert(tx, vault.Identifier.__table__, vault.IDENTIFIER_COLUMNS, made, ignore=True)
    return len(rows)


def rewrap(tx: sa.Connection, keyring: Keyring, *, limit: int = 10_000, random: RandomBytes) -> int:
    """Wraps data keys again that stand under an older key-encryption key or another algorithm; returns how many. Called again until it returns 0."""
    header = sealed.header(keyring.profile, keyring.key("kek")[0])
    old = sa.select(vault.DataKey.person_no, vault.Person.person, vault.DataKey.wrapped).join(
        vault.Person, vault.Person.no == vault.DataKey.person_no
    )
    rows = tx.execute(old.where(sa.func.substr(vault.DataKey.wrapped, 1, len(header)) != header).limit(limit)).all()
    fresh = [(sealed.rewrap(keyring, person, wrapped, random), no) for no, person, wrapped in rows]
    bulk.execute_many(tx, "UPDATE data_key SET wrapped = ? WHERE person_no = ?", fresh)
    return len(rows)
