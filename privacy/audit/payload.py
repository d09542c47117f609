"""What a log entry may say and the bytes that stand for it: the allow-list of facts, the salted commitment, the leaf.

Promise: a payload holds counts, short codes, prefixed ids, digests and instants, under plain names; a value of any other shape is
refused before anything is written, so that no free text and no identifier slips in with a fact. Messages name the fact, never the value.
The one text is a `Sentence`: the reason an officer typed, which the door has scrubbed and which lives in the erasable payload.
Pure: salts and instants are arguments. `privacy.audit.verify` computes the same bytes without importing this module; a test holds them equal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

from privacy.errors import Invalid
from privacy.vocabulary import LogKind

COMMITMENT_DOMAIN = b"piying-log-v1\0"
SALT_BYTES = 32
PAYLOAD_VERSION = 1

MAX_FACTS = 32
MAX_LISTED = 1_000
"""Items of one list or counter; a batch has one entry, and what needs more belongs under a Merkle root."""
MAX_SENTENCE = 500
"""Characters of an officer's reason."""
MAX_INTEGER = 2**63 - 1

KINDS = frozenset(str(kind) for kind in LogKind)

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CODE = re.compile(r"(?!.*[0-9]{7})[a-z][a-z0-9_.:/-]{0,63}")
_ID = re.compile(r"(?:[a-z]{2,12}:)?[a-z]{2,8}_[0-9A-Za-z_-]{12,64}")
_DIGEST = re.compile(r"[0-9a-f]{32}|[0-9a-f]{64}")
_PERIOD = re.compile(r"[12][0-9]{3}-[01][0-9](?:-[0-3][0-9])?")
_UPPER = re.compile(r"[A-Z]{2,3}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A reason typed by an officer, already scrubbed by the door that passes it on. Erased with the payload."""

    text: str


def canonical(value: Any) -> bytes:
    """Canonical JSON: sorted keys, no blanks, ASCII only. Equal values have equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode("ascii")


def payload_bytes(action: str, actor: str, result: str, facts: Mapping[str, Any] | None) -> bytes:
    """The payload that the commitment covers; raises Invalid(code="log_fact") for anything that is not on the allow-list."""
    for name, word in (("action", action), ("result", result)):
        if not _CODE.fullmatch(word):
            raise _refused(name)
    if not (_CODE.fullmatch(actor) or _ID.fullmatch(actor)):
        raise _refused("actor")
    given = facts or {}
    if len(given) > MAX_FACTS:
        raise _refused("facts")
    clean: dict[str, Any] = {}
    for name, value in given.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise _refused("name")
        if value is not None:
            clean[name] = _fact(name, value)
    return canonical({"action": action, "actor": actor, "facts": clean, "result": result, "v": PAYLOAD_VERSION})


def commitment(salt: bytes, payload: bytes) -> bytes:
    """Hides the payload even where it has few possible values, and binds to it; erasing salt and payload leaves the leaf valid."""
    if len(salt) != SALT_BYTES:
        raise ValueError("a salt has 32 bytes")
    return sha256(COMMITMENT_DOMAIN + salt + payload).digest()


def leaf_bytes(seq: int, at: datetime, kind: str, committed: bytes) -> bytes:
    """What the tree is built over, and all that a witness may see (law_rules E-6)."""
    return b'{"c":"%s","kind":"%s","seq":%d,"ts":"%s"}' % (committed.hex().encode(), kind.encode(), seq, stamp(at).encode())


def stamp(at: datetime) -> str:
    """An instant as UTC text with microseconds, always the same length."""
    if at.tzinfo is None:
        raise ValueError("an instant needs a zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _fact(name: str, value: Any) -> Any:
    if isinstance(value, Sentence):
        if not 0 < len(value.text) <= MAX_SENTENCE:
            raise _refused(name)
        return value.text
    if isinstance(value, Mapping):
        if len(value) > MAX_LISTED or not all(_is_word(key) for key in value):
            raise _refused(name)
        return {str(key): _scalar(name, item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        if len(value) > MAX_LISTED:
            raise _refused(name)
        items = [_scalar(name, item) for item in value]
        return sorted(items, key=repr) if isinstance(value, (set, frozenset)) else items
    return _scalar(name, value)


def _scalar(name: str, value: Any) -> str | int:
    """Counts, codes, ids, digests, periods and instants; binary floats are not exact and are refused."""
    if isinstance(value, str):
        if _is_word(value):
            return str(value)
    elif isinstance(value, int):
        if -MAX_INTEGER <= value <= MAX_INTEGER:
            return value
    elif isinstance(value, (bytes, bytearray)):
        if len(value) in (16, 32):
            return value.hex()
    elif isinstance(value, datetime):
        return stamp(value)
    elif isinstance(value, date):
        return value.isoformat()
    raise _refused(name)


def _is_word(value: Any) -> bool:
    if isinstance(value, int):
        return not isinstance(value, bool) and 0 <= value < 10**6  # months (YYYYMM) and small numbers as keys of a counter
    return isinstance(value, str) and any(shape.fullmatch(value) for shape in (_CODE, _ID, _DIGEST, _PERIOD, _UPPER))


def _refused(name: str) -> Invalid:
    shown = name if _NAME.fullmatch(name) else "facts"
    return Invalid("the log takes counts, short codes, ids, digests and instants only", code="log_fact", field=shown)
