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
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion import census, columns, formulas, surplus
from ingestion import mapping as mappings
from ingestion.draft import Draft, Window, finish, keep, received
from ingestion.source import FAULT_COLUMN, Claim, Reading, Row
from privacy.records import Agreements, CanonicalBatch, CanonicalPart, ConsentClaim, Malformed
from privacy.vocabulary import FormRule

if TYPE_CHECKING:
    from ingestion.mapping import FileMapping
    from privacy.dictionary.catalogue import Catalogue, Record
    from privacy.records import RawBatch

REFUSE = "_refuse"
"""Column of `CanonicalPart.fields`, always there: the reason for which admission must refuse the row, or null."""

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far in the future an event may be: clocks of senders differ (DESIGN §6)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


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
    clock = _micros(now)
    window = Window(clock - retention_days * 86_400_000_000, clock + CLOCK_TOLERANCE // _MICROSECOND, _micros(raw.received_at), zone)
    if mapping is None:
        drafts, malformed, dropped, count = _from_readings(raw, catalogue, window)
    else:
        drafts, malformed, dropped, count = _from_mapped(raw, mapping, catalogue, window)
    counted = census.of(drafts)
    parts, failed = _settle(drafts, malformed)
    return CanonicalBatch(
        source=raw.source,
        received_at=raw.received_at,
        batch_id=batch_id if batch_id is not None else _batch_id(raw),
        received=count,
        parts=parts,
        malformed=failed,
        dropped_fields=dropped,
        census=counted,
        chunk=raw.chunk if all(part.message_ids is None for part in parts) else None,
    )


# ── rows that an adapter has read ──────────────────────────────────────────────────────────────────────────────────────────────


def _from_readings(raw: RawBatch, catalogue: Catalogue, window: Window) -> tuple[list[Draft], dict[int, Malformed], Dict[str, int], int]:
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


def _draft(record: Record, found: list[tuple[int, str, Row]], window: Window) -> Draft:
    rows = [row for _, _, row in found]
    fields: dict[str, pa.Array] = {}
    faults: list[tuple[int, str, FormRule]] = []
    for name in dict.fromkeys(chain.from_iterable(row.fields for row in rows)):
        typed = columns.from_python(record.fields[name], [row.fields.get(name) for row in rows], calendar=window.zone)
        fields[name] = typed.values
        faults += [(index, name, rule) for index, rule in typed.faults]
    draft = Draft(
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
        agreements=_agreements(rows) if any(row.agreed for row in rows) else None,
    )
    finish(draft, window)
    return draft


def _agreements(rows: Sequence[Row]) -> Agreements:
    told = [row.agreed for row in rows]
    return Agreements(
        notice=pa.array([None if one is None else one.notice for one in told], pa.string()),
        at=pa.array([None if one is None else one.at for one in told], columns.INSTANT),
    )


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
    raw: RawBatch, mapping: FileMapping, catalogue: Catalogue, window: Window
) -> tuple[list[Draft], dict[int, Malformed], Dict[str, int], int]:
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
    finish(draft, window)
    draft.faults = [fault for fault in draft.faults if raw.first + fault[0] not in malformed]
    left = [formulas.holds(test, tabulated.columns) for test in mapping.skip]
    if unread or left:
        keep(draft, ~np.logical_or.reduce([np.isin(np.arange(count), list(unread)), *left]))
    return [draft], malformed, dropped, count


def _mapped_draft(raw: RawBatch, mapping: FileMapping, record: Record, tabulated: mappings.Tabulated, count: int, window: Window) -> Draft:
    faults = list(tabulated.faults)
    fields: dict[str, pa.Array] = {}
    times: pa.Array | None = None
    sheet = formulas.Sheet(tabulated.columns, count, mapping.zone, window.zone)
    for name, rule in mapping.fields.items():
        typed = formulas.typed(rule, record.fields[name], sheet)
        faults += [(index, name, kind) for index, kind in typed.faults]
        if name == record.time:
            times = typed.values
        else:
            fields[name] = typed.values
    ids, without = mappings.message_ids(mapping, tabulated.columns)
    faults += [(index, "id", kind) for index, kind in without]
    draft = Draft(
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
    rule: mappings.ConsentRule, draft: Draft, tabulated: mappings.Tabulated, zone: str | None, *, explicit: bool, window: Window
) -> ConsentClaim:
    """What each row says about one purpose; without a time of its own it said so at the row's time."""
    at = draft.times
    if rule.at is not None:
        typed = columns.instant(tabulated.columns[rule.at], zone=zone)
        draft.faults += [(index, f"consent.{rule.purpose}.at", kind) for index, kind in typed.faults]
        at = typed.values
    decided = mappings.granted(rule, tabulated.columns)
    at = pc.if_else(pc.is_valid(decided), pc.coalesce(at, received(window)), pa.scalar(None, columns.INSTANT))
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


def _settle(drafts: Iterable[Draft], malformed: dict[int, Malformed]) -> tuple[tuple[CanonicalPart, ...], tuple[Malformed, ...]]:
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
            whole = ~np.isin(draft.positions, failed)
            if not whole.all():
                keep(draft, whole)
        if len(draft.positions):
            parts.append(
                CanonicalPart(
                    record=draft.record.name,
                    positions=pa.array(draft.positions),
                    message_ids=draft.message_ids,
                    times=draft.times,
                    fields=pa.table({**draft.fields, REFUSE: draft.refuse}),
                    identifiers=draft.identifiers,
                    consents=tuple(claim for claim in draft.consents if claim.granted.null_count < len(claim.granted)),
                    agreements=draft.agreements,
                )
            )
    return tuple(parts), tuple(malformed[position] for position in sorted(malformed))


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
