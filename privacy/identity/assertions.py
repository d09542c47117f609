"""Whether a source's own key signed what it says: RS256 (RFC 7518), for clients that exchange a signed assertion for a short-lived key.

Promise: only RSA keys of at least 2,048 bits are taken, and only the public half is ever asked for. Says yes or no; a signature that cannot
be read is a no. Must never learn: what was signed, or whose message will follow.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from privacy.errors import Invalid

LEAST_BITS = 2048
"""GB/T 39786 and NIST SP 800-131A: nothing shorter signs any more."""
MOST_BITS = 8192
"""Checking costs grow with the key; nobody needs more."""


def public_key(pem: str) -> str:
    """The key in its one spelling; raises Invalid unless it is the public half of an RSA key of a length that is taken."""
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise Invalid("a public key is PEM text", code="public_key_invalid", field="public_key") from None
    if not isinstance(key, rsa.RSAPublicKey) or not LEAST_BITS <= key.key_size <= MOST_BITS:
        raise Invalid(f"a public key is RSA of {LEAST_BITS} to {MOST_BITS} bits", code="public_key_invalid", field="public_key")
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def signed(pem: str, message: bytes, signature: bytes) -> bool:
    """Whether the private half of this key signed the message."""
    key = serialization.load_pem_public_key(pem.encode())
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    try:
        key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True
