"""`piying init`, `doctor`, `keys`: make a home, look whether it is well, change its keys."""

from __future__ import annotations

import click

from app.cli.opening import opened
from app.cli.output import as_json, emit, table


@click.command("init")
@as_json
def init_command(json_: bool) -> None:
    """Make keys, stores and lake in PIYING_HOME and the first administrator's one-time link. Asks nothing; safe to repeat."""
    from app.cli.home import initialise

    emit(initialise(), json_)


@click.command("doctor")
@as_json
def doctor_command(json_: bool) -> None:
    """Check keys, stores, log, lake and settings; exit 1 if anything is wrong."""
    from app import doctor

    found = doctor.examine(opened(checking=True))
    rows = [["ok" if check["ok"] else "WRONG", check["name"], check["detail"]] for check in found["checks"]]
    emit(found, json_, lambda: table(("", "check", "what it saw"), rows))
    if not found["ok"]:
        raise SystemExit(1)


@click.group("keys")
def keys_command() -> None:
    """List key versions and rotate them."""


@keys_command.command("list")
@as_json
def list_(json_: bool) -> None:
    """List key versions, their ages and algorithms; never a key. `current` says whether today's values are made with it."""
    ring = opened().open_keyring()
    listed = [
        {
            "kind": kind,
            "version": version,
            "created_at": created.isoformat(),
            "algorithm": ring.profile.algorithms_of(kind),
            "current": version == ring.versions(kind)[-1],
        }
        for kind, version, created, _ in ring.inventory()
    ]
    rows = [[str(value) for value in one.values()] for one in listed]
    emit(
        {"profile": ring.profile.name, "items": listed},
        json_,
        lambda: table(("kind", "version", "created_at", "algorithm", "current"), rows, f"profile: {ring.profile.name}"),
    )


@keys_command.command("rotate")
@click.argument("kind")
@as_json
def rotate(kind: str, json_: bool) -> None:
    """Add a version of a key while everything runs; nothing splits, nothing is read in again."""
    emit({"kind": kind, "version": opened().rotate_key(kind, actor="cli")}, json_)
