"""`piying audit`: the tamper-evident log."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.opening import opened
from app.cli.output import as_json, emit
from privacy.errors import Conflict, NotFound

if TYPE_CHECKING:
    from privacy.oversight.door import Oversight


@click.group("audit")
def audit_command() -> None:
    """Verify the access log, make checkpoints and bundles."""


@audit_command.command("verify")
@as_json
def verify(json_: bool) -> None:
    """Recompute the whole tree from the entries; names the first bad one."""
    found = opened().oversight.verify(actor="cli")
    emit(found, json_)
    if not found["ok"]:
        raise SystemExit(1)


@audit_command.command("checkpoint")
@as_json
def checkpoint(json_: bool) -> None:
    """Sign the log's present size and root; print the note for somebody outside to keep."""
    note = opened().sign_checkpoint()
    emit({"checkpoint": note}, json_, lambda: click.echo(note))


@audit_command.command("bundle")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--payloads", is_flag=True, help="With the payloads too: who did what. Default: only what proves that nothing was changed.")
@as_json
def bundle(file: Path, payloads: bool, json_: bool) -> None:
    """Write the log as JSON lines for an offline verifier into a new FILE that only its owner can read; logged."""
    services = opened()
    emit({"file": str(file), "lines": _write(file, services.oversight, payloads)}, json_)


def _write(file: Path, oversight: Oversight, payloads: bool) -> int:
    """Overwrites nothing; takes a half-written file away."""
    try:
        descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise Conflict("the file exists already", code="file_exists", field="file") from None
    except OSError:
        raise NotFound("the file cannot be made here", code="file_unwritable", field="file") from None
    lines = 0
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            for line in oversight.bundle(actor="cli", payloads=payloads):
                out.write(line + "\n")
                lines += 1
    except BaseException:  # also an interrupt: half a file must not look like a whole one
        file.unlink(missing_ok=True)
        raise
    return lines
