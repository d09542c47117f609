"""Imports as people do them on pages: a file out of a form, the list, one import with what was done to it, templates of files.

Promise: a form's file is sealed block by block as it comes and is gone again if it does not come whole. An integrator meets own sources
only; numbers of rows are for whoever may see exact numbers. Tells places, rules and names, never a value.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from typing import IO, TYPE_CHECKING, Any

from app import access, imported, imports, ownership, parcels, uploads
from ingestion import registry
from privacy.dictionary import catalogue
from privacy.errors import Conflict, Invalid
from privacy.vocabulary import LogKind

if TYPE_CHECKING:
    from app.access import Caller
    from app.wiring import Services

MOST = 10_000
"""Imports of one file of the list."""
STATES = (
    imports.UPLOADING, imports.UPLOADED, imports.QUEUED, imports.RUNNING, imports.DONE, imports.FAILED, imports.CANCELLED,
    imports.EXPIRED, imports.UNDOING, imports.UNDONE,
)  # fmt: skip
COUNTS = ("received", "stored", "duplicate", "quarantined", "refused")


# ── a file out of a form ───────────────────────────────────────────────────────────────────────────────────────────────────────


def take(services: Services, source_name: str, filename: str, stream: IO[bytes], most: int, *, caller: Caller) -> str:
    """Takes a form's file in, of at most `most` bytes; the id of its import, which waits for its mapping. What breaks off is thrown away."""
    kind, source = imports.format_of(filename), uploads.own_source(services, source_name, caller)
    now = services.clock()
    with services.begin_intake() as tx:
        if imports.open_uploads(tx) >= uploads.OPEN_UPLOADS:
            raise Conflict("too many uploads are open: finish or cancel one", code="too_many_uploads")
        facts = imports.create(
            tx,
            source.id,
            state=imports.UPLOADING,
            chunk_rows=services.settings.limits.import_rows,
            by=caller.account_id,
            now=now,
            format=kind,
            name=imports.spoken_name(filename),
            size=most,
        )
        told = {"import": facts.id, "source": source.id}
        services.log(tx, LogKind.INGEST, "import.announce", actor=caller.account_id, facts=told)
    try:
        services.parcel_seal.open_parcel(facts.id, facts.content_ends_at)
        size, digest = _seal(services, facts, stream)
        if not size:
            raise Invalid("the file is empty", code="file_empty", field="file")
    except BaseException:  # whoever broke it off, what came of the file must not lie there
        with services.begin_intake() as tx:
            over = {"state": imports.CANCELLED, "error_code": "upload_damaged", "finished_at": services.clock()}
            imports.change(tx, facts.id, (imports.UPLOADING,), **over)
            services.log(tx, LogKind.INGEST, "import.cancel", actor=caller.account_id, result="upload_damaged", facts={"import": facts.id})
        uploads.discard(services, facts.id)
        raise
    with services.begin_intake() as tx:
        imports.change(tx, facts.id, (imports.UPLOADING,), state=imports.UPLOADED, size=size, received_bytes=size, sha256=digest)
    return facts.id


def _seal(services: Services, facts: imports.Facts, stream: IO[bytes]) -> tuple[int, bytes]:
    """Puts the bytes where uploads lie; their number and digest."""
    at, digest = 0, hashlib.sha256()
    with parcels.writing(services.uploads_path, facts.id, services.parcel_seal) as writer:
        while block := _block(stream):
            if at + len(block) > (facts.size or 0):
                raise Invalid("the file is larger than a form takes", code="too_large", field="file")
            digest.update(block)
            sealed = writer.add(at, block)
            at += len(block)
            uploads.acknowledge(services, facts.id, at, sealed)
    return at, digest.digest()


