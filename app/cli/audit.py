"""`piying audit`: the tamper-evident log."""

from __future__ import annotations

import click

from app.cli.output import as_json, emit


@click.group("audit")
def audit_command() -> None:
    """Verify the access log, make checkpoints."""


@audit_command.command("verify")
@as_json
def verify(json_: bool) -> None:
    """Recompute the whole tree from the entries; names the first bad one."""
    from app.wiring import open_services

    found = open_services().oversight.verify(actor="cli")
    emit(found, json_)
    if not found["ok"]:
        raise SystemExit(1)


@audit_command.command("checkpoint")
@as_json
def checkpoint(json_: bool) -> None:
    """Sign the log's present size and root; print the note for somebody outside to keep."""
    from app.wiring import open_services

    note = open_services().oversight.checkpoint()
    emit({"checkpoint": note}, json_, lambda: click.echo(note))
