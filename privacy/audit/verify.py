"""The offline verifier: this one file, handed to an outsider, checks a log against its signed checkpoints.

Promise: it believes nothing but the keys that it is given. Leaf hashes are computed from the entries, the tree from the leaves, and the tree
is compared with every checkpoint. It imports nothing of ours and no database, so the arithmetic of `privacy.audit.merkle` and `.payload` is
written here a second time; tests hold the two equal. It learns payloads only where the bundle has them and repeats none.

A bundle is a ZIP: a signed manifest, and the whole tree as a row of pieces, each an entry or the hash of a subtree that the bundle keeps
to itself. `first_bad` is the first entry for which the evidence does not vouch; where everything was rewritten consistently, the size of
the last checkpoint that still holds. Without a checkpoint or cosignature from outside a log proves nothing against its own operator.

    python verify.py bundle.zip --key 'origin+1a2b3c4d+AbCd…' [--witness 'name+…'] [--held note.txt]
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

COMMITMENT_DOMAIN = b"piying-log-v1\0"
ERASE_ACTION = "log.erase"
ED25519, COSIGNATURE = 1, 4  # C2SP signed-note, tlog-cosignature
FORMAT = "piying-bundle-1"


class _Failed(ValueError):
    """Something beside the log does not hold; its text is a code."""


class Checkpoint(NamedTuple):
    """What a checkpoint says, whether or not anybody signed it."""

    origin: str
    size: int
    root: bytes


def key_id(name: str, public_key: bytes, kind: int = ED25519) -> bytes:
    """The four bytes by which a note names an Ed25519 key."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public_key).digest()[:4]


def read_key(text: str, kind: int = ED25519) -> tuple[str, bytes]:
    """Name and public key of a verifier key; raises ValueError."""
    name, _, rest = text.strip().partition("+")
    wanted, _, encoded = rest.partition("+")
    raw = base64.b64decode(encoded, validate=True)
    if len(raw) != 33 or raw[0] != kind or key_id(name, raw[1:], kind).hex() != wanted:
        raise ValueError("not an Ed25519 verifier key")
    return name, raw[1:]


def read_note(note: str) -> tuple[list[str], bytes, list[tuple[str, bytes]]]:
    """Lines, signed bytes and signatures (name, key id ‖ signature) of a note; raises ValueError."""
    body, gap, tail = note.rpartition("\n\n")
    if not gap or not tail.endswith("\n"):
        raise ValueError("not a note")
    signatures = []
    for line in tail[:-1].split("\n"):
        name, _, encoded = line.removeprefix("— ").partition(" ")
        if not line.startswith("— ") or not name:
            raise ValueError("not a signature line")
        blob = base64.b64decode(encoded, validate=True)
        if base64.b64encode(blob).decode() != encoded:
            raise ValueError("not a signature line")
        signatures.append((name, blob))
    return body.split("\n"), (body + "\n").encode(), signatures


def read_checkpoint(note: str) -> tuple[Checkpoint, bytes, list[tuple[str, bytes]]]:
    """Checkpoint, signed bytes and signatures of a note; raises ValueError."""
    lines, signed, signatures = read_note(note)
    if len(lines) < 3 or not lines[0]:
        raise ValueError("not a checkpoint")
    if not (lines[1].isascii() and lines[1].isdigit()) or str(int(lines[1])) != lines[1]:
        raise ValueError("not a size")
    root = base64.b64decode(lines[2], validate=True)
    if len(root) != 32 or base64.b64encode(root).decode() != lines[2]:
        raise ValueError("not a root")
    return Checkpoint(lines[0], int(lines[1]), root), signed, signatures


def is_signed(signed: bytes, signatures: Sequence[tuple[str, bytes]], keys: Iterable[str]) -> bool:
    """Whether one of the keys signed. A known key with a wrong signature is not excused by another that is right."""
    known = {(name, key_id(name, public_key)): public_key for name, public_key in map(read_key, keys)}
    holding = [_holds(known[name, blob[:4]], blob[4:], signed) for name, blob in signatures if (name, blob[:4]) in known]
    return bool(holding) and all(holding)


def cosigned_at(signed: bytes, signatures: Sequence[tuple[str, bytes]], witness: str) -> int | None:
    """When a witness cosigned, in seconds since 1970; None if it did not."""
    name, public_key = read_key(witness, COSIGNATURE)
    for signer, blob in signatures:
        if signer == name and blob[:4] == key_id(name, public_key, COSIGNATURE) and len(blob) == 76:
            at = int.from_bytes(blob[4:12])
            if _holds(public_key, blob[12:], b"cosignature/v1\ntime %d\n" % at + signed):
                return at
    return None


