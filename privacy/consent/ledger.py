"""The ledger of consent: acts that are only ever added, and a projection of where everybody stands, kept in the same transaction.

Promise: the projection always equals the fold of all acts (`gate`), whatever the order in which they arrive; positions have no gaps and are
given under one row's lock, so a position once read cannot be overtaken by an earlier act that commits later. Lock order: the log's head
first, then this ledger's; every act has its log entry, so whoever records does both.
It knows people by handles (16 bytes under their own key). It must never learn an identifier, a person's ID or free text.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from privacy import packed
from privacy.consent import gate, registry
from privacy.consent.gate import Event, Timeline
from privacy.consent.telling import telling
from privacy.errors import Invalid
from privacy.orm import BigId, PlatformBase
from privacy.vocabulary import ConsentKind, ConsentState

CLOCK_TOLERANCE = 5 * 60 * 1_000_000
"""Microseconds a sender's clock may run ahead (DESIGN §6); what is beyond is clamped and the claim kept."""

DAY = 86_400 * 1_000_000
HANDLE_BYTES = 16
CARRIED = {"carried": "merge"}
"""Evidence of a grant that was recorded for somebody merged with the one who gave it; `separation` takes it back."""

_STATES = frozenset(state.value for state in ConsentState)
_KINDS = frozenset(kind.value for kind in ConsentKind)


class ConsentEventRow(PlatformBase):
    """Append-only; instants are microseconds since 1970, UTC. `claimed_at` stands only where a clock ran too far ahead; `entry` is the position
    of the log entry that was written with the act."""

    __tablename__ = "consent_event"
    __table_args__ = (
        sa.CheckConstraint("state IN ('granted', 'withdrawn', 'denied')", name="state"),
        sa.CheckConstraint("kind IN ('explicit', 'asserted')", name="kind"),
        sa.Index(None, "handle"),
    )

    seq: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    handle: Mapped[bytes] = mapped_column(sa.LargeBinary(HANDLE_BYTES))
    purpose: Mapped[str] = mapped_column(sa.String(64))
    state: Mapped[str] = mapped_column(sa.String(16))
    kind: Mapped[str] = mapped_column(sa.String(16))
    effective_at: Mapped[int] = mapped_column(sa.BigInteger)
    received_at: Mapped[int] = mapped_column(sa.BigInteger)
    claimed_at: Mapped[int | None] = mapped_column(sa.BigInteger)
    valid_until: Mapped[int | None] = mapped_column(sa.BigInteger)
    source_id: Mapped[str | None] = mapped_column(sa.String(64))
    notice: Mapped[str | None] = mapped_column(sa.String(64))
    evidence: Mapped[dict[str, str] | None] = mapped_column(sa.JSON(none_as_null=True))
    by: Mapped[str | None] = mapped_column(sa.String(80))
    entry: Mapped[int | None] = mapped_column(sa.BigInteger)


class ConsentStateRow(PlatformBase):
    """Where a person stands for a purpose: the last word of the fold. `plain` means that one single act, a grant or a no, is all there is."""

    __tablename__ = "consent_state"
    __table_args__ = ({"sqlite_with_rowid": False},)

    purpose: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    handle: Mapped[bytes] = mapped_column(sa.LargeBinary(HANDLE_BYTES), primary_key=True)
    allowed: Mapped[bool]
    reason: Mapped[str] = mapped_column(sa.String(32))
    since: Mapped[int] = mapped_column(sa.BigInteger)
    expires: Mapped[int | None] = mapped_column(sa.BigInteger)
    first: Mapped[int] = mapped_column(sa.BigInteger)
    plain: Mapped[bool]
    kind: Mapped[str] = mapped_column(sa.String(16))
    seq: Mapped[int] = mapped_column(sa.BigInteger)


class ConsentHeadRow(PlatformBase):
    """One row: the last position given. Whoever appends holds its lock until commit."""

    __tablename__ = "consent_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(sa.BigInteger)


