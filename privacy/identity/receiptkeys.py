"""Signs receipts of consent and publishes the keys that verify them: keys of their own, apart from those of the log's checkpoints.

Promise: which version signs follows from the act's own time, so that a receipt keeps its bytes through every rotation; versions stay
published for as long as the key file holds them. Must never learn what a receipt says about whom, beyond the bytes that it signs.
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from privacy.identity.keys import Keyring

KIND: Final = "receipt"
ALGORITHM: Final = "Ed25519"
"""RFC 9864: the algorithm says its curve; the older name EdDSA left that open."""
TYPE: Final = "consent-receipt+jws"


def sign(keyring: Keyring, payload: bytes, at: datetime, *, type_: str = TYPE) -> str:
    """A compact JWS (RFC 7515) by the version that was the newest at an instant; the file is looked at first, so that all programs agree."""
    keyring.reload()
    version = keyring.version_at(KIND, at)
    key = OKPKey.import_key(_jwk(keyring, version, private=True))
    header = {"alg": ALGORITHM, "kid": key.thumbprint(), "typ": type_}
    return jws.serialize_compact(header, payload, key, algorithms=[ALGORITHM])


def opened(token: str, keys: dict[str, Any], *, type_: str) -> bytes | None:
    """What a compact JWS of one type says, if one of these published keys signed it; None otherwise."""
    try:
        named = {OKPKey.import_key(one).thumbprint(): OKPKey.import_key(one) for one in keys["keys"] if one.get("crv") == ALGORITHM}
        read = jws.extract_compact(token.encode())
        if read.headers().get("typ") != type_ or read.headers().get("kid") not in named:
            return None
        return jws.deserialize_compact(token, named[read.headers()["kid"]], algorithms=[ALGORITHM]).payload
    except (JoseError, ValueError, KeyError, TypeError):
        return None


def key_of(token: str) -> str:
    """The name of the key that a compact JWS says it was signed with."""
    return str(jws.extract_compact(token.encode()).headers()["kid"])


def version_at(keyring: Keyring, at: datetime) -> int:
    """Which version signs what happened at an instant."""
    return keyring.version_at(KIND, at)


def public_keys(keyring: Keyring) -> dict[str, Any]:
    """The public half of every version, as a key set (RFC 7517)."""
    keyring.reload()
    listed = []
    for version in keyring.versions(KIND):
        public = _jwk(keyring, version)
        listed.append({**public, "alg": ALGORITHM, "kid": OKPKey.import_key(public).thumbprint(), "use": "sig"})
    return {"keys": listed}


def _jwk(keyring: Keyring, version: int, *, private: bool = False) -> dict[str, str | list[str]]:
    seed = keyring.key(KIND, version)[1]
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    key: dict[str, str | list[str]] = {"kty": "OKP", "crv": ALGORITHM, "x": _encoded(public)}
    return key | ({"d": _encoded(seed)} if private else {})


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
