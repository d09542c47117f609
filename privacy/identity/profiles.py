"""Which algorithms a deployment's keys are used with: the international profile, and the commercial one of the Cryptography Law (商用密码).

Promise: a keyring has one profile from its making to its end, and every key of it goes through that profile's algorithms and no others.
A ciphertext names its own algorithm, so values of either profile open in one database; whatever is compared (look-up digests, handles,
virtual IDs) is made under the keyring's profile alone, so nothing splits. Of the commercial profile only signatures differ from the book:
this library has no SM2, so checkpoints of the log are signed with Ed25519 under both, and the log's tree is the SHA-256 of its standard.
Must never learn: a key that it keeps; keys pass through.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from privacy import errors
from privacy.identity.pseudonyms import BlockCipher, HashState, MacKey

KEY_BYTES: Final = 32
SM4_KEY_BYTES: Final = 16

GCM_SIV: Final = 1
GCM: Final = 2
SM4_GCM: Final = 3

ALGORITHMS: Final[Mapping[int, str]] = MappingProxyType({GCM_SIV: "AES-256-GCM-SIV", GCM: "AES-256-GCM", SM4_GCM: "SM4-GCM"})
"""What the first byte of a ciphertext stands for. A number is never used again for anything else."""

_SM4_BLOCKS: Final = b"piying/v1/sm4/permutation"
_SM4_SEALING: Final = b"piying/v1/sm4/gcm"


class Sm3:
    """SM3 (GB/T 32905) for an interpreter whose hashlib lacks it; the part of hashlib's objects that an HMAC needs."""

    __slots__ = ("_state",)

    def __init__(self, data: bytes = b"", *, state: hashes.Hash | None = None) -> None:
        self._state = state or hashes.Hash(hashes.SM3())
        self._state.update(data)

    def update(self, data: bytes, /) -> None:
        self._state.update(data)

    def digest(self) -> bytes:
        return self._state.copy().finalize()

    def copy(self) -> Sm3:
        return Sm3(state=self._state.copy())


def _hashlib_sm3(data: bytes) -> HashState:
    return hashlib.new("sm3", data)


def _sm3() -> Callable[[bytes], HashState]:
    """hashlib's SM3 where it has one, else the same from the cryptographic library."""
    try:
        hashlib.new("sm3")
    except ValueError:
        return Sm3
    return _hashlib_sm3


def _preferred() -> int:
    """GCM-SIV, where a repeated nonce reveals only equality; GCM where OpenSSL lacks it."""
    try:
        AESGCMSIV(bytes(KEY_BYTES))
    except UnsupportedAlgorithm:
        return GCM
    return GCM_SIV


@dataclass(frozen=True, slots=True)
class Profile:
    """One family of algorithms. Every key is 32 bytes in either; what needs fewer takes them by a derivation of its own label."""

    name: str
    sealing: int
    hash_name: str
    block_name: str
    hkdf: hashes.HashAlgorithm = field(repr=False, compare=False)
    start: Callable[[bytes], HashState] = field(repr=False, compare=False)
    block: Callable[[bytes], BlockCipherAlgorithm] = field(repr=False, compare=False)

    def expand(self, key: bytes, info: bytes, size: int = KEY_BYTES) -> bytes:
        """HKDF's second half (RFC 5869): enough where the key is uniform already."""
        return HKDFExpand(self.hkdf, size, info).derive(key)

    def derive(self, root: bytes, label: str, *parts: str) -> bytes:
        """A root's key for one label, under length-prefixed parts, so that ("a", "bc") is not ("ab", "c")."""
        return self.expand(root, b"piying/v1" + prefixed(label, *parts))

    def mac_key(self, key: bytes) -> MacKey:
        """A key as `pseudonyms` takes it: with the hash whose HMAC it is for."""
        return MacKey(key, self.start)

    def permutation(self, key: bytes) -> BlockCipher:
        """The block cipher on each 16-byte block by itself: a keyed permutation of 128-bit values (used on nothing but random ids)."""
        cipher = Cipher(self.block(key), modes.ECB())  # noqa: S305 (single random blocks, wanted as a permutation)
        return lambda blocks: cipher.encryptor().update(blocks)

    def inverse_permutation(self, key: bytes) -> BlockCipher:
        """The inverse of `permutation` under the same key."""
        cipher = Cipher(self.block(key), modes.ECB())  # noqa: S305 (single random blocks, wanted as a permutation)
        return lambda blocks: cipher.decryptor().update(blocks)

    def algorithms_of(self, kind: str) -> str:
        """What keys of a kind are used with, for the inventory."""
        if kind == "kek":
            return ALGORITHMS[self.sealing]
        if kind in ("signing", "receipt"):
            return "Ed25519"
        derived, mac = f"HKDF-{self.hash_name}", f"HMAC-{self.hash_name}"
        uses = {
            "index": (mac,),
            "tombstone": (mac,),
            "recipient": (mac,),
            "inbox": (mac,),
            "log": (self.block_name, mac),
            "consent": (self.block_name, mac),
        }
        return ", ".join((derived, *uses.get(kind, (self.block_name,))))


def prefixed(*parts: str) -> bytes:
    """Texts, each after its length."""
    encoded = [part.encode() for part in parts]
    return b"".join(struct.pack(">H", len(part)) + part for part in encoded)


def _sm4_blocks(key: bytes) -> BlockCipherAlgorithm:
    return algorithms.SM4(COMMERCIAL.expand(key, _SM4_BLOCKS, SM4_KEY_BYTES))


def sm4_sealing_key(key: bytes) -> bytes:
    """The 128 bits with which a 32-byte key seals under SM4-GCM."""
    return COMMERCIAL.expand(key, _SM4_SEALING, SM4_KEY_BYTES)


INTERNATIONAL: Final = Profile("international", _preferred(), "SHA-256", "AES-256", hashes.SHA256(), hashlib.sha256, algorithms.AES256)
COMMERCIAL: Final = Profile("commercial", SM4_GCM, "SM3", "SM4", hashes.SM3(), _sm3(), _sm4_blocks)

PROFILES: Final[Mapping[str, Profile]] = MappingProxyType({one.name: one for one in (INTERNATIONAL, COMMERCIAL)})


def named(name: str) -> Profile:
    """The profile of a name, after it was tried once; raises errors.Locked where the library underneath was built without it."""
    profile = PROFILES[name]
    try:
        profile.permutation(bytes(KEY_BYTES))(bytes(16))
        profile.start(b"")
    except UnsupportedAlgorithm:
        raise errors.Locked("This build of OpenSSL lacks the algorithms of the keys' profile.", code="profile_unavailable") from None
    return profile
