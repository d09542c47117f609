"""Evidence packs: bundles of the log that were asked for, made by a job, kept sealed for a while, handed out and counted.

Promise: whom a pack is about comes from a case; what the job and the table hold of it are the log's own handles. A pack lies on the disk
only sealed, under a key that dies with it; it goes into a file of the home's temp folder while it is made and nowhere else. Each download
is an entry before the first byte. A pack that somebody uploads is verified here and kept nowhere.
"""

from __future__ import annotations

import hashlib
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import IO, TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app import jobs, parcels
from app.repeats import Also, nothing_more
from privacy.errors import Conflict, Invalid, NotFound
from privacy.orm import Instant, PlatformBase, from_micros, to_micros
from privacy.vocabulary import LogKind

if TYPE_CHECKING:
    from pathlib import Path

    from app.access import Caller
    from app.wiring import Services

EVIDENCE = "evidence"
"""The job's kind."""
LASTS = timedelta(days=14)
DOWNLOADS = 20
"""How often one pack is handed out; whoever needs more makes another."""
MAKING, READY, FAILED, OVER = "making", "ready", "failed", "over"
SCOPES = ("period", "subject", "request", "whole")
LARGEST_UPLOAD = 256 << 20
"""Bytes of a pack that is verified here; a larger one is verified by the file alone."""


class PackRow(PlatformBase):
    """A pack. `asked` is its order in the log's own words; what it is about is in there under handles of the log."""

    __tablename__ = "evidence_pack"

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    scope: Mapped[str] = mapped_column(sa.String(12))
    asked: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    state: Mapped[str] = mapped_column(sa.String(12))
    job: Mapped[str | None] = mapped_column(sa.String(40))
    created_by: Mapped[str] = mapped_column(sa.String(80))
    created_at: Mapped[datetime] = mapped_column(Instant, index=True)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    size: Mapped[int | None] = mapped_column(sa.BigInteger)
    sealed_bytes: Mapped[int | None] = mapped_column(sa.BigInteger)
    sha256: Mapped[str | None] = mapped_column(sa.String(64))
    signer: Mapped[str | None] = mapped_column(sa.String(300))
    entries: Mapped[int | None] = mapped_column(sa.BigInteger)
    downloads: Mapped[int] = mapped_column(sa.Integer, default=0)


_PACK: Any = PackRow.__table__


@dataclass(frozen=True, slots=True)
class Asked:
    """What a form, a route or a command says: days are the controller's, the end of the last one included."""

    scope: str
    case: str = ""
    request: str = ""
    since: date | None = None
    until: date | None = None
    redaction: str = "commitments"
    contents: frozenset[str] = frozenset()
    language: str = "en"
    size: int | None = None
    held: tuple[int, ...] = ()


def folder(services: Services) -> Path:
    """Where sealed packs lie."""
    return services.settings.home / "evidence"


def order(services: Services, asked: Asked, *, actor: str) -> Any:
    """The order of a bundle; a subject's handles come from a case of the one who asks."""
    if asked.scope not in SCOPES:
        raise Invalid("a pack is of a period, a subject, a request or the whole log", code="evidence_scope", field="scope")
    of: tuple[str, ...] | None = None
    if asked.scope == "subject":
        if not asked.case:
            raise Invalid("a subject is named by a case: look the person up first", code="case_missing", field="case")
        of = services.evidence.subject(asked.case, actor=actor)
    elif asked.scope == "request":
        if not asked.request:
            raise Invalid("the pack of a request names the request", code="request_missing", field="request")
        of = (asked.request,)
    elif asked.scope == "period" and asked.since is None and asked.until is None:
        raise Invalid("a period has a first or a last day", code="bad_period", field="since")
    zone = services.settings.time_zone
    since = None if asked.since is None else datetime.combine(asked.since, time(), zone)
    until = None if asked.until is None else datetime.combine(asked.until + timedelta(days=1), time(), zone)
    return services.bundle_order(
        kind=asked.scope, of=of, since=since, until=until, redaction=asked.redaction, contents=asked.contents, language=asked.language,
        size=asked.size, held=asked.held,
    )  # fmt: skip