_EVENT: Any = ConsentEventRow.__table__
_STATE: Any = ConsentStateRow.__table__
_HEAD: Any = ConsentHeadRow.__table__
_READ_HEAD = sa.select(_HEAD.c.seq)
_EVENT_FIELDS = (
    *(_EVENT.c.handle, _EVENT.c.purpose),
    *(_EVENT.c.state, _EVENT.c.kind, _EVENT.c.effective_at, _EVENT.c.received_at, _EVENT.c.valid_until),
)

_Pair = tuple[bytes, str]


class ConsentAct(NamedTuple):
    """An act to be recorded. `at` is when it happened by the sender's clock, `received` by ours (microseconds since 1970, UTC).

    `evidence` holds short codes about the form (screen, default state), never a value about the person; `by` a code of who recorded it.
    `notice` is a notice's hash or version; any other text is not kept.
    """

    handle: bytes
    purpose: str
    state: str
    kind: str
    at: int
    received: int
    source_id: str | None = None
    notice: str | None = None
    evidence: Mapping[str, str] | None = None
    by: str | None = None
    valid_until: int | None = None


# ── reading ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def head(tx: sa.Connection) -> int:
    """The last position given; 0 when nothing was ever recorded."""
    return int(tx.execute(_READ_HEAD).scalar() or 0)


def changed_since(tx: sa.Connection, seq: int, handles: Iterable[bytes]) -> bool:
    """Whether any of these people has an act after position `seq`."""
    if head(tx) <= seq:
        return False
    acted = acted_handles(tx, seq)
    return not {acted[start : start + HANDLE_BYTES] for start in range(0, len(acted), HANDLE_BYTES)}.isdisjoint(handles)


def acted_handles(tx: sa.Connection, seq: int) -> bytes:
    """The handles of all acts after position `seq`, side by side."""
    return _side_by_side(tx, _EVENT.c.handle, _EVENT.c.seq > seq)


def _side_by_side(tx: sa.Connection, handle: Any, where: Any) -> bytes:
    """Handles as one value: a row for each would cost more than the search."""
    if tx.dialect.name == "sqlite":
        joined = tx.execute(sa.select(sa.func.group_concat(sa.func.hex(handle), "")).where(where)).scalar()
        return bytes.fromhex(joined or "")
    joined = tx.execute(sa.select(sa.func.string_agg(handle, sa.literal(b"", sa.LargeBinary))).where(where)).scalar()
    return bytes(joined or b"")


def timelines(
    tx: sa.Connection,
    handles: Sequence[bytes],
    purposes: Iterable[str],
    *,
    pending: Sequence[ConsentAct] = (),
    aliases: Mapping[bytes, Sequence[bytes]] | None = None,
) -> dict[bytes, dict[str, Timeline]]:
    """The timelines of these people, as if `pending` had been appended already; who said nothing is absent.

    `aliases` names, for a person who was merged, the handles of the others who turned out to be the same: the strictest of all holds.
    """
    wanted = set(purposes)
    everyone = list(dict.fromkeys(handles))
    others = {handle: [other for other in aliases.get(handle, ()) if other != handle] for handle in everyone} if aliases else {}
    looked_up = list(dict.fromkeys([*everyone, *(other for list_ in others.values() for other in list_)]))
    added: dict[_Pair, list[Event]] = defaultdict(list)
    for act in settled(tx, pending):
        if act.purpose in wanted:
            added[act.handle, act.purpose].append(event_of(act))
    found: dict[bytes, dict[str, Timeline]] = defaultdict(dict)
    involved: list[_Pair] = []
    for handle, purpose, allowed, since, expires, plain, _ in _standings(tx, looked_up, wanted):
        if plain and allowed and (handle, purpose) not in added:
            found[handle][purpose] = gate.granted(since, expires)
        else:
            involved.append((handle, purpose))
    history = _histories(tx, involved)
    for pair in history.keys() | added.keys():
        found[pair[0]][pair[1]] = gate.fold([*history.get(pair, ()), *added.get(pair, ())])
    for handle, merged in others.items():
        if merged:
            _take_strictest(found, handle, merged, wanted)
    return {handle: found[handle] for handle in everyone if handle in found}


