"""Reading the log back: evidence for the verifier, proofs from stored subtrees, lines for whoever may see them.

Promise: it writes nothing. Who may read, and that the reading itself is logged first, is the business of the oversight door.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from privacy.audit import merkle
from privacy.audit.log import LogEntry, LogNode, LogPayload, head
from privacy.audit.payload import stamp
from privacy.audit.unusual import Habits
from privacy.errors import Invalid, NotFound
from privacy.orm import from_micros

ROWS_AT_A_TIME = 2_000
"""Rows fetched at once while the whole log is walked, so that memory does not grow with the log."""
MAX_PAGE = 500
_HOUR = 3_600_000_000
"""Microseconds."""
LINKED = timedelta(days=7)
MOST_LINKED = 20_000
_THING = re.compile(r"(?!usr_)[a-z]{2,8}_[0-9A-Za-z_-]{12,64}")
"""An id of ours that is not an account."""
_LINE = (LogEntry.seq, LogEntry.at, LogEntry.kind, LogPayload.actor, LogPayload.action, LogPayload.payload, LogPayload.erased_at)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which lines are wanted; everything given must hold. `subject` is a log handle in hexadecimal, `subjects` are several.

    `group` is how the name of an act begins; `unusual` leaves what is not usual by these habits; `case` is for the door, which resolves it.
    """

    kind: str | None = None
    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    purpose: str | None = None
    result: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    group: str | None = None
    case: str | None = None
    subjects: tuple[str, ...] | None = None
    unusual: Habits | None = None

    def named(self) -> list[str]:
        """The names of what is filtered by, for the entry that records the reading."""
        return [name for name in self.__slots__ if getattr(self, name) is not None]


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as a reader sees it. `facts` and `result` are None once the payload is erased."""

    seq: int
    at: datetime
    kind: str
    actor: str
    action: str
    result: str | None
    facts: dict[str, Any] | None
    erased_at: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """Newest first; `next` is the cursor of the following page, None at the end."""

    items: tuple[Line, ...]
    next: int | None


@dataclass(frozen=True, slots=True)
class Busy:
    """How many entries one actor has in one hour that begins at `hour`."""

    actor: str
    hour: datetime
    entries: int


# ── for the verifier ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def evidence(tx: sa.Connection, *, from_seq: int = 0, until_seq: int | None = None) -> Generator[dict[str, Any], None, None]:
    """Entries in order, in the form that `privacy.audit.stored` takes. Close it if it is not read to its end."""
    micros = sa.type_coerce(LogEntry.at, sa.BigInteger).label("micros")
    query = sa.select(LogEntry.seq, micros, LogEntry.kind, LogEntry.commitment, LogEntry.leaf_hash, *LogPayload.__table__.c[1:])
    query = query.outerjoin(LogPayload, LogPayload.seq == LogEntry.seq).where(LogEntry.seq >= from_seq).order_by(LogEntry.seq)
    if until_seq is not None:
        query = query.where(LogEntry.seq < until_seq)
    with tx.execute(query.execution_options(yield_per=ROWS_AT_A_TIME)) as rows:
        for row in rows:
            entry: dict[str, Any] = {
                "seq": row.seq,
                "ts": _stamp(row.micros),
                "kind": row.kind,
                "c": bytes(row.commitment).hex(),
                "leaf": bytes(row.leaf_hash).hex(),
            }
            entry["salt"] = None if row.salt is None else bytes(row.salt).hex()
            entry["payload"] = None if row.payload is None else bytes(row.payload).decode("utf-8", "replace")
            entry["erased"] = None if row.erased_at is None else stamp(row.erased_at)
            entry["found_by"] = [row.actor, row.action, row.subject, row.purpose, row.result]
            yield entry


def _stamp(micros: int) -> str:
    """The stamp of a stored instant; one that no calendar has is shown as it is, and will not verify."""
    try:
        return stamp(from_micros(micros))
    except OverflowError:
        return str(micros)


def nodes(tx: sa.Connection) -> Generator[tuple[int, int, bytes], None, None]:
    """Stored subtrees (level, position, hash) in the order in which they became complete."""
    completed = (LogNode.position + 1).op("<<")(sa.cast(LogNode.level, sa.Integer))
    query = sa.select(LogNode.level, LogNode.position, LogNode.hash).order_by(completed, LogNode.level)
    with tx.execute(query.execution_options(yield_per=ROWS_AT_A_TIME)) as rows:
        for level, position, digest in rows:
            yield level, position, bytes(digest)


# ── proofs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def inclusion_proof(tx: sa.Connection, seq: int, size: int | None = None) -> list[bytes]:
    """Proof that entry `seq` is in the tree of `size` entries (default: all of them), read from stored subtrees."""
    whole = head(tx).size if size is None else size
    if not 0 <= seq < whole:
        raise NotFound("the log has no such entry", code="log_entry_unknown", field="seq")
    return _proof(tx, merkle.inclusion_needs(seq, whole))


def consistency_proof(tx: sa.Connection, first: int, second: int | None = None) -> list[bytes]:
    """Proof that the tree of `first` entries is the beginning of the tree of `second` (default: all of them)."""
    whole = head(tx).size if second is None else second
    if not 0 < first <= whole:
        raise NotFound("the log never had this size, or is shorter", code="log_size_unknown", field="first")
    return _proof(tx, merkle.consistency_needs(first, whole))


def _proof(tx: sa.Connection, needs: merkle.Needs) -> list[bytes]:
    hashes = subtrees(tx, [node for group in needs for node in group])
    try:
        return merkle.assemble(needs, hashes)
    except KeyError:
        raise NotFound("a stored subtree of the log is missing; verify the log", code="log_incomplete") from None


def subtrees(tx: sa.Connection, wanted: Sequence[merkle.NodeId]) -> dict[merkle.NodeId, bytes]:
    """The hashes of stored subtrees; one that is not stored is not among them."""
    hashes: dict[merkle.NodeId, bytes] = {}
    leaves = [node.position for node in wanted if node.level == 0]
    if leaves:
        found = tx.execute(sa.select(LogEntry.seq, LogEntry.leaf_hash).where(LogEntry.seq.in_(leaves)))
        hashes |= {merkle.NodeId(0, seq): bytes(digest) for seq, digest in found}
    inner = [node for node in wanted if node.level > 0]
    if inner:
        place = sa.or_(*(sa.and_(LogNode.level == level, LogNode.position == position) for level, position in inner))
        stored = tx.execute(sa.select(LogNode.level, LogNode.position, LogNode.hash).where(place))
        hashes |= {merkle.NodeId(level, position): bytes(digest) for level, position, digest in stored}
    return hashes


# ── lines ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def lines(tx: sa.Connection, wanted: Filter, *, before: int | None = None, limit: int = 100) -> Page:
    """Entries that match, newest first, from the one before the cursor."""
    if not 0 < limit <= MAX_PAGE:
        raise Invalid("a page has between one and five hundred entries", code="page_size", field="limit")
    query = _matching(sa.select(*_LINE), wanted)
    if before is not None:
        query = query.where(LogEntry.seq < before)
    found = [_line(row) for row in tx.execute(query.order_by(LogEntry.seq.desc()).limit(limit + 1))]
    return Page(tuple(found[:limit]), found[limit - 1].seq if len(found) > limit else None)


def total(tx: sa.Connection, wanted: Filter) -> int:
    """How many entries match."""
    return int(tx.scalar(_matching(sa.select(sa.func.count()), wanted)) or 0)


def activity(tx: sa.Connection, wanted: Filter) -> list[Busy]:
    """How many of the entries that match each actor has in each hour, busiest hours of the newest days included; whole UTC hours."""
    hour = (sa.type_coerce(LogEntry.at, sa.BigInteger) // _HOUR).label("hour")
    query = _matching(sa.select(LogPayload.actor, hour, sa.func.count().label("entries")), wanted).group_by(LogPayload.actor, hour)
    return [Busy(row.actor, from_micros(int(row.hour) * _HOUR), row.entries) for row in tx.execute(query.order_by(LogPayload.actor, hour))]


def _matching(query: Any, wanted: Filter) -> Any:
    """The query over entries with their payloads, narrowed to what is wanted."""
    query = query.select_from(LogEntry).join(LogPayload, LogPayload.seq == LogEntry.seq)
    places = {"kind": LogEntry.kind, "actor": LogPayload.actor, "action": LogPayload.action}
    places |= {"subject": LogPayload.subject, "purpose": LogPayload.purpose, "result": LogPayload.result}  # type: ignore[dict-item]
    for name, column in places.items():
        if (value := getattr(wanted, name)) is not None:
            query = query.where(column == value)
    if wanted.since is not None:
        query = query.where(LogEntry.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(LogEntry.at < wanted.until)
    if wanted.group is not None:
        query = query.where(LogPayload.action.startswith(wanted.group, autoescape=True))
    if wanted.subjects is not None:
        query = query.where(LogPayload.subject.in_(wanted.subjects))
    return query if wanted.unusual is None else query.where(_unusual(wanted.unusual))


def _unusual(habits: Habits) -> sa.ColumnElement[bool]:
    """Of people at work: outside every window of the office, or on a loud day of theirs."""
    person = sa.or_(LogPayload.actor.startswith("usr_", autoescape=True), LogPayload.actor == "cli")
    inside = sa.or_(sa.false(), *(sa.and_(LogEntry.at >= opens, LogEntry.at < closes) for opens, closes in habits.windows))
    spans = (sa.and_(LogPayload.actor == actor, LogEntry.at >= since, LogEntry.at < until) for actor, since, until in habits.spans())
    return sa.and_(person, LogEntry.at >= habits.since, sa.or_(sa.not_(inside), *spans))


def line(tx: sa.Connection, seq: int) -> Line:
    """One entry; raises NotFound."""
    query = sa.select(*_LINE).select_from(LogEntry).join(LogPayload, LogPayload.seq == LogEntry.seq).where(LogEntry.seq == seq)
    row = tx.execute(query).one_or_none()
    if row is None:
        raise NotFound("the log has no such entry", code="log_entry_unknown", field="entry")
    return _line(row)


def linked(tx: sa.Connection, one: Line, *, most: int = 20) -> list[Line]:
    """Entries of the days around that name one of the things that this one names: what was asked for, approved, done and handed out."""
    named = {value for value in (one.facts or {}).values() if isinstance(value, str) and _THING.fullmatch(value)}
    if not named:
        return []
    query = sa.select(*_LINE).select_from(LogEntry).join(LogPayload, LogPayload.seq == LogEntry.seq)
    query = query.where(LogEntry.at.between(one.at - LINKED, one.at + LINKED), LogEntry.seq != one.seq)
    found: list[Line] = []
    for row in tx.execute(query.order_by(LogEntry.seq).limit(MOST_LINKED)):
        said = b"" if row.payload is None else bytes(row.payload)
        if any(b'"%s"' % value.encode() in said for value in named):
            found.append(_line(row))
    return found[:most]


def earlier(tx: sa.Connection, one: Line) -> Line | None:
    """The last act of the same name upon the same thing before this one: how it was configured until then."""
    facts = {name: value for name, value in (one.facts or {}).items() if isinstance(value, str) and _THING.fullmatch(value)}
    query = sa.select(*_LINE).select_from(LogEntry).join(LogPayload, LogPayload.seq == LogEntry.seq)
    query = query.where(LogPayload.action == one.action, LogEntry.seq < one.seq).order_by(LogEntry.seq.desc()).limit(200)
    told = (_line(row) for row in tx.execute(query))
    return next((two for two in told if two.facts is not None and all(two.facts.get(name) == value for name, value in facts.items())), None)


def acts(tx: sa.Connection, prefix: str, fact: str, value: str, *, since: datetime, most: int = 2_000) -> list[Line]:
    """Acts whose names begin with a prefix and that name a value in a fact, oldest first, among the first `most` since an instant."""
    query = sa.select(*_LINE).select_from(LogEntry).join(LogPayload, LogPayload.seq == LogEntry.seq)
    query = query.where(LogPayload.action.startswith(prefix, autoescape=True), LogEntry.at >= since)
    found = [_line(row) for row in tx.execute(query.order_by(LogEntry.seq).limit(most))]
    return [line for line in found if (line.facts or {}).get(fact) == value]


def count(tx: sa.Connection, actor: str, action: str, since: datetime) -> int:
    """How often an actor did something since an instant; look-ups are limited by it."""
    query = sa.select(sa.func.count()).select_from(LogPayload).join(LogEntry, LogEntry.seq == LogPayload.seq)
    return int(tx.scalar(query.where(LogPayload.actor == actor, LogPayload.action == action, LogEntry.at >= since)) or 0)


def _line(row: Any) -> Line:
    said = {} if row.payload is None else json.loads(bytes(row.payload))
    return Line(row.seq, row.at, row.kind, row.actor, row.action, said.get("result"), said.get("facts"), row.erased_at)
