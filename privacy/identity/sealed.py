"""How a value is sealed: authenticated encryption with the algorithm and the key version in every ciphertext.

Promise: a ciphertext opens only in the place it was made for. Table, column, owner and the header itself are associated data,
length-prefixed, so that swapping rows, columns or versions fails loudly as `errors.Locked`, and never as somebody else's value.
Which algorithm seals is the keyring's profile's word; any algorithm that ever sealed opens.
Must never learn: what the value means, or a database.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Final

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV

from privacy import errors
from privacy.identity.keys import Keyring
from privacy.identity.profiles import GCM, GCM_SIV, KEY_BYTES, SM4_GCM, Profile, sm4_sealing_key
from privacy.records import RandomBytes

NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
HEADER: Final = struct.Struct(">BH")


class Sm4Gcm:
    """SM4 in GCM (GB/T 32907, RFC 8998) with the manners of the library's own AEAD classes, which lack it. Takes the 128-bit key itself."""

    __slots__ = ("_algorithm",)

    def __init__(self, key: bytes) -> None:
        self._algorithm = algorithms.SM4(key)

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        encryptor = Cipher(self._algorithm, modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(associated_data)
        return encryptor.update(data) + encryptor.finalize() + encryptor.tag

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        decryptor = Cipher(self._algorithm, modes.GCM(nonce, data[-TAG_BYTES:])).decryptor()
        decryptor.authenticate_additional_data(associated_data)
        return decryptor.update(data[:-TAG_BYTES]) + decryptor.finalize()


Aead = AESGCMSIV | AESGCM | Sm4Gcm
_NUMBER: Final[Mapping[type[Aead], int]] = {AESGCMSIV: GCM_SIV, AESGCM: GCM, Sm4Gcm: SM4_GCM}

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


def aead(key: bytes, algorithm: int) -> Aead:
    """The cipher object of a 32-byte key: making one costs more than sealing with it, so callers keep it for a person's values."""
    try:
        if algorithm == GCM_SIV:
            return AESGCMSIV(key)
        if algorithm == GCM:
            return AESGCM(key)
        if algorithm == SM4_GCM:
            return Sm4Gcm(sm4_sealing_key(key))
    except UnsupportedAlgorithm:
        raise errors.Locked("This build of OpenSSL lacks the algorithm of a ciphertext.", code="algorithm_unavailable") from None
    raise errors.Locked("A ciphertext names an algorithm that this program does not know.", code="algorithm_unknown")


def seal(cipher: Aead, version: int, place: Place, owner: bytes, nonce: bytes, value: bytes) -> bytes:
    """Header, nonce, ciphertext and tag of a value that belongs to `owner` in `place`."""
    header = HEADER.pack(_NUMBER[type(cipher)], version)
    return header + nonce + cipher.encrypt(nonce, value, place.associated(owner, header))


def seal_many(
    ciphers: Sequence[Aead], version: int, place: Place, owners: Sequence[bytes], values: Sequence[bytes], random: RandomBytes
) -> list[bytes]:
    """`seal` for each owner's value under that owner's cipher, all of one algorithm; owners have one length. Nonces come from one draw."""
    if not values:
        return []
    header = HEADER.pack(_NUMBER[type(ciphers[0])], version)
    before = place.before(len(owners[0]))
    pool = random(NONCE_BYTES * len(values))
    nonces = [pool[start : start + NONCE_BYTES] for start in range(0, len(pool), NONCE_BYTES)]
    return [
        header + nonce + cipher.encrypt(nonce, value, before + owner + header)
        for cipher, owner, value, nonce in zip(ciphers, owners, values, nonces, strict=True)
    ]


def header(profile: Profile, version: int) -> bytes:
    """How a ciphertext begins that was made with today's algorithm and this key version."""
    return HEADER.pack(profile.sealing, version)


def version_of(sealed: bytes) -> tuple[int, int]:
    """Algorithm and key version of a ciphertext."""
    algorithm, version = HEADER.unpack_from(sealed)
    return algorithm, version


def today(sealed: bytes, profile: Profile, version: int) -> bool:
    """Was this made with today's algorithm and this key version? What is not is sealed again by whoever asks (`renewal.rewrap`)."""
    return sealed.startswith(header(profile, version))


def unseal(key: bytes, place: Place, owner: bytes, sealed: bytes) -> bytes:
    """The value, if key, place and owner are those it was sealed for."""
    if len(sealed) < HEADER.size + NONCE_BYTES + TAG_BYTES:
        raise errors.Locked("A ciphertext is too short.", code="sealed_value_damaged")
    return unseal_with(aead(key, sealed[0]), place, owner, sealed)


def unseal_with(cipher: Aead, place: Place, owner: bytes, sealed: bytes) -> bytes:
    """`unseal` under a cipher that the caller keeps."""
    header, body = sealed[: HEADER.size], sealed[HEADER.size :]
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
    return list(zip(keys, seal_many([aead(kek, keyring.profile.sealing)] * len(owners), version, place, owners, keys, random), strict=True))


def unwrap(keyring: Keyring, owner: bytes, wrapped: bytes, place: Place = DATA_KEY) -> bytes:
    """The key of an owner, under whichever version of the key-encryption key it was wrapped."""
    _, kek = keyring.key("kek", version_of(wrapped)[1])
    return unseal(kek, place, owner, wrapped)


def rewrap(keyring: Keyring, owner: bytes, wrapped: bytes, random: RandomBytes, place: Place = DATA_KEY) -> bytes:
    """The same key under the newest key-encryption key."""
    version, kek = keyring.key("kek")
    return seal(aead(kek, keyring.profile.sealing), version, place, owner, random(NONCE_BYTES), unwrap(keyring, owner, wrapped, place))
