"""The mark of a home into which a backup was restored and in which its erasures were not repeated yet.

Promise: it stands before the first restored byte and goes after the last repeated erasure, so that no kill in between leaves a home that serves.
"""

from __future__ import annotations

import os
from pathlib import Path

NAME = "restore-unfinished"


def waits(home: Path) -> bool:
    """Whether erasures have to be repeated before anything is served."""
    return (home / NAME).exists()


def begin(home: Path) -> None:
    """Sets the mark, through to the disk."""
    descriptor = os.open(home / NAME, os.O_CREAT | os.O_WRONLY, 0o600)
    os.fsync(descriptor)
    os.close(descriptor)
    folder = os.open(home, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def end(home: Path) -> None:
    """Takes the mark away."""
    (home / NAME).unlink(missing_ok=True)
