"""A signer of checkpoints without a key file: the key is the seed that the test names."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from privacy.audit.checkpoint import Signer


def signer(origin: str, seed: bytes) -> Signer:
    """The signer of a 32-byte seed; RFC 8032 makes its signatures the same every time."""
    key = Ed25519PrivateKey.from_private_bytes(seed)
    return Signer(origin, key.sign, key.public_key().public_bytes_raw())
