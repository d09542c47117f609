"""`piying import`, `flush`, `quarantine`: files in, the inbox into the lake, what failed in form."""

from __future__ import annotations

from pathlib import Path

import click

from app import holding, imported, intake, previews, undoing
from app.cli.opening import opened
from app.cli.output import as_json, emit, table


class WithFile(click.Group):
    """`piying import FILE …` imports; the words that are no file's name are the commands below it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, "-h", "--help"}:
            args.insert(0, "file")
        return super().parse_args(ctx, args)


@click.group("import", cls=WithFile)
def import_command() -> None:
    """Import a file by a mapping.

    The command itself is `piying import FILE --source NAME --mapping FILE`; what goes with it stands below.
    """


@import_command.command("file")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--source", required=True, help="Name of the source.")
@click.option("--mapping", required=True, type=click.Path(path_type=Path), help="Mapping file (TOML).")
@click.option("--errors", type=click.Path(path_type=Path), help="Write row, path and rule of what was not stored to this file.")
@click.option("--dry-run", is_flag=True, help="Store nothing: what would become of the rows as far as their form goes.")
@as_json
def import_file_command(file: Path, source: str, mapping: Path, errors: Path | None, dry_run: bool, json_: bool) -> None:
    """Import a CSV, JSON Lines or Parquet file (gzip too). Importing it again stores nothing twice."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    services = opened()
    if dry_run:
        emit(previews.try_file(services, file, source_name=source, mapping_path=mapping), json_)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=json_) as bar:
        task = bar.add_task("importing", total=None)
        result = intake.import_file(
            services,
            file,
            source_name=source,
            mapping_path=mapping,
            actor="cli",
            progress=lambda done, rows: bar.update(task, completed=done, total=rows),
        )
    if errors is not None:
        with errors.open("w", encoding="utf-8", newline="") as target:
            imported.write_errors(services, result["import"], target)
    emit(result, json_)


@import_command.command("guess")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--source", required=True, help="Name of the source.")
@click.option("--record", help="Kind of record, if the guess is wrong.")
@as_json
def guess(file: Path, source: str, record: str | None, json_: bool) -> None:
    """Propose a mapping for a file: what each column seems to be, and why."""
    told = previews.guess_file(opened(), file, source_name=source, record=record)
    emit(told, json_, lambda: click.echo(told["mapping"]))


@import_command.command("list")
@as_json
def list_imports(json_: bool) -> None:
    """List the newest imports with their states."""
    listed = imported.listing(opened(), None, exact=True)
    columns = ("import", "source", "state", "created_at", "undo_until")
    emit(listed, json_, lambda: table(columns, [[str(one[column]) for column in columns] for one in listed["items"]]))


@import_command.command("undo")
@click.argument("import_id")
@as_json
def undo(import_id: str, json_: bool) -> None:
    """Take an import's rows back: within 24 hours, and where nothing that stays has read them. Acts of consent stay."""
    emit(undoing.undo(opened(), import_id, actor="cli"), json_)


@click.command("flush")
@as_json
def flush_command(json_: bool) -> None:
    """Move what was admitted into the lake."""
    emit(intake.flush(opened()), json_)


@click.group("quarantine")
def quarantine_command() -> None:
    """List and replay items whose form failed."""


@quarantine_command.command("list")
@click.option("--source", help="Only of this source (src_…).")
@click.option("--rule", help="Only what broke this rule.")
@click.option("--path", help="Only what failed at this field.")
@click.option("--after", default=0, help="Behind this cursor.")
@as_json
def list_(source: str | None, rule: str | None, path: str | None, after: int, json_: bool) -> None:
    """List held items: where, which rule, until when; never a value."""
    page = holding.page(opened(), source, rule=rule, path=path, after=after, limit=1000)
    columns = ("id", "source", "position", "path", "rule", "expires_at")
    emit(page, json_, lambda: table(columns, [[str(one[column]) for column in columns] for one in page["items"]]))


@quarantine_command.command("counts")
@as_json
def counts(json_: bool) -> None:
    """Count held items by source, path and rule."""
    listed = holding.counts(opened())
    columns = ("source", "path", "rule", "number", "first_ends")
    emit({"items": listed}, json_, lambda: table(columns, [[one[column] for column in columns] for one in listed]))


@quarantine_command.command("replay")
@click.option("--source", required=True, help="Name of the source.")
@click.option("--mapping", type=click.Path(path_type=Path), help="Mapping file, for sources whose rows are read by one.")
@click.option("--rule", help="Only what broke this rule.")
@click.option("--path", help="Only what failed at this field.")
@as_json
def replay(source: str, mapping: Path | None, rule: str | None, path: str | None, json_: bool) -> None:
    """Send held items through the pipeline again; consent is asked at their time and now."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), disable=json_) as bar:
        task = bar.add_task("replaying", total=None)
        told = holding.replay(
            opened(),
            source_name=source,
            mapping_path=mapping,
            actor="cli",
            rule=rule,
            path=path,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    emit(told, json_)