def _holds(public_key: bytes, signature: bytes, signed: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, signed)
    except InvalidSignature:
        return False
    return True


class Claim(NamedTuple):
    """One checkpoint made ready: `root` is None where it cannot be read or is not signed."""

    size: int
    root: bytes | None
    reason: str


class Walk:
    """Grows the tree entry by entry and remembers the first thing that does not agree."""

    def __init__(self, claims: list[Claim]) -> None:
        self.stack: list[bytes] = []
        self.unmet: list[int] = []
        self.size = self.confirmed = self._next_claim = 0
        self.first_bad: int | None = None
        self.reason: str | None = None
        self._claims = claims
        self._erased: set[int] = set()
        self.meet_claims()

    def bad(self, index: int, reason: str) -> None:
        if self.first_bad is None or index < self.first_bad:
            self.first_bad, self.reason = index, reason

    def take(self, entry: Mapping[str, Any]) -> None:
        """One entry, in order. After a finding only records of erasures still count: without them lawful gaps would look like earlier damage."""
        index = self.size
        self.size += 1
        self._count_record(entry)
        if self.first_bad is not None:
            return
        problem = self.problem(entry, index)
        if problem:
            self.bad(index, problem)
        else:
            self._grow(index, leaf_hash(entry))

    def skip(self, level: int, position: int, digest: bytes) -> None:
        """A complete subtree whose entries are kept back: position·2^level entries stand before it."""
        index = self.size
        self.size += 1 << level
        if index != position << level or len(digest) != 32:
            self.bad(index, "sequence")
        elif self.first_bad is None:
            self._grow(position, digest, level)

    def problem(self, entry: Mapping[str, Any], index: int) -> str | None:
        """What is wrong with this entry taken alone."""
        try:
            if entry["seq"] != index or isinstance(entry["seq"], bool):
                return "sequence"
            if entry.get("closed") is True and entry.get("payload") is None:
                return None
            if entry.get("salt") is None or entry.get("payload") is None:
                if entry.get("salt") is not entry.get("payload") or not entry.get("erased"):
                    return "payload_missing"
                self._erased.add(index)
                return None
            return None if _is_committed(entry) else "payload"
        except (KeyError, TypeError, ValueError, AttributeError):
            return "form"

    def _count_record(self, entry: Mapping[str, Any]) -> None:
        """Erasures that an entry records are excused, if the entry's own commitment holds."""
        if entry.get("kind") != "erasure" or not entry.get("payload"):
            return
        try:
            said = json.loads(entry["payload"])
            if _is_committed(entry) and said["action"] == ERASE_ACTION:
                self._erased.difference_update(said["facts"]["erased"])
        except (KeyError, TypeError, ValueError, AttributeError):
            return

    def _grow(self, carry: int, digest: bytes, level: int = 0) -> None:
        current = digest
        while carry & 1:
            current = hashlib.sha256(b"\x01" + self.stack.pop() + current).digest()
            level, carry = level + 1, carry >> 1
            self.grown(level, carry, current)
        self.stack.append(current)
        if self.first_bad is None:
            self.meet_claims()

    def grown(self, level: int, position: int, digest: bytes) -> None:
        """A subtree became complete; whoever has it stored compares."""

    def root(self) -> bytes:
        if not self.stack:
            return hashlib.sha256(b"").digest()
        current = self.stack[-1]
        for left in reversed(self.stack[:-1]):
            current = hashlib.sha256(b"\x01" + left + current).digest()
        return current

    def meet_claims(self) -> None:
        """Every checkpoint of this size, against the tree as it is now; one inside a subtree that was kept back cannot be compared."""
        while self._next_claim < len(self._claims) and self._claims[self._next_claim].size <= self.size:
            claim = self._claims[self._next_claim]
            self._next_claim += 1
            if claim.size < self.size:
                self.unmet.append(claim.size)
            elif claim.root is None:
                self.bad(self.confirmed, claim.reason)
            elif claim.root != self.root():
                self.bad(self.confirmed, "checkpoint_root")
            else:
                self.confirmed = self.size

    def end(self) -> None:
        """What can only be said at the end: erasures that no entry records, truncation."""
        if self._erased:
            self.bad(min(self._erased), "erasure_unrecorded")
        if self.first_bad is None and self._next_claim < len(self._claims):
            claim = self._claims[self._next_claim]
            self.bad(self.size if claim.root is not None else self.confirmed, claim.reason or "truncated")

    def verdict(self) -> dict[str, Any]:
        """What came out, once everything was taken."""
        root = self.root().hex() if self.first_bad is None else None
        found = {"ok": self.first_bad is None, "size": self.size, "root": root, "first_bad": self.first_bad, "reason": self.reason}
        return found | {"checkpoints": len(self._claims), "signed_size": self.confirmed}


