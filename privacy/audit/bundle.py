"""Bundles: a part of the log in one file that an outsider checks with `privacy.audit.verify` and nothing else.

Promise: a bundle holds the whole tree as a row of pieces, each an entry or the hash of a subtree that it keeps to itself, so that one walk
proves inclusion, order and consistency with every checkpoint in it. What is not of its scope stands as commitment or as a hash; payloads
come with their salts for the scope alone, and for records of erasures, which excuse gaps. From the same checkpoint the same bytes come out
for as long as nothing of the scope is erased: no time of making, nothing compressed, keys and cosignatures only as far as the checkpoint
knows them. It writes nothing into a store; that a bundle is made is logged by the door.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any

import sqlalchemy as sa

from privacy.audit import checkpoint, cosignatures, merkle, reading
from privacy.audit.checkpoint import Signer
from privacy.audit.log import ERASE_ACTION, LogEntry, LogPayload, head
from privacy.audit.payload import canonical, stamp
from privacy.audit.verify import FORMAT, key_id, read_checkpoint
from privacy.errors import Conflict, NotFound

WHOLE, PERIOD, SUBJECT, REQUEST = "whole", "period", "subject", "request"
COMMITMENTS, HASHES = "commitments", "hashes"
"""What stands for an entry that is not of the scope: its public part with the commitment, or nothing but a hash of many."""
SUBTREES_AT_A_TIME = 300


@dataclass(frozen=True, slots=True)
class Scope:
    """What a bundle is about. `of` are the log handles of a subject or the id of a request, None where everybody is meant."""

    kind: str = WHOLE
    of: tuple[str, ...] | None = field(default=None, repr=False)
    since: datetime | None = None
    until: datetime | None = None
    redaction: str = COMMITMENTS

    def document(self) -> dict[str, Any]:
        """What the manifest says of it."""
        return {
            "kind": self.kind,
            "of": None if self.of is None else sorted(self.of),
            "since": None if self.since is None else stamp(self.since),
            "until": None if self.until is None else stamp(self.until),
        }

    def holds(self, entry: Mapping[str, Any]) -> bool:
        """Whether an entry, as `reading.evidence` gives it, is of the scope."""
        if (self.since is not None and entry["ts"] < stamp(self.since)) or (self.until is not None and entry["ts"] >= stamp(self.until)):
            return False
        return self.of is None or (entry["payload"] is not None and self._names(entry["payload"]))

    def _names(self, payload: str) -> bool:
        assert self.of is not None
        if not any(one in payload for one in self.of):
            return False
        facts = json.loads(payload)["facts"]
        return any(one in self.of for one in (facts.get("subject"), facts.get("request"), *(facts.get("subjects") or ())))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a bundle will hold, before a payload is read: up to which checkpoint, which entries are shown, where it can be compared."""

    scope: Scope
    note: str
    size: int
    root: bytes
    first: int
    end: int
    shown: tuple[tuple[int, int], ...]
    records: frozenset[int]
    cuts: tuple[int, ...]


def plan(tx: sa.Connection, scope: Scope, *, size: int | None = None, held: Sequence[int] = ()) -> Plan:
    """Chooses the checkpoint: that of `size`, or the first that covers the scope and the records of what was erased in it, or the newest.

    `held` are sizes of checkpoints that the recipient keeps, at which the bundle shall be comparable.
    """
    first, end = _span(tx, scope, head(tx).size)
    erased = _erased(tx, first, end)
    records = _records(tx, erased)
    note = _anchor(tx, scope, size, max([end + 1, *(one + 1 for one in records)]))
    anchor, _, _ = read_checkpoint(note)
    if records and max(records) >= anchor.size:
        raise Conflict("something was erased after this checkpoint: take a later one", code="bundle_erased_since", field="size")
    first, end = min(first, anchor.size), min(end, anchor.size)
    low, high = max(first - 1, 0) if scope.since else 0, min(end + 1, anchor.size) if scope.until else anchor.size
    spans = [(low, high)] if scope.redaction == COMMITMENTS or scope.of is None else _matching(tx, scope, low, high)
    named = {*checkpoint.by_day(tx, low, high), *(one.size for one in cosignatures.newest(tx, size=anchor.size)), anchor.size}
    cuts = tuple(sorted({one for one in (*named, *held) if 0 < one <= anchor.size}))
    shown = _merged([*spans, *((one, one + 1) for one in records)])
    return Plan(scope, note, anchor.size, anchor.root, low, high, shown, frozenset(records), cuts)


def _span(tx: sa.Connection, scope: Scope, size: int) -> tuple[int, int]:
    """From the first entry of the period to behind its last one."""
    first, end = 0, size
    if scope.since is not None:
        found = tx.scalar(sa.select(sa.func.min(LogEntry.seq)).where(LogEntry.at >= scope.since))
        first = size if found is None else found
    if scope.until is not None:
        found = tx.scalar(sa.select(sa.func.max(LogEntry.seq)).where(LogEntry.at < scope.until))
        end = 0 if found is None else found + 1
    return first, max(first, end)


def _erased(tx: sa.Connection, first: int, end: int) -> set[int]:
    gone = sa.select(LogPayload.seq).where(LogPayload.seq >= first, LogPayload.seq < end, LogPayload.erased_at.is_not(None))
    return set(tx.scalars(gone))


def _records(tx: sa.Connection, erased: set[int]) -> list[int]:
    """The entries that record those erasures."""
    if not erased:
        return []
    query = sa.select(LogPayload.seq, LogPayload.payload).where(LogPayload.action == ERASE_ACTION).order_by(LogPayload.seq)
    return [row.seq for row in tx.execute(query) if not erased.isdisjoint(json.loads(row.payload)["facts"]["erased"])]


