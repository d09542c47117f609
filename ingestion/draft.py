"""One part of a batch on its way to being canonical: typed columns, and what is still to be said about its rows.

Promise: law comes before form. What a row about a child or of a forbidden category carries is marked for refusal before anything is
called missing or out of time, and marked rows are never reported as faults of form. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.columns import INSTANT
from privacy.records import Agreements, ConsentClaim
from privacy.vocabulary import FormRule, Reason

if TYPE_CHECKING:
    from privacy.dictionary.catalogue import Record

_CHILD = pa.scalar(str(Reason.CHILD_FIELD), pa.string())


@dataclass(slots=True)
class Draft:
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
    agreements: Agreements | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """The instants between which an event may lie, in microseconds, and the controller's calendar."""

    earliest: int
    latest: int
    received: int
    zone: str


def finish(draft: Draft, window: Window) -> None:
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
    draft.times = pc.coalesce(draft.times, received(window))
    length = len(draft.positions)
    for name, entry in record.fields.items():
        if entry.input.required and name != record.time:
            column = draft.fields.get(name)
            absent = range(length) if column is None else pc.indices_nonzero(pc.is_null(column)).to_pylist() if column.null_count else ()
            draft.faults += [(index, name, FormRule.MISSING) for index in absent]
    if record.name == "consent":
        _consent_records(draft)


def _time_faults(draft: Draft, window: Window) -> list[tuple[int, str, FormRule]]:
    record = draft.record
    path = record.time or ""
    faults: list[tuple[int, str, FormRule]] = []
    if draft.times.null_count and record.time_default is None:
        faults += [(index, path, FormRule.MISSING) for index in pc.indices_nonzero(pc.is_null(draft.times)).to_pylist()]
    micros = np.asarray(pc.fill_null(pc.cast(draft.times, pa.int64()), window.received))
    faults += [(int(index), path, FormRule.TIME_FUTURE) for index in np.flatnonzero(micros > window.latest)]
    faults += [(int(index), path, FormRule.TIME_TOO_OLD) for index in np.flatnonzero(micros < window.earliest)]
    return faults


def _consent_records(draft: Draft) -> None:
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
                at=pc.if_else(meant, draft.times, pa.scalar(None, INSTANT)),
                notice=draft.fields.get("notice"),
                explicit=True,
            )
        )


def keep(draft: Draft, rows: np.ndarray[Any, np.dtype[np.bool_]]) -> None:
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
        replace(
            claim,
            granted=claim.granted.filter(chosen),
            at=claim.at.filter(chosen),
            notice=None if claim.notice is None else claim.notice.filter(chosen),
        )
        for claim in draft.consents
    ]
    if draft.agreements is not None:
        draft.agreements = Agreements(draft.agreements.notice.filter(chosen), draft.agreements.at.filter(chosen))


def received(window: Window) -> pa.Scalar:
    return pa.scalar(window.received, INSTANT)