def claims_of(notes: Iterable[str], keys: Sequence[str]) -> list[Claim]:
    """Checkpoints by size. One that cannot be read stands where the one before it stood."""
    claims: dict[str, Claim] = {}
    origins, before = {read_key(key)[0] for key in keys}, 0
    for note in notes:
        claim = claims.setdefault(note, _claim(note, keys, origins, before)) if note not in claims else claims[note]
        before = claim.size
    return sorted(claims.values(), key=lambda claim: claim.size)


def _claim(note: str, keys: Sequence[str], origins: set[str], before: int) -> Claim:
    try:
        checkpoint, signed, signatures = read_checkpoint(note)
        if keys and (checkpoint.origin not in origins or not is_signed(signed, signatures, keys)):
            return Claim(checkpoint.size, None, "checkpoint_signature")
    except (ValueError, AttributeError):
        return Claim(before, None, "checkpoint_form")
    return Claim(checkpoint.size, checkpoint.root, "")


def _is_committed(entry: Mapping[str, Any]) -> bool:
    opened = hashlib.sha256(COMMITMENT_DOMAIN + bytes.fromhex(entry["salt"]) + entry["payload"].encode()).digest()
    return bool(opened == bytes.fromhex(entry["c"]))


def leaf_hash(entry: Mapping[str, Any]) -> bytes:
    public = {"c": entry["c"], "kind": entry["kind"], "seq": entry["seq"], "ts": entry["ts"]}
    return hashlib.sha256(b"\x00" + json.dumps(public, sort_keys=True, separators=(",", ":")).encode()).digest()


def verify_bundle(path: Any, *, keys: Sequence[str] = (), held: Iterable[str] = (), witnesses: Sequence[str] = ()) -> dict[str, Any]:
    """Check a bundle: {"ok", "size", "root", "first_bad", "reason", "checkpoints", "signed_size", "witnessed_size", "keys", "scope", …}.

    `complete`: nothing of the scope can be missing; None where no bundle shows it (no proof says that a closed entry is not about a subject).
    `closed` counts entries without their payload, `hidden` those of which only a hash of many is there.
    """
    told: dict[str, Any] = {"ok": False, "size": 0, "root": None, "first_bad": None, "reason": "", "keys": "given" if keys else "own"}
    try:
        with zipfile.ZipFile(path) as archive:
            said = _manifest(archive, keys)
            own = json.loads(archive.read("keys.json"))["log"]
            notes = [*json.loads(archive.read("checkpoints.json")), *held]
            walk, seen = Walk(claims_of(notes, keys or own)), _Seen(said)
            with archive.open("entries.jsonl") as lines:
                for line in lines:
                    seen.take(json.loads(line), walk)
        walk.end()
        told |= walk.verdict() | seen.told()
        told["witnessed_size"] = _witnessed(notes, witnesses, walk.confirmed)
        if told["ok"] and (walk.size, walk.root().hex(), walk.confirmed) != (said["size"], said["root"], said["size"]):
            raise _Failed("checkpoint_missing")
        if told["ok"] and (walk.unmet or seen.problem):
            raise _Failed(seen.problem or "checkpoint_not_comparable")
    except _Failed as failed:
        return told | {"ok": False, "reason": str(failed)}
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError, OSError, OverflowError):
        return told | {"ok": False, "reason": "form"}
    return told


