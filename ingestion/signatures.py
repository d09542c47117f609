"""Whether a message was signed by who shares our secret: HMAC-SHA-256 over the bytes as they came.

Promise: pure; compared in constant time, over every secret that is in force. Two schemes, and a source's secret belongs to one of them:
`shopify` (base64 in `X-Shopify-Hmac-Sha256`, no clock) and `timestamped` (`X-Signature: t=<seconds>,v1=<hex>` over `<t>.<body>`, taken for
five minutes). A header that is not signed is never believed. Must never learn: what a body means.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from datetime import datetime

from privacy.errors import NotConfigured, Refused

Header = Callable[[str], str]
"""The value of a header by its name; empty where there is none."""

SHOPIFY, TIMESTAMPED = "shopify", "timestamped"
SCHEMES = (SHOPIFY, TIMESTAMPED)
SHOPIFY_HEADER = "X-Shopify-Hmac-Sha256"
TIMESTAMPED_HEADER = "X-Signature"
TOLERANCE_SECONDS = 300
"""How far the clock of a timestamped signature may be from ours, either way."""
_PART = re.compile(r"\s*(t|v[0-9])=([0-9a-fA-F]{1,64})\s*\Z")
MAX_PARTS = 8


def check(header: Header, body: bytes, secrets: Sequence[tuple[str, bytes]], *, now: datetime) -> None:
    """Raises Refused unless one of the source's secrets signed this body; NotConfigured where the source has none."""
    if not secrets:
        raise NotConfigured("the source has no secret to check signatures with", code="secret_missing")
    told = [_shopify(header, body, secret) if scheme == SHOPIFY else _timestamped(header, body, secret, now) for scheme, secret in secrets]
    if True in told:
        return
    if "stale" in told:
        raise Refused("the signature is right and too old, or from the future", code="signature_stale")
    raise Refused("the body is not signed with a secret of this source", code="signature_wrong")


def _shopify(header: Header, body: bytes, secret: bytes) -> bool:
    try:
        given = base64.b64decode(header(SHOPIFY_HEADER).strip(), validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(hmac.new(secret, body, hashlib.sha256).digest(), given)


def _timestamped(header: Header, body: bytes, secret: bytes, now: datetime) -> bool | str:
    """Any `v1` may be right: a sender that changes its secret signs with both. Unknown versions are passed over."""
    parts = header(TIMESTAMPED_HEADER).split(",")
    found = [match.groups() for part in parts[:MAX_PARTS] if (match := _PART.match(part))]
    clocks = [value for name, value in found if name == "t" and value.isascii() and value.isdigit() and len(value) <= 12]
    if len(clocks) != 1:
        return False
    expected = hmac.new(secret, clocks[0].encode() + b"." + body, hashlib.sha256).hexdigest()
    right = [hmac.compare_digest(expected, value.lower()) for name, value in found if name == "v1"]
    if True not in right:
        return False
    return True if abs(now.timestamp() - int(clocks[0])) <= TOLERANCE_SECONDS else "stale"