def _take_strictest(found: dict[bytes, dict[str, Timeline]], handle: bytes, merged: Sequence[bytes], purposes: Iterable[str]) -> None:
    for purpose in purposes:
        said = [found[each][purpose] for each in (handle, *merged) if each in found and purpose in found[each]]
        if said:
            found[handle][purpose] = gate.strictest(said)


def allowed_handles(tx: sa.Connection, purpose: str, now: int) -> bytes:
    """The handles of everybody who allows a purpose now, one after another, 16 bytes each. Merges are the caller's to follow."""
    current = sa.and_(
        _STATE.c.purpose == purpose, _STATE.c.allowed, _STATE.c.since <= now, sa.or_(_STATE.c.expires.is_(None), _STATE.c.expires > now)
    )
    return _side_by_side(tx, _STATE.c.handle, current)


def history(tx: sa.Connection, handle: bytes) -> list[dict[str, Any]]:
    """Everything recorded about one person, oldest position first, for showing to them or to an officer."""
    rows = tx.execute(sa.select(_EVENT).where(_EVENT.c.handle == handle).order_by(_EVENT.c.seq))
    return [{name: value for name, value in row._mapping.items() if name != "handle"} for row in rows]


# ── writing ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def append(
    tx: sa.Connection, acts: Sequence[ConsentAct], *, aliases: Mapping[bytes, Sequence[bytes]] | None = None, entry: int | None = None
) -> int:
    """Records acts and brings the projection up to date; returns the last position. `entry` is their log entry's.

    A source's assertion that changes nothing is not stored, so that a signal carried by every event does not fill the ledger.
    With `aliases`, a person's own grant is recorded for the handles of those merged into them too: it lifts their no as well.
    """
    if not acts:
        return head(tx)
    wanted = settled(tx, _spread(acts, aliases))
    last = _reserve(tx, 0)
    people = list(dict.fromkeys(act.handle for act in wanted))
    states = {(row.handle, row.purpose): row for row in _standings(tx, people, {act.purpose for act in wanted})}
    kept = telling(wanted, states)
    if not kept:
        return last
    first, last = last + 1, _reserve(tx, len(kept))
    said: dict[_Pair, list[ConsentAct]] = {}
    for act in kept:
        said.setdefault((act.handle, act.purpose), []).append(act)
    earlier = _histories(tx, [pair for pair in said if pair in states])
    alone = [pair for pair, mine in said.items() if len(mine) == 1 and pair not in states]
    told = {pair: [*earlier.get(pair, ()), *map(event_of, said[pair])] for pair in said.keys() - set(alone)}
    _write(tx, _EVENT, _event_columns(kept, first, entry))
    _write(tx, _STATE, _first_columns([said[pair][0] for pair in sorted(alone)], last), _REPLACE_STATE)
    _write(tx, _STATE, list(zip(*[_state_row(pair, events, last) for pair, events in told.items()], strict=True)), _REPLACE_STATE)
    return last


def sealed(tx: sa.Connection, acts: Sequence[ConsentAct], aliases: Mapping[bytes, Sequence[bytes]] | None = None) -> bytes:
    """The digest of people's own acts as `append` will store them, for their log entry; `listing.sealed` computes it again."""
    return digest(zip(*_event_columns(settled(tx, _spread(acts, aliases)), 0, None)[1:-1], strict=True))


def digest(rows: Iterable[Sequence[Any]]) -> bytes:
    """SHA-256 over acts, in order: the columns between position and entry, evidence as its JSON text."""
    lines = (json.dumps([handle.hex(), *others], ensure_ascii=True, separators=(",", ":")) for handle, *others in rows)
    return sha256("\n".join(lines).encode()).digest()


