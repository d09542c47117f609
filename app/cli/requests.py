"""`piying subject request`: what people ask about their data. Identifiers and corrected values come from stdin, never as arguments."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from app import requestacts, requests
from app.cli.opening import opened
from app.cli.output import as_json, emit, table
from privacy.errors import Refused
from privacy.vocabulary import IdentifierType, Regime, Right

COLUMNS = ("number", "right", "regime", "step", "assignee", "received_on", "due_by_law", "days_left", "clock")
TABS = ("all", "unassigned", "closed")


def _line() -> str:
    return str(click.prompt("value", hide_input=True)) if sys.stdin.isatty() else sys.stdin.readline().strip()


@click.group("request")
def request_group() -> None:
    """Open, list, show and act on requests of people."""


@request_group.command("open")
@click.option(
    "--type", "type_", required=True, type=click.Choice([one.value for one in IdentifierType]), help="The identifier is read from stdin."
)
@click.option("--right", required=True, type=click.Choice([one.value for one in Right]))
@click.option("--channel", required=True, help="How it came in: phone, letter, email, store, form, api.")
@click.option(
    "--regime",
    default="",
    type=click.Choice(["", *(one.value for one in Regime)]),
    help="Whose clock runs; the deployment's own, if none is named.",
)
@click.option("--language", default="zh", type=click.Choice(["zh", "en"]), help="Of the letters.")
@click.option("--withdraw", multiple=True, help="For a withdrawal: a purpose; may be repeated.")
@click.option("--namespace", default="", help="For customer_no, openid, cookie and device: the namespace of the source.")
@click.option("--reason", required=True, help="Why somebody is looked up, in words that name nobody.")
@as_json
def open_(
    type_: str, right: str, channel: str, regime: str, language: str, withdraw: tuple[str, ...], namespace: str, reason: str, json_: bool
) -> None:
    """Open a request for whoever has the identifier; nobody known gets one too."""
    asked = {"right": right, "channel": channel, "regime": regime, "language": language, "purposes": list(withdraw)}
    emit(requests.open_by(opened(), type_, _line(), asked, reason=reason, actor="cli", namespace=namespace), json_)


@request_group.command("list")
@click.option("--tab", default="all", type=click.Choice(TABS))
@click.option("--kind", default="", type=click.Choice(["", *(one.value for one in Right)]))
@as_json
def list_(tab: str, kind: str, json_: bool) -> None:
    """List requests, the longest waiting first."""
    found = requests.page(opened(), {"kind": kind}, tab=tab, actor="cli", limit=500)
    emit(
        {"items": found.rows, "total": found.total, "by_step": found.by_step},
        json_,
        lambda: table(COLUMNS, [[one[name] or "" for name in COLUMNS] for one in found.rows]),
    )


@request_group.command("show")
@click.argument("number")
@as_json
def show(number: str, json_: bool) -> None:
    """Show a request with its acts; the person masked."""
    emit(requests.show(opened(), number, actor="cli"), json_)


@request_group.command("plan")
@click.argument("number")
@as_json
def plan(number: str, json_: bool) -> None:
    """Show what an erasure would find and what it would keep; changes nothing."""
    emit(requests.plan(opened(), number, actor="cli"), json_)


@request_group.command("act")
@click.argument("number")
@click.argument("act", type=click.Choice(sorted(set(requestacts.ACTS) - {"approve"})))
@click.option("--method", default="", help="For check_identity: code, signed_in, in_person, document_seen, known_channel.")
@click.option("--passed", is_flag=True, help="For check_identity: identity was proven.")
@click.option("--outcome", default="", help="For decide: fulfilled, partly, refused.")
@click.option("--reason", default="", help="For decide, lengthen and close: a word of the closed list.")
@click.option("--words", default="", help="A sentence that names nobody.")
@click.option("--part", "parts", multiple=True, help="For redact: a part of the package that is withheld.")
@click.option("--ground", default="", help="For redact: third_party, trade_secret, security.")
@click.option("--account", default="", help="For assign: whose it is.")
@click.option("--type", "type_", default="", help="For correct: the kind of value; the value is read from stdin.")
@click.option("--ref", default="", help="For correct: which identifier, as `show` names it.")
@click.option("--clear", is_flag=True, help="For deliver: identifiers in clear inside the package.")
@as_json
def act(
    number: str, act: str, method: str, passed: bool, outcome: str, reason: str, words: str, parts: tuple[str, ...], ground: str,
    account: str, type_: str, ref: str, clear: bool, json_: bool,
) -> None:  # fmt: skip
    """Do one act on a request. A second person's word is given on the console or by their own token."""
    said = {
        "act": act, "method": method, "passed": passed, "outcome": outcome, "reason": reason, "words": words, "parts": list(parts),
        "ground": ground, "account": account, "type": type_, "ref": ref, "clear": clear, "value": _line() if act == "correct" else "",
    }  # fmt: skip
    emit(requestacts.act(opened(), number, said, actor="cli"), json_)


@request_group.command("package")
@click.argument("number")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@as_json
def package(number: str, file: Path, json_: bool) -> None:
    """Write the newest package of a request to FILE, for its owner's eyes alone; counted and logged."""
    if file.exists():
        raise Refused("the file is there already", code="file_exists", field="file")
    data = requests.take(opened(), number, actor="cli")
    file.touch(mode=0o600)
    file.write_bytes(data)
    emit({"file": str(file), "bytes": len(data)}, json_)