def _manifest(archive: zipfile.ZipFile, keys: Sequence[str]) -> dict[str, Any]:
    """The manifest, once its signature holds and every file is the one that it names."""
    raw = archive.read("manifest.json")
    said: dict[str, Any] = json.loads(raw)
    lines, signed, signatures = read_note(archive.read("manifest.note").decode())
    trusted = [key for key in keys or json.loads(archive.read("keys.json"))["log"] if read_key(key)[0] == said["origin"]]
    if lines != [FORMAT, base64.b64encode(hashlib.sha256(raw).digest()).decode()] or said["format"] != FORMAT:
        raise _Failed("manifest")
    if not is_signed(signed, signatures, trusted):
        raise _Failed("manifest_signature")
    names = [file.filename for file in archive.infolist() if file.compress_type == zipfile.ZIP_STORED]
    if sorted(names) != sorted([*said["files"], "manifest.json", "manifest.note"]) or len(names) != len(archive.infolist()):
        raise _Failed("files")
    for name, digest in said["files"].items():
        with archive.open(name) as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != digest:  # type: ignore[arg-type]
                raise _Failed("file_changed")
    return said


def _witnessed(notes: Iterable[str], witnesses: Sequence[str], confirmed: int) -> int:
    """The largest checkpoint that holds and that one of the witnesses cosigned."""
    read = [read_checkpoint(note) for note in notes] if witnesses else []
    cosigned = [one.size for one, signed, lines in read if any(cosigned_at(signed, lines, key) is not None for key in witnesses)]
    return max((size for size in cosigned if size <= confirmed), default=0)


class _Seen:
    """What a bundle shows of its scope, and whether that is what it may show and has to."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        self.scope: Mapping[str, Any] = said["scope"]
        self.first, self.end = said["range"]
        self.last = said["size"] - 1
        self.since, self.until = self.scope.get("since") or "", self.scope.get("until") or "9"
        self.problem = ""
        self.opened = self.erased = self.hidden = 0
        self.closed: Counter[str] = Counter()
        self.whole = self.scope["kind"] in ("whole", "period")
        self.edges = 0 <= self.first < self.end <= said["size"] or said["size"] == 0

    def take(self, piece: Mapping[str, Any], walk: Walk) -> None:
        if "entry" not in piece:
            level, position, digest = piece["node"]
            if not (0 <= level < 63 and 0 <= position < 1 << 63):
                raise _Failed("form")
            self.hidden += 1 << level
            if walk.size < self.end and walk.size + (1 << level) > self.first:
                self.edges = False
            walk.skip(level, position, bytes.fromhex(digest))
            return
        entry, index = piece["entry"], walk.size
        walk.take(entry)
        if walk.first_bad is None:
            self._look(entry, self.since <= entry["ts"] < self.until, index)

    def _look(self, entry: Mapping[str, Any], inside: bool, index: int) -> None:
        before, after = index == self.first > 0, index == self.end - 1 < self.last
        if self.scope["kind"] == "period" and ((before and entry["ts"] >= self.since) or (after and entry["ts"] < self.until)):
            self.edges = False
        if entry.get("payload") is None:
            self.erased += 1 if entry.get("erased") else 0
            self.closed[entry["kind"]] += 1 if entry.get("closed") else 0
            if inside and self.whole and entry.get("closed"):
                self.problem = self.problem or "scope_closed"
            return
        self.opened += 1
        said = json.loads(entry["payload"])
        if said["action"] != ERASE_ACTION and not (inside and _names(said["facts"], self.scope)):
            self.problem = self.problem or "scope_exceeded"

    def told(self) -> dict[str, Any]:
        complete = self.edges and not self.problem and (self.scope["kind"] != "whole" or not self.hidden)
        counts = {"opened": self.opened, "erased": self.erased, "closed": dict(sorted(self.closed.items())), "hidden": self.hidden}
        return {"scope": dict(self.scope), "complete": complete if self.whole else None, **counts}


def _names(facts: Mapping[str, Any], scope: Mapping[str, Any]) -> bool:
    """Whether an entry is of a subject or a request: one of its facts names them."""
    named = [facts.get("subject"), facts.get("request"), *(facts.get("subjects") or ())]
    return scope.get("of") is None or any(one in scope["of"] for one in named)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="verify", description="Check a log bundle offline.")
    parser.add_argument("bundle")
    parser.add_argument("--key", action="append", default=[], help="the log's verifier key, from somebody you trust; else the bundle's own")
    parser.add_argument("--witness", action="append", default=[], help="a witness's verifier key, from the witness")
    parser.add_argument("--held", action="append", default=[], help="a file with a checkpoint that was kept outside")
    options = parser.parse_args(arguments)
    held = [Path(path).read_text("utf-8") for path in options.held]
    result = verify_bundle(options.bundle, keys=options.key, held=held, witnesses=options.witness)
    sys.stdout.write(json.dumps(result) + "\n")
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
