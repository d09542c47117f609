"""`piying audit`: the tamper-evident log, its bundles for outsiders, its witnesses."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any

import click

from app import cases, evidence
from app.cli.opening import opened
from app.cli.output import as_json, emit
from privacy.errors import Conflict, Invalid, NotFound
from privacy.vocabulary import IdentifierType

DAY = click.DateTime(["%Y-%m-%d"])
IDENTIFIER = click.Choice([one.value for one in IdentifierType])
LARGEST = 1_048_576
"""Bytes of a checkpoint file."""


@click.group("audit")
def audit_command() -> None:
    """Verify the access log, make checkpoints and bundles, work with witnesses."""


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


@audit_command.command("keys")
@as_json
def keys(json_: bool) -> None:
    """Print the verifier keys of this log's checkpoints, of every version, and those of the witnesses that are known here."""
    services = opened()
    told = {"log": services.oversight.verifier_keys(), "witnesses": list(services.witnesses)}
    emit(told, json_, lambda: click.echo("\n".join([*told["log"], *told["witnesses"]])))


@audit_command.command("proof")
@click.option("--old", type=click.IntRange(0), default=0, help="How many entries the witness saw last.")
@as_json
def proof(old: int, json_: bool) -> None:
    """Print the newest checkpoint with the proof that it grew out of the one of OLD entries: what `witness.py check --file` reads."""
    told = opened().evidence.growth(old)
    emit(told, json_, lambda: click.echo(told["request"], nl=False))


@audit_command.command("cosign")
@click.argument("file", type=click.Path(path_type=Path))
@as_json
def cosign(file: Path, json_: bool) -> None:
    """Keep the cosignatures of FILE, which `witness.py check` printed. Only witnesses of the setting log.witnesses count."""
    try:
        with file.open("rb") as content:
            note = content.read(LARGEST).decode()
    except (OSError, UnicodeDecodeError):
        raise NotFound("the file cannot be read", code="file_unreadable", field="file") from None
    emit(opened().evidence.take_in(note, actor="cli"), json_)


@audit_command.command("bundle")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--from", "since", type=DAY, help="First day, by the controller's calendar.")
@click.option("--to", "until", type=DAY, help="Last day, included.")
@click.option("--case", default="", help="Of the person of this case; `subject find` printed it.")
@click.option("--subject", "type_", type=IDENTIFIER, help="Of a person; the identifier itself is read from stdin.")
@click.option("--purpose", default="", help="With --subject: what the person is looked up for.")
@click.option("--reason", default="", help="With --subject: why, in words that name nobody; it stands in the log.")
@click.option("--namespace", default="", help="With --subject: the namespace of a customer_no, openid, cookie or device.")
@click.option("--request", "request_", default="", help="Of the request with this id.")
@click.option("--hashes", is_flag=True, help="Of everything else show nothing but hashes: neither times nor kinds.")
@click.option("--with", "contents", multiple=True, type=click.Choice(["receipts", "policies", "budget"]), help="What goes along.")
@click.option("--language", type=click.Choice(["en", "zh"]), default="en", help="Of the statement on top.")
@click.option("--size", type=click.IntRange(0), help="Up to the checkpoint of so many entries: the same size gives the same bytes.")
@click.option("--held", type=click.IntRange(1), multiple=True, help="Size of a checkpoint that the recipient kept and wants to compare.")
@as_json
def bundle(
    file: Path, since: datetime | None, until: datetime | None, case: str, type_: str | None, purpose: str, reason: str, namespace: str,
    request_: str, hashes: bool, contents: tuple[str, ...], language: str, size: int | None, held: tuple[int, ...], json_: bool,
) -> None:  # fmt: skip
    """Write a bundle for an offline verifier into a new FILE that only its owner can read; logged. Without a scope: the whole log."""
    services = opened()
    if type_ is not None:
        found = cases.open_(services, type_, _identifier(), purpose=purpose, reason=reason, actor="cli", namespace=namespace)
        case = str(found["case"])
    if bool(case) + bool(request_) > 1:
        raise Invalid("a bundle is of a person or of a request", code="evidence_scope", field="scope")
    scope = "subject" if case else "request" if request_ else "period" if since or until else "whole"
    asked = evidence.Asked(
        scope=scope, case=case, request=request_, since=_day(since), until=_day(until), redaction="hashes" if hashes else "commitments",
        contents=frozenset(contents), language=language, size=size, held=held,
    )  # fmt: skip
    made = _write(file, lambda out: evidence.write(services, asked, out, actor="cli"))
    emit({"file": str(file), "scope": scope, "entries": made["size"], "root": made["root"], "signer": made["signer"]}, json_)


@audit_command.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--key", "keys_", multiple=True, help="The log's verifier key, from somebody you trust; else the bundle's own.")
@click.option("--witness", "witnesses", multiple=True, help="A witness's verifier key, from the witness.")
@as_json
def check(file: Path, keys_: tuple[str, ...], witnesses: tuple[str, ...], json_: bool) -> None:
    """Verify the bundle FILE offline: no home, no store, no network; the same as `python verify.py FILE`."""
    from privacy.oversight.evidence import verify_file

    told = verify_file(file, keys=keys_, witnesses=witnesses)
    emit(told, json_, lambda: click.echo(json.dumps(told, ensure_ascii=False, indent=1)))
    if not told["ok"]:
        raise SystemExit(1)


def _identifier() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("identifier", hide_input=True))
    return sys.stdin.readline().strip()


def _day(found: datetime | None) -> date | None:
    return None if found is None else found.date()


def _write(file: Path, make: Callable[[IO[bytes]], dict[str, Any]]) -> dict[str, Any]:
    """Overwrites nothing; takes a half-written file away."""
    try:
        descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    except FileExistsError:
        raise Conflict("the file exists already", code="file_exists", field="file") from None
    except OSError:
        raise NotFound("the file cannot be made here", code="file_unwritable", field="file") from None
    try:
        with os.fdopen(descriptor, "w+b") as out:
            return make(out)
    except BaseException:  # also an interrupt: half a file must not look like a whole one
        file.unlink(missing_ok=True)
        raise
