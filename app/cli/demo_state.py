"""How far a demonstration has come, kept in the home folder: whoever was interrupted goes on.

Promise: written whole or not at all. Holds counts, months and what was planted; no identifier and no key.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from privacy.errors import Conflict

NAME = "demo.json"
ERASURES = "demo-erase.csv"


@dataclass(slots=True)
class State:
    """What was asked for, and what is done of it."""

    dataset: str
    members: int
    until: str
    months: int
    done: dict[str, dict[str, Any]] = field(default_factory=dict)
    """File → its counts."""
    truth: dict[str, Any] = field(default_factory=dict)
    taken: bool = False
    """Whether every file is in."""
    complete: bool = False
    """Whether the months are closed, too."""

    def save(self, home: Path) -> None:
        """Replaces what was kept."""
        path = home / NAME
        new = path.with_suffix(".new")
        new.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        os.replace(new, path)


def load(home: Path, asked: State) -> State:
    """What was kept, or the beginning. Raises Conflict where the folder holds another demonstration."""
    path = home / NAME
    if not path.exists():
        return asked
    kept = State(**json.loads(path.read_text(encoding="utf-8")))
    if (kept.dataset, kept.members, kept.until, kept.months) != (asked.dataset, asked.members, asked.until, asked.months):
        raise Conflict(
            f"{home} holds another demonstration ({kept.dataset}, {kept.members:,} members, {kept.months} months until {kept.until}): "
            "name an empty folder with PIYING_HOME, or delete this one",
            code="demo_other",
        )
    return kept


def note_erasures(home: Path, cards: tuple[str, ...]) -> None:
    """Lists by card number who is to be erased."""
    path = home / ERASURES
    path.touch(mode=0o600)
    path.write_text("\n".join(["member_card", *cards, ""]), encoding="utf-8")
