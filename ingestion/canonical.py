"""Known fields, known types, UTC: the only maker of `CanonicalBatch`.

Promise: what leaves here has the dictionary's names and types; unknown fields are dropped and counted by path; an item that breaks a
rule of form is named by place and rule and none of its rows go on. Law comes before form: a row that carries a forbidden category or a
field about a child is marked in the column `_refuse` and never called malformed, because only malformed items may be kept.
Pure: the clock's reading, the retention and the dictionary are arguments. It never shows or stores a value.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion import columns, surplus
from ingestion import mapping as mappings
from ingestion.source import FAULT_COLUMN, Claim, Reading, Row
from privacy.records import CanonicalBatch, CanonicalPart, ConsentClaim, Malformed
from privacy.vocabulary import FormRule, Reason

if TYPE_CHECKING:
    from ingestion.mapping import FileMapping
    from privacy.dictionary.catalogue import Catalogue, Record
    from privacy.records import RawBatch

REFUSE = "_refuse"
"""Column of `CanonicalPart.fields`, always there: the reason for which admission must refuse the row, or null."""

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far in the future an event may be: clocks of senders differ (DESIGN §6)."""

_CHILD = pa.scalar(str(Reason.CHILD_FIELD), pa.string())
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(slots=True)
class _Draft:
    """One part before its faulty rows are taken out. `faults` are (row, path, rule)."""

    record: Record
    positions: np.ndarray[Any, np.dtype[np.int64]]
    message_ids: pa.Array | None
    times: pa.Array
    fields: dict[str, pa.Array]
    identifiers: dict[str, pa.Array]
    consents: list[ConsentClaim]
    refuse: pa.Array
    faults: list[tuple[int, str, FormRule]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Window:
    """The instants between which an event may lie, in microseconds, and the controller's calendar."""

    earliest: int
    latest: int
    received: int
    zone: str


def canonicalise(
    raw: RawBatch,
    mapping: FileMapping | None,
    catalogue: Catalogue,
    *,
    now: datetime,
    retention_days: int,
    zone: str = "UTC",
    batch_id: bytes | None = None,
) -> CanonicalBatch:
    """Turn what a source handed over into known columns. Without a mapping the items are `Reading`s of an adapter.

    `zone` is the controller's: an instant given where a day is asked is the day of that calendar. It is never lent to a time of an event.
    """
    received = _micros(raw.received_at)
    clock = _micros(now)
    window = _Window(clock - retention_days * 86_400_000_000, clock + CLOCK_TOLERANCE // _MICROSECOND, received, zone)
    if mapping is None:
        drafts, malformed, dropped, count = _from_readings(raw, catalogue, window)
    else:
        drafts, malformed, dropped, count = _from_mapped(raw, mapping, catalogue, window)
    parts, failed = _settle(drafts, malformed)
    return CanonicalBatch(
        source=raw.source,
        received_at=raw.received_at,
        batch_id=batch_id if batch_id is not None else _batch_id(raw),
        received=count,
        parts=parts,
        malformed=failed,
        dropped_fields=dropped,
        chunk=raw.chunk if all(part.message_ids is None for part in parts) else None,
    )


# ── rows that an adapter has read ──────────────────────────────────────────────────────────────────────────────────────────────


def _from_readings(raw: RawBatch, catalogue: Catalogue, window: _Window) -> tuple[list[_Draft], dict[int, Malformed], Dict[str, int], int]:
    items: Sequence[Reading] = raw.items or ()
    dropped: Counter[str] = Counter()
    malformed: dict[int, Malformed] = {}
    rows: dict[str, list[tuple[int, str, Row]]] = {}
    for position, reading in enumerate(items, raw.first):
        for path, number in reading.dropped.items():
            dropped[path] += number
        if reading.rule is not None:
            malformed[position] = Malformed(position, reading.path, reading.rule, reading.message_id)
            continue
        message_id = reading.message_id or f"{raw.request_id}\x1f{position}"
        for row in reading.rows:
            rows.setdefault(row.record, []).append((position, message_id, row))
    drafts = [_draft(catalogue.record(record), found, window) for record, found in rows.items()]
    return drafts, malformed, dict(dropped), len(items)


def _draft(record: Record, found: list[tuple[int, str, Row]], window: _Window) -> _Draft:
    rows = [row for _, _, row in found]
    fields: dict[str, pa.Array] = {}
    faults: list[tuple[int, str, FormRule]] = []
    for name in dict.fromkeys(chain.from_iterable(row.fields for row in rows)):
        typed = columns.from_python(record.fields[name], [row.fields.get(name) for row in rows], calendar=window.zone)
        fields[name] = typed.values
        faults += [(index, name, rule) for index, rule in typed.faults]
    draft = _Draft(
        record=record,
        positions=np.array([position for position, _, _ in found], dtype=np.int64),
        message_ids=pa.array([message_id for _, message_id, _ in found], pa.string()),
        times=pa.array([row.at for row in rows], columns.INSTANT),
        fields=fields,
        identifiers={
            kind: pa.array([row.identifiers.get(kind) for row in rows], pa.string())
            for kind in dict.fromkeys(chain.from_iterable(row.identifiers for row in rows))
        },
        consents=_claims([row.claims for row in rows]) if any(row.claims for row in rows) else [],
        refuse=pa.array([row.refuse for row in rows], pa.string()),
        faults=faults,
    )
    _finish(draft, window)
    return draft


def _claims(rows: Sequence[tuple[Claim, ...]]) -> list[ConsentClaim]:
    """One column of claims for each purpose and kind."""
    made = []
    for purpose, explicit in dict.fromkeys((claim.purpose, claim.explicit) for claims in rows for claim in claims):
        picked = [next((one for one in claims if one.purpose == purpose and one.explicit is explicit), None) for claims in rows]
        made.append(
            ConsentClaim(
                purpose=purpose,
                granted=pa.array([None if one is None else one.granted for one in picked], pa.bool_()),
                at=pa.array([None if one is None else one.at for one in picked], columns.INSTANT),
                notice=None,
                explicit=explicit,
            )
        )
    return made


# ── rows that a mapping reads ──────────────────────────────────────────────────────────────────────────────────────────────────


def _from_mapped(
    raw: RawBatch, mapping: FileMapping, catalogue: Catalogue, window: _Window
) -> tuple[list[_Draft], dict[int, Malformed], Dict[str, int], int]:
    record = catalogue.record(mapping.record)
    malformed: dict[int, Malformed] = {}
    if raw.table is not None:
        count = raw.table.num_rows
        unread = _unread(raw.table, raw.first, malformed)
        tabulated = mappings.from_table(mapping, raw.table)
        forbidden, dropped = surplus.of_table(raw.table, mapping, catalogue, record)
    else:
        count = len(raw.items or ())
        items, unread = _objects(raw, malformed)
        tabulated = mappings.from_items(mapping, items)
        forbidden, dropped = surplus.of_items(items, mapping, catalogue, record)
    draft = _mapped_draft(raw, mapping, record, tabulated, count, window)
    if forbidden is not None:
        draft.refuse = pc.coalesce(forbidden, draft.refuse)
    _finish(draft, window)
    draft.faults = [fault for fault in draft.faults if raw.first + fault[0] not in malformed]
    if unread:
        _keep(draft, np.array([index not in unread for index in range(count)]))
    return [draft], malformed, dropped, count


def _mapped_draft(
    raw: RawBatch, mapping: FileMapping, record: Record, tabulated: mappings.Tabulated, count: int, window: _Window
) -> _Draft:
    faults = list(tabulated.faults)
    fields: dict[str, pa.Array] = {}
    times: pa.Array | None = None
    for name, rule in mapping.fields.items():
        length = count if rule.column is not None else min(count, 1)
        worded = mappings.field_text(rule, tabulated.columns, length)
        typed = columns.from_text(
            record.fields[name], worded.values, zone=mapping.zone, form=rule.form, times=rule.times, calendar=window.zone
        )
        if length < count:
            typed = columns.repeated(typed, count)
        faults += [(index, name, kind) for index, kind in chain(worded.faults, typed.faults)]
        if name == record.time:
            times = typed.values
        else:
            fields[name] = typed.values
    ids, without = mappings.message_ids(mapping, tabulated.columns)
    faults += [(index, "id", kind) for index, kind in without]
    draft = _Draft(
        record=record,
        positions=np.arange(raw.first, raw.first + count, dtype=np.int64),
        message_ids=ids,
        times=times if times is not None else pa.nulls(count, columns.INSTANT),
        fields=fields,
        identifiers={kind: tabulated.columns[column] for kind, column in mapping.identifiers.items()},
        consents=[],
        refuse=pa.nulls(count, pa.string()),
        faults=faults,
    )
    draft.consents = [
        _claim(rule, draft, tabulated, mapping.zone, explicit=not raw.source.public, window=window) for rule in mapping.consents
    ]
    return draft


def _claim(
    rule: mappings.ConsentRule, draft: _Draft, tabulated: mappings.Tabulated, zone: str | None, *, explicit: bool, window: _Window
) -> ConsentClaim:
    """What each row says about one purpose; without a time of its own it said so at the row's time."""
    at = draft.times
    if rule.at is not None:
        typed = columns.instant(tabulated.columns[rule.at], zone=zone)
        draft.faults += [(index, f"consent.{rule.purpose}.at", kind) for index, kind in typed.faults]
        at = typed.values
    decided = mappings.granted(rule, tabulated.columns)
    at = pc.if_else(pc.is_valid(decided), pc.coalesce(at, _received(window)), pa.scalar(None, columns.INSTANT))
    return ConsentClaim(rule.purpose, decided, at, tabulated.columns[rule.notice] if rule.notice is not None else None, explicit)


def _unread(table: pa.Table, first: int, malformed: dict[int, Malformed]) -> set[int]:
    """Rows that the reader of the file could not read."""
    if FAULT_COLUMN not in table.column_names:
        return set()
    broken = {index: FormRule(rule) for index, rule in enumerate(table.column(FAULT_COLUMN).to_pylist()) if rule is not None}
    malformed.update({first + index: Malformed(first + index, "", rule) for index, rule in broken.items()})
    return set(broken)


def _objects(raw: RawBatch, malformed: dict[int, Malformed]) -> tuple[list[Dict[str, Any]], set[int]]:
    """The items as objects; those that are none (or that the gate has refused, as Readings) are malformed and empty."""
    objects: list[Dict[str, Any]] = []
    unread: set[int] = set()
    for index, item in enumerate(raw.items or ()):
        if isinstance(item, dict):
            objects.append(item)
            continue
        rule, path = (item.rule, item.path) if isinstance(item, Reading) and item.rule is not None else (FormRule.NOT_AN_OBJECT, "")
        malformed[raw.first + index] = Malformed(raw.first + index, path, rule)
        objects.append({})
        unread.add(index)
    return objects, unread


# ── both ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _finish(draft: _Draft, window: _Window) -> None:
    """Refusals first, then what is missing, then the window of time."""
    record = draft.record
    for name in record.child_fields & draft.fields.keys():
        draft.refuse = pc.if_else(pc.is_valid(draft.fields[name]), pc.coalesce(draft.refuse, _CHILD), draft.refuse)
    for index, path, _ in draft.faults:
        if path in record.child_fields:
            mask = np.zeros(len(draft.refuse), dtype=bool)
            mask[index] = True
            draft.refuse = pc.if_else(pa.array(mask), pc.coalesce(draft.refuse, _CHILD), draft.refuse)
    draft.fields = {name: values for name, values in draft.fields.items() if name not in record.child_fields and name != record.time}
    if record.people:
        draft.faults += _time_faults(draft, window)
    draft.times = pc.coalesce(draft.times, _received(window))
    length = len(draft.positions)
    for name, entry in record.fields.items():
        if entry.input.required and name != record.time:
            column = draft.fields.get(name)
            absent = range(length) if column is None else pc.indices_nonzero(pc.is_null(column)).to_pylist() if column.null_count else ()
            draft.faults += [(index, name, FormRule.MISSING) for index in absent]
    if record.name == "consent":
        _consent_records(draft)


def _time_faults(draft: _Draft, window: _Window) -> list[tuple[int, str, FormRule]]:
    record = draft.record
    path = record.time or ""
    faults: list[tuple[int, str, FormRule]] = []
    if draft.times.null_count and record.time_default is None:
        faults += [(index, path, FormRule.MISSING) for index in pc.indices_nonzero(pc.is_null(draft.times)).to_pylist()]
    micros = np.asarray(pc.fill_null(pc.cast(draft.times, pa.int64()), window.received))
    faults += [(int(index), path, FormRule.TIME_FUTURE) for index in np.flatnonzero(micros > window.latest)]
    faults += [(int(index), path, FormRule.TIME_TOO_OLD) for index in np.flatnonzero(micros < window.earliest)]
    return faults


def _consent_records(draft: _Draft) -> None:
    """Rows of the record kind `consent` are claims: admission looks for consent in one place only."""
    purposes, states = draft.fields.get("purpose"), draft.fields.get("state")
    if purposes is None or states is None:
        return
    agreed = pc.equal(states, "granted")
    for purpose in pc.unique(purposes.drop_null()).to_pylist():
        meant = pc.fill_null(pc.equal(purposes, purpose), fill_value=False)
        draft.consents.append(
            ConsentClaim(
                purpose=purpose,
                granted=pc.if_else(meant, agreed, pa.scalar(None, pa.bool_())),
                at=pc.if_else(meant, draft.times, pa.scalar(None, columns.INSTANT)),
                notice=draft.fields.get("notice"),
                explicit=True,
            )
        )


def _settle(drafts: Iterable[_Draft], malformed: dict[int, Malformed]) -> tuple[tuple[CanonicalPart, ...], tuple[Malformed, ...]]:
    """Take out every row of an item that failed anywhere: no item is stored in part. What must be refused did not fail in form."""
    kept = list(drafts)
    refused = {
        int(draft.positions[index])
        for draft in kept
        if draft.refuse.null_count < len(draft.refuse)
        for index in pc.indices_nonzero(pc.is_valid(draft.refuse)).to_pylist()
    }
    for draft in kept:
        for index, path, rule in draft.faults:
            position = int(draft.positions[index])
            if position not in malformed and position not in refused:
                message_id = draft.message_ids[index].as_py() if draft.message_ids is not None else None
                malformed[position] = Malformed(position, path, rule, message_id)
    parts = []
    failed = np.array(sorted(malformed), dtype=np.int64)
    for draft in kept:
        if len(failed):
            keep = ~np.isin(draft.positions, failed)
            if not keep.all():
                _keep(draft, keep)
        if len(draft.positions):
            parts.append(
                CanonicalPart(
                    record=draft.record.name,
                    positions=pa.array(draft.positions),
                    message_ids=draft.message_ids,
                    times=draft.times,
                    fields=pa.table({**draft.fields, REFUSE: draft.refuse}),
                    identifiers=draft.identifiers,
                    consents=tuple(draft.consents),
                )
            )
    return tuple(parts), tuple(malformed[position] for position in sorted(malformed))


def _keep(draft: _Draft, rows: np.ndarray[Any, np.dtype[np.bool_]]) -> None:
    """Only these rows go on."""
    chosen = pa.array(rows)
    renumber = np.cumsum(rows) - 1
    draft.faults = [(int(renumber[index]), path, rule) for index, path, rule in draft.faults if rows[index]]
    draft.positions = draft.positions[rows]
    draft.message_ids = draft.message_ids.filter(chosen) if draft.message_ids is not None else None
    draft.times = draft.times.filter(chosen)
    draft.refuse = draft.refuse.filter(chosen)
    draft.fields = {name: values.filter(chosen) for name, values in draft.fields.items()}
    draft.identifiers = {kind: values.filter(chosen) for kind, values in draft.identifiers.items()}
    draft.consents = [
        ConsentClaim(
            claim.purpose,
            claim.granted.filter(chosen),
            claim.at.filter(chosen),
            claim.notice.filter(chosen) if claim.notice is not None else None,
            claim.explicit,
        )
        for claim in draft.consents
    ]


def _received(window: _Window) -> pa.Scalar:
    return pa.scalar(window.received, columns.INSTANT)


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _batch_id(raw: RawBatch) -> bytes:
    """Made of what tells batches apart and of nothing that came from a person."""
    parts = [
        raw.source.id.encode(),
        raw.request_id.encode(),
        raw.received_at.isoformat().encode(),
        str(raw.first).encode(),
        raw.chunk or b"",
    ]
    return hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()[:16]
