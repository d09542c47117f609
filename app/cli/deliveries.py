"""`piying export deliveries`, `replay`, `removals`, `board`, `acknowledge`, `fetch`: what has left, at a terminal. No list of people comes out."""

from __future__ import annotations

import os
from pathlib import Path

import click

from app.cli.opening import opened
from app.cli.output import as_json, emit, table
from privacy.errors import Conflict

ACTOR = "cli"


@click.command("deliveries")
@click.option("--recipient", default="", help="The recipient's id.")
@click.option("--state", default="", type=click.Choice(["", "queued", "sending", "waiting", "acknowledged", "dead"]))
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 500))
@as_json
def deliveries_command(recipient: str, state: str, limit: int, json_: bool) -> None:
    """List parts of exports and removals, newest first."""
    from app import deliveries

    found = deliveries.listing(opened(), recipient=recipient, state=state, limit=limit)
    columns = ("id", "recipient", "batch", "part", "action", "state", "attempts", "code", "rows")
    emit(found, json_, lambda: table(columns, [[one[name] for name in columns] for one in found["items"]]))


@click.command("board")
@as_json
def board_command(json_: bool) -> None:
    """Show for each recipient what waits, what is dead, and how long removals took."""
    from app import deliveries

    found = deliveries.board(opened())
    rows = [
        [
            one["key"] or one["recipient"], one["way"], one["parts"]["queued"] + one["parts"]["waiting"], one["parts"]["dead"],
            one["removals"]["open"], one["removals"]["latency_longest"], "blocked" if one["blocked"] else "",
        ]
        for one in found
    ]  # fmt: skip
    columns = ("recipient", "way", "waiting", "dead", "to remove", "longest s", "")
    emit({"items": found}, json_, lambda: table(columns, rows))


@click.command("replay")
@click.option("--recipient", default="", help="Only the dead parts of this recipient.")
@click.option("--delivery", default="", help="Only this part.")
@as_json
def replay_command(recipient: str, delivery: str, json_: bool) -> None:
    """Queue dead parts again under their old keys."""
    from app import deliveries

    emit(deliveries.replay(opened(), actor=ACTOR, recipient=recipient, delivery=delivery), json_)


@click.command("removals")
@click.option("--recipient", default="", help="The recipient's id.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 500))
@as_json
def removals_command(recipient: str, limit: int, json_: bool) -> None:
    """List removals, newest first; with --json also their signed manifests."""
    from app import deliveries

    found = deliveries.removals(opened(), recipient=recipient, limit=limit)
    columns = ("id", "recipient", "people", "made_at", "acknowledged_at", "longest_seconds")
    emit(found, json_, lambda: table(columns, [[one[name] for name in columns] for one in found["items"]]))


@click.command("acknowledge")
@click.argument("delivery")
@as_json
def acknowledge_command(delivery: str, json_: bool) -> None:
    """Note that the recipient said by another way that it has the part DELIVERY."""
    from app import deliveries

    emit(deliveries.acknowledge(opened(), delivery, actor=ACTOR), json_)


@click.command("fetch")
@click.argument("delivery")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@as_json
def fetch_command(delivery: str, folder: Path, json_: bool) -> None:
    """Write the removal DELIVERY, sealed for its recipient, with our signature beside it into FOLDER; it is never written over."""
    from app import deliveries

    name, raw, signature = deliveries.fetch(opened(), delivery, actor=ACTOR)
    for path, content in ((folder / f"{name}.sig", signature.encode()), (folder / name, raw)):
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
        except FileExistsError:
            raise Conflict("a file of this name is there already", code="file_exists", field="folder") from None
    emit({"file": name, "bytes": len(raw)}, json_)


COMMANDS = (deliveries_command, board_command, replay_command, removals_command, acknowledge_command, fetch_command)
"""Joined to `piying export` (`app.cli.exports`)."""
