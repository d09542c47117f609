"""Why identifiers belong to one person: every link with its rule, its source and its time, every merge, every link that was refused.

Promise: reads only, and only for a door that has logged it before. Values come out of here to be masked by that door.
Must never learn: what anybody did or allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from privacy.identity import merging, sealed, vault
from privacy.identity.keys import Keyring
from privacy.identity.merging import Member


@dataclass(frozen=True, slots=True)
class Link:
    """One identifier of one member of a family. The value stays out of every repr."""

    member: bytes = field(repr=False)
    type: str
    value: str = field(repr=False)
    since: datetime
    rule: str
    source: str | None
    batch: str | None


@dataclass(frozen=True, slots=True)
class Reasons:
    """A person: who they are made of (who stands for them first), and why."""

    family: Sequence[Member] = field(repr=False)
    links: Sequence[Link]
    merges: Sequence[Any] = field(repr=False)
    refused: Sequence[tuple[str, str, int, datetime]]


def of_person(tx: sa.Connection, keyring: Keyring, person: bytes) -> Reasons | None:
    """Everything about one person, oldest first; None for nobody."""
    family = merging.family_of(tx, person)
    if not family:
        return None
    members = {member.no: member.id for member in family}
    newest = sa.func.max(vault.Identifier.index_version)
    told = (
        sa.select(
            vault.Identifier.person_no,
            *(vault.Identifier.type, vault.Identifier.sealed, vault.Identifier.added_at, vault.Identifier.rule, newest),
            *(vault.LinkBatch.source, vault.LinkBatch.batch),
        )
        .join(vault.LinkBatch, vault.LinkBatch.no == vault.Identifier.batch_no, isouter=True)
        .where(vault.Identifier.person_no.in_(members))
        .group_by(
            *(vault.Identifier.person_no, vault.Identifier.type, vault.Identifier.sealed, vault.Identifier.added_at, vault.Identifier.rule),
            *(vault.LinkBatch.source, vault.LinkBatch.batch),
        )
        .order_by(vault.Identifier.added_at, vault.Identifier.type)
    )
    keys = vault.data_keys(tx, keyring, members)
    links = [
        Link(
            members[no],
            kind,
            sealed.unseal(keys[no], vault.IDENTIFIER_VALUE, members[no], value).decode(),
            since,
            rule,
            source or None,
            None if batch is None else bytes(batch).hex(),
        )
        for no, kind, value, since, rule, _, source, batch in tx.execute(told)
    ]
    return Reasons(family, links, merging.history(tx, list(members.values())), merging.refused_links(tx, members))
