"""A dry run: what a mapping makes of a file, as far as form goes.

Promise: nothing is written, nobody is looked up, no consent is asked; what is told are counts, and of the first faults the row, the path
and the rule, never a value. The rows go through the very step of the pipeline that an import takes them through.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ingestion import canonical

if TYPE_CHECKING:
    from ingestion.mapping import FileMapping
    from privacy.dictionary.catalogue import Catalogue
    from privacy.records import RawBatch

FIRST_ERRORS = 20


def run(
    batches: Iterable[RawBatch], mapping: FileMapping, catalogue: Catalogue, *, now: datetime, retention_days: int, zone: str, rows: int
) -> dict[str, Any]:
    """Tries up to about `rows` rows; `complete` says whether that was the whole file."""
    received = malformed = 0
    rules: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    errors: list[dict[str, Any]] = []
    complete = True
    for raw in batches:
        if received >= rows:
            complete = False
            break
        batch = canonical.canonicalise(raw, mapping, catalogue, now=now, retention_days=retention_days, zone=zone)
        received += batch.received
        malformed += len(batch.malformed)
        rules.update(str(item.rule) for item in batch.malformed)
        dropped.update(batch.dropped_fields)
        first = batch.malformed[: FIRST_ERRORS - len(errors)]
        errors += [{"row": item.position + 1, "path": item.path, "rule": str(item.rule)} for item in first]
    return {
        "received": received,
        "valid": received - malformed,
        "malformed": malformed,
        "rules": dict(sorted(rules.items())),
        "errors": errors,
        "dropped_fields": dict(sorted(dropped.items())),
        "complete": complete,
    }
