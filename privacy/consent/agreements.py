"""That a person agreed to a privacy notice, as a source told it: evidence beside the ledger of consent.

Promise: an agreement is no consent and opens nothing (the gate never reads it). One row stands for one person, source and notice, whatever
the number of messages that carry it, and is never changed. A notice is named by its hash in the register; what the sender called it is not
kept, for that is a text of anybody's. It must never learn an identifier, a person's ID or free text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from privacy.consent import registry
from privacy.orm import PlatformBase

HANDLE_BYTES = 16
UNREGISTERED = ""
"""Stands where no notice of the register has the name that the source told."""


class AgreementRow(PlatformBase):
    """Append-only; instants are microseconds since 1970, UTC. `kind` is the kind of source that brought it; `agreed_at` is the sender's word."""

    __tablename__ = "agreement"

    handle: Mapped[bytes] = mapped_column(sa.LargeBinary(HANDLE_BYTES), primary_key=True)
    source_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    notice: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(20))
    agreed_at: Mapped[int] = mapped_column(sa.BigInteger)
    received_at: Mapped[int] = mapped_column(sa.BigInteger)


_AGREEMENT: Any = AgreementRow.__table__


class Agreement(NamedTuple):
    """One agreement as it was told. `notice` is whatever the sender called the notice: a version, a hash, anything."""

    handle: bytes
    source_id: str
    notice: str
    kind: str
    at: int
    received: int


def add(tx: sa.Connection, told: Sequence[Agreement]) -> int:
    """Keeps those that are new; of several about one person, source and notice the earliest. Returns how many were new."""
    if not told:
        return 0
    names = registry.notice_names(tx)
    first: dict[tuple[bytes, str, str], Agreement] = {}
    for one in sorted(told, key=lambda one: one.at):
        first.setdefault((one.handle, one.source_id, names.get(one.notice, UNREGISTERED)), one)
    known = _known(tx, {handle for handle, _, _ in first})
    rows = [
        {"handle": key[0], "source_id": key[1], "notice": key[2], "kind": one.kind, "agreed_at": one.at, "received_at": one.received}
        for key, one in first.items()
        if key not in known
    ]
    if rows:
        insert = (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(_AGREEMENT)
        tx.execute(insert.on_conflict_do_nothing(), rows)
    return len(rows)


def _known(tx: sa.Connection, handles: Iterable[bytes]) -> set[tuple[bytes, str, str]]:
    """What stands already about these people. They go in as one list: no limit of parameters."""
    columns = (_AGREEMENT.c.handle, _AGREEMENT.c.source_id, _AGREEMENT.c.notice)
    if tx.dialect.name == "sqlite":
        listed = sa.func.json_each(json.dumps([handle.hex() for handle in handles])).table_valued("value")
        given: Any = sa.select(sa.func.unhex(listed.c.value))
    else:
        given = sa.select(sa.func.unnest(sa.cast(list(handles), postgresql.ARRAY(postgresql.BYTEA))))
    return {(bytes(row.handle), row.source_id, row.notice) for row in tx.execute(sa.select(*columns).where(_AGREEMENT.c.handle.in_(given)))}


def of(tx: sa.Connection, handles: Sequence[bytes]) -> list[dict[str, Any]]:
    """What is kept about these people, the earliest first, for showing to them or to an officer; `notice` None where it is not registered."""
    asked = sa.select(_AGREEMENT).where(_AGREEMENT.c.handle.in_(handles)).order_by(_AGREEMENT.c.agreed_at, _AGREEMENT.c.source_id)
    versions = {notice.id: notice.version for notice in registry.notices(tx)}
    return [
        {
            "notice": row.notice or None,
            "version": versions.get(row.notice),
            "source_id": row.source_id,
            "kind": row.kind,
            "agreed_at": row.agreed_at,
            "received_at": row.received_at,
        }
        for row in tx.execute(asked)
    ]
