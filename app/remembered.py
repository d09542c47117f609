"""What this machine remembers of the ledger outside the stores: the last signed checkpoint, how many charges there were and how much.

Promise: a small file beside the keys, for its owner alone, replaced whole; a backup of the stores does not hold it, so that an old backup
cannot bring spent budget back unseen. It holds a note that is public and two sums of prices.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from privacy.errors import Locked

NAME = "checkpoint.json"


@dataclass(frozen=True, slots=True)
class Remembered:
    """The signed note, and the ledger's charges at that time: their number and their sum in nano-ρ."""

    note: str
    charges: int
    rho_nano: int


def place(keys: Path) -> Path:
    """Where it lies: beside the key file."""
    return keys.with_name(NAME)


def keep(keys: Path, known: Remembered) -> None:
    """Replaces what was remembered."""
    path = place(keys)
    part = path.with_suffix(f".{os.getpid()}")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump({"note": known.note, "charges": known.charges, "rho_nano": known.rho_nano}, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def read(keys: Path) -> Remembered | None:
    """What was remembered; None where nothing was yet. What cannot be read is no reason to serve: raises Locked."""
    try:
        held = json.loads(place(keys).read_text(encoding="utf-8"))
        return Remembered(str(held["note"]), int(held["charges"]), int(held["rho_nano"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise Locked("what this machine remembers of the ledger cannot be read", code="ledger_behind") from None
