"""A look at a file before it is imported: what its columns seem to be, and what a mapping would make of its rows.

Promise: nothing of the file is stored, nobody is looked up, and what is told are names, shapes, counts and rules, never a value. A look
at an upload is in the log before it happens.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import imported, importing, imports
from ingestion import registry
from privacy.errors import Conflict, Invalid, NotFound
from privacy.vocabulary import LogKind

if TYPE_CHECKING:
    from app.access import Caller
    from app.wiring import Services
    from privacy.records import SourceFacts


def guess(services: Services, import_id: str, record: str | None, *, actor: str, caller: Caller | None = None) -> dict[str, Any]:
    """What the columns of an uploaded file seem to be, and a mapping proposed for it. The look is logged first."""
    facts, source = _whole(services, import_id, "import.guess", actor, caller)
    return services.guess(services.content(facts), source, record)


def trial(services: Services, import_id: str, text: str | None, *, actor: str, caller: Caller | None = None) -> dict[str, Any]:
    """A dry run of a mapping (its own, or another one) on an uploaded file; nothing of it is stored."""
    facts, source = _whole(services, import_id, "import.trial", actor, caller)
    chosen = text if text is not None else facts.mapping
    if chosen is None:
        raise Invalid("the import has no mapping yet", code="mapping_missing", field="mapping")
    return services.trial(services.content(facts), source, services.parsed_mapping(chosen))


def guess_file(services: Services, path: Path, *, source_name: str, record: str | None) -> dict[str, Any]:
    """The guess for a file of this machine."""
    return services.guess(_there(path), importing.source_of_files(services, source_name), record)


def try_file(services: Services, path: Path, *, source_name: str, mapping_path: Path) -> dict[str, Any]:
    """The dry run for a file of this machine."""
    return services.trial(_there(path), importing.source_of_files(services, source_name), services.mapping(mapping_path))


def _whole(services: Services, import_id: str, action: str, actor: str, caller: Caller | None) -> tuple[imports.Facts, SourceFacts]:
    facts = imported.find(services, import_id, caller)
    if facts.size is None or facts.state not in imports.OPEN or facts.received_bytes != facts.size:
        raise Conflict("the file is not there, or not whole yet", code="import_not_ready")
    with services.begin_intake() as tx:
        services.log(tx, LogKind.INGEST, action, actor=actor, facts={"import": import_id})
        source = registry.get(tx, facts.source_id).facts
    return facts, source


def _there(path: Path) -> Path:
    if not path.is_file():
        raise NotFound("there is no such file", code="file_unknown", field="file")
    return path
