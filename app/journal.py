"""What this machine remembers of erasures outside the stores, so that an old copy of a store brings nobody back unseen.

Promise: a file beside the keys, for its owner alone, that only grows; no backup of the stores holds it. It holds permuted ids and keyed
digests, which say nothing without the keys. What cannot be read is no reason to serve.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from privacy.errors import Locked
from privacy.records import Gone

NAME = "erased.jsonl"


@dataclass(frozen=True, slots=True)
class Journal:
    """Erasures by id, and marks that were lifted afterwards, in their order."""

    erasures: dict[str, Gone] = field(default_factory=dict)
    lifted: list[tuple[datetime, tuple[bytes, ...]]] = field(default_factory=list)

    def standing_lifts(self) -> list[tuple[datetime, tuple[bytes, ...]]]:
        """Lifts without the marks that a later erasure set again."""
        marked: dict[bytes, datetime] = {}
        for one in self.erasures.values():
            marked |= {digest: max(one.at, marked.get(digest, one.at)) for digest in one.digests}
        return [(at, tuple(one for one in digests if marked.get(one, at) <= at)) for at, digests in self.lifted]


def place(keys: Path) -> Path:
    """Where it lies: beside the key file."""
    return keys.with_name(NAME)


def keep(keys: Path, gone: Iterable[Gone]) -> int:
    """Adds the erasures that are not there yet, through to the disk; returns how many."""
    known = read(place(keys)).erasures
    new = [one for one in gone if one.erasure not in known or not set(one.digests) <= set(known[one.erasure].digests)]
    lines = [
        {
            "erasure": one.erasure,
            "at": one.at.isoformat(),
            "people": [person.hex() for person in one.people],
            "digests": [digest.hex() for digest in one.digests],
        }
        for one in new
    ]
    _add(keys, lines)
    return len(new)


def lift(keys: Path, digests: Sequence[bytes], at: datetime) -> None:
    """Adds that marks were lifted."""
    if digests:
        _add(keys, [{"lifted": [digest.hex() for digest in digests], "at": at.isoformat()}])


def read(path: Path) -> Journal:
    """A journal; an absent file is an empty one, a torn last line was never acknowledged. Raises Locked for what is none."""
    found = Journal()
    try:
        lines = path.read_text(encoding="ascii").split("\n")
        for number, line in enumerate(lines):
            if line and not (number == len(lines) - 1 and not _whole(line)):
                _take(found, json.loads(line))
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, TypeError):
        raise Locked("what this machine remembers of erasures cannot be read", code="erasures_behind") from None
    return found


def _take(found: Journal, line: dict[str, Any]) -> None:
    at = datetime.fromisoformat(line["at"])
    if "lifted" in line:
        found.lifted.append((at, tuple(bytes.fromhex(one) for one in line["lifted"])))
        return
    people, digests = (tuple(bytes.fromhex(one) for one in line[name]) for name in ("people", "digests"))
    before = found.erasures.get(line["erasure"])
    if before is not None:
        people, digests = tuple(dict.fromkeys(before.people + people)), tuple(dict.fromkeys(before.digests + digests))
    found.erasures[line["erasure"]] = Gone(line["erasure"], at, people, digests)


def _whole(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _add(keys: Path, lines: Sequence[dict[str, Any]]) -> None:
    path = place(keys)
    if not lines and path.exists():
        return
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        held = file.read()
        if held and not held.endswith(b"\n"):  # a kill tore the last line: it was never acknowledged
            file.truncate(held.rfind(b"\n") + 1)
        file.seek(0, os.SEEK_END)
        file.write("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode("ascii"))
        file.flush()
        os.fsync(file.fileno())
