"""The offline verifier: this one file, handed to an outsider, checks a log against its signed checkpoints.

Promise: it believes nothing that is stored. Leaf hashes are computed from the entries, the tree from the leaves, and both are compared with
every checkpoint, with the stored subtrees and with the stored head where they are given. It imports nothing of ours and no database, so the
arithmetic of `privacy.audit.merkle` and `privacy.audit.payload` is written here a second time; tests hold the two equal. It learns payloads
only where the bundle has them and repeats none of them.

`first_bad` is the first entry for which the evidence does not vouch: exact where a stored row disagrees with another; where everything
stored was rewritten consistently, it is the size of the last checkpoint that still holds. Without a checkpoint held by somebody else a log
proves nothing against its own operator: give `checkpoints` those that an officer or a witness kept.

    python verify.py bundle.jsonl --key 'origin+1a2b3c4d+AbCd…'
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

COMMITMENT_DOMAIN = b"piying-log-v1\0"
ERASE_ACTION = "log.erase"
ED25519 = 1
_SIGNATURE_LINE = "— "


class Checkpoint(NamedTuple):
    """What a checkpoint says, whether or not anybody signed it."""

    origin: str
    size: int
    root: bytes


# ── signed notes (C2SP signed-note, tlog-checkpoint) ───────────────────────────────────────────────────────────────────────────


def key_id(name: str, public_key: bytes) -> bytes:
    """The four bytes by which a note names an Ed25519 key."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([ED25519]) + public_key).digest()[:4]


def verifier_key(name: str, public_key: bytes) -> str:
    """An Ed25519 key in the text form in which verifiers exchange it."""
    return f"{name}+{key_id(name, public_key).hex()}+{base64.b64encode(bytes([ED25519]) + public_key).decode()}"


def read_key(text: str) -> tuple[str, bytes]:
    """Name and public key of a verifier key; raises ValueError."""
    name, _, rest = text.strip().partition("+")
    wanted, _, encoded = rest.partition("+")
    raw = base64.b64decode(encoded, validate=True)
    if len(raw) != 33 or raw[0] != ED25519 or key_id(name, raw[1:]).hex() != wanted:
        raise ValueError("not an Ed25519 verifier key")
    return name, raw[1:]


def read_checkpoint(note: str) -> tuple[Checkpoint, bytes, list[tuple[str, bytes]]]:
    """Checkpoint, signed bytes and signatures (name, key id ‖ signature) of a note; raises ValueError."""
    body, gap, tail = note.rpartition("\n\n")
    lines = body.split("\n")
    if not gap or len(lines) < 3 or not lines[0] or not tail.endswith("\n"):
        raise ValueError("not a checkpoint")
    if not (lines[1].isascii() and lines[1].isdigit()) or str(int(lines[1])) != lines[1]:
        raise ValueError("not a size")
    root = base64.b64decode(lines[2], validate=True)
    if len(root) != 32 or base64.b64encode(root).decode() != lines[2]:
        raise ValueError("not a root")
    signatures = []
    for line in tail[:-1].split("\n"):
        name, _, encoded = line.removeprefix(_SIGNATURE_LINE).partition(" ")
        if not line.startswith(_SIGNATURE_LINE) or not name:
            raise ValueError("not a signature line")
        blob = base64.b64decode(encoded, validate=True)
        if base64.b64encode(blob).decode() != encoded:
            raise ValueError("not a signature line")
        signatures.append((name, blob))
    return Checkpoint(lines[0], int(lines[1]), root), (body + "\n").encode(), signatures


