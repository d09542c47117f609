"""How complete and how valid a batch came in: counted on columns before any rule has taken a row out.

Promise: counts by record and field, never a value, a row or a person; what is counted is what the source sent, so a value that breaks a
rule of form is present and not valid. Pure, and a few microseconds a field: Arrow knows its nulls.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from privacy.vocabulary import FormRule

if TYPE_CHECKING:
    import pyarrow as pa

    from ingestion.draft import Draft
    from privacy.records import Census

ROWS = ""
"""In place of a field's name: the rows themselves."""


def of(drafts: Iterable[Draft]) -> Census:
    """(record, field) → how often it was there, and how often well formed; under `ROWS` the rows, and those without any fault."""
    counts: dict[tuple[str, str], tuple[int, int]] = {}
    for draft in drafts:
        rows, record = len(draft.positions), draft.record.name
        broken: dict[str, set[int]] = {}
        missing: dict[str, set[int]] = {}
        for index, path, rule in draft.faults:
            (missing if rule is FormRule.MISSING else broken).setdefault(path, set()).add(index)
        faulty = set().union(*broken.values(), *missing.values())
        _add(counts, (record, ROWS), rows, rows - len(faulty))
        for name, column in draft.fields.items():
            wrong = broken.get(name)
            valid = rows - column.null_count if not wrong else _valid(column, wrong)
            _add(counts, (record, name), valid + len(wrong or ()), valid)
        if draft.record.time:
            wrong, absent = (
                broken.get(draft.record.time, set()),
                missing.get(draft.record.time, set()) - broken.get(draft.record.time, set()),
            )
            _add(counts, (record, draft.record.time), rows - len(absent), rows - len(absent | wrong))
        for kind, column in draft.identifiers.items():
            held = rows - column.null_count
            _add(counts, (record, f"identifiers.{kind}"), held, held)
    return counts


def _valid(column: pa.Array, wrong: set[int]) -> int:
    held = np.asarray(pc.is_valid(column).to_numpy(zero_copy_only=False), bool).copy()
    held[list(wrong)] = False
    return int(held.sum())


def _add(counts: dict[tuple[str, str], tuple[int, int]], key: tuple[str, str], present: int, valid: int) -> None:
    before = counts.get(key, (0, 0))
    counts[key] = (before[0] + present, before[1] + valid)
