"""A backup: both stores and the lake in one folder; keys in a file of their own; the people's keys in a third, which ends within days.

Promise: the folder opens nothing without the other two, and neither is ever inside it; it is complete when it has its name, never before. The
file of the people's keys says until when it may be used, and `restore` keeps to that: who was erased is in no copy any longer than that.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import dumps, journal, remembered
from privacy.errors import Conflict, Invalid
from privacy.vocabulary import LogKind

if TYPE_CHECKING:
    from app.wiring import Services

FORMAT = "piying-backup-1"
KEYS, DATA_KEYS = ".keys", ".data-keys"
"""What the two files beside the folder are called after its name."""
MANIFEST = "backup.json"
LAKE = "lake"
APART = ("data_key", "ephemeral_key", "erasure_slip")
"""Tables of the vault that stay out of the folder: with them every sealed value opens."""


def make(services: Services, folder: Path, *, actor: str) -> dict[str, Any]:
    """Makes a backup; the lake is not written meanwhile."""
    folder = folder.absolute()
    if folder.exists():
        raise Conflict("a backup goes into a new folder", code="backup_exists", field="folder")
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700, parents=True)
    now = services.clock()
    with services.begin_jobs() as tx:
        services.log(tx, LogKind.SYSTEM, "backup.make", actor=actor, facts={"until": now + _kept(services)})
    with services.lake_lease():
        dumps.save(services.stores.platform_owner, part, "platform", ())
        rows = dumps.save(services.stores.vault_owner, part, "vault", APART)
        lake = services.save_lake(part / LAKE)
    until = now + _kept(services)
    remembers = journal.read(journal.place(services.settings.keys_path))
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "deployment": services.deployment(),
        "made_at": now.isoformat(),
        "database": "sqlite" if services.stores.vault_owner.on_sqlite else "postgresql",
        "erasures": len(remembers.erasures),
        "lake": lake,
        "files": digests(part),
    }
    head = {"format": FORMAT, "deployment": manifest["deployment"], "made_at": now.isoformat()}
    _write(folder.with_name(folder.name + DATA_KEYS), head | {"until": until.isoformat(), "tables": rows})
    _write(folder.with_name(folder.name + KEYS), head | _own_files(services.settings.keys_path))
    _write(part / MANIFEST, manifest)
    part.replace(folder)
    return {
        "folder": str(folder),
        "keys": str(folder.with_name(folder.name + KEYS)),
        "data_keys": str(folder.with_name(folder.name + DATA_KEYS)),
        "data_keys_until": until.isoformat(),
        "files": len(manifest["files"]),
        "ended": _end_old(folder.parent, now),
    }


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file under a folder but the manifest."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != MANIFEST:
            with path.open("rb") as file:
                found[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def read(path: Path) -> dict[str, Any]:
    """A manifest or a file of keys; raises Invalid for what is none of ours."""
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if told["format"] != FORMAT:
            raise ValueError
        datetime.fromisoformat(told["made_at"])
    except (OSError, ValueError, KeyError, TypeError):
        raise Invalid("this is no backup of ours, or not all of one", code="backup_unreadable", field="folder") from None
    return told


def _own_files(keys: Path) -> dict[str, str | None]:
    """What lies beside the stores: the key file, what is remembered of the ledger and of erasures."""
    named = {"keyring": keys, "checkpoint": remembered.place(keys), "erased": journal.place(keys)}
    return {name: path.read_text(encoding="utf-8") if path.is_file() else None for name, path in named.items()}


def _write(path: Path, told: Mapping[str, Any]) -> None:
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(told, file)
        file.flush()
        os.fsync(file.fileno())


def _kept(services: Services) -> timedelta:
    return timedelta(days=services.settings.retention.data_key_days)


def _end_old(parent: Path, now: datetime) -> int:
    """Deletes files of people's keys beside this backup whose time is over; returns how many."""
    ended = 0
    for path in sorted(parent.glob(f"*{DATA_KEYS}")):
        try:
            over = datetime.fromisoformat(read(path)["until"]) <= now
        except (Invalid, KeyError, ValueError):
            continue
        if over:
            path.unlink()
            ended += 1
    return ended
