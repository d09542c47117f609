"""What a maker of invented data hands on: its files, and what is true of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Expected:
    """What is to become of a file's rows."""

    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0
    refused: int = 0

    @property
    def made(self) -> int:
        """All of them."""
        return self.stored + self.duplicate + self.quarantined + self.refused


@dataclass(frozen=True, slots=True)
class File:
    """A file, whose it is, the mapping that reads it, how many rows it has and, where that is planned, what is to become of them.
    A `live` file's rows are messages, which are sent over a socket where there is one."""

    name: str
    source: str
    mapping: str
    path: Path
    rows: int
    expected: Expected | None = None
    live: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """The files in the order in which they go in."""

    files: tuple[File, ...]
    truth: Mapping[str, float]
    """What was planted, fact by fact; empty where nothing was."""
    erasures: tuple[str, ...]
    """Card numbers of those who are to be erased."""
    namespace: str
    """Of the sources' openids; empty where each source is its own."""
