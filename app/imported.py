"""What there is of imports: how each stands, lists of them, and where rows failed.

Promise: an integrator meets imports of own sources only; numbers of rows are for who may see exact numbers; places and rules are told, and
never a value.
"""

from __future__ import annotations

import csv
import io
import tomllib
from dataclasses import replace
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any

from app import importing, imports, ownership
from ingestion.pipeline import Receipt
from privacy.errors import Invalid, NotFound
from privacy.orm import from_micros, to_micros

if TYPE_CHECKING:
    from app.access import Caller
    from app.wiring import Services

PAGE = 50


def find(services: Services, import_id: str, caller: Caller | None = None) -> imports.Facts:
    """An import; raises NotFound also for one of a source that is not this caller's. A command asks as nobody."""
    with services.read_intake() as tx:
        facts = imports.get(tx, import_id)
    if facts.source_id in ownership.hidden_from(services, caller):
        raise NotFound("there is no such import", code="import_unknown")
    return facts


def state(services: Services, import_id: str, *, exact: bool, caller: Caller | None = None) -> dict[str, Any]:
    """An import as it stands. Without `exact` no number of rows."""
    return shown(services, find(services, import_id, caller), exact=exact)


def listing(
    services: Services,
    cursor: str | None,
    *,
    exact: bool,
    caller: Caller | None = None,
    wanted: imports.Wanted = imports.EVERYTHING,
    limit: int | None = None,
) -> dict[str, Any]:
    """A page of imports, newest first; an integrator's own sources only."""
    wanted, limit = replace(wanted, hidden=ownership.hidden_from(services, caller)), limit or PAGE
    with services.read_intake() as tx:
        found = imports.listing(tx, wanted, before=_cursor(cursor), limit=limit + 1)
    page = found[:limit]
    last = page[-1] if len(found) > limit else None
    return {
        "items": [shown(services, one, exact=exact) for one in page],
        "next": None if last is None else f"{to_micros(last.created_at)}-{last.id}",
    }


def shown(services: Services, facts: imports.Facts, *, exact: bool) -> dict[str, Any]:
    """An import as pages and answers show it."""
    told: dict[str, Any] = {
        "import": facts.id,
        "source": facts.source_id,
        "state": facts.state,
        "format": facts.format,
        "name": facts.name,
        "record": _record(facts.mapping),
        "size": facts.size,
        "offset": facts.received_bytes,
        "mapping": facts.mapping is not None,
        "progress": {"done": facts.done, "total": facts.total} if exact else None,
        "counts": (facts.counts or importing.counts_of(Receipt())) if exact else None,
        "error_code": facts.error_code,
        "created_by": facts.created_by,
        "created_at": facts.created_at.isoformat(),
        "finished_at": None if facts.finished_at is None else facts.finished_at.isoformat(),
        "undo_until": None if facts.ended_at is None else (facts.ended_at + imports.UNDO_WINDOW).isoformat(),
    }
    return told


def _record(mapping: str | None) -> str | None:
    """The kind of records that a mapping says; a mapping was checked when it was set."""
    return None if mapping is None else str(tomllib.loads(mapping)["record"])


def faults(services: Services, import_id: str, *, caller: Caller | None = None) -> list[dict[str, Any]]:
    """The rows that were not stored and are no duplicates: row, path, rule. Of the refused because of a person only `not_processed`."""
    facts = find(services, import_id, caller)
    if facts.ended_at is not None and services.clock() - facts.ended_at >= imports.ERRORS_KEPT:
        raise NotFound("the error file was kept for seven days", code="errors_gone")
    with services.read_intake() as tx:
        return [{"row": row, "path": path, "rule": rule} for row, path, rule in imports.faults(tx, import_id)]


def error_lines(services: Services, import_id: str, *, caller: Caller | None = None) -> str:
    """The same as a file."""
    faults(services, import_id, caller=caller)
    lines = io.StringIO()
    write_errors(services, import_id, lines)
    return lines.getvalue()


def write_errors(services: Services, import_id: str, target: IO[str]) -> int:
    """Writes the error file; returns its number of rows."""
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(("row", "path", "rule"))
    number = 0
    with services.read_intake() as tx:
        for line in imports.faults(tx, import_id):
            writer.writerow(line)
            number += 1
    return number


def _cursor(text: str | None) -> tuple[datetime, str] | None:
    if text is None:
        return None
    micros, _, import_id = text.partition("-")
    if not micros.isdecimal() or len(micros) > 18 or not import_id.startswith("imp_"):
        raise Invalid("this is no cursor of this list", code="bad_cursor", field="cursor")
    return from_micros(int(micros)), import_id
