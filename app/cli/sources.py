"""`piying source`: who may send."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import timedelta

import click

from app import acts
from app.cli.opening import opened
from app.cli.output import as_json, emit, table
from ingestion.signatures import SCHEMES, SHOPIFY
from privacy.vocabulary import SOURCE_KINDS

WARNINGS = {
    "any_origin": "any page on any site can send with this client key; name the pages that may: piying source set SOURCE --origin https://…"
}


def _warn(codes: Sequence[str]) -> None:
    """On stderr, so that what is printed stays one answer."""
    for code in codes:
        click.echo(f"warning: {WARNINGS[code]} ({code})", err=True)


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
@click.option("--origin", "origins", multiple=True, help="A page that may send with a client key: https://shop.example.")
@click.option("--root-paths", is_flag=True, help="Snowplow's clients of this source send to the root, without a key.")
@click.option("--requests-per-second", type=click.IntRange(1, 100_000), help="Default: limits.requests_per_second of the settings.")
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
    origins: tuple[str, ...],
    root_paths: bool,
    requests_per_second: int | None,
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
        origins=origins,
        root_paths=root_paths,
        requests_per_second=requests_per_second,
    )
    emit(made if json_ else {name: value for name, value in made.items() if name != "warnings"}, json_)
    _warn(made["warnings"])


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
    rows = [[*(one[column] for column in columns), ", ".join(one["warnings"])] for one in listed]
    emit({"items": listed}, json_, lambda: table((*columns, "warnings"), rows))


@source_command.command("set")
@click.argument("source_id")
@click.option("--origin", "origins", multiple=True, help="A page that may send with a client key; all that may, together.")
@click.option("--no-origins", is_flag=True, help="Any page may.")
@click.option(
    "--category", "categories", multiple=True, metavar="NAME=PURPOSE", help="A consent category and its purpose; all of them, together."
)
@click.option("--no-categories", is_flag=True, help="Signals of consent say nothing.")
@click.option("--requests-per-second", type=click.IntRange(0, 100_000), help="0: limits.requests_per_second of the settings.")
@click.option(
    "--root-paths/--no-root-paths", default=None, help="Whether Snowplow's clients of this source send to the root, without a key."
)
@as_json
def set_(
    source_id: str,
    origins: tuple[str, ...],
    no_origins: bool,
    categories: tuple[str, ...],
    no_categories: bool,
    requests_per_second: int | None,
    root_paths: bool | None,
    json_: bool,
) -> None:
    """Change what a source allows; what is not named stays."""
    told, _ = acts.change_source(
        opened(),
        source_id,
        actor="cli",
        origins=list(origins) if origins or no_origins else None,
        categories=dict(_pair(one) for one in categories) if categories or no_categories else None,
        requests_per_second=requests_per_second,
        root_paths=root_paths,
    )
    emit(told, json_)


@source_command.command("rotate")
@click.argument("source_id")
@click.option(
    "--overlap", default=24, show_default=True, type=click.IntRange(0, 720), help="Hours that the old keys still work; 0 ends them now."
)
@as_json
def rotate(source_id: str, overlap: int, json_: bool) -> None:
    """Make a new write key; the old ones work until the overlap ends."""
    emit(acts.rotate_source(opened(), source_id, actor="cli", overlap=timedelta(hours=overlap)), json_)


@source_command.command("revoke")
@click.argument("source_id")
@click.argument("key_id")
@as_json
def revoke(source_id: str, key_id: str, json_: bool) -> None:
    """End one write key at once, by its name in `source list --json`."""
    emit(acts.revoke_key(opened(), source_id, key_id, actor="cli"), json_)


@source_command.command("client")
@click.argument("source_id")
@click.option("--end", help="The client whose assertions are refused from now on.")
@as_json
def client(source_id: str, end: str | None, json_: bool) -> None:
    """Register the public key, read from stdin as PEM, that a client of the source signs with instead of carrying a write key."""
    if end is not None:
        emit(acts.end_client(opened(), source_id, end, actor="cli"), json_)
        return
    emit(acts.add_client(opened(), source_id, sys.stdin.read(), actor="cli"), json_)


@source_command.command("secret")
@click.argument("name")
@click.option("--scheme", default=SHOPIFY, show_default=True, type=click.Choice(SCHEMES), help="How the sender signs.")
@click.option("--given", is_flag=True, help="The shop has made the secret: read it from stdin.")
@as_json
def secret(name: str, scheme: str, given: bool, json_: bool) -> None:
    """Make the secret that a webhook's sender signs with, or keep one that is given; the one before works for another day."""
    text = None
    if given:
        text = str(click.prompt("secret", hide_input=True)) if sys.stdin.isatty() else sys.stdin.readline().strip()
    emit(acts.share_secret(opened(), name, actor="cli", scheme=scheme, given=text), json_)


@source_command.command("disable")
@click.argument("source_id")
@as_json
def disable(source_id: str, json_: bool) -> None:
    """Refuse the source's requests from now on."""
    emit(acts.disable_source(opened(), source_id, actor="cli"), json_)
