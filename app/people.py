"""What people decided and who they are, as commands and routes use the doors: one call each.

Promise: identifiers are arguments in memory only; they are in no log and no job, and in no answer but masked;
one value at a time is revealed, by a door that logs it first. A file of records to be compared is read here, in memory, and forgotten.
"""

from __future__ import annotations

import csv
import gzip
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from privacy.errors import Invalid

if TYPE_CHECKING:
    from app.wiring import Services
    from privacy.records import SourceFacts


def record_consents(
    services: Services,
    items: Sequence[Mapping[str, Any]],
    *,
    actor: str,
    source: SourceFacts | None,
    idempotency_key: str | None,
    namespace: str = "",
) -> list[dict[str, Any]]:
    """Records acts of consent; a verdict for each, in order."""
    told: list[dict[str, Any]] = services.preferences.record(
        items, actor=actor, source=source, idempotency_key=idempotency_key, namespace=namespace
    )
    return told


def show_consents(services: Services, type_: str, value: str, *, actor: str, namespace: str = "") -> dict[str, Any]:
    """What a person allows now."""
    shown: dict[str, Any] = services.preferences.show(type_, value, actor=actor, namespace=namespace)
    return shown


def find(services: Services, type_: str, value: str, *, purpose: str, reason: str, actor: str, namespace: str = "") -> dict[str, Any]:
    """A person's masked identifiers; the log entry is committed before anything is read."""
    found: dict[str, Any] = services.oversight.find_person(type_, value, purpose=purpose, reason=reason, actor=actor, namespace=namespace)
    return found


def reveal(services: Services, handle: str, ref: str, *, purpose: str, reason: str, actor: str) -> dict[str, Any]:
    """One identifier in clear, named by what `find` gave; the log entry is committed before anything is read."""
    revealed: dict[str, Any] = services.oversight.reveal(handle, ref, purpose=purpose, reason=reason, actor=actor)
    return revealed


# ── who is who ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def reasons(services: Services, handle: str, *, purpose: str, reason: str, actor: str) -> dict[str, Any]:
    """Why the identifiers of a person belong together, masked."""
    told: dict[str, Any] = services.kinship.reasons(handle, purpose=purpose, reason=reason, actor=actor)
    return told


def unmerge(services: Services, handle: str, merge: str, *, purpose: str, reason: str, actor: str) -> dict[str, Any]:
    """Undoes one merge, named as `reasons` named it."""
    told: dict[str, Any] = services.kinship.unmerge(handle, merge, purpose=purpose, reason=reason, actor=actor)
    return told


def proposals(services: Services, *, actor: str) -> dict[str, Any]:
    """Pairs of people who may be one, the strongest first."""
    told: dict[str, Any] = services.kinship.proposals(actor=actor)
    return told


def accept(services: Services, proposal: str, *, purpose: str, reason: str, actor: str) -> dict[str, Any]:
    """Merges the two people of a proposal."""
    told: dict[str, Any] = services.kinship.accept(proposal, purpose=purpose, reason=reason, actor=actor)
    return told


def dismiss(services: Services, proposal: str, *, purpose: str, reason: str, actor: str) -> dict[str, Any]:
    """Ends a proposal."""
    told: dict[str, Any] = services.kinship.dismiss(proposal, purpose=purpose, reason=reason, actor=actor)
    return told


def propose(
    services: Services, file: Path, match: Path, *, source_name: str, purpose: str, reason: str, actor: str, threshold: float | None = None
) -> dict[str, Any]:
    """Compares the records of a CSV file (gzip too) and proposes merges of known people; `match` says which column is what."""
    from ingestion import registry

    with services.read_intake() as tx:
        source = next((one.facts for one in registry.listing(tx) if one.facts.name == source_name), None)
    if source is None or source.public:
        raise Invalid("proposals come from the file of a registered server source", code="source_unknown", field="source")
    identifiers, fields = _match(match)
    columns = _columns(file, [*identifiers.values(), *fields.values()])
    told: dict[str, Any] = services.kinship.propose(
        {name: columns[column] for name, column in fields.items()},
        {kind: columns[column] for kind, column in identifiers.items()},
        source=source.id,
        namespace=source.namespace,
        purpose=purpose,
        reason=reason,
        actor=actor,
        threshold=threshold,
    )
    return told


def _match(path: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The two tables of a match file: identifier type → column, field → column."""
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise Invalid("the match file cannot be read", code="match_fields", field="mapping") from None
    tables = [told.get(name) for name in ("identifiers", "fields")]
    if told.keys() - {"identifiers", "fields"} or not all(
        isinstance(table, dict) and table and all(isinstance(column, str) for column in table.values()) for table in tables
    ):
        raise Invalid("a match file has the tables identifiers and fields, each of columns by name", code="match_fields", field="mapping")
    return tables[0] or {}, tables[1] or {}


def _columns(path: Path, wanted: Sequence[str]) -> dict[str, list[str | None]]:
    """Some columns of a CSV file, as text."""
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8", newline="") if path.suffix == ".gz" else path.open(encoding="utf-8", newline="") as text
        ):
            reader = csv.DictReader(text, skipinitialspace=True)
            missing = [column for column in wanted if column not in (reader.fieldnames or ())]
            if missing:
                raise Invalid("the file lacks a column of the match file", code="column_missing", field="mapping")
            columns: dict[str, list[str | None]] = {column: [] for column in wanted}
            for row in reader:
                for column, values in columns.items():
                    values.append(row[column] or None)
    except (OSError, UnicodeDecodeError, csv.Error):
        raise Invalid("the file cannot be read as CSV", code="file_unreadable", field="file") from None
    return columns
