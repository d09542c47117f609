"""Objections of people to what is said about them: a tag that somebody deleted is not built again from the same evidence (S-03).

Promise: append-only; whoever builds tags or segments asks here which people refused a tag. It knows people by handles. It must never learn
an identifier, or what the tag said.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from privacy.orm import Instant, PlatformBase

HANDLE_BYTES = 16


class TagObjectionRow(PlatformBase):
    """That somebody refuses a tag; `tag` is a column of the lake's `person_month`, never its value."""

    __tablename__ = "tag_objection"

    handle: Mapped[bytes] = mapped_column(sa.LargeBinary(HANDLE_BYTES), primary_key=True)
    tag: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    since: Mapped[datetime] = mapped_column(Instant)


_OBJECTION: Any = TagObjectionRow.__table__


def add(tx: sa.Connection, handles: Sequence[bytes], tag: str, now: datetime) -> None:
    """Notes that these, who are one person, refuse a tag; a second time changes nothing."""
    insert = (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(_OBJECTION).on_conflict_do_nothing()
    tx.execute(insert, [{"handle": handle, "tag": tag, "since": now} for handle in handles])


def of(tx: sa.Connection, handles: Sequence[bytes]) -> frozenset[str]:
    """The tags that these, who are one person, refuse."""
    return frozenset(tx.execute(sa.select(_OBJECTION.c.tag).where(_OBJECTION.c.handle.in_(handles))).scalars())


def against(tx: sa.Connection, tag: str) -> list[bytes]:
    """The handles of everybody who refuses a tag: out of whatever is built on it."""
    return [bytes(handle) for handle in tx.execute(sa.select(_OBJECTION.c.handle).where(_OBJECTION.c.tag == tag)).scalars()]


def forget(tx: sa.Connection, handles: Sequence[bytes]) -> int:
    """Takes away the objections of people who are erased; returns how many."""
    return int(tx.execute(sa.delete(_OBJECTION).where(_OBJECTION.c.handle.in_(handles))).rowcount)
