"""`piying dictionary` and `inventory`: what may come in, and where data about people is."""

from __future__ import annotations

import click

from app import facts
from app.cli.opening import opened
from app.cli.output import as_json, emit, table


@click.command("dictionary")
@click.option("--record", help="Only this record kind.")
@as_json
def dictionary_command(record: str | None, json_: bool) -> None:
    """Show every field that a source may send, with its class, purposes and treatment."""
    listed = facts.dictionary(record)
    columns = ("record", "field", "class", "becomes", "meaning")
    emit({"items": listed}, json_, lambda: table(columns, [[str(one[column]) for column in columns] for one in listed]))


@click.command("inventory")
@as_json
def inventory_command(json_: bool) -> None:
    """List every place that holds data about people, how it is protected and for how long."""
    listed = facts.inventory(opened())
    columns = ("place", "holds", "form", "kept")
    emit({"items": listed}, json_, lambda: table(columns, [[str(one[column]) for column in columns] for one in listed]))