def is_signed(signed: bytes, signatures: Sequence[tuple[str, bytes]], keys: Iterable[str]) -> bool:
    """Whether one of the keys signed. A known key with a wrong signature is not excused by another that is right."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    good = 0
    for name, public_key in map(read_key, keys):
        for signer, blob in signatures:
            if signer != name or blob[:4] != key_id(name, public_key):
                continue
            try:
                Ed25519PublicKey.from_public_bytes(public_key).verify(blob[4:], signed)
            except InvalidSignature:
                return False
            good += 1
    return good > 0


# ── the walk ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Claim(NamedTuple):
    """One checkpoint made ready: `root` is None where it cannot be read or is not signed."""

    size: int
    root: bytes | None
    reason: str


class _Walk:
    """Grows the tree entry by entry and remembers the first thing that does not agree."""

    def __init__(
        self, claims: list[_Claim], nodes: Iterator[tuple[int, int, bytes]] | None, head: tuple[int, bytes] | None, *, payloads: bool
    ) -> None:
        self.stack: list[bytes] = []
        self.size = 0
        self.confirmed = 0
        self.first_bad: int | None = None
        self.reason: str | None = None
        self._claims = claims
        self._next_claim = 0
        self._nodes = nodes
        self._head = head
        self._payloads = payloads
        self._erased: set[int] = set()

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
        problem = "head_size" if self._head is not None and index >= self._head[0] else self._problem(entry, index)
        if problem:
            self.bad(index, problem)
            return
        self._grow(index, _leaf_hash(entry))
        if self.first_bad is None:
            self.meet_claims()

    def _problem(self, entry: Mapping[str, Any], index: int) -> str | None:
        """What is wrong with this entry taken alone."""
        try:
            if entry["seq"] != index or isinstance(entry["seq"], bool):
                return "sequence"
            stored = entry.get("leaf")
            if stored is not None and bytes.fromhex(stored) != _leaf_hash(entry):
                return "leaf"
            if not self._payloads:
                return None
            if entry.get("salt") is None and entry.get("payload") is None and entry.get("erased"):
                self._erased.add(index)
                return None
            if entry.get("salt") is None or entry.get("payload") is None:
                return "payload_missing"
            if not _is_committed(entry):
                return "payload"
            return "search_columns" if _is_misfiled(entry) else None
        except (KeyError, TypeError, ValueError, AttributeError):
            return "form"

    def _count_record(self, entry: Mapping[str, Any]) -> None:
        """Erasures that an entry records are excused, if the entry's own commitment holds."""
        if not self._payloads or entry.get("kind") != "erasure" or not entry.get("payload"):
            return
        try:
            said = json.loads(entry["payload"])
            if _is_committed(entry) and said["action"] == ERASE_ACTION:
                self._erased.difference_update(said["facts"]["erased"])
        except (KeyError, TypeError, ValueError, AttributeError):
            return

    def _grow(self, index: int, digest: bytes) -> None:
        level, carry, current = 0, index, digest
        while carry & 1:
            current = hashlib.sha256(b"\x01" + self.stack.pop() + current).digest()
            level, carry = level + 1, carry >> 1
            if self._nodes is not None and self.first_bad is None and next(self._nodes, None) != (level, carry, current):
                self.bad(carry << level, "node")
        self.stack.append(current)

    def root(self) -> bytes:
        if not self.stack:
            return hashlib.sha256(b"").digest()
        current = self.stack[-1]
        for left in reversed(self.stack[:-1]):
            current = hashlib.sha256(b"\x01" + left + current).digest()
        return current

    def meet_claims(self) -> None:
        """Every checkpoint of this size, against the tree as it is now."""
        while self._next_claim < len(self._claims) and self._claims[self._next_claim].size == self.size:
            claim = self._claims[self._next_claim]
            self._next_claim += 1
            if claim.root is None:
                self.bad(self.confirmed, claim.reason)
            elif claim.root != self.root():
                self.bad(self.confirmed, "checkpoint_root")
            else:
                self.confirmed = self.size

    def end(self) -> None:
        """What can only be said at the end: truncation, the stored head, left-over nodes, erasures that no entry records."""
        if self._erased:
            self.bad(min(self._erased), "erasure_unrecorded")
        if self.first_bad is not None:
            return
        if self._next_claim < len(self._claims):
            claim = self._claims[self._next_claim]
            self.bad(self.size if claim.root is not None else self.confirmed, claim.reason or "truncated")
        elif self._head is not None and self._head[0] > self.size:
            self.bad(self.size, "truncated")
        elif self._head is not None and self._head[1] != self.root():
            self.bad(self.confirmed, "head_root")
        elif self._nodes is not None and next(self._nodes, None) is not None:
            self.bad(self.size, "node")


