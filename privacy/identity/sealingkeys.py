"""Public keys that lists are sealed for: X25519 as age writes it or as base64, RSA as PEM.

Promise: only the public half is ever taken, in one spelling, with a fingerprint by which two people can compare it; RSA below 3,072 bits and
points of small order are refused. Must never learn: what will be sealed, or for which list.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from privacy.errors import Invalid

X25519, RSA = "x25519", "rsa"
LEAST_BITS, MOST_BITS = 3_072, 8_192
"""NIST SP 800-57: what is sealed today has to stay closed after 2030."""
_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_PREFIX = "age"


@dataclass(frozen=True, slots=True)
class SealingKey:
    """A key in its one spelling: base64 of 32 bytes, or PEM; `fingerprint` is SHA-256 of the raw key or its DER, shortened."""

    algorithm: str
    text: str
    fingerprint: str


def checked(given: str) -> SealingKey:
    """The key, or Invalid."""
    text = given.strip()
    if text.startswith("-----BEGIN"):
        return _rsa(text)
    raw = _age(text) if text.startswith(_PREFIX + "1") else _base64(text)
    try:
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(raw))
    except ValueError:
        raise _bad("this is no public key of X25519") from None
    return SealingKey(X25519, base64.b64encode(raw).decode(), hashlib.sha256(raw).hexdigest()[:32])


def _rsa(text: str) -> SealingKey:
    try:
        key = serialization.load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise _bad("a sealing key is a public key in PEM, base64 or age's form") from None
    if isinstance(key, X25519PublicKey):
        return checked(base64.b64encode(key.public_bytes_raw()).decode())
    if not isinstance(key, rsa.RSAPublicKey) or not LEAST_BITS <= key.key_size <= MOST_BITS:
        raise _bad(f"a sealing key is X25519, or RSA of {LEAST_BITS} to {MOST_BITS} bits")
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    der = key.public_bytes(serialization.Encoding.DER, info)
    return SealingKey(RSA, key.public_bytes(serialization.Encoding.PEM, info).decode(), hashlib.sha256(der).hexdigest()[:32])


def _base64(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 32:
        raise _bad("a sealing key is a public key in PEM, base64 or age's form")
    return raw


def _age(text: str) -> bytes:
    """The bytes of an `age1…` recipient (Bech32, BIP 173)."""
    data = [_ALPHABET.find(sign) for sign in text.removeprefix(_PREFIX + "1")]
    spread = [ord(sign) >> 5 for sign in _PREFIX] + [0] + [ord(sign) & 31 for sign in _PREFIX]
    if len(data) != 58 or -1 in data or _checksum(spread + data) != 1:
        raise _bad("this is no recipient of age")
    bits = "".join(f"{value:05b}" for value in data[:-6])
    return bytes(int(bits[start : start + 8], 2) for start in range(0, 256, 8))


def _checksum(values: list[int]) -> int:
    total = 1
    for value in values:
        top, total = total >> 25, (total & 0x1FFFFFF) << 5 ^ value
        for place, part in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            total ^= part if top >> place & 1 else 0
    return total


def _bad(rule: str) -> Invalid:
    return Invalid(rule, code="sealing_key_invalid", field="sealing_key")
