"""Where what leaves is carried: a file of the operator's, a section a recipient.

Promise: a recipient that has no section is handed nothing: its people fetch what is theirs. A section with an unknown word, an address that
may not be used or a folder outside the one that is set apart is refused with the word's name, never its value. A token stands in a file of
its own that only its owner reads, and is read when it is used.
"""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.outbound import Address, Guard
from privacy.errors import Invalid

FOLDER, PUSH = "folder", "push"
_WORDS = {FOLDER: frozenset({"way", "folder"}), PUSH: frozenset({"way", "address", "header", "token_file", "target"})}
_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
_FIXED = frozenset({"content-type", "content-length", "host", "idempotency-key", "accept", "user-agent", "connection", "piying-signature"})


@dataclass(frozen=True, slots=True)
class Direction:
    """How one recipient is reached. `target` names the list in its own interface."""

    way: str
    folder: str = ""
    address: Address | None = None
    header: str = "Authorization"
    token_file: str = field(default="", repr=False)
    target: Mapping[str, Any] = field(default_factory=dict)


def read(path: Path, guard: Guard) -> dict[str, Direction]:
    """Recipient's key → direction; nothing where there is no file. Raises Invalid, or Refused for an address."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise Invalid("the file of destinations cannot be read", code="destinations_unreadable") from None
    return {key: _direction(key, told, guard) for key, told in content.items()}


def _direction(key: str, told: Any, guard: Guard) -> Direction:
    if not _KEY.fullmatch(key) or not isinstance(told, dict) or told.get("way") not in _WORDS:
        raise _wrong(key, "way")
    if unknown := sorted(set(told) - _WORDS[told["way"]]):
        raise _wrong(key, unknown[0])
    target = told.get("target", {})
    texts = {name: value for name, value in told.items() if name != "target"}
    if not isinstance(target, dict) or not all(isinstance(value, str) and value for value in texts.values()):
        raise _wrong(key, "target" if not isinstance(target, dict) else next(n for n, v in texts.items() if not (isinstance(v, str) and v)))
    if told["way"] == FOLDER:
        if not _KEY.fullmatch(texts.get("folder", "")):
            raise _wrong(key, "folder")
        return Direction(FOLDER, folder=texts["folder"])
    if not _HEADER.fullmatch(header := texts.get("header", "Authorization")) or header.lower() in _FIXED:
        raise _wrong(key, "header")
    address = guard.address(texts.get("address", ""))
    return Direction(PUSH, address=address, header=header, token_file=texts.get("token_file", ""), target=target)


def token(home: Path, direction: Direction) -> dict[str, str]:
    """The header that names us to the recipient, if it wants one."""
    if not direction.token_file:
        return {}
    path = home / direction.token_file
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise Invalid("a token's file is readable by its owner alone", code="destination_token", field="token_file")
        said = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise Invalid("a token's file cannot be read", code="destination_token", field="token_file") from None
    if not said or not said.isprintable():
        raise Invalid("a token is one line of printable signs", code="destination_token", field="token_file")
    return {direction.header: said}


def _wrong(key: str, word: str) -> Invalid:
    return Invalid("a destination is written down wrong", code="destination_invalid", field=f"{key}.{word}")
