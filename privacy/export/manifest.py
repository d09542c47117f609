"""The manifest of a released list: what it is, for whom, why, who decided, what was left out; signed.

Promise: pure. The recipient's part tells what they hold and what they may do with it; the officer's part tells beside it who was kept back for
which reason (dp_rules X-3). The signature covers the canonical bytes of the recipient's part, in which the officer's digest stands, so neither
can be exchanged; the officer's part holds a random salt, because a digest of a few small numbers alone would tell them to whoever tries them
all. Who sees no exact number sees what was decided, and nothing that changes with people. It must never learn a person.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from privacy.identity import keys

FORMAT: Final = "piying-manifest-1"
DECIDED: Final = (
    *("format", "export", "recipient", "purpose", "use", "ground", "channel", "consents", "form", "asked_by", "approved_by", "columns"),
    *("key", "signing_key", "expires_at", "policy", "level"),
)
"""What a marketer sees of a manifest: none of it is another one when one person more or less stands in the list, or says no later."""


def canonical(document: Mapping[str, Any]) -> bytes:
    """The bytes that are signed."""
    return json.dumps(document, ensure_ascii=True, separators=(",", ":"), sort_keys=True).encode()


def made(recipients: Mapping[str, Any], officers: Mapping[str, Any], sign: Callable[[bytes], bytes]) -> tuple[dict[str, Any], str]:
    """The recipient's part with the digest of the officer's, and its signature in base64."""
    part = {"format": FORMAT, **recipients, "officer_sha256": hashlib.sha256(canonical(officers)).hexdigest()}
    return part, base64.b64encode(sign(canonical(part))).decode()


def decided(part: Mapping[str, Any]) -> dict[str, Any]:
    """The part of it that whoever sees no exact number may see."""
    return {name: part[name] for name in DECIDED if name in part}


def genuine(part: Mapping[str, Any], signature: str, public_key: bytes, officers: Mapping[str, Any] | None = None) -> bool:
    """Whether a manifest is the one that was signed, and the officer's part, if given, the one that belongs to it."""
    try:
        raw = base64.b64decode(signature, validate=True)
    except ValueError:  # no base64: nothing that we signed
        return False
    if not keys.signed(public_key, canonical(part), raw):
        return False
    return officers is None or hashlib.sha256(canonical(officers)).hexdigest() == part.get("officer_sha256")
