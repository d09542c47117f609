"""The files of an audit pack, and the ZIP around them: the same log range gives the same bytes.

Promise: pure; every file is canonical JSON, RFC 4180 CSV or Markdown, in one order; the archive stores without compression, because compressors
change with their version, under one time for all. A manifest names every file with its SHA-256; the signature over it is an argument.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

FORMAT = "piying-audit-pack-1"
MANIFEST, SIGNATURE, KEYS = "manifest.json", "manifest.jws", "jwks.json"
_TIME = (1980, 1, 1, 0, 0, 0)
"""The first moment that a ZIP can name."""
_MODE = 0o644 << 16
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_json(value: Any) -> bytes:
    """Canonical JSON: sorted names, UTF-8, a line's end."""
    return (json.dumps(value, sort_keys=True, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A table for spreadsheets: UTF-8 with its mark, no cell that would run as a formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    return b"\xef\xbb\xbf" + buffer.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        value = "; ".join(map(str, value))
    if isinstance(value, Mapping):
        value = json.dumps(value, sort_keys=True, ensure_ascii=False)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return "'" + text if text.startswith(_FORMULA) and not text.lstrip("-").isdigit() else text


def manifest(files: Mapping[str, bytes], about: Mapping[str, Any]) -> bytes:
    """What is signed: the format, what the pack is about, and every file's length and SHA-256."""
    listed = {name: {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()} for name, raw in files.items()}
    return as_json({"format": FORMAT, **about, "files": listed})


def zipped(files: Mapping[str, bytes]) -> bytes:
    """The archive of files, in the order of their names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.create_system, entry.external_attr = 3, _MODE
            archive.writestr(entry, files[name])
    return buffer.getvalue()


def unzipped(raw: bytes) -> dict[str, bytes]:
    """The files of an archive; raises ValueError where it is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except zipfile.BadZipFile:
        raise ValueError("this is no ZIP") from None


def differing(files: Mapping[str, bytes]) -> list[str]:
    """The files of a pack that are not what its manifest says, too few or too many; the signature is another question."""
    said = json.loads(files[MANIFEST])["files"]
    wrong = [name for name, one in said.items() if hashlib.sha256(files.get(name, b"")).hexdigest() != one["sha256"]]
    return sorted({*wrong, *(set(files) - set(said) - {MANIFEST, SIGNATURE, KEYS})})
