"""`piying import`, `flush`, `quarantine`: files in, the inbox into the lake, what failed in form."""

from __future__ import annotations

from pathlib import Path

import click

from app import intake
from app.cli.opening import opened
from app.cli.output import as_json, emit, table


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--source", required=True, help="Name of the source.")
@click.option("--mapping", required=True, type=click.Path(path_type=Path), help="Mapping file (TOML).")
@as_json
def import_command(file: Path, source: str, mapping: Path, json_: bool) -> None:
    """Import a CSV, JSON Lines or Parquet file (gzip too). Importing it again stores nothing twice."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=json_) as bar:
        task = bar.add_task("importing", total=None)
        result = intake.import_file(
            opened(),
            file,
            source_name=source,
            mapping_path=mapping,
            actor="cli",
            progress=lambda done, rows: bar.update(task, completed=done, total=rows),
        )
    emit(result, json_)


@click.command("flush")
@as_json
def flush_command(json_: bool) -> None:
    """Move what was admitted into the lake."""
    emit(intake.flush(opened()), json_)


@click.group("quarantine")
def quarantine_command() -> None:
    """List and replay items whose form failed."""


@quarantine_command.command("list")
@as_json
def list_(json_: bool) -> None:
    """List held items: where, which rule, until when; never a value."""
    held = intake.list_quarantine(opened())
    columns = ("id", "source", "position", "path", "rule", "expires_at")
    emit({"items": held}, json_, lambda: table(columns, [[str(one[column]) for column in columns] for one in held]))


@quarantine_command.command("replay")
@click.option("--source", required=True, help="Name of the source.")
@click.option("--mapping", type=click.Path(path_type=Path), help="Mapping file, for sources of kind file.")
@as_json
def replay(source: str, mapping: Path | None, json_: bool) -> None:
    """Send held items through the pipeline again; consent is asked at their time and now."""
    emit(intake.replay(opened(), source_name=source, mapping_path=mapping, actor="cli"), json_)
