"""The ledger of consent as an officer reads it: acts by filter, newest first, how many there are, and what stands beside one act.

Promise: reads only. Who may read, and that the reading itself is logged first, is the business of the oversight door. It must never learn
who a handle is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from privacy.consent import ledger
from privacy.consent.ledger import ConsentEventRow
from privacy.consent.wishes import COLLECTIONS
from privacy.orm import to_micros
from privacy.vocabulary import ConsentKind, ConsentState

SOURCE, SIGNAL, STAFF = "source", "signal", "staff"
METHODS: Final = (*sorted(COLLECTIONS), SOURCE, SIGNAL, STAFF)
"""How an act came: as its evidence says; else a person's own act that a source brought, a source's own word, an act of staff."""

MAX_PAGE = 500
_EVENT: Any = ConsentEventRow.__table__
_COLLECTION = _EVENT.c.evidence["collection"].as_string()
_METHOD = sa.case(
    (_COLLECTION.is_not(None), _COLLECTION),
    (_EVENT.c.kind == ConsentKind.ASSERTED.value, SIGNAL),
    (_EVENT.c.source_id.is_not(None), SOURCE),
    else_=STAFF,
)
_ACT = (*_EVENT.c, _METHOD.label("method"))
_GRANTED = ConsentState.GRANTED.value


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which acts are wanted; everything given must hold. Instants are those of receipt; `notice` is a hash."""

    purpose: str | None = None
    state: str | None = None
    method: str | None = None
    source: str | None = None
    notice: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    conflicts: bool = False
    handles: Sequence[bytes] | None = None

    def named(self) -> list[str]:
        """The names of what is filtered by, for the entry that records the reading."""
        return [name for name in self.__slots__ if getattr(self, name) not in (None, False)]


class Act(NamedTuple):
    """A stored act. Instants are microseconds since 1970, UTC."""

    seq: int
    handle: bytes
    purpose: str
    state: str
    kind: str
    effective_at: int
    received_at: int
    claimed_at: int | None
    valid_until: int | None
    source_id: str | None
    notice: str | None
    evidence: dict[str, str] | None
    by: str | None
    entry: int | None
    method: str


class Totals(NamedTuple):
    """How many acts match, and how many of them say yes."""

    entries: int
    grants: int

    @property
    def withdrawals(self) -> int:
        """Withdrawals and refusals."""
        return self.entries - self.grants


def page(tx: sa.Connection, wanted: Wanted, *, before: int | None = None, limit: int = 50) -> tuple[list[Act], int | None]:
    """Acts that match, newest first, from the one before the cursor; the next cursor, None at the end."""
    query = _matching(sa.select(*_ACT), wanted)
    if before is not None:
        query = query.where(_EVENT.c.seq < before)
    found = [_act(row) for row in tx.execute(query.order_by(_EVENT.c.seq.desc()).limit(min(limit, MAX_PAGE) + 1))]
    shown = found[: min(limit, MAX_PAGE)]
    return shown, shown[-1].seq if len(found) > len(shown) else None


def totals(tx: sa.Connection, wanted: Wanted) -> Totals:
    """How many match."""
    granted = sa.func.coalesce(sa.func.sum(sa.case((_EVENT.c.state == _GRANTED, 1), else_=0)), 0)
    entries, grants = tx.execute(_matching(sa.select(sa.func.count(), granted), wanted)).one()
    return Totals(int(entries), int(grants))


def act(tx: sa.Connection, seq: int) -> Act | None:
    """The act at a position."""
    row = tx.execute(sa.select(*_ACT).where(_EVENT.c.seq == seq)).one_or_none()
    return None if row is None else _act(row)


def beside(tx: sa.Connection, one: Act) -> list[Act]:
    """What the same person decided about other purposes in the same moment."""
    same = (_EVENT.c.handle == one.handle) & (_EVENT.c.received_at == one.received_at) & (_EVENT.c.purpose != one.purpose)
    return [_act(row) for row in tx.execute(sa.select(*_ACT).where(same).order_by(_EVENT.c.seq))]


def after(tx: sa.Connection, one: Act) -> Act | None:
    """The next act of the same person about the same purpose."""
    later = (_EVENT.c.handle == one.handle) & (_EVENT.c.purpose == one.purpose) & (_EVENT.c.seq > one.seq)
    row = tx.execute(sa.select(*_ACT).where(later).order_by(_EVENT.c.seq).limit(1)).one_or_none()
    return None if row is None else _act(row)


def sealed(tx: sa.Connection, one: Act) -> bytes:
    """The digest of all acts that were written with the log entry of this one, from the stored rows: what `ledger.sealed` said before."""
    columns = [column for column in _EVENT.c if column.name not in ("seq", "entry")]
    other = _EVENT.c.entry.is_distinct_from(one.entry)
    first = tx.scalar(sa.select(sa.func.max(_EVENT.c.seq)).where(_EVENT.c.seq < one.seq, other))
    last = tx.scalar(sa.select(sa.func.min(_EVENT.c.seq)).where(_EVENT.c.seq > one.seq, other))
    query = sa.select(*columns).where(_EVENT.c.seq > (first or 0)).order_by(_EVENT.c.seq)
    return ledger.digest(_written(row) for row in tx.execute(query if last is None else query.where(_EVENT.c.seq < last)))


def _written(row: Any) -> list[Any]:
    """A row's values as the ledger wrote them."""
    written = dict(row._mapping)
    written["handle"] = bytes(written["handle"])
    if written["evidence"] is not None:
        written["evidence"] = json.dumps(written["evidence"], ensure_ascii=True, sort_keys=True)
    return list(written.values())


def _act(row: Any) -> Act:
    return Act(*row)


def _matching(query: Any, wanted: Wanted) -> Any:
    places = {"purpose": _EVENT.c.purpose, "state": _EVENT.c.state, "method": _METHOD, "source": _EVENT.c.source_id}
    places |= {"notice": _EVENT.c.notice}
    for name, column in places.items():
        if (value := getattr(wanted, name)) is not None:
            query = query.where(column == value)
    if wanted.since is not None:
        query = query.where(_EVENT.c.received_at >= to_micros(wanted.since))
    if wanted.until is not None:
        query = query.where(_EVENT.c.received_at < to_micros(wanted.until))
    if wanted.handles is not None:
        query = query.where(_EVENT.c.handle.in_(list(wanted.handles)))
    return query.where(_conflict()) if wanted.conflicts else query


def _conflict() -> Any:
    """A yes and a no of one person about one purpose that met out of order or in one instant, or of which one is only a source's word."""
    other = _EVENT.alias("other")
    opposite = sa.case((_EVENT.c.state == _GRANTED, 1), else_=0) + sa.case((other.c.state == _GRANTED, 1), else_=0) == 1
    late = (other.c.seq > _EVENT.c.seq) & (other.c.effective_at <= _EVENT.c.effective_at)
    early = (other.c.seq < _EVENT.c.seq) & (other.c.effective_at >= _EVENT.c.effective_at)
    same = (other.c.handle == _EVENT.c.handle) & (other.c.purpose == _EVENT.c.purpose)
    return sa.exists().where(same, opposite, sa.or_(late, early, other.c.kind != _EVENT.c.kind)).correlate(_EVENT)
