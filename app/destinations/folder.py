"""Lays a parcel into a folder that the recipient empties.

Promise: a file appears whole or not at all, once a key, with its signature beside it; it counts as acknowledged when the recipient has put `NAME.ack`
beside it or took it away after it was laid down, as `offered` until then. It never leaves the folder it was given and follows no link.
Transport only: it must never learn what it carries.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from privacy.carriage import Parcel, Sent

_NAME = re.compile(r"[a-z0-9][A-Za-z0-9_.-]{0,120}\Z")
_KEY = re.compile(r"[0-9a-f]{16,64}\Z")
KEYS = ".keys"
"""Marks of what was laid down once."""


@dataclass(frozen=True, slots=True)
class Drop:
    """One recipient's folder."""

    folder: Path

    def look(self, key: str, name: str) -> Sent | None:
        """Whether what was laid down is taken; None for what was not laid down."""
        if not _NAME.match(name) or not _KEY.match(key) or not (self.folder / KEYS / key).exists():
            return None
        if (self.folder / f"{name}.ack").is_file():
            return Sent("acknowledged", "acknowledged_file")
        return Sent("offered", "waits_in_folder") if (self.folder / name).exists() else Sent("acknowledged", "taken")

    def send(self, parcel: Parcel) -> Sent:
        """Lays the parcel down, once."""
        if not _NAME.match(parcel.name) or not _KEY.match(parcel.key):
            return Sent("refused", "name_malformed", reached=False)
        try:
            return self.look(parcel.key, parcel.name) or self._lay(parcel)
        except FileNotFoundError:
            return Sent("again", "folder_missing", reached=False)
        except OSError:
            return Sent("again", "folder_failed")

    def _lay(self, parcel: Parcel) -> Sent:
        if not self.folder.is_dir() or self.folder.is_symlink():
            return Sent("again", "folder_missing", reached=False)
        mark = self.folder / KEYS / parcel.key
        mark.parent.mkdir(mode=0o700, exist_ok=True)
        self._put(self.folder / f"{parcel.name}.sig", parcel.signature.encode())
        self._put(self.folder / parcel.name, parcel.body)
        self._put(mark, b"")
        return Sent("offered", "laid_down")

    def _put(self, path: Path, content: bytes) -> None:
        waiting = path.with_name(f".{path.name}.part")
        with suppress(FileNotFoundError):
            waiting.unlink()
        handle = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o640)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        waiting.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
