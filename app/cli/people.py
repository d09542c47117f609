"""`piying consent` and `subject`: what people decided, and the logged look-up. Identifiers come from stdin, never as arguments."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from app import cases, intake, people
from app.cli.opening import opened
from app.cli.output import as_json, emit, table
from app.cli.requests import request_group
from privacy.oversight.door import LookupPurpose
from privacy.vocabulary import ConsentState, IdentifierType

IDENTIFIER = click.Choice([one.value for one in IdentifierType])
namespaced = click.option(
    "--namespace",
    default="",
    help="For customer_no, openid, cookie and device: the namespace of the source that sent it (its name, as a rule).",
)
LOOKUP = click.Choice([one.value for one in LookupPurpose])
why = click.option("--purpose", required=True, type=LOOKUP, help=f"What for, one of: {', '.join(LookupPurpose)}.")
reason_ = click.option("--reason", required=True, help="Why, in words that name nobody; it stands in the log.")


PARTS = ("consents", "timeline", "identities", "held", "stopped")
SHOWN = (
    ("identifiers", "identifiers", ("type", "masked", "ref")),
    ("consents", "consents", ("purpose", "state", "since", "expires", "ground")),
    ("acts", "acts", ("at", "purpose", "state", "source_name", "receipt")),
    ("staff", "staff", ("at", "who", "action", "purpose", "entry")),
    ("links", "links", ("member", "type", "masked", "since", "rule", "source_name")),
    ("merges", "merges", ("merge", "rule", "at", "undone_at")),
    ("held", "held", ("kind", "rows", "first_month", "last_month")),
    ("days", "days", ("day", "rows")),
)
"""Tables of a look into a case: title, part of the answer, columns."""


def _identifier() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("identifier", hide_input=True))
    return sys.stdin.readline().strip()


@click.group("consent")
def consent_command() -> None:
    """Record, show and import consent."""


@consent_command.command("record")
@click.option("--type", "type_", required=True, type=IDENTIFIER, help="The identifier itself is read from stdin.")
@click.option("--purpose", required=True)
@click.option("--state", required=True, type=click.Choice([one.value for one in ConsentState]))
@click.option("--notice", help="Hash or version of the notice that was shown.")
@namespaced
@as_json
def record(type_: str, purpose: str, state: str, notice: str | None, namespace: str, json_: bool) -> None:
    """Record an explicit act of a person."""
    item = {
        "identifier": {"type": type_, "value": _identifier()},
        "purpose": purpose,
        "state": state,
        "notice": notice,
        "collection": "paper",
    }
    (told,) = people.record_consents(opened(), [item], actor="cli", source=None, idempotency_key=None, namespace=namespace)
    emit(told, json_)
    if told.get("verdict") != "stored":
        raise SystemExit(1)


@consent_command.command("show")
@click.option("--type", "type_", required=True, type=IDENTIFIER, help="The identifier itself is read from stdin.")
@namespaced
@as_json
def show(type_: str, namespace: str, json_: bool) -> None:
    """Show what a person allows now; logged."""
    emit(people.show_consents(opened(), type_, _identifier(), actor="cli", namespace=namespace), json_)


@consent_command.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--source", required=True, help="Name of the source.")
@click.option("--mapping", required=True, type=click.Path(path_type=Path), help="Mapping file with record = consent.")
@as_json
def import_(file: Path, source: str, mapping: Path, json_: bool) -> None:
    """Import acts of consent from a file."""
    result = intake.import_file(opened(), file, source_name=source, mapping_path=mapping, actor="cli", progress=lambda done, rows: None)
    emit(result, json_)


@click.group("subject")
def subject_command() -> None:
    """Find a person by an identifier read from stdin, see why links hold, undo and propose merges."""


@subject_command.command("find")
@click.option("--type", "type_", required=True, type=IDENTIFIER, help="The identifier itself is read from stdin.")
@why
@reason_
@namespaced
@as_json
def find(type_: str, purpose: str, reason: str, namespace: str, json_: bool) -> None:
    """Find a person; shows masked identifiers and a case of eight hours. The log entry is written first."""
    found = cases.open_(opened(), type_, _identifier(), purpose=purpose, reason=reason, actor="cli", namespace=namespace)
    columns = ("type", "masked", "ref")

    def plain() -> None:
        nobody = "a minor: another officer has to approve a look, in the console" if found["minor"] else "nobody here has this identifier"
        click.echo(f"handle: {found['handle'] or nobody}")
        click.echo(f"case: {found['case']}")
        table(columns, [[one[column] for column in columns] for one in found["identifiers"]])

    emit(found, json_, plain)


@subject_command.command("show")
@click.argument("case")
@click.option("--at", default="", help="As of a day (its end) or a time that is over; now, if none is given.")
@click.option("--part", "parts", multiple=True, type=click.Choice(PARTS), help="What to show; consents, if nothing is named.")
@as_json
def show_case(case: str, at: str, parts: tuple[str, ...], json_: bool) -> None:
    """Show what is known of the person of CASE, masked and counted; `subject find` printed it. The log entry is written first."""
    told = cases.look(opened(), case, parts or ("consents",), actor="cli", at=at)

    def plain() -> None:
        click.echo(f"state: {told['state']}")
        for title, name, columns in SHOWN:
            if name in told:
                rows = [["" if one[column] is None else one[column] for column in columns] for one in told[name]]
                table(columns, rows, title=title)
        for one in told.get("stopped", ()):
            table(("month", "items"), [[each["month"], each["number"]] for each in one["months"]], title=f"stopped: {one['purpose']}")

    emit(told, json_, plain)


@subject_command.command("reveal")
@click.argument("handle")
@click.argument("ref")
@why
@reason_
@as_json
def reveal(handle: str, ref: str, purpose: str, reason: str, json_: bool) -> None:
    """Show one identifier in clear: HANDLE and REF are those that `subject find` printed. The log entry is written first."""
    emit(people.reveal(opened(), handle, ref, purpose=purpose, reason=reason, actor="cli"), json_)


@subject_command.command("reasons")
@click.argument("handle")
@why
@reason_
@as_json
def reasons(handle: str, purpose: str, reason: str, json_: bool) -> None:
    """Show why the identifiers of HANDLE belong together: links, merges, refused links. The log entry is written first."""
    told = people.reasons(opened(), handle, purpose=purpose, reason=reason, actor="cli")
    links, merges, refused = (
        ("member", "type", "masked", "since", "rule", "source"),
        ("merge", "members", "rule", "at", "undone_at"),
        ("type", "rule", "number"),
    )

    def plain() -> None:
        for title, columns, rows in (
            ("links", links, told["links"]),
            ("merges", merges, told["merges"]),
            ("refused", refused, told["refused"]),
        ):
            table(columns, [["" if one[column] is None else one[column] for column in columns] for one in rows], title=title)

    emit(told, json_, plain)


@subject_command.command("unmerge")
@click.argument("handle")
@click.argument("merge")
@why
@reason_
@as_json
def unmerge(handle: str, merge: str, purpose: str, reason: str, json_: bool) -> None:
    """Undo one merge: MERGE is what `subject reasons` printed. The two are kept apart from then on."""
    emit(people.unmerge(opened(), handle, merge, purpose=purpose, reason=reason, actor="cli"), json_)


@subject_command.command("propose")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--source", required=True, help="Name of the source whose file it is.")
@click.option("--mapping", required=True, type=click.Path(path_type=Path), help="Match file: tables identifiers and fields.")
@click.option("--threshold", type=click.FloatRange(0.5, 1), help="Probability from which a pair is proposed; .95 by default.")
@why
@reason_
@as_json
def propose(file: Path, source: str, mapping: Path, threshold: float | None, purpose: str, reason: str, json_: bool) -> None:
    """Compare a file's records and propose merges of known people. Merges nobody. Needs the extra `match`."""
    told = people.propose(opened(), file, mapping, source_name=source, purpose=purpose, reason=reason, actor="cli", threshold=threshold)
    emit(told, json_)


@subject_command.command("proposals")
@as_json
def proposals(json_: bool) -> None:
    """List proposed merges, the strongest first; logged."""
    told = people.proposals(opened(), actor="cli")

    def plain() -> None:
        rows = [
            [one["proposal"], f"{one['weight']:.1f}", ", ".join(f"{field} {how}" for field, how in one["fields"].items())]
            for one in told["items"]
        ]
        table(("proposal", "weight", "fields"), rows)

    emit(told, json_, plain)


@subject_command.command("accept")
@click.argument("proposal")
@why
@reason_
@as_json
def accept(proposal: str, purpose: str, reason: str, json_: bool) -> None:
    """Merge the two people of PROPOSAL, by your word."""
    emit(people.accept(opened(), proposal, purpose=purpose, reason=reason, actor="cli"), json_)


@subject_command.command("dismiss")
@click.argument("proposal")
@why
@reason_
@as_json
def dismiss(proposal: str, purpose: str, reason: str, json_: bool) -> None:
    """End PROPOSAL; the pair is not proposed again."""
    emit(people.dismiss(opened(), proposal, purpose=purpose, reason=reason, actor="cli"), json_)


subject_command.add_command(request_group)
