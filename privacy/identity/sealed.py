"""How a value is sealed: authenticated encryption with the algorithm and the key version in every ciphertext.

Promise: a ciphertext opens only in the place it was made for. Table, column, owner and the header itself are associated data,
length-prefixed, so that swapping rows, columns or versions fails loudly as `errors.Locked`, and never as somebody else's value.
AES-256-GCM-SIV, where a repeated nonce reveals only equality; AES-256-GCM where OpenSSL lacks it.
Must never learn: what the value means, or a database.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV

from privacy import errors
from privacy.identity.keys import KEY_BYTES, Keyring
from privacy.records import RandomBytes

GCM_SIV: Final = 1
GCM: Final = 2
NONCE_BYTES: Final = 12
HEADER: Final = struct.Struct(">BH")

Aead = AESGCMSIV | AESGCM


def _preferred() -> int:
    try:
        AESGCMSIV(bytes(KEY_BYTES))
    except UnsupportedAlgorithm:
        return GCM
    return GCM_SIV


PREFERRED: Final = _preferred()
DATA_KEY_VERSION: Final = 1
"""The version in what a data key seals; it counts the person's own keys, not those of the keyring."""


class Place:
    """A table and a column: where sealed values of one meaning stand."""

    __slots__ = ("_prefix",)

    def __init__(self, table: str, column: str) -> None:
        names = [name.encode() for name in (table, column)]
        self._prefix = b"piying/seal/v1" + b"".join(struct.pack(">H", len(name)) + name for name in names)

    def associated(self, owner: bytes, header: bytes) -> bytes:
        """table ‖ column ‖ owner ‖ header (algorithm and key version), each of a known length."""
        return self.before(len(owner)) + owner + header

    def before(self, owner_length: int) -> bytes:
        """What stands before owners of one length."""
        return self._prefix + struct.pack(">H", owner_length)


DATA_KEY: Final = Place("data_key", "wrapped")


def aead(key: bytes, algorithm: int = PREFERRED) -> Aead:
    """The cipher object of a key: making one costs more than sealing with it, so callers keep it for a person's values."""
    if algorithm == GCM_SIV:
        return AESGCMSIV(key)
    if algorithm == GCM:
        return AESGCM(key)
    raise errors.Locked("A ciphertext names an algorithm that this program does not know.", code="algorithm_unknown")


def seal(cipher: Aead, version: int, place: Place, owner: bytes, nonce: bytes, value: bytes) -> bytes:
    """Header, nonce, ciphertext and tag of a value that belongs to `owner` in `place`."""
    header = HEADER.pack(GCM_SIV if type(cipher) is AESGCMSIV else GCM, version)
    return header + nonce + cipher.encrypt(nonce, value, place.associated(owner, header))


def seal_many(
    ciphers: Sequence[Aead], version: int, place: Place, owners: Sequence[bytes], values: Sequence[bytes], random: RandomBytes
) -> list[bytes]:
    """`seal` for each owner's value under that owner's cipher, all of one algorithm; owners have one length. Nonces come from one draw."""
    if not values:
        return []
    header = HEADER.pack(GCM_SIV if type(ciphers[0]) is AESGCMSIV else GCM, version)
    before = place.before(len(owners[0]))
    pool = random(NONCE_BYTES * len(values))
    nonces = [pool[start : start + NONCE_BYTES] for start in range(0, len(pool), NONCE_BYTES)]
    return [
        header + nonce + cipher.encrypt(nonce, value, before + owner + header)
        for cipher, owner, value, nonce in zip(ciphers, owners, values, nonces, strict=True)
    ]


def header(version: int) -> bytes:
    """How a ciphertext begins that was made with today's algorithm and this key version."""
    return HEADER.pack(PREFERRED, version)


def version_of(sealed: bytes) -> tuple[int, int]:
    """Algorithm and key version of a ciphertext: `today(sealed, version)` is the question that rotation asks."""
    algorithm, version = HEADER.unpack_from(sealed)
    return algorithm, version


def today(sealed: bytes, version: int) -> bool:
    """Was this made with today's algorithm and this key version?"""
    return version_of(sealed) == (PREFERRED, version)


def unseal(key: bytes, place: Place, owner: bytes, sealed: bytes) -> bytes:
    """The value, if key, place and owner are those it was sealed for."""
    if len(sealed) < HEADER.size + NONCE_BYTES + 16:
        raise errors.Locked("A ciphertext is too short.", code="sealed_value_damaged")
    header, body = sealed[: HEADER.size], sealed[HEADER.size :]
    cipher = aead(key, header[0])
    try:
        return cipher.decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], place.associated(owner, header))
    except InvalidTag:
        raise errors.Locked("A sealed value does not open with its key in its place.", code="sealed_value_damaged") from None


# ── keys under the key-encryption key ──────────────────────────────────────────────────────────────────────────────────────────


def new_data_keys(keyring: Keyring, owners: Sequence[bytes], random: RandomBytes, place: Place = DATA_KEY) -> list[tuple[bytes, bytes]]:
    """A fresh key for each owner and the same key wrapped: (key, wrapped)."""
    version, kek = keyring.key("kek")
    pool = random(KEY_BYTES * len(owners))
    keys = [pool[start : start + KEY_BYTES] for start in range(0, len(pool), KEY_BYTES)]
    return list(zip(keys, seal_many([aead(kek)] * len(owners), version, place, owners, keys, random), strict=True))


def unwrap(keyring: Keyring, owner: bytes, wrapped: bytes, place: Place = DATA_KEY) -> bytes:
    """The key of an owner, under whichever version of the key-encryption key it was wrapped."""
    _, kek = keyring.key("kek", version_of(wrapped)[1])
    return unseal(kek, place, owner, wrapped)


def rewrap(keyring: Keyring, owner: bytes, wrapped: bytes, random: RandomBytes, place: Place = DATA_KEY) -> bytes:
    """The same key under the newest key-encryption key."""
    version, kek = keyring.key("kek")
    return seal(aead(kek), version, place, owner, random(NONCE_BYTES), unwrap(keyring, owner, wrapped, place))
