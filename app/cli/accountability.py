"""`piying controls`, `register` and `pack`: the self-check, the register of processing and audit packs, for officers at a terminal."""

from __future__ import annotations

import os
from pathlib import Path

import click

from app.cli.opening import opened
from app.cli.output import as_json, emit, table
from privacy.errors import Conflict, NotFound

ACTOR = "cli"


@click.command("controls")
@as_json
def controls_command(json_: bool) -> None:
    """Ask every control of the law; exit 1 if one is broken."""
    from app.accountability import controls

    found = controls.run(opened())
    rows = [[one["state"], one["id"], one["count"], one["question"]] for one in found["items"]]
    emit(found, json_, lambda: table(("state", "control", "count", "question"), rows))
    if not found["ok"]:
        raise SystemExit(1)


@click.command("register")
@as_json
def register_command(json_: bool) -> None:
    """Show the register of processing, out of live facts."""
    from app.accountability import register

    told = register.of(opened())
    rows = [
        [one["purpose"], one["law"], ", ".join(one["sources"]), ", ".join(one["recipients"]), one["kept"]] for one in told["activities"]
    ]
    emit(told, json_, lambda: table(("purpose", "law", "sources", "recipients", "kept"), rows))


@click.group("pack")
def pack_command() -> None:
    """Take, write and check audit packs."""


@pack_command.command("take")
@as_json
def take(json_: bool) -> None:
    """Write the present state down and name the pack of the log up to it."""
    from app.accountability import packs

    emit(packs.take(opened(), actor=ACTOR), json_)


@pack_command.command("write")
@click.argument("pack")
@click.argument("file", type=click.Path(path_type=Path))
@as_json
def write(pack: str, file: Path, json_: bool) -> None:
    """Write the signed ZIP of PACK into a new FILE that only its owner can read; logged. The same pack is the same bytes."""
    from app.accountability import packs

    raw = packs.file(opened(), pack, actor=ACTOR)
    try:
        descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise Conflict("the file exists already", code="file_exists", field="file") from None
    except OSError:
        raise NotFound("the file cannot be made here", code="file_unwritable", field="file") from None
    with os.fdopen(descriptor, "wb") as out:
        out.write(raw)
    emit({"pack": pack, "file": str(file), "bytes": len(raw)}, json_)


@pack_command.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--keys", required=True, type=click.Path(path_type=Path), help="The published key set (jwks.json), from somebody you trust.")
@as_json
def check(file: Path, keys: Path, json_: bool) -> None:
    """Check the pack FILE offline: no home, no store, no network."""
    from privacy.oversight.packs import check as checked

    found = checked(_read(file, "file"), _read(keys, "keys").decode("utf-8", "replace"))
    emit(found, json_)
    if not found["ok"]:
        raise SystemExit(1)


def _read(path: Path, field: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise NotFound("the file cannot be read", code="file_unreadable", field=field) from None