def _block(stream: IO[bytes]) -> bytes:
    """A whole block, or what is left. An error of the stream is the sender's end: nothing of the file counts then."""
    parts, missing = [], parcels.BLOCK
    while missing and (part := stream.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def template(record: str) -> str:
    """The header of a file of a record kind: what it must have first, then what it may have, then who it is about."""
    wanted = catalogue.load().record(record)
    names = sorted(wanted.fields, key=lambda name: not wanted.fields[name].input.required)
    header = io.StringIO()
    csv.writer(header, lineterminator="\r\n").writerow([*names, *sorted(map(str, wanted.identifiers))])
    return "\ufeff" + header.getvalue()


def records() -> dict[str, dict[str, bool]]:
    """Every kind of records that a file may hold, with its fields and whether each is required."""
    known = catalogue.load().records
    return {name: {field: entry.input.required for field, entry in one.fields.items()} for name, one in sorted(known.items())}


def sources(services: Services, caller: Caller) -> dict[str, str]:
    """Own sources that take files and are not disabled: id → name."""
    with services.read_console() as tx:
        hidden = ownership.hidden(tx, caller)
        listed = registry.listing(tx)
    return {
        one.facts.id: one.facts.name for one in listed if one.facts.kind == "file" and not one.disabled_at and one.facts.id not in hidden
    }


# ── lists ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def page(
    services: Services, applied: Mapping[str, str], cursor: str | None, *, caller: Caller, limit: int = imported.PAGE
) -> dict[str, Any]:
    """A page of the imports that match, and how many match."""
    wanted, exact = _wanted(services, applied, caller), "exact.read" in caller.permissions
    told = imported.listing(services, cursor, exact=exact, caller=caller, wanted=wanted, limit=limit)
    with services.read_intake() as tx:
        total = imports.number(tx, wanted)
    return {"items": _named(services, told["items"]), "next": told["next"], "total": total}


def every(services: Services, applied: Mapping[str, str], *, caller: Caller) -> Iterator[dict[str, Any]]:
    """All imports that match, at most `MOST`."""
    cursor: str | None = None
    for _number in range(MOST // 200):
        told = page(services, applied, cursor, caller=caller, limit=200)
        yield from told["items"]
        cursor = told["next"]
        if cursor is None:
            return


def names(services: Services, caller: Caller) -> dict[str, str]:
    """Sources by id that files of this caller's may be of."""
    with services.read_console() as tx:
        hidden = ownership.hidden(tx, caller)
        listed = registry.listing(tx)
    return {one.facts.id: one.facts.name for one in listed if one.facts.kind == "file" and one.facts.id not in hidden}


def one(services: Services, import_id: str, *, caller: Caller) -> dict[str, Any]:
    """An import with how long it may still take, and the version of its mapping."""
    facts, exact = imported.find(services, import_id, caller), "exact.read" in caller.permissions
    (told,) = _named(services, [imported.shown(services, facts, exact=exact)])
    share = facts.done / facts.total if facts.total else None
    spent = (services.clock() - facts.started_at).total_seconds() if facts.started_at else 0.0
    return told | {
        "share": share,
        "seconds_left": round(spent / share - spent) if share and facts.state == imports.RUNNING else None,
        "version": facts.version,
        "cancelling": facts.cancel and facts.state == imports.RUNNING,
        "uploaded": facts.size is not None,
    }


def history(services: Services, import_id: str, *, caller: Caller) -> list[dict[str, Any]]:
    """What was done to an import, by whom, out of the access log; reading it is an entry. Whoever sees only own acts sees those."""
    facts = imported.find(services, import_id, caller)
    with services.begin_console() as tx:
        services.log(tx, LogKind.READ, "log.read", actor=caller.account_id, facts={"import": facts.id})
    with services.read_console() as tx:
        known = {str(account["user"]): str(account["email"]) for account in access.accounts(tx)}
    lines = services.acts_on("import.", "import", facts.id, since=facts.created_at)
    if "log.read" not in caller.permissions:
        lines = [line for line in lines if line.actor == caller.account_id]
    return [{"at": line.at, "who": known.get(line.actor, line.actor), "action": line.action, "result": line.result} for line in lines]


def _named(services: Services, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    with services.read_console() as tx:
        known = {listed.facts.id: listed.facts.name for listed in registry.listing(tx)}
    rows = []
    for item in items:
        counts = item["counts"] or dict.fromkeys(COUNTS)
        told = {name: counts[name] for name in COUNTS}
        rows.append(item | told | {"source_name": known.get(item["source"], item["source"])})
    return rows


def _wanted(services: Services, applied: Mapping[str, str], caller: Caller) -> imports.Wanted:
    since: datetime | None = None
    if "since" in applied:
        since = datetime.combine(date.fromisoformat(applied["since"]), time(), services.settings.time_zone)
    hidden = ownership.hidden_from(services, caller)
    return imports.Wanted(applied.get("state"), applied.get("source"), since, hidden)