def write(services: Services, asked: Asked, out: IO[bytes], *, actor: str) -> dict[str, Any]:
    """Makes a bundle into a file at once; its manifest."""
    made: dict[str, Any] = services.evidence.make(out, order(services, asked, actor=actor), actor=actor)
    return made


# ── packs ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def ask(services: Services, asked: Asked, *, caller: Caller, also: Also = nothing_more) -> str:
    """Queues a pack; its id. The entry of who asked for what is in the same transaction."""
    wanted = order(services, asked, actor=caller.account_id)
    pack, now = "evp_" + secrets.token_hex(12), services.clock()
    scope = wanted.scope
    kept = {
        "of": None if scope.of is None else list(scope.of),
        "since": None if scope.since is None else to_micros(scope.since),
        "until": None if scope.until is None else to_micros(scope.until),
        "redaction": scope.redaction,
        "contents": sorted(wanted.contents),
        "language": wanted.language,
        "size": wanted.size,
    }
    services.parcel_seal.open_parcel(pack, now + LASTS)
    with services.begin_console() as tx:
        services.evidence.ordered(tx, wanted, actor=caller.account_id, pack=pack)
        job = jobs.enqueue(tx, EVIDENCE, {"pack": pack}, by=caller.account_id, now=now)
        row = {"id": pack, "scope": asked.scope, "asked": kept, "state": MAKING, "job": job, "created_by": caller.account_id}
        tx.execute(sa.insert(_PACK), row | {"created_at": now, "expires_at": now + LASTS, "downloads": 0})
        also(tx, {"pack": pack})
    return pack


def run(services: Services, job: jobs.Claimed) -> Mapping[str, Any]:
    """Makes a pack: into a temporary file without a name, then sealed block by block."""
    row = _row(services, str(job.arguments["pack"]))
    if row.state != MAKING:
        return {"bytes": row.size or 0}
    asked, scope = row.asked, row.scope
    wanted = services.bundle_order(
        kind=scope, of=None if asked["of"] is None else tuple(asked["of"]), since=_instant(asked["since"]), until=_instant(asked["until"]),
        redaction=asked["redaction"], contents=frozenset(asked["contents"]), language=asked["language"], size=asked["size"], held=(),
    )  # fmt: skip
    services.settings.temp_path.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=services.settings.temp_path) as plain:
        try:
            manifest = services.evidence.make(plain, wanted, actor=job.created_by, pack=row.id)
        except (Conflict, Invalid, NotFound):
            _change(services, row.id, state=FAILED)
            raise
        size, digest, sealed = _seal(services, row.id, plain)
    facts = {"size": size, "sealed_bytes": sealed, "sha256": digest, "entries": manifest["size"], "signer": manifest["signer"]}
    _change(services, row.id, state=READY, **facts)
    return {"bytes": size, "entries": manifest["size"]}


def _seal(services: Services, pack: str, plain: IO[bytes]) -> tuple[int, str, int]:
    digest, at, sealed = hashlib.sha256(), 0, 0
    plain.seek(0)
    with parcels.writing(folder(services), pack, services.parcel_seal) as writer:
        writer.cut(0)
        while block := plain.read(parcels.BLOCK):
            digest.update(block)
            sealed = writer.add(at, block)
            at += len(block)
    return at, digest.hexdigest(), sealed


def packs(services: Services) -> list[dict[str, Any]]:
    """The newest packs, with what became of them."""
    with services.read_console() as tx:
        rows = tx.execute(sa.select(_PACK).order_by(_PACK.c.created_at.desc(), _PACK.c.id).limit(200)).all()
    return [_shown(services, row) for row in rows]


def one(services: Services, pack: str) -> dict[str, Any]:
    """One pack; raises NotFound."""
    return _shown(services, _row(services, pack))