def verify(
    entries: Iterable[Mapping[str, Any]],
    checkpoints: Iterable[str] = (),
    *,
    keys: Sequence[str] = (),
    nodes: Iterable[tuple[int, int, bytes]] | None = None,
    head: tuple[int, bytes] | None = None,
    payloads: bool = True,
) -> dict[str, Any]:
    """Check a whole log: {"ok", "size", "root", "first_bad", "reason", "checkpoints", "signed_size"}.

    `entries` in order, each {"seq", "ts", "kind", "c"} and, where they are handed over, {"salt", "payload"} or {"erased"}, {"leaf"} as stored
    and {"found_by"}: [actor, action, subject, purpose] as the store searches them;
    `nodes` are stored subtrees (level, position, hash) in the order in which they became complete; `head` is the stored (size, root).
    Without `keys` signatures are not looked at. `payloads=False` is for bundles from which payloads were withheld.
    """
    claims = _claims(checkpoints, keys)
    walk = _Walk(claims, None if nodes is None else iter(nodes), head, payloads=payloads)
    walk.meet_claims()
    for entry in entries:
        walk.take(entry)
    walk.end()
    return {
        "ok": walk.first_bad is None,
        "size": walk.size,
        "root": walk.root().hex() if walk.first_bad is None else None,
        "first_bad": walk.first_bad,
        "reason": walk.reason,
        "checkpoints": len(claims),
        "signed_size": walk.confirmed if keys else 0,
    }


def _claims(notes: Iterable[str], keys: Sequence[str]) -> list[_Claim]:
    """Checkpoints by size. One that cannot be read stands where the one before it stood."""
    known: dict[str, _Claim] = {}
    claims: list[_Claim] = []
    origins = {read_key(key)[0] for key in keys}
    for note in notes:
        if note not in known:
            known[note] = _claim(note, keys, origins, claims[-1].size if claims else 0)
        claims.append(known[note])
    return sorted(claims, key=lambda claim: claim.size)


def _claim(note: str, keys: Sequence[str], origins: set[str], before: int) -> _Claim:
    try:
        checkpoint, signed, signatures = read_checkpoint(note)
        if keys and (checkpoint.origin not in origins or not is_signed(signed, signatures, keys)):
            return _Claim(checkpoint.size, None, "checkpoint_signature")
    except (ValueError, binascii.Error, AttributeError):
        return _Claim(before, None, "checkpoint_form")
    return _Claim(checkpoint.size, checkpoint.root, "")


def _is_committed(entry: Mapping[str, Any]) -> bool:
    opened = hashlib.sha256(COMMITMENT_DOMAIN + bytes.fromhex(entry["salt"]) + entry["payload"].encode()).digest()
    return bool(opened == bytes.fromhex(entry["c"]))


def _is_misfiled(entry: Mapping[str, Any]) -> bool:
    """Whether the columns by which the store finds the entry say something else than its payload."""
    if entry.get("found_by") is None:
        return False
    said = json.loads(entry["payload"])
    return bool(entry["found_by"] != [said["actor"], said["action"], said["facts"].get("subject"), said["facts"].get("purpose")])


def _leaf_hash(entry: Mapping[str, Any]) -> bytes:
    public = {"c": entry["c"], "kind": entry["kind"], "seq": entry["seq"], "ts": entry["ts"]}
    return hashlib.sha256(b"\x00" + json.dumps(public, sort_keys=True, separators=(",", ":")).encode()).digest()


# ── as a program ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def verify_bundle(lines: Iterable[str], *, keys: Sequence[str] = (), held: Iterable[str] = ()) -> dict[str, Any]:
    """Check a bundle: JSON lines {"checkpoint": note} first, then {"entry": {…}} in order; `held` are checkpoints kept outside."""
    stream = (json.loads(line) for line in lines if line.strip())
    notes: list[str] = list(held)
    first: list[dict[str, Any]] = []
    payloads = True
    for item in stream:
        if "entry" in item:
            first.append(item)
            break
        if "checkpoint" in item:
            notes.append(item["checkpoint"])
        payloads = payloads and not item.get("withheld", False)
    entries = (item.get("entry", {}) for item in chain(first, stream))
    return verify(entries, notes, keys=keys, payloads=payloads)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="verify", description="Check a log bundle offline.")
    parser.add_argument("bundle")
    parser.add_argument(
        "--key", action="append", default=[], help="a verifier key, from somebody you trust; without one signatures are not checked"
    )
    parser.add_argument("--held", action="append", default=[], help="a file with a checkpoint that was kept outside")
    options = parser.parse_args(arguments)
    held = []
    for path in options.held:
        with open(path, encoding="utf-8") as file:
            held.append(file.read())
    with open(options.bundle, encoding="utf-8") as lines:
        result = verify_bundle(lines, keys=options.key, held=held)
    sys.stdout.write(json.dumps(result) + "\n")
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
