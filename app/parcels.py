"""Uploaded files on the disk: blocks that are sealed before they are written, one file an upload.

Promise: nothing of an upload is on the disk in clear; a block that was acknowledged is on the disk, and what a crash left behind the
last acknowledged one is cut off before anything is added. One writer at a time. Reading gives the plain bytes, in any order, with a
block or two in memory. Must never learn: what the bytes mean.
"""

from __future__ import annotations

import bisect
import fcntl
import io
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from privacy.errors import Conflict, NotFound, Unavailable

BLOCK = 1 << 20
"""Bytes that are sealed together."""
_FRAME = struct.Struct(">QII")
"""Before each sealed block: its place in the plain file, its plain length, its sealed length."""


class Seal(Protocol):
    """Seals blocks of a parcel for their place."""

    def seal(self, parcel: str, offset: int, block: bytes) -> bytes: ...

    def unseal(self, parcel: str, offset: int, block: bytes) -> bytes: ...


def path_of(folder: Path, parcel: str) -> Path:
    """Where a parcel lies. Its id is ours, never a name that somebody sent."""
    return folder / f"{parcel}.sealed"


class Writer:
    """Adds to a parcel; holds it alone."""

    def __init__(self, file: IO[bytes], parcel: str, seal: Seal) -> None:
        self._file, self._parcel, self._seal = file, parcel, seal

    def cut(self, sealed_bytes: int) -> None:
        """Forgets what stands behind the last acknowledged block."""
        self._file.truncate(sealed_bytes)
        self._file.seek(sealed_bytes)

    def add(self, offset: int, block: bytes) -> int:
        """Seals and writes a block, through to the disk; gives the file's length."""
        sealed = self._seal.seal(self._parcel, offset, block)
        try:
            self._file.write(_FRAME.pack(offset, len(block), len(sealed)) + sealed)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError:
            raise Unavailable("the disk of the uploads cannot be written", code="disk_full", retry_after=60) from None
        return self._file.tell()


@contextmanager
def writing(folder: Path, parcel: str, seal: Seal) -> Iterator[Writer]:
    """The parcel for adding to it; raises Conflict while somebody else adds to it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path_of(folder, parcel), os.O_CREAT | os.O_RDWR, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict("another request is uploading this file", code="upload_busy", retry_after=1) from None
        yield Writer(file, parcel, seal)


def remove(folder: Path, parcel: str) -> None:
    """Deletes a parcel; its key has to be destroyed as well."""
    path_of(folder, parcel).unlink(missing_ok=True)


def opener(folder: Path, parcel: str, seal: Seal, sealed_bytes: int) -> Callable[[], IO[bytes]]:
    """Opens the plain bytes of a parcel, as often as one likes."""
    return lambda: io.BufferedReader(_Reader(path_of(folder, parcel), parcel, seal, sealed_bytes), BLOCK)


class _Reader(io.RawIOBase):
    """The plain bytes of a parcel, as a file that can seek."""

    def __init__(self, path: Path, parcel: str, seal: Seal, sealed_bytes: int) -> None:
        try:
            self._file = path.open("rb")
        except FileNotFoundError:
            raise NotFound("the uploaded file is gone", code="upload_gone") from None
        self._parcel, self._seal = parcel, seal
        self._starts: list[int] = []
        self._places: list[tuple[int, int]] = []
        self._size = self._index(sealed_bytes)
        self._at = 0
        self._block: tuple[int, bytes] = (0, b"")

    def _index(self, sealed_bytes: int) -> int:
        place = end = 0
        while place < sealed_bytes:
            self._file.seek(place)
            offset, plain, sealed = _FRAME.unpack(self._file.read(_FRAME.size))
            self._starts.append(offset)
            self._places.append((place + _FRAME.size, sealed))
            place, end = place + _FRAME.size + sealed, offset + plain
        return end

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, target: Any) -> int:
        if self._at >= self._size:
            return 0
        start, block = self._block
        if not start <= self._at < start + len(block):
            number = bisect.bisect_right(self._starts, self._at) - 1
            start = self._starts[number]
            place, length = self._places[number]
            self._file.seek(place)
            block = self._seal.unseal(self._parcel, start, self._file.read(length))
            self._block = (start, block)
        given = block[self._at - start : self._at - start + len(target)]
        target[: len(given)] = given
        self._at += len(given)
        return len(given)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()
