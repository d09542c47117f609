"""The witness: this one file, run by somebody outside, keeps the size and root of a log and cosigns only what grew out of them.

Promise: it remembers before it speaks, so that no two histories of one log ever carry its cosignature, whenever it is stopped. It refuses a
checkpoint that is smaller than one it saw (rollback) or that does not contain it (fork), and keeps both as evidence. The same checkpoint
again gets the same cosignature. It imports nothing of ours, needs `cryptography` alone, and learns of a log its size, root and name.

    python witness.py key witness.key --name witness.example/w1        makes a key and prints what the log's operator needs of it
    python witness.py check state.json --log 'origin+…' --key witness.key --file proof.txt          [--first]
    python witness.py check state.json --log 'origin+…' --key witness.key --url https://… --token-file t  [--first]

A file holds `old SIZE`, the lines of a consistency proof from that size, an empty line and the checkpoint (C2SP tlog-witness); `piying audit
proof` prints one. Exit: 0 cosigned, 1 not reachable or not readable, 2 wrong usage, 3 not signed by this log, 4 rollback, 5 fork, 6 memory.
"""

from __future__ import annotations

import argparse
import base64
import fcntl
import hashlib
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

UNREADABLE, UNSIGNED, ROLLBACK, FORK, MEMORY = 1, 3, 4, 5, 6
ED25519, COSIGNATURE = 1, 4
MOST = 1 << 20
"""Bytes of an answer."""
PATIENCE = 30
"""Seconds that the log may take to answer."""


class Refused(Exception):
    """Why nothing was cosigned; `code` is what the program ends with."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Seen(NamedTuple):
    """A checkpoint: where it stands, what it commits to, and the bytes of it that are signed."""

    origin: str
    size: int
    root: bytes
    body: bytes
    note: str


# ── notes ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def key_id(name: str, public_key: bytes, kind: int) -> bytes:
    """The four bytes by which a note names a key (C2SP signed-note; 4 is a cosignature, tlog-cosignature)."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public_key).digest()[:4]


def read_key(text: str) -> tuple[str, bytes]:
    """Name and public key of the log's verifier key; raises ValueError."""
    name, _, rest = text.strip().partition("+")
    wanted, _, encoded = rest.partition("+")
    raw = base64.b64decode(encoded, validate=True)
    if len(raw) != 33 or raw[0] != ED25519 or key_id(name, raw[1:], ED25519).hex() != wanted:
        raise ValueError("not an Ed25519 verifier key")
    return name, raw[1:]


def read(note: str, logs: Sequence[str]) -> Seen:
    """A checkpoint that one of the log's keys signed; raises Refused."""
    try:
        text, _, tail = note.rpartition("\n\n")
        origin, size, encoded = text.split("\n")[:3]
        root = base64.b64decode(encoded, validate=True)
        if len(root) != 32 or str(int(size)) != size or int(size) < 0 or not tail.endswith("\n"):
            raise ValueError
        body = (text + "\n").encode()
        for name, public_key in map(read_key, logs):
            wanted = key_id(name, public_key, ED25519)
            for line in tail.splitlines():
                _, signer, blob = line.split(" ")
                raw = base64.b64decode(blob, validate=True)
                if name == signer == origin and raw[:4] == wanted:
                    Ed25519PublicKey.from_public_bytes(public_key).verify(raw[4:], body)
                    return Seen(origin, int(size), root, body, f"{text}\n\n{line}\n")
    except ValueError:
        raise Refused(UNREADABLE, "this is not a checkpoint") from None
    except InvalidSignature:
        raise Refused(UNSIGNED, "the log's signature on this checkpoint is wrong") from None
    raise Refused(UNSIGNED, "this checkpoint is not signed by the log that is witnessed here")


def read_request(text: str) -> tuple[int, list[bytes], str]:
    """Size, proof and note of an add-checkpoint request; raises Refused."""
    try:
        head, gap, note = text.partition("\n\n")
        first, *proof = head.split("\n")
        word, size = first.split(" ")
        if not gap or word != "old":
            raise ValueError
        return int(size), [base64.b64decode(line, validate=True) for line in proof], note
    except ValueError:
        raise Refused(UNREADABLE, "this is not a checkpoint with its proof") from None