def positions(acts: Sequence[ConsentAct], aliases: Mapping[bytes, Sequence[bytes]] | None, last: int) -> list[int]:
    """Where `append` put each of these acts of people's own, when it returned `last`."""
    spread = _spread(acts, aliases)
    first = last - len(spread) + 1
    return [first + index for index, act in enumerate(spread) if CARRIED.items().isdisjoint((act.evidence or {}).items())]


def _spread(acts: Sequence[ConsentAct], aliases: Mapping[bytes, Sequence[bytes]] | None) -> Sequence[ConsentAct]:
    if not aliases:
        return acts
    spread: list[ConsentAct] = []
    for act in acts:
        spread.append(act)
        if gate.is_grant(act.state) and act.kind == ConsentKind.EXPLICIT:
            others = [handle for handle in dict.fromkeys(aliases.get(act.handle, ())) if handle != act.handle]
            spread += [act._replace(handle=handle, evidence={**(act.evidence or {}), **CARRIED}) for handle in others]
    return spread


def settled(tx: sa.Connection, acts: Sequence[ConsentAct]) -> Sequence[ConsentAct]:
    """The acts as they will be stored: checked, notices by their hash, validity from the register where the act says none."""
    if not acts:
        return acts
    registered = registry.purposes(tx)
    lasting: dict[str, int | None] = {}
    for purpose, state, kind, length in dict.fromkeys((act.purpose, act.state, act.kind, len(act.handle)) for act in acts):
        if purpose not in registered:
            raise Invalid("this purpose is not registered", code="purpose_unknown", field="purpose")
        if state not in _STATES or kind not in _KINDS or length != HANDLE_BYTES:
            raise Invalid("a consent act has a known state and kind, and a handle", code="consent_invalid", field="state")
        lasting[purpose] = registered[purpose].validity_days
    noticed = any(act.notice is not None for act in acts)
    if not noticed and set(lasting.values()) == {None} and all(act.valid_until is None for act in acts):
        return acts
    names = registry.notice_names(tx) if noticed else {}
    return [
        act._replace(valid_until=_until(act, lasting[act.purpose]), notice=None if act.notice is None else names.get(act.notice))
        for act in acts
    ]


def _until(act: ConsentAct, validity_days: int | None) -> int | None:
    """When a grant ends by itself: as it says, at the latest when its purpose's validity is over; a no never ends."""
    if not gate.is_grant(act.state):
        return None
    if validity_days is None:
        return act.valid_until
    longest = min(act.at, act.received) + validity_days * DAY
    return longest if act.valid_until is None else min(act.valid_until, longest)


