"""`piying audience`: segments and stored audiences at a terminal: what a rule means, how many that is, who keeps it. No list of people comes out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from app.cli.opening import opened
from app.cli.output import as_json, emit, table
from privacy.errors import Invalid, NotFound

ACTOR = "cli"
MOST_BYTES = 256 * 1024
_FILE = click.argument("file", type=click.Path(path_type=Path))


@click.group("audience")
def audience_command() -> None:
    """Say what a segment means, write segments down, buy their size, keep audiences of them."""


@audience_command.command("say")
@_FILE
@as_json
def say(file: Path, json_: bool) -> None:
    """Tell in words what the rule in the JSON FILE means; nothing is kept."""
    from app import segments

    told = segments.said(_read(file))
    emit(told, json_, lambda: click.echo(f"{told['sentence']['en']}\n{told['sentence']['zh']}"))


@audience_command.command("add")
@click.argument("name")
@_FILE
@click.option("--purpose", default="marketing.profiling", show_default=True)
@click.option("--use", default="marketing", show_default=True, help="marketing, pricing or terms.")
@click.option("--review", default="", help="The approved assessment that allows a use for prices or terms.")
@as_json
def add(name: str, file: Path, purpose: str, use: str, review: str, json_: bool) -> None:
    """Write the rule in the JSON FILE down as segment NAME."""
    from app import segments

    body = {"name": name, "purpose": purpose, "use": use, "review": review, "rule": _read(file)}
    emit(segments.add(opened(), body, actor=ACTOR), json_)


@audience_command.command("list")
@as_json
def list_(json_: bool) -> None:
    """List the segments as they stand."""
    from app import segments

    found = segments.listing(opened())
    rows = [[one["id"], one["version"], one["name"], one["use"], one["sentence"]["en"]] for one in found]
    emit({"items": found}, json_, lambda: table(("segment", "version", "name", "use", "rule"), rows))


@audience_command.command("show")
@click.argument("segment")
@click.option("--version", type=int, default=None, help="An older version; without it the newest.")
@as_json
def show(segment: str, version: int | None, json_: bool) -> None:
    """Show SEGMENT, its rule and its sentence."""
    from app import segments

    emit(segments.one(opened(), segment, version), json_)


@audience_command.command("size")
@click.argument("segment")
@click.option("--version", type=int, default=None, help="An older version; without it the newest.")
@click.option("--channel", default="", help="Whom this channel reaches: sms, email, push, wechat or phone.")
@click.option("--recipient", default="", help="Whom this recipient may be given.")
@click.option("--buy", is_flag=True, help="Buy the answer, if nobody did yet; without it nothing is charged.")
@as_json
def size(segment: str, version: int | None, channel: str, recipient: str, buy: bool, json_: bool) -> None:
    """Tell how many people SEGMENT means and reaches, with a margin, and what that costs."""
    from app import reaching

    services, wanted = opened(), reaching.Wanted(segment, version, channel, recipient)
    if buy:
        reaching.ask(services, wanted, asked_by=ACTOR)
    told = reaching.look(services, wanted, asked_by=ACTOR)
    emit(told, json_, lambda: _sizes(told))


def _sizes(told: dict[str, Any]) -> None:
    answer = told["answer"]
    if answer is None:
        click.echo(f"not bought yet: {told['cost']['rho_nano']} nano-rho in each of {len(told['months'])} months, ±{told['margin']}")
        return
    rows = [[one["outcome"], one["value"], one["low"], one["high"]] for one in answer["outcomes"]]
    table(("outcome", "people", "low", "high"), rows)


@audience_command.command("keep")
@click.argument("segment")
@click.option("--version", type=int, default=None, help="An older version; without it the newest.")
@click.option("--name", default="", help="Without it the segment's.")
@click.option("--static", is_flag=True, help="The people of this moment, who only ever leave; without it they are found again and again.")
@click.option("--hours", default=24, show_default=True, help="How often they are found again.")
@click.option("--days", default=180, show_default=True, help="How long it is kept.")
@as_json
def keep(segment: str, version: int | None, name: str, static: bool, hours: int, days: int, json_: bool) -> None:
    """Keep an audience of SEGMENT; the worker finds its people."""
    from app import audiences

    kind = "static" if static else "continuous"
    body = {"segment": segment, "version": version, "name": name, "kind": kind, "hours": hours, "days": days}
    emit(audiences.make(opened(), body, actor=ACTOR), json_)


@audience_command.command("kept")
@as_json
def kept(json_: bool) -> None:
    """List the stored audiences, and how fresh each is."""
    from app import audiences

    found = audiences.listing(opened())
    rows = [[one["id"], one["name"], one["kind"], one["fresh"], one["refreshed_at"] or "", one["until"]] for one in found]
    emit({"items": found}, json_, lambda: table(("audience", "name", "kind", "state", "found", "until"), rows))


@audience_command.command("refresh")
@click.argument("audience")
@as_json
def refresh(audience: str, json_: bool) -> None:
    """Have the worker find the people of AUDIENCE now."""
    from app import audiences

    emit(audiences.refresh_later(opened(), audience, actor=ACTOR), json_)


@audience_command.command("end")
@click.argument("audience")
@as_json
def end(audience: str, json_: bool) -> None:
    """End AUDIENCE; everything about its people goes with it."""
    from app import audiences

    emit(audiences.end(opened(), audience, actor=ACTOR), json_)


@audience_command.command("explain")
@click.argument("case")
@click.option("--segment", default="", help="Why the person is in this segment now, or is not.")
@click.option("--version", type=int, default=None, help="An older version; without it the newest.")
@click.option("--audience", default="", help="Why the person was in this audience when they were last found there.")
@as_json
def explain(case: str, segment: str, version: int | None, audience: str, json_: bool) -> None:
    """Show in which audiences the person of CASE is or was, and why; `subject find` printed the case. The log entry is written first."""
    from app import audiences

    told = audiences.of_case(opened(), case, actor=ACTOR, segment=segment, version=version, audience=audience)
    emit({"audiences": told["audiences"], "why": told["why"]}, json_, lambda: _explained(told))


def _explained(told: dict[str, Any]) -> None:
    placed = [[one["audience"], one["name"], one["since"], one["until"] or ""] for one in told["audiences"]]
    table(("audience", "name", "since", "until"), placed, title="audiences")
    why = told["why"]
    if why is None:
        return
    verdict = "in" if why["inside"] else "not in" if why["asked"] else "not asked at all"
    click.echo(f"{verdict}: {why['segment']}, version {why['version']}, as of {why['at']}{', ' + why['model'] if why['model'] else ''}")
    rows = [[one["place"], one["sentence"]["en"], "yes" if one["holds"] else "no", one["words"]["en"]] for one in why["steps"]]
    table(("part", "rule", "holds", "their rows say"), rows)


def _read(path: Path) -> Any:
    try:
        raw = path.read_bytes()
    except OSError:
        raise NotFound("the file cannot be read", code="file_unreadable", field="file") from None
    try:
        if len(raw) > MOST_BYTES:
            raise ValueError
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise Invalid("the file is no JSON of a rule", code="invalid_json", field="file") from None
