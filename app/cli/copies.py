"""`piying backup`, `restore`, `retention`: copies of everything, put back without those who were erased; what time ends."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click
import sqlalchemy as sa

from app.cli.opening import opened
from app.cli.output import as_json, emit, table

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("backup")
@click.argument("folder", type=click.Path(path_type=Path))
@as_json
def backup_command(folder: Path, json_: bool) -> None:
    """Copy stores and lake into a new FOLDER; keys into FOLDER.keys, the people's keys into FOLDER.data-keys, never together."""
    from app import backups

    emit(backups.make(opened(), folder, actor="cli"), json_)


@click.command("restore")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--keys", type=FILE, help="The backup's file of keys; not needed where the keys are still in place.")
@click.option("--data-keys", type=FILE, help="The backup's file of the people's keys, if its time is not over.")
@click.option("--tombstones", type=FILE, help="erased.jsonl from beside the keys of the machine that ran until now.")
@click.option("--replay", is_flag=True, help="Only repeat the erasures that this machine remembers.")
@as_json
def restore_command(
    folder: Path | None, keys: Path | None, data_keys: Path | None, tombstones: Path | None, replay: bool, json_: bool
) -> None:
    """Put a backup into the empty PIYING_HOME and erase again whoever was erased since; only then anything is served."""
    from app import restoring
    from app.settings import home_folder, load
    from app.stores import open_stores
    from migrations import grants, run
    from privacy.errors import Invalid

    if replay == (folder is not None):
        raise click.UsageError("name a FOLDER, or --replay")
    told: dict[str, object] = {}
    home = home_folder().resolve()
    settings = load(home)
    if folder is not None:
        manifest = restoring.check(folder)
        for place in (home, settings.keys_path.parent, settings.lake_path, settings.temp_path):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if tombstones is None and not restoring.remembers(settings):
            raise Invalid("nothing here says who was erased since: name --tombstones", code="tombstones_missing", field="tombstones")
        restoring.put_keys(settings, keys, tombstones, str(manifest["deployment"]))

        def make(store: run.StoreName) -> object:
            def tables(tx: sa.Connection) -> None:
                run.upgrade(tx, store)
                grants.apply(tx, store)

            return tables

        with closing(open_stores(settings)) as stores:
            restoring.put_stores(settings, stores, folder, manifest, {name: make(name) for name in run.STORES})
        told |= restoring.put_rest(opened(checking=True), folder, manifest, data_keys)
    told |= restoring.replay(opened(checking=True))
    opened()
    emit(told, json_)


@click.command("retention")
@click.option("--dry-run", is_flag=True, help="Show what would end, and when; change nothing.")
@as_json
def retention_command(dry_run: bool, json_: bool) -> None:
    """End what is over its time, or show what will end next, the earliest first."""
    from app import retaining

    services = opened()
    if not dry_run:
        emit(dict(retaining.run(services)), json_)
        return
    items = retaining.due(services)
    rows = [[one["ends"] or "", one["what"], one["now"], one["held"], one["kept"], one["law"]] for one in items]
    emit({"items": items}, json_, lambda: table(("ends next", "what", "over now", "held", "kept", "law"), rows))
