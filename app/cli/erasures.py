"""`piying subject erase`, `erasure`, `certificate`, `welcome`, `lapses`: what was erased, the proof, and whose rows are about to go.

Identifiers come from stdin, never as arguments. An erasure needs two officers, both by their accounts.
"""

from __future__ import annotations

from pathlib import Path

import click

from app import access, cases, erasing, lapsing
from app.cli.opening import opened
from app.cli.output import as_json, emit, table
from app.cli.people import IDENTIFIER, _identifier, namespaced, reason_, subject_command
from app.wiring import Services
from privacy.errors import NotFound, Refused

PROOFS = ("in_person", "contract", "code_answered", "document")


@subject_command.command("erase")
@click.option("--type", "type_", required=True, type=IDENTIFIER, help="The identifier itself is read from stdin.")
@click.option("--officer", required=True, help="Address of the officer who asks.")
@click.option("--second", help="Address of another officer, who approves. Needed unless --dry-run.")
@click.option("--request", help="Number of the request that it answers.")
@click.option("--dry-run", is_flag=True, help="Show what would go and what would stay; change nothing.")
@reason_
@namespaced
@as_json
def erase(
    type_: str, officer: str, second: str | None, request: str | None, dry_run: bool, reason: str, namespace: str, json_: bool
) -> None:
    """Erase a person everywhere and print the certificate's number. The key goes first; it may be stopped and repeated."""
    services = opened()
    actor = _officer(services, officer)
    if not dry_run and second is None:
        raise Refused("an erasure needs a second person", code="second_person_needed", field="second")
    approved_by = "" if second is None else _officer(services, second)
    found = cases.open_(services, type_, _identifier(), purpose="rights_request", reason=reason, actor=actor, namespace=namespace)
    handle = cases.whose(services, found, actor=actor)
    if handle is None:
        raise NotFound("nobody here has this identifier", code="person_unknown")
    if dry_run:
        planned = erasing.plan(services, handle, actor=actor)
        rows = [[one["store"], one["method"], one["found"]] for one in planned["stores"]]
        emit(planned, json_, lambda: table(("store", "how", "found"), rows))
        return
    erasure = erasing.begin(services, handle, actor=actor, approved_by=approved_by, request=request)
    erasing.run(services)
    told = erasing.state(services, erasure)
    emit({name: told[name] for name in ("erasure", "state", "step", "error", "request")}, json_)
    if told["state"] != "done":
        raise SystemExit(1)


@subject_command.command("erasure")
@click.argument("erasure")
@as_json
def erasure_(erasure: str, json_: bool) -> None:
    """Show how far ERASURE has come."""
    told = erasing.state(opened(), erasure)
    rows = [[one["step"], one["at"], ", ".join(f"{name} {number}" for name, number in one["counts"].items())] for one in told["steps"]]
    emit(told, json_, lambda: table(("step", "at", "found"), rows, title=f"{told['erasure']}: {told['state']}"))


@subject_command.command("certificate")
@click.argument("erasure")
@click.option("--out", type=click.Path(path_type=Path), help="Write the signed certificate to a file.")
@as_json
def certificate(erasure: str, out: Path | None, json_: bool) -> None:
    """Show the signed certificate of ERASURE; `piying receipt verify` checks it offline."""
    told = erasing.certificate(opened(), erasure)
    if out is not None:
        out.write_text(told["certificate"], encoding="ascii")
    rows = [[one["store"], one["method"], one["left"]] for one in told["document"]["stores"]]
    emit(told, json_, lambda: table(("store", "how", "left"), rows, title=f"{told['erasure']}: looked at again"))


@subject_command.command("welcome")
@click.option("--type", "type_", required=True, type=IDENTIFIER, help="The identifier itself is read from stdin.")
@click.option("--officer", required=True, help="Address of the officer who saw the proof.")
@click.option("--proof", required=True, type=click.Choice(PROOFS), help="What proved that a new relationship begins.")
@namespaced
@as_json
def welcome(type_: str, officer: str, proof: str, namespace: str, json_: bool) -> None:
    """Let an identifier of somebody who was erased in again; nothing from before this moment counts."""
    services = opened()
    emit(erasing.welcome(services, type_, _identifier(), proof=proof, actor=_officer(services, officer), namespace=namespace), json_)


@subject_command.command("lapses")
@click.option("--state", default="", type=click.Choice(("", "pending", "erased")))
@as_json
def lapses(state: str, json_: bool) -> None:
    """List people whose last analytic purpose ended: when their rows go, or when they went."""
    told = lapsing.queue(opened(), actor="cli", state=state)
    columns = ("subject", "state", "noticed_at", "due_at", "erased_at", "rows", "entry")
    rows = [["" if one[name] is None else one[name] for name in columns] for one in told["items"]]
    emit(told, json_, lambda: table(columns, rows))


def _officer(services: Services, address: str) -> str:
    """The account of an officer; raises Refused for anybody else."""
    with services.read_console() as tx:
        found = next((one for one in access.accounts(tx) if one["email"] == address), None)
    if found is None or found["role"] != "officer" or found["disabled"]:
        raise Refused("this address is no officer's", code="not_an_officer", field="officer")
    return str(found["user"])
