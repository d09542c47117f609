"""`piying pull`: databases, streams and folders that we read ourselves."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from app import pulls
from app.cli.opening import opened
from app.cli.output import as_json, emit, table
from privacy.errors import NotFound


@click.group("pull")
def pull_command() -> None:
    """Read databases, streams and watched folders."""


@pull_command.command("add")
@click.argument("name")
@click.option(
    "--mapping", type=click.Path(path_type=Path), help="Mapping file (TOML); without one a stream holds messages in Segment's form."
)
@click.option("--every", default=60, show_default=True, help="Seconds between two looks.")
@click.option("--address", default="", help="Name under which the address is found (PIYING_SOURCE_NAME_URL); default: the source's name.")
@click.option("--table", "table_name", default="", help="Database: table or view.")
@click.option("--schema", default="", help="Database: schema of the table.")
@click.option("--watermark", default="", help="Database: the column that grows with every change, a time or a whole number.")
@click.option("--key", multiple=True, help="Database: a column that tells rows apart, where the table has no primary key.")
@click.option(
    "--lookback", default=0, help="Database: seconds (of a number: units) behind the watermark that are read again for late rows."
)
@click.option("--topic", default="", help="Stream: the topic.")
@click.option("--folder", default="", help="Folder: its absolute path.")
@click.option("--settle", type=int, help="Folder: seconds that a file must have stood still; default: 30.")
@click.option("--marker", is_flag=True, help="Folder: take a file when NAME.done stands beside it.")
@click.option("--then", default="", help="Folder: keep (default), move into `done`, or delete what was taken.")
@as_json
def add(name: str, mapping: Path | None, every: int, folder: str, table_name: str, json_: bool, **words: Any) -> None:
    """Define the pull of a source of kind database, stream or file."""
    try:
        text = "" if mapping is None else mapping.read_text("utf-8")
    except OSError:
        raise NotFound("there is no such mapping file", code="mapping_unknown", field="mapping") from None
    config = {**words, "key": list(words["key"]), "name": table_name, "path": folder, "mapping": text}
    config = {word: value for word, value in config.items() if value not in (0, False) or word == "settle"}
    emit(pulls.add(opened(), name, config, every=every, actor="cli"), json_)


@pull_command.command("list")
@as_json
def list_(json_: bool) -> None:
    """List pulls, when they last ran and how that ended; failed files by short names."""
    listed = pulls.listing(opened())
    columns = ("name", "kind", "every", "paused", "last_at", "failures", "error_code")
    emit({"items": listed}, json_, lambda: _shown(columns, listed))


def _shown(columns: tuple[str, ...], listed: list[dict[str, Any]]) -> None:
    table(columns, [["" if one[column] is None else one[column] for column in columns] for one in listed])
    failed = [(one["name"], file["file"], file["code"]) for one in listed for file in one["files_failed"]]
    if failed:
        table(("name", "file", "code"), failed)


@pull_command.command("run")
@click.argument("name")
@click.option("--seconds", type=float, help="Stop after so many seconds; default: when everything was read.")
@click.option("--follow", is_flag=True, help="Go on until stopped, for a stream of its own process.")
@click.option("--again", is_flag=True, help="Folder: try files again that failed.")
@as_json
def run(name: str, seconds: float | None, follow: bool, again: bool, json_: bool) -> None:
    """Read a source now; SIGTERM ends it behind the batch at hand."""
    with _until_signalled() as stopping:
        done = pulls.run(opened(), name, seconds=seconds, stopped=stopping.is_set, follow=follow, again=again)
    emit(done, json_)


@contextmanager
def _until_signalled() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set, instead of ending the process."""
    stopping = threading.Event()
    before = {number: signal.signal(number, lambda *_: stopping.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pull_command.command("pause")
@click.argument("name")
@as_json
def pause(name: str, json_: bool) -> None:
    """Let a pull no longer come by itself."""
    emit(pulls.pause(opened(), name, paused=True, actor="cli"), json_)


@pull_command.command("resume")
@click.argument("name")
@as_json
def resume(name: str, json_: bool) -> None:
    """Let a paused pull come again, at once."""
    emit(pulls.pause(opened(), name, paused=False, actor="cli"), json_)


@pull_command.command("remove")
@click.argument("name")
@as_json
def remove(name: str, json_: bool) -> None:
    """End a pull and forget its position; what was stored stays."""
    emit(pulls.remove(opened(), name, actor="cli"), json_)