def download(services: Services, pack: str, *, caller: Caller) -> Iterator[bytes]:
    """The bytes of a pack; counted and logged before the first one. Raises NotFound when it is over, Conflict when it is not ready."""
    row = _row(services, pack)
    now = services.clock()
    if row.state == MAKING or row.state == FAILED:
        raise Conflict("the pack is not ready", code="evidence_not_ready")
    if row.expires_at <= now or row.state == OVER:
        raise NotFound("the pack is over its time; make it again", code="evidence_over")
    with services.begin_console() as tx:
        counted = sa.update(_PACK).where(_PACK.c.id == pack, _PACK.c.downloads < DOWNLOADS).values(downloads=_PACK.c.downloads + 1)
        number = tx.execute(counted.returning(_PACK.c.downloads)).scalar_one_or_none()
        if number is None:
            raise Conflict("the pack was handed out as often as one may be; make it again", code="evidence_spent")
        services.evidence.handed_out(tx, pack=pack, number=number, actor=caller.account_id)
    file = parcels.opener(folder(services), pack, services.parcel_seal, row.sealed_bytes)()
    return _read(file)


def _read(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while block := file.read(parcels.BLOCK):
            yield block


def verify(services: Services, file: IO[bytes], *, caller: Caller, witnesses: bool = True) -> dict[str, Any]:
    """What the offline verifier says of an uploaded pack under our own keys; nothing of it is kept."""
    services.settings.temp_path.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=services.settings.temp_path) as plain:
        size = 0
        while block := file.read(parcels.BLOCK):
            size += len(block)
            if size > LARGEST_UPLOAD:
                raise Invalid("the file is larger than is verified here: use verify.py", code="too_large", field="file")
            plain.write(block)
        plain.seek(0)
        told: dict[str, Any] = services.verify_bundle(plain, witnesses=witnesses)
    services.evidence.tried(told, actor=caller.account_id)
    return told


def expire(services: Services) -> dict[str, int]:
    """Ends packs that are over their time (the retention schedule): the key first, then the file."""
    now = services.clock()
    with services.read_console() as tx:
        late = list(tx.scalars(sa.select(_PACK.c.id).where(_PACK.c.expires_at <= now, _PACK.c.state != OVER)))
    for pack in late:
        services.parcel_seal.destroy(pack)
        parcels.remove(folder(services), pack)
        with services.begin_console() as tx:
            tx.execute(sa.update(_PACK).where(_PACK.c.id == pack).values(state=OVER, asked={}))
            services.log(tx, LogKind.SYSTEM, "evidence.expire", actor="schedule", facts={"pack": pack})
    return {"evidence": len(late)}


def _row(services: Services, pack: str) -> Any:
    with services.read_console() as tx:
        row = tx.execute(sa.select(_PACK).where(_PACK.c.id == pack)).one_or_none()
    if row is None:
        raise NotFound("there is no such pack", code="evidence_unknown", field="pack")
    return row


def _change(services: Services, pack: str, **values: Any) -> None:
    with services.begin_console() as tx:
        tx.execute(sa.update(_PACK).where(_PACK.c.id == pack).values(**values))


def _shown(services: Services, row: Any) -> dict[str, Any]:
    over = row.expires_at <= services.clock()
    asked = row.asked
    return {
        "pack": row.id,
        "scope": row.scope,
        "since": _written(asked.get("since")),
        "until": _written(asked.get("until")),
        "request": asked["of"][0] if row.scope == "request" and asked.get("of") else None,
        "redaction": asked.get("redaction"),
        "contents": asked.get("contents", []),
        "language": asked.get("language"),
        "state": OVER if over else row.state,
        "job": row.job,
        "created_by": row.created_by,
        "created_at": row.created_at.isoformat(),
        "expires_at": row.expires_at.isoformat(),
        "size": row.size,
        "sha256": row.sha256,
        "signer": row.signer,
        "entries": row.entries,
        "downloads": row.downloads,
        "downloads_left": 0 if over or row.state != READY else DOWNLOADS - row.downloads,
    }


def _instant(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)


def _written(micros: int | None) -> str | None:
    return None if micros is None else from_micros(micros).isoformat()