# ── the tree ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def consistent(first: int, second: int, proof: Sequence[bytes], old: bytes, new: bytes) -> bool:
    """Whether the tree of `second` entries only added to that of `first` (RFC 9162 §2.1.4.2)."""
    if first == 0:
        return not proof
    if first == second:
        return not proof and old == new
    path = list(proof) if first & (first - 1) else [old, *proof]
    if not path or not all(len(one) == 32 for one in path):
        return False
    left, right = first - 1, second - 1
    while left & 1:
        left, right = left >> 1, right >> 1
    small = large = path[0]
    for one in path[1:]:
        if right == 0:
            return False
        if left & 1 or left == right:
            small, large = _joined(one, small), _joined(one, large)
            while left and not left & 1:
                left, right = left >> 1, right >> 1
        else:
            large = _joined(large, one)
        left, right = left >> 1, right >> 1
    return right == 0 and small == old and large == new


def _joined(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


# ── memory ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def alone(state: Path) -> Iterator[None]:
    """One witness at a time over one memory."""
    with open(f"{state}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def recall(state: Path, logs: Sequence[str]) -> Seen | None:
    """The largest checkpoint that was seen; None where nothing is remembered yet. A memory that does not hold is no memory."""
    try:
        kept = json.loads(state.read_text("utf-8"))
        seen = read(kept["note"], logs)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, Refused):
        raise Refused(MEMORY, "the file that remembers the last checkpoint is damaged; nothing is cosigned") from None
    if (seen.size, seen.root.hex()) != (kept["size"], kept["root"]):
        raise Refused(MEMORY, "the file that remembers the last checkpoint was changed; nothing is cosigned")
    return seen


def remember(path: Path, text: str) -> None:
    """Writes a file so that a crash leaves the old one or the new one, and whoever returns from here can rely on it."""
    fresh = path.with_name(path.name + ".new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


# ── the decision ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def check(state: Path, text: str, logs: Sequence[str], key: tuple[str, Ed25519PrivateKey] | None, *, now: int, first: bool = False) -> str:
    """Accepts a checkpoint with its proof: the note, with our line under it if there is a key. Raises Refused."""
    old, proof, note = read_request(text)
    with alone(state):
        seen, new = recall(state, logs), read(note, logs)
        if seen is None and not first:
            raise Refused(MEMORY, "nothing is remembered yet: say --first if this log is witnessed for the first time")
        kept = {} if seen is None else json.loads(state.read_text("utf-8"))
        if seen is not None:
            _grown(state, seen, new, old, proof)
        same = seen is not None and seen.body == new.body
        line = kept.get("line") if same else None
        if line is None and key is not None:
            line = cosignature(*key, new.body, now)
        remember(state, json.dumps({"size": new.size, "root": new.root.hex(), "note": new.note, "line": line}) + "\n")
        return new.note + ("" if line is None else line + "\n")


def _grown(state: Path, seen: Seen, new: Seen, old: int, proof: Sequence[bytes]) -> None:
    if new.size < seen.size:
        _keep(state, seen, new)
        raise Refused(ROLLBACK, f"rollback: the log showed {seen.size} entries before and {new.size} now")
    if new.size > seen.size and old != seen.size:
        raise Refused(UNREADABLE, f"the proof begins at {old} entries; one from {seen.size} is needed")
    if not consistent(seen.size, new.size, [] if new.size == seen.size else proof, seen.root, new.root):
        _keep(state, seen, new)
        raise Refused(FORK, f"fork: the {new.size} entries shown now do not contain the {seen.size} shown before")


def _keep(state: Path, seen: Seen, new: Seen) -> None:
    """Both checkpoints, each signed by the log: together they convict it."""
    name = f"{state.name}.refused-{hashlib.sha256(new.body).hexdigest()[:12]}"
    remember(state.with_name(name), f"{seen.note}\n{new.note}")


def cosignature(name: str, private: Ed25519PrivateKey, body: bytes, now: int) -> str:
    """Our line under a checkpoint: that this is the largest consistent one which was seen at this time."""
    public = private.public_key().public_bytes_raw()
    signed = private.sign(b"cosignature/v1\ntime %d\n" % now + body)
    return f"— {name} " + base64.b64encode(key_id(name, public, COSIGNATURE) + now.to_bytes(8) + signed).decode()


# ── as a program ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def make_key(path: Path, name: str) -> str:
    """Makes a key, never over another one; what the log's operator configures."""
    if not name or "+" in name or any(character.isspace() for character in name):
        raise Refused(UNREADABLE, "a name has neither blanks nor plus signs")
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump({"name": name, "private": private.private_bytes_raw().hex()}, file)
    except OSError:
        raise Refused(UNREADABLE, "the key file exists already or cannot be written") from None
    return f"{name}+{key_id(name, public, COSIGNATURE).hex()}+{base64.b64encode(bytes([COSIGNATURE]) + public).decode()}"


def open_key(path: Path) -> tuple[str, Ed25519PrivateKey]:
    """The name and key of a key file."""
    try:
        kept = json.loads(path.read_text("utf-8"))
        return str(kept["name"]), Ed25519PrivateKey.from_private_bytes(bytes.fromhex(kept["private"]))
    except (OSError, ValueError, KeyError, TypeError):
        raise Refused(UNREADABLE, "the key file cannot be read") from None


def ask(url: str, token: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Asks the log, or tells it something."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "User-Agent": "piying-witness/1"}
    if not url.startswith(("https://", "http://")):
        raise Refused(UNREADABLE, "an address of a log begins with https://")
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), headers)  # noqa: S310 (http and https only)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            told = json.loads(answer.read(MOST))
    except (OSError, ValueError, urllib.error.URLError):
        raise Refused(UNREADABLE, "the log does not answer") from None
    if not isinstance(told, dict):
        raise Refused(UNREADABLE, "the log answers something else")
    return told


def _from(options: argparse.Namespace, logs: Sequence[str], token: str) -> str:
    if options.file:
        try:
            return Path(options.file).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            raise Refused(UNREADABLE, "the file with the checkpoint cannot be read") from None
    seen = recall(Path(options.state), logs)
    told = ask(f"{options.url.rstrip('/')}/api/audit/checkpoints/latest?old={0 if seen is None else seen.size}", token)
    return str(told.get("request", ""))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="witness", description="Witness a log from outside.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    making = verbs.add_parser("key", help="make a key")
    making.add_argument("path")
    making.add_argument("--name", required=True)
    checking = verbs.add_parser("check", help="check a checkpoint against what was seen, and cosign it")
    checking.add_argument("state", help="the file that remembers the last checkpoint; keep it, and keep it from the log's operator")
    checking.add_argument("--log", action="append", required=True, help="the log's verifier key; every version of it")
    checking.add_argument("--key", help="the witness's key file; without it nothing is cosigned, only checked")
    checking.add_argument("--first", action="store_true", help="the log is witnessed for the first time")
    where = checking.add_mutually_exclusive_group(required=True)
    where.add_argument("--file", help="a checkpoint with its proof")
    where.add_argument("--url", help="the address of the log's server")
    checking.add_argument("--token-file", help="with --url: a file with an access token of the right log.witness")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        if options.verb == "key":
            sys.stdout.write(make_key(Path(options.path), options.name) + "\n")
            return 0
        token = Path(options.token_file).read_text("utf-8").strip() if options.token_file else ""
        text = _from(options, options.log, token)
        key = open_key(Path(options.key)) if options.key else None
        note = check(Path(options.state), text, options.log, key, now=int(time.time()), first=options.first)
        if options.url and key is not None:
            ask(f"{options.url.rstrip('/')}/api/audit/cosignatures", token, {"note": note})
        sys.stdout.write(note)
    except Refused as refused:
        sys.stderr.write(refused.args[0] + "\n")
        return refused.code
    except OSError as error:
        sys.stderr.write(f"{error.strerror or 'a file cannot be read or written'}\n")
        return UNREADABLE
    return 0


if __name__ == "__main__":
    sys.exit(main())
