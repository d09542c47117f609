"""An envelope for one recipient: whatever is in it can be opened with the recipient's private key and with nothing else, ours included.

Format `piying-sealed-1`. A line of JSON says what is inside (form, recipient, rows, no value of anybody); after it stands a fresh 32-byte key,
sealed to the recipient by HPKE (RFC 9180, base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM) with that line as `info`; after
it the content in pieces of 64 KiB under AES-256-GCM, whose nonce is the piece's number and whether it is the last (the STREAM construction:
Hoang, Reyhanitabar, Rogaway, Vizár, 2015). So a changed line, a piece that is missing, doubled, moved or cut off, and another recipient's key
all fail to open. The key serves one envelope, hence a counter is a safe nonce.

Promise: nothing but ciphertext leaves; nobody here can open what was sealed. Base mode does not say who sealed: the signed manifest, which
carries the file's SHA-256, does. `identity.open` is the other side, a program of its own.
Must never learn: a private key of a recipient, a person, what the content means.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from privacy import errors
from privacy.records import RandomBytes

FORMAT: Final = "piying-sealed-1"
KEY_PREFIX: Final = "piying-x25519:"
PIECE: Final = 65_536
"""Bytes of one piece of content; with AES-GCM's tag it is 16 longer in the file."""

_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_LOW_ORDER: Final = (
    bytes(32),
    (1).to_bytes(32, "little"),
    (2**255 - 20).to_bytes(32, "little"),
    (2**255 - 19).to_bytes(32, "little"),
    (2**255 - 18).to_bytes(32, "little"),
)
"""Public keys with which everybody shares the same secret (RFC 7748 §6.1), those that are short to write down."""


def read_key(text: str) -> bytes:
    """The 32 raw bytes of a public key in its text form; raises errors.Invalid."""
    try:
        raw = base64.b64decode(text.strip().removeprefix(KEY_PREFIX), validate=True)
    except ValueError:
        raw = b""
    if len(raw) != 32 or not text.strip().startswith(KEY_PREFIX) or raw in _LOW_ORDER:
        raise errors.Invalid("A recipient's key is 'piying-x25519:' and 32 bytes in base64.", code="recipient_key_malformed", field="key")
    return raw


def written_key(raw: bytes) -> str:
    """A public key as recipients exchange it."""
    return KEY_PREFIX + base64.b64encode(raw).decode()


def key_id(raw: bytes) -> str:
    """Sixteen hexadecimal digits by which a manifest names the key: the beginning of its SHA-256."""
    return hashlib.sha256(raw).hexdigest()[:16]


def seal(content: Iterable[bytes], public_key: bytes, about: Mapping[str, Any], *, random: RandomBytes) -> Iterator[bytes]:
    """The envelope in pieces. `about` is read by anybody who sees the file, so it holds counts and names of forms, never a value."""
    line = header(public_key, about)
    key = random(32)
    yield line
    sealed = _SUITE.encrypt(key, X25519PublicKey.from_public_bytes(public_key), info=line)
    yield struct.pack(">H", len(sealed)) + sealed
    cipher = AESGCM(key)
    waiting: bytes | None = None
    number = 0
    for piece in _pieces(content):
        if waiting is not None:
            yield cipher.encrypt(nonce(number, last=False), waiting, None)
            number += 1
        waiting = piece
    yield cipher.encrypt(nonce(number, last=True), waiting or b"", None)


def header(public_key: bytes, about: Mapping[str, Any]) -> bytes:
    """The envelope's first line."""
    facts = {"format": FORMAT, "key": key_id(public_key), **about}
    return json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def nonce(number: int, *, last: bool) -> bytes:
    """The piece's number in eleven bytes, and one byte that marks the last."""
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _pieces(content: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of `PIECE`, the last one shorter or whole; none for no content."""
    held = bytearray()
    for part in content:
        held += part
        while len(held) > PIECE:
            yield bytes(held[:PIECE])
            del held[:PIECE]
    if held:
        yield bytes(held)
