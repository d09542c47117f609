"""Masks for display: enough for an officer to recognise an identifier that a person has named, too little to use it.

Promise: a mask never shows a whole value, whatever its length, and an unknown kind shows nothing. Pure.
"""

from __future__ import annotations

import re

from privacy.vocabulary import IdentifierType

_NOTHING = "****"


def mask(kind: str, value: str) -> str:
    """The value of an identifier (or a `name` or `address`) as it may stand on a page."""
    if not value:
        return ""
    match kind:
        case IdentifierType.PHONE:
            return _phone(value)
        case IdentifierType.EMAIL:
            return _email(value)
        case IdentifierType.NATIONAL_ID:
            return value[0] + "*" * (len(value) - 2) + value[-1] if len(value) > 8 else _NOTHING
        case IdentifierType.MEMBER_CARD:
            return _NOTHING + value[-4:] if len(value) > 8 else _NOTHING
        case "name":
            return value[0] + "*" * min(len(value) - 1, 3) if len(value) > 1 else "*"
        case "address":
            found = re.match(r"[\u4e00-\u9fff]{1,8}?(?:省|自治区|市)(?:[\u4e00-\u9fff]{1,8}?市)?", value)
            return (found[0] if found and found.end() < len(value) else "") + _NOTHING
        case IdentifierType.UNIONID | IdentifierType.OPENID | IdentifierType.CUSTOMER_NO | IdentifierType.COOKIE | IdentifierType.DEVICE:
            own = value.rsplit("\x1f", 1)[-1]
            return own[:3] + _NOTHING if len(own) > 8 else _NOTHING
    return _NOTHING


def _phone(value: str) -> str:
    compact = re.sub(r"[\s\-().]", "", value)
    mobile = re.fullmatch(r"(?:\+?86)?(1[3-9]\d)\d{4}(\d{4})", compact)
    if mobile:
        return f"{mobile[1]}****{mobile[2]}"
    return _NOTHING + compact[-4:] if len(compact) > 8 else _NOTHING


def _email(value: str) -> str:
    local, _, domain = value.rpartition("@")
    host, _, top = domain.rpartition(".")
    if not (local and host and top):
        return _NOTHING
    return f"{local[0] if len(local) > 1 else ''}***@{host[0] if len(host) > 1 else ''}***.{top}"