def _anchor(tx: sa.Connection, scope: Scope, size: int | None, needed: int) -> str:
    newest = checkpoint.latest(tx)
    if newest is None:
        raise Conflict("the log has no checkpoint yet", code="checkpoint_missing")
    if size is not None:
        note = checkpoint.of_size(tx, size)
        if note is None:
            raise NotFound("the log has no checkpoint of this size", code="checkpoint_unknown", field="size")
        return note
    return newest[1] if scope.until is None else checkpoint.covering(tx, needed) or newest[1]


def _matching(tx: sa.Connection, scope: Scope, low: int, high: int) -> list[tuple[int, int]]:
    with closing(reading.evidence(tx, from_seq=low, until_seq=high)) as entries:
        return [(entry["seq"], entry["seq"] + 1) for entry in entries if scope.holds(entry)]


def _merged(spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


# ── pieces ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def pieces(tx: sa.Connection, made: Plan) -> Iterator[dict[str, Any]]:
    """The whole tree, left to right: {"entry": …} where an entry is shown, {"node": [level, position, hash]} for what is not."""
    gaps: list[tuple[int, list[merkle.NodeId]]] = []
    at = 0
    for start, end in (*made.shown, (made.size, made.size)):
        stops = [at, *(cut for cut in made.cuts if at < cut < start), start]
        gaps.append((start, [tile for left, right in itertools.pairwise(stops) for tile in merkle.tiles(left, right)]))
        at = end
    hashes = _hashes(tx, [tile for _, tiles in gaps for tile in tiles])
    for (_, tiles), (start, end) in zip(gaps, (*made.shown, (made.size, made.size)), strict=True):
        yield from ({"node": [tile.level, tile.position, hashes[tile].hex()]} for tile in tiles)
        with closing(reading.evidence(tx, from_seq=start, until_seq=end)) as entries:
            for entry in entries:
                yield {"entry": _shown(entry, made)}


def _shown(entry: Mapping[str, Any], made: Plan) -> dict[str, Any]:
    public = {name: entry[name] for name in ("seq", "ts", "kind", "c")}
    if entry["seq"] in made.records or (entry["payload"] is not None and made.scope.holds(entry)):
        return public | {"salt": entry["salt"], "payload": entry["payload"]}
    if entry["erased"] is not None and made.first <= entry["seq"] < made.end:
        return public | {"erased": entry["erased"]}
    return public | {"closed": True}


def _hashes(tx: sa.Connection, tiles: Sequence[merkle.NodeId]) -> dict[merkle.NodeId, bytes]:
    found: dict[merkle.NodeId, bytes] = {}
    for start in range(0, len(tiles), SUBTREES_AT_A_TIME):
        found |= reading.subtrees(tx, tiles[start : start + SUBTREES_AT_A_TIME])
    if len(found) != len(tiles):
        raise NotFound("a stored subtree of the log is missing; verify the log", code="log_incomplete")
    return found


# ── the file ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def write(
    tx: sa.Connection, out: IO[bytes], made: Plan, signers: Sequence[Signer], *, more: Mapping[str, bytes], language: str
) -> dict[str, Any]:
    """Writes the bundle; the manifest that came out. `signers` are those of every key version, the oldest first."""
    known, signer = _signer(made.note, signers)
    files: dict[str, str] = {}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        lines = (canonical(piece) + b"\n" for piece in pieces(tx, made))
        files["entries.jsonl"] = _add(archive, "entries.jsonl", lines)
        files["checkpoints.json"] = _add(archive, "checkpoints.json", [canonical(_notes(tx, made))])
        witnesses = [one.key for one in cosignatures.newest(tx, size=made.size)]
        files["keys.json"] = _add(archive, "keys.json", [canonical({"log": [one.verifier_key for one in known], "witnesses": witnesses})])
        for name in sorted(more):
            files[name] = _add(archive, name, [more[name]])
        manifest = {
            "format": FORMAT, "origin": signer.origin, "scope": made.scope.document(), "range": [made.first, made.end], "size": made.size,
            "root": made.root.hex(), "redaction": made.scope.redaction, "language": language, "files": files,
        }  # fmt: skip
        said = canonical(manifest)
        _add(archive, "manifest.json", [said])
        body = f"{FORMAT}\n{base64.b64encode(hashlib.sha256(said).digest()).decode()}\n"
        _add(archive, "manifest.note", [signer.signed(body).encode()])
    return manifest | {"signer": signer.verifier_key}


def _notes(tx: sa.Connection, made: Plan) -> list[str]:
    """The checkpoints at which the bundle is comparable, each with the cosignatures that the log of its size knows."""
    notes = {cut: made.note if cut == made.size else checkpoint.of_size(tx, cut) for cut in made.cuts or (made.size,)}
    lines = {cut: cosignatures.lines_of(tx, cut, known_by=made.size) for cut in notes}
    return [note + "".join(f"{line}\n" for line in lines[cut]) for cut, note in notes.items() if note is not None]


def _signer(note: str, signers: Sequence[Signer]) -> tuple[Sequence[Signer], Signer]:
    """Who signed the checkpoint, and all versions up to it."""
    _, _, signatures = read_checkpoint(note)
    for number, one in enumerate(signers, start=1):
        if any(blob[:4] == key_id(one.origin, one.public_key) for _, blob in signatures):
            return signers[:number], one
    raise NotFound("the key that signed this checkpoint is not here", code="signing_key_missing")


def _add(archive: zipfile.ZipFile, name: str, chunks: Iterable[bytes]) -> str:
    """Adds a file without its time and uncompressed; its digest."""
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.create_system, info.external_attr = 3, 0o600 << 16
    digest = hashlib.sha256()
    with archive.open(info, "w", force_zip64=True) as file:
        for chunk in chunks:
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()
