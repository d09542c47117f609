"""One layer of encoding taken off: percent signs, base64, hexadecimal, character references.

Promise: a piece is decoded once, looked at and forgotten; a second layer is a doubt, not a search. Pure.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Callable, Iterator

_PERCENT = re.compile(r"(?<![A-Za-z0-9._~+@-])[A-Za-z0-9._~+@-]*(?:%[0-9A-Fa-f]{2}[A-Za-z0-9._~+@-]*)+")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{10,}={0,2}(?![A-Za-z0-9+/_=-])")
_SPLIT = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{4,}(?:[ \t\r]{0,2}\n){1,2}[ \t]{0,2}(?=([A-Za-z0-9+/_-]{2,}={0,2}))")
"""Two lines that may be one piece of base64; the second line may begin the next pair."""
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{2}){7,}(?![0-9A-Za-z])")
_REFERENCES = re.compile(r"(?:&#(?:\d{1,7}|[xX][0-9A-Fa-f]{1,6});|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|[A-Za-z0-9.@_-]){3,}")
_REFERENCE = re.compile(r"&#(\d{1,7});|&#[xX]([0-9A-Fa-f]{1,6});|\\u([0-9A-Fa-f]{4})|\\x([0-9A-Fa-f]{2})")


def pieces(text: str) -> Iterator[tuple[int, int, str]]:
    """Encoded pieces: start, end and what they say."""
    for pattern, decode, telltale in _LAYERS:
        if telltale and not any(sign in text for sign in telltale):
            continue
        for m in pattern.finditer(text):
            end = m.end(m.lastindex or 0)
            clear = decode(text[m.start() : end])
            if clear and clear != text[m.start() : end]:
                yield m.start(), end, clear


def encoded(text: str) -> bool:
    """Whether anything in the text is still encoded."""
    return any(len(clear) >= 7 for _, _, clear in pieces(text))


def _percent(piece: str) -> str | None:
    raw = re.sub(rb"%([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), piece.encode())
    return _readable(raw)


def _base64(piece: str) -> str | None:
    body = piece.rstrip("=").replace("-", "+").replace("_", "/")
    if len(body) % 4 == 1 or body.isdigit():
        return None
    try:
        return _readable(base64.b64decode(body + "=" * (-len(body) % 4), validate=True))
    except (binascii.Error, ValueError):
        return None


def _split(piece: str) -> str | None:
    return _base64("".join(piece.split()))


def _hex(piece: str) -> str | None:
    return _readable(bytes.fromhex(piece))


def _references(piece: str) -> str | None:
    return _REFERENCE.sub(_character, piece)


def _character(m: re.Match[str]) -> str:
    point = int(m[1]) if m[1] else int(m[2] or m[3] or m[4], 16)
    return chr(point) if point < 0x110000 and not 0xD800 <= point < 0xE000 else " "


def _readable(raw: bytes) -> str | None:
    for charset in ("utf-8", "gb18030"):
        try:
            text = raw.decode(charset)
        except UnicodeDecodeError:
            continue
        return text if all(c.isprintable() or c in "\r\n\t" or unicodedata.category(c) == "Cf" for c in text) else None
    return None


_LAYERS: tuple[tuple[re.Pattern[str], Callable[[str], str | None], tuple[str, ...]], ...] = (
    (_PERCENT, _percent, ("%",)),
    (_REFERENCES, _references, ("&#", "\\u", "\\x")),
    (_BASE64, _base64, ()),
    (_SPLIT, _split, ("\n",)),
    (_HEX, _hex, ()),
)
