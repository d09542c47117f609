"""Whether a held payload speaks of a person, told by the person's own identifiers.

Promise: prefers to find too much, because what is found is destroyed: a payload that nobody could read is nobody's loss, a person left in
it is. Width, case, spacing and one layer of encoding make no difference. Pure; keeps neither payload nor value.
Must never learn: keys, references, or who asks.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

SHORT = 5
"""A value of fewer characters counts only where it stands alone: inside other words it would be found everywhere."""
ENOUGH_DIGITS = 7
NATIONAL = 11
"""Digits of a Chinese mobile number without its country code."""

_INVISIBLE = dict.fromkeys((8203, 8204, 8205, 8288, 65279, 173))
_BETWEEN = b" -()+.\t"
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")


@dataclass(frozen=True, slots=True)
class Needles:
    """What to look for: values that must stand alone, values that may stand inside a text, runs of digits whatever stands between them."""

    alone: frozenset[str]
    inside: tuple[str, ...]
    digits: tuple[str, ...]


def needles(identifiers: Iterable[tuple[str, str]]) -> Needles:
    """The needles of a person's identifiers (type, value), as they were given or as the vault keeps them."""
    values = {_plain(value.rsplit("\x1f", 1)[-1]) for _, value in identifiers} - {""}
    digits = {"".join(filter(str.isdigit, value)) for value in values if not re.search(r"[a-z]{3}", value)}
    return Needles(
        alone=frozenset(values),
        inside=tuple(sorted(value for value in values if len(value) >= SHORT)),
        digits=tuple(sorted(run[-NATIONAL:] if len(run) in (12, 13, 15) else run for run in digits if len(run) >= ENOUGH_DIGITS)),
    )


def holds(payload: bytes, wanted: Needles) -> bool:
    """Whether the person of these identifiers stands in the payload; a payload that is no text is said to."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        text = payload.decode("latin-1")
    try:
        pieces = list(_scalars(json.loads(text)))
    except (ValueError, RecursionError):
        pieces = [text]
    return any(_found(clear, wanted) for piece in pieces for clear in _layers(piece)) or _found_digits("".join(pieces), wanted)


def in_bytes(wanted: Needles) -> Callable[[bytes], bool]:
    """A quick search for pieces of large files: values as they are written, digits whatever stands between them, in UTF-8, GBK or UTF-16."""
    short = [re.escape(value.encode()) for value in wanted.alone if len(value) < SHORT]
    alone = re.compile(rb"(?<![\w-])(?:" + b"|".join(short) + rb")(?![\w-])") if short else None
    inside = [value.encode() for value in wanted.inside]
    digits = [run.encode() for run in wanted.digits]

    def found(block: bytes) -> bool:
        plain = block.lower().replace(b"\0", b"")
        run = plain.translate(None, _BETWEEN)
        return (
            any(value in plain for value in inside)
            or any(value in run for value in digits)
            or (alone is not None and alone.search(plain) is not None)
        )

    return found


def _found(piece: str, wanted: Needles) -> bool:
    plain = _plain(piece)
    return plain in wanted.alone or any(value in plain for value in wanted.inside) or _found_digits(plain, wanted)


def _found_digits(text: str, wanted: Needles) -> bool:
    if not wanted.digits:
        return False
    run = "".join(filter(str.isdigit, _plain(text)))
    return any(digits in run for digits in wanted.digits)


def _layers(piece: str) -> Iterator[str]:
    """The piece, and what it says under one layer of encoding."""
    yield piece
    if "%" in piece:
        yield unquote(piece)
    for found in _ENCODED.findall(piece):
        body = found.rstrip("=").replace("-", "+").replace("_", "/")
        try:
            yield base64.b64decode(body + "=" * (-len(body) % 4)).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError):
            continue


def _scalars(value: Any) -> Iterator[str]:
    """Every key and value of a JSON document as text."""
    stack = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            yield from node
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
        elif node is not None and not isinstance(node, bool):
            yield str(node)


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text.translate(_INVISIBLE))
    digits = "".join(str(unicodedata.digit(c)) if unicodedata.digit(c, None) is not None else c for c in folded)
    return digits.casefold().strip()
