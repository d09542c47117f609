"""A folder into which others put files: which of them are whole and new, and their rows.

Promise: a file is taken when it is whole (its sender renamed it into place, its size stood still, or its `.done` marker is there), once by
its content, whatever its name; reading that was cut short goes on behind the last stored row. Only plain files directly in the folder are
looked at: no link, no subfolder, no hidden name. A name may be somebody's, so a file is spoken of by eight letters of a keyed digest.
Must never learn: what is in a row.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion import cursors
from ingestion.cursors import Known, Notes, Place, Step, Steps
from privacy.errors import Invalid, NotFound, Unavailable

if TYPE_CHECKING:
    from datetime import datetime

    import sqlalchemy as sa

    from ingestion.mapping import FileMapping
    from privacy.records import Clock, RawBatch, SourceFacts

Files = Callable[[Path, int, int], Iterator["RawBatch"]]
"""Opens a file's batches of so many rows from a row on."""
DONE = "done"
"""The subfolder into which taken files are moved, where that was asked for."""
MARKER = ".done"
_PIECE = 1024 * 1024
_TAKEN = ("imported", "duplicate")
_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".gz")


@dataclass(frozen=True, slots=True)
class Folder:
    """What to watch. `settle` is how long a file must have stood still; `marker` asks for `NAME.done` instead; `then` is keep, move, delete."""

    path: str
    settle: int = 30
    marker: bool = False
    then: str = "keep"
    most_bytes: int = 1 << 40
    rows: int = 10_000


def defined(config: Mapping[str, object]) -> Folder:
    """A folder as a definition names it; raises Invalid."""
    words = cursors.checked(config, {"path": str, "settle": int, "marker": bool, "then": str}, ("path",))
    if not Path(words["path"]).is_absolute():
        raise Invalid("a folder is an absolute path", code="pull_invalid", field="path")
    if words.get("then", "keep") not in ("keep", "move", "delete"):
        raise Invalid("taken files are kept, moved or deleted", code="pull_invalid", field="then")
    return Folder(**words)


@dataclass(frozen=True, slots=True)
class _File:
    """A file as it stood when it was looked at."""

    path: Path
    mark: bytes
    facts: os.stat_result

    @property
    def stamp(self) -> str:
        return f"{self.facts.st_dev}:{self.facts.st_ino}:{self.facts.st_size}:{self.facts.st_mtime_ns}"

    def same(self) -> bool:
        """Whether it still is the file that was looked at, unchanged."""
        with suppress(OSError):
            return _File(self.path, self.mark, self.path.lstat()).stamp == self.stamp
        return False


def short(mark: bytes) -> str:
    """How a file is called where people see it."""
    return "file_" + mark.hex()[:8]


def read(
    folder: Folder, mapping: FileMapping, source: SourceFacts, places: Mapping[str, Place], known: Sequence[Known], *, notes: Notes,
    clock: Clock, files: Files,
) -> Steps:  # fmt: skip
    """Every whole new file's rows, oldest file first. A file that fails leaves its reason and stays; the others go on."""
    remembered = {one.name: one for one in known}
    contents = {one.content for one in known if one.state in _TAKEN}
    for file in _whole(folder, source, notes, clock()):
        before = remembered.get(file.mark)
        if before is not None and before.stamp == file.stamp and before.state != "importing":
            if before.state in _TAKEN:
                _finish(folder, file)
            continue
        told = Known(file.mark, None, file.stamp, "importing", None, clock())
        try:
            _fitting(folder, file)
            begun = before is not None and before.stamp == file.stamp
            content = before.content if begun and before is not None else notes.mark(source.id, _digest(file))
            told = replace(told, content=content)
            if content in contents:
                yield _noted(source, replace(told, state="duplicate"), folder, file)
                continue
            yield from _rows(folder, file, told, mapping, source, places, clock, files)
        except (Invalid, NotFound, OSError) as error:
            code = "file_unreadable" if isinstance(error, OSError) else error.code
            yield _noted(source, replace(told, state="failed", code=code), folder, None)
            continue
        contents.add(content)
        yield _noted(source, replace(told, state="imported"), folder, file)