def _reserve(tx: sa.Connection, count: int) -> int:
    """Takes the head row's lock and `count` positions; returns the last one."""
    moved = tx.execute(sa.update(_HEAD).values(seq=_HEAD.c.seq + count).returning(_HEAD.c.seq)).scalar()
    if moved is None:
        insert = (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(_HEAD)
        tx.execute(insert.values(id=1, seq=0).on_conflict_do_nothing())
        moved = tx.execute(sa.update(_HEAD).values(seq=_HEAD.c.seq + count).returning(_HEAD.c.seq)).scalar_one()
    return int(moved)


def event_of(act: ConsentAct) -> Event:
    """An act as the gate folds it."""
    return Event(act.state, act.kind, min(act.at, act.received + CLOCK_TOLERANCE), act.received, act.valid_until)


def _event_columns(acts: Sequence[ConsentAct], first: int, entry: int | None) -> list[Sequence[Any]]:
    """In the order of the table's columns."""
    handles, purposes, states, kinds, times, received, sources, notices, evidence, by, until = zip(*acts, strict=True)
    latest = [one + CLOCK_TOLERANCE for one in received]
    effective = [min(at, most) for at, most in zip(times, latest, strict=True)]
    claimed = [None if at <= most else at for at, most in zip(times, latest, strict=True)]
    shown = [None if one is None else json.dumps(dict(one), ensure_ascii=True, sort_keys=True) for one in evidence]
    numbers = range(first, first + len(acts))
    logged = [entry] * len(acts)
    return [numbers, handles, purposes, states, kinds, effective, received, claimed, until, sources, notices, shown, by, logged]


def _first_columns(acts: Sequence[ConsentAct], seq: int) -> list[Sequence[Any]]:
    """The standings of people who said one thing and nothing before: what `_state_row` says of one event."""
    allowed = [gate.is_grant(act.state) for act in acts]
    reasons = ["" if one else gate.REASONS[gate.DENIED] for one in allowed]
    since = [min(act.at, act.received) for act in acts]
    expires = [None if act.valid_until is None else max(act.valid_until, start) for act, start in zip(acts, since, strict=True)]
    plain, last = [True] * len(acts), [seq] * len(acts)
    handles, purposes, kinds = [act.handle for act in acts], [act.purpose for act in acts], [act.kind for act in acts]
    return [purposes, handles, allowed, reasons, since, expires, since, plain, kinds, last]


def _state_row(pair: _Pair, events: Sequence[Event], seq: int) -> tuple[Any, ...]:
    """In the order of the table's columns."""
    timeline = gate.fold(events)
    code, since, expires = gate.standing(timeline)
    allowed = code == gate.ALLOWED
    return pair[1], pair[0], allowed, gate.REASONS[code], since, expires, timeline.starts[0], len(events) == 1, events[0].kind, seq


_KEPT_STATE = ("allowed", "reason", "since", "expires", "first", "plain", "kind", "seq")
_REPLACE_STATE = f" ON CONFLICT (purpose, handle) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _KEPT_STATE)}"


def _write(tx: sa.Connection, table: Any, columns: Sequence[Sequence[Any]], then: str = "") -> None:
    """Many rows past the compiler of statements, which would take longer than the database does."""
    if columns and columns[0]:
        packed.put(tx, table, [column.name for column in table.columns], columns, then=then)


# ── many handles at once ───────────────────────────────────────────────────────────────────────────────────────────────────────


def given(tx: sa.Connection, handles: Iterable[bytes]) -> Any:
    """The handles as a list inside the statement: no limit of parameters, no temporary table, and each looked up by the index."""
    if tx.dialect.name == "sqlite":
        listed = sa.func.json_each(json.dumps([handle.hex() for handle in handles])).table_valued("value")
        return sa.select(sa.func.unhex(listed.c.value))
    array = sa.cast(list(handles), postgresql.ARRAY(postgresql.BYTEA))
    return sa.select(sa.func.unnest(array))


def _standings(tx: sa.Connection, handles: Sequence[bytes], purposes: Iterable[str]) -> Sequence[Any]:
    if not handles:
        return ()
    columns = (_STATE.c.handle, _STATE.c.purpose, _STATE.c.allowed, _STATE.c.since, _STATE.c.expires, _STATE.c.plain, _STATE.c.first)
    asked = _STATE.c.purpose.in_(sorted(purposes)) & _STATE.c.handle.in_(given(tx, handles))
    return tx.execute(sa.select(*columns).where(asked)).all()


def _histories(tx: sa.Connection, pairs: Sequence[_Pair]) -> dict[_Pair, list[Event]]:
    """The stored acts of these people about these purposes."""
    if not pairs:
        return {}
    wanted = set(pairs)
    asked = _EVENT.c.handle.in_(given(tx, dict.fromkeys(handle for handle, _ in pairs)))
    found: dict[_Pair, list[Event]] = defaultdict(list)
    for handle, purpose, *event in tx.execute(sa.select(*_EVENT_FIELDS).where(asked)):
        if (handle, purpose) in wanted:
            found[handle, purpose].append(Event(*event))
    return found
