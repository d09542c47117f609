"""`piying source`: who may send."""

from __future__ import annotations

import click

from app import acts
from app.cli.opening import opened
from app.cli.output import as_json, emit, table
from privacy.vocabulary import SOURCE_KINDS


@click.group("source")
def source_command() -> None:
    """Add, list, rotate and disable sources."""


@source_command.command("add")
@click.argument("name")
@click.option("--kind", required=True, type=click.Choice(SOURCE_KINDS))
@click.option("--client/--server", "public", default=False, help="A client key can be read by anybody; default: server.")
@click.option("--purpose", "purposes", multiple=True, help="What its data may serve; default: the analytic purposes.")
@click.option("--on-no-consent", default="refuse", type=click.Choice(["refuse", "wait"]))
@click.option("--consent-signals", default="deny_only", type=click.Choice(["ignore", "deny_only", "accept"]))
@click.option(
    "--namespace", default="", help="Whose customer numbers these are, if another source shares them; default: the source's name."
)
@click.option(
    "--category", "categories", multiple=True, metavar="NAME=PURPOSE", help="A consent category of the sender's banner, and its purpose."
)
@as_json
def add(
    name: str,
    kind: str,
    public: bool,
    purposes: tuple[str, ...],
    on_no_consent: str,
    consent_signals: str,
    namespace: str,
    categories: tuple[str, ...],
    json_: bool,
) -> None:
    """Register a source; its write key is shown this once."""
    made = acts.add_source(
        opened(),
        actor="cli",
        name=name,
        kind=kind,
        public=public,
        purposes=purposes or None,
        on_no_consent=on_no_consent,
        consent_signals=consent_signals,
        namespace=namespace,
        categories=dict(_pair(one) for one in categories),
    )
    emit(made, json_)


def _pair(text: str) -> tuple[str, str]:
    name, equals, purpose = text.partition("=")
    if not (name and equals and purpose):
        raise click.BadParameter("a category is written NAME=PURPOSE", param_hint="--category")
    return name, purpose


@source_command.command("list")
@as_json
def list_(json_: bool) -> None:
    """List sources and what they declared."""
    listed = acts.list_sources(opened())
    columns = ("source", "name", "kind", "public", "on_no_consent", "consent_signals", "disabled")
    emit({"items": listed}, json_, lambda: table(columns, [[one[column] for column in columns] for one in listed]))


@source_command.command("rotate")
@click.argument("source_id")
@as_json
def rotate(source_id: str, json_: bool) -> None:
    """Make a new write key; the old one works for another day."""
    emit(acts.rotate_source(opened(), source_id, actor="cli"), json_)


@source_command.command("disable")
@click.argument("source_id")
@as_json
def disable(source_id: str, json_: bool) -> None:
    """Refuse the source's requests from now on."""
    emit(acts.disable_source(opened(), source_id, actor="cli"), json_)