def _rows(
    folder: Folder, file: _File, told: Known, mapping: FileMapping, source: SourceFacts, places: Mapping[str, Place], clock: Clock, files: Files
) -> Iterator[Step]:  # fmt: skip
    """A file's batches behind what was stored of it, as long as nobody changes it; a file goes on in the pieces in which it was begun."""
    part = next((one for one in places if one.startswith(_part(told))), f"{_part(told)}{folder.rows}")
    expected = places[part].number if part in places else None
    for raw in files(file.path, expected or 0, int(part.rpartition(":")[2])):
        if not file.same():
            raise Invalid("the file changed while it was read", code="file_changed")
        count = raw.table.num_rows if raw.table is not None else len(raw.items or ())
        end = raw.first + count
        yield Step(_settle(source, told, part, expected, end, clock), raw, mapping)
        expected = end
    if not file.same():
        raise Invalid("the file changed while it was read", code="file_changed")


def _settle(source: SourceFacts, told: Known, part: str, expected: int | None, end: int, clock: Clock) -> Callable[[sa.Connection], None]:
    def settle(tx: sa.Connection) -> None:
        cursors.move(tx, source.id, part, end, expected=expected, now=clock())
        if expected is None:
            cursors.note_file(tx, source.id, told)

    return settle


def _part(told: Known) -> str:
    return f"{(told.content or b'').hex()}:"


def _noted(source: SourceFacts, known: Known, folder: Folder, file: _File | None) -> Step:
    """What became of a file, and then what its owner asked to do with it."""

    def settle(tx: sa.Connection) -> None:
        cursors.note_file(tx, source.id, known)
        if known.state in _TAKEN:
            cursors.forget(tx, source.id, [one for one in cursors.positions(tx, source.id) if one.startswith(_part(known))])

    after = None if file is None else (lambda: _finish(folder, file))
    return Step(settle, counts={f"files_{known.state}": 1}, after=after)


# ── the folder ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _whole(folder: Folder, source: SourceFacts, notes: Notes, now: datetime) -> list[_File]:
    """Plain files that nobody is writing any more, oldest first."""
    root = Path(folder.path)
    found = []
    try:
        if not stat.S_ISDIR(root.lstat().st_mode):
            raise Invalid("the watched place is no folder", code="folder_unknown", field="folder")
        with os.scandir(root) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.name.endswith((MARKER, ".tmp", ".part")) or not entry.is_file(follow_symlinks=False):
                    continue
                facts = entry.stat(follow_symlinks=False)
                path = root / entry.name
                if _is_whole(folder, path, facts, now):
                    found.append(_File(path, notes.mark(source.id, b"name\x1f" + os.fsencode(entry.name)), facts))
    except OSError:
        raise Unavailable("the watched folder cannot be read", code="folder_unreadable", retry_after=60) from None
    return sorted(found, key=lambda one: (one.facts.st_mtime_ns, one.mark))


def _is_whole(folder: Folder, path: Path, facts: os.stat_result, now: datetime) -> bool:
    if folder.marker:
        return path.with_name(path.name + MARKER).exists()
    changed = max(facts.st_mtime, facts.st_ctime)
    return now.timestamp() - changed >= timedelta(seconds=folder.settle).total_seconds()


def _fitting(folder: Folder, file: _File) -> None:
    if file.facts.st_size == 0:
        raise Invalid("the file is empty", code="file_empty")
    if file.facts.st_size > folder.most_bytes:
        raise Invalid("the file is larger than `limits.upload_bytes`", code="file_too_large")


def _digest(file: _File) -> bytes:
    """The digest of the content, read from the very file that was looked at."""
    state = hashlib.sha256()
    try:
        descriptor = os.open(file.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as opened:
            while piece := opened.read(_PIECE):
                state.update(piece)
    except OSError:
        raise Invalid("the file cannot be read by this account", code="file_unreadable") from None
    if not file.same():
        raise Invalid("the file changed while it was read", code="file_changed")
    return state.digest()


def _finish(folder: Folder, file: _File) -> None:
    """Keeps, moves or deletes a taken file; what cannot be done now is tried at the next look."""
    if folder.then == "keep" or not file.same():
        return
    marker = file.path.with_name(file.path.name + MARKER)
    with suppress(OSError):
        if folder.then == "delete":
            file.path.unlink()
        else:
            done = file.path.parent / DONE
            done.mkdir(mode=0o700, exist_ok=True)
            if not stat.S_ISDIR(done.lstat().st_mode):
                return
            suffix = "".join(one for one in file.path.suffixes[-2:] if one.lower() in _SUFFIXES)
            os.replace(file.path, done / f"{short(file.mark)}-{file.facts.st_mtime_ns}{suffix}")
        marker.unlink(missing_ok=True)
