"""A backup put back into an empty home, and everything that was erased since erased again before anything is served.

Promise: a mark stands from before the first byte until the last erasure was repeated; while it stands, or while a store is older than what
this machine remembers of erasures, the keys stay locked and /readyz is red. People's keys that are over their time are not taken. Whoever is
in the journal is in no store afterwards. Everything may be killed and repeated.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import backups, dumps, erasing, housekeeping, imports, journal, remembered, restored
from privacy.errors import Conflict, Invalid, Unavailable
from privacy.vocabulary import LogKind

if TYPE_CHECKING:
    from app.settings import Settings
    from app.stores import Stores
    from app.wiring import Services


def check(folder: Path) -> dict[str, Any]:
    """The manifest of a whole backup; raises Invalid where a file is missing, changed or too many."""
    manifest = backups.read(folder / backups.MANIFEST)
    if backups.digests(folder) != manifest["files"]:
        raise Invalid("a file of the backup is missing or was changed", code="backup_damaged", field="folder")
    return manifest


def put_keys(settings: Settings, keys: Path | None, tombstones: Path | None, deployment: str) -> None:
    """The key file and what lies beside it, where they are missing; then the journal of erasures, from everywhere it is known."""
    place = settings.keys_path
    given = {} if keys is None else backups.read(keys)
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not place.exists():
        if not given.get("keyring"):
            raise Invalid("the keys are not here: name the backup's file of keys", code="restore_keys_missing", field="keys")
        _write(place, str(given["keyring"]))
    if json.loads(place.read_text(encoding="utf-8")).get("deployment") != deployment:
        raise Conflict("the keys are those of another deployment", code="keys_foreign", field="keys")
    if given.get("checkpoint") and not remembered.place(place).exists():
        _write(remembered.place(place), str(given["checkpoint"]))
    if given.get("erased"):
        part = place.with_name("erased.part")
        _write(part, str(given["erased"]))
        _take_in(place, journal.read(part))
        part.unlink()
    if tombstones is not None:
        _take_in(place, journal.read(tombstones))


def put_stores(settings: Settings, stores: Stores, folder: Path, manifest: Mapping[str, Any], make: Mapping[str, Any]) -> None:
    """Both stores into their empty places. `make` has what makes each store's tables."""
    kind = "sqlite" if stores.vault_owner.on_sqlite else "postgresql"
    if manifest["database"] != kind:
        raise Conflict("the backup is of another kind of database", code="backup_other_store", field="folder")
    if not restored.waits(settings.home):
        for store in (stores.vault_owner, stores.platform_owner):
            if _filled(store):
                raise Conflict("a backup is restored into an empty home", code="restore_not_empty")
        restored.begin(settings.home)
    dumps.restore(stores.platform_owner, folder, "platform", make["platform"])
    dumps.restore(stores.vault_owner, folder, "vault", make["vault"])


def put_rest(services: Services, folder: Path, manifest: Mapping[str, Any], data_keys: Path | None) -> dict[str, Any]:
    """The people's keys, if their time is not over, and the lake."""
    number, why = 0, "none_given"
    if data_keys is not None:
        given = backups.read(data_keys)
        if given["deployment"] != manifest["deployment"]:
            raise Conflict("the people's keys are those of another deployment", code="keys_foreign", field="data_keys")
        why = "over" if datetime.fromisoformat(given["until"]) <= services.clock() else "taken"
        if why == "taken":
            number = dumps.fill(services.stores.vault_owner, given["tables"])
    places = services.load_lake(folder / backups.LAKE, manifest["lake"])
    with services.stores.platform_owner.begin() as tx:
        imports.move_files(tx, places)
    with services.begin_jobs() as tx:
        housekeeping.end_leases(tx)
        services.log(tx, LogKind.SYSTEM, "backup.restore", actor="cli", facts={"keys": number, "data_keys": why})
    return {"data_keys": number, "data_keys_were": why, "lake_files": len(places)}


def replay(services: Services) -> dict[str, Any]:
    """Erases again whoever this machine remembers as erased and a store does not; then the mark goes."""
    missing = services.forgotten() if not restored.waits(services.settings.home) else list(services.remembered_erasures().erasures.values())
    for gone in missing:
        services.erasures.begin_again(gone)
    for at, digests in services.remembered_erasures().standing_lifts():
        services.erasures.lift_again(digests, at)
    if missing:
        erasing.run(services)
    left = [one.id for one in services.erasures.running() if one.id in {gone.erasure for gone in missing}]
    if left:
        raise Unavailable(f"{len(left)} erasure(s) could not be repeated yet", code="restore_unfinished", retry_after=60)
    restored.end(services.settings.home)
    return {"replayed": len(missing)}


def _take_in(keys: Path, known: journal.Journal) -> None:
    """Adds a journal to that of this machine."""
    journal.keep(keys, known.erasures.values())
    have = set(journal.read(journal.place(keys)).lifted)
    for at, digests in known.lifted:
        if (at, digests) not in have:
            journal.lift(keys, digests, at)


def _filled(store: Any) -> bool:
    import sqlalchemy as sa

    if store.on_sqlite:
        path = Path(str(sa.make_url(store.url).database))
        return path.exists() and path.stat().st_size > 0
    with store.read() as tx:
        return bool(sa.inspect(tx).get_table_names())


def _write(path: Path, text: str) -> None:
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def remembers(settings: Settings) -> bool:
    """Whether a journal of erasures lies beside the keys of this machine."""
    return journal.place(settings.keys_path).exists()
