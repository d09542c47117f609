"""`piying export`: lists of people for recipients at a terminal. Each act names the account of who does it; no address comes out in clear."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli import deliveries as carried
from app.cli.opening import opened
from app.cli.output import as_json, emit, table
from privacy.errors import Invalid, NotFound

if TYPE_CHECKING:
    from app.wiring import Services

_WHO = click.option("--as", "email", required=True, help="The e-mail address of the account that does it.")
_EXPORT = click.argument("export")
_FILE = click.argument("file", type=click.Path(path_type=Path))


@click.group("export")
def export_command() -> None:
    """Ask for lists of people, decide about them, release, take, call back and trace them."""


@export_command.command("request")
@click.argument("segment")
@click.argument("recipient")
@click.option("--form", required=True, help="The recipient's family (google, meta, sms, …) or pseudonymous.")
@click.option("--field", "fields", multiple=True, required=True, help="A column; may stand several times.")
@click.option("--channel", default="", help="sms, email, push, wechat, phone; none where nobody is written to.")
@click.option("--why", required=True, help="The justification, in a sentence.")
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 90), help="How long the list is good for.")
@_WHO
@as_json
def request(
    segment: str, recipient: str, form: str, fields: tuple[str, ...], channel: str, why: str, days: int, email: str, json_: bool
) -> None:  # fmt: skip
    """Ask for the people of SEGMENT for RECIPIENT; somebody else decides."""
    from app import exports

    services = opened()
    body = {
        "segment": segment, "recipient": recipient, "channel": channel, "form": form, "fields": fields, "justification": why,
        "expires_at": services.clock() + timedelta(days=days),
    }  # fmt: skip
    emit(exports.ask(services, body, actor=_account(services, email, "export.ask")), json_)


@export_command.command("approve")
@_EXPORT
@_WHO
@as_json
def approve(export: str, email: str, json_: bool) -> None:
    """Say yes to EXPORT as a second person; the yes ends after three days."""
    from app import exports

    services = opened()
    emit(exports.approve(services, export, actor=_account(services, email, "export.approve")), json_)


@export_command.command("reject")
@_EXPORT
@click.argument("reason")
@_WHO
@as_json
def reject(export: str, reason: str, email: str, json_: bool) -> None:
    """Say no to EXPORT as a second person, for a REASON."""
    from app import exports

    services = opened()
    emit(exports.reject(services, export, reason, actor=_account(services, email, "export.approve")), json_)


@export_command.command("release")
@_EXPORT
@_WHO
@as_json
def release(export: str, email: str, json_: bool) -> None:
    """Release the approved EXPORT: everybody is decided about at this moment."""
    from app import exports

    services = opened()
    emit(exports.release(services, export, actor=_account(services, email, "export.approve")), json_)


@export_command.command("revoke")
@_EXPORT
@_WHO
@as_json
def revoke(export: str, email: str, json_: bool) -> None:
    """Call the released EXPORT back; its file is destroyed and its recipient told."""
    from app import exports

    services = opened()
    emit(exports.revoke(services, export, actor=_account(services, email, "export.approve")), json_)


@export_command.command("take")
@_EXPORT
@_FILE
@_WHO
@as_json
def take(export: str, file: Path, email: str, json_: bool) -> None:
    """Write the sealed file of EXPORT to FILE, which must not be there yet; counted and decided about once more."""
    from app import exports

    services = opened()
    actor = _account(services, email, "export.take")
    try:
        with file.open("xb") as out:
            name, size, pieces = exports.take(services, export, actor=actor)
            for piece in pieces:
                out.write(piece)
    except FileExistsError:
        raise Invalid("the file is there already", code="file_exists", field="file") from None
    except BaseException:  # nothing came: an empty file would look like a list
        file.unlink(missing_ok=True)
        raise
    emit({"export": export, "file": name, "size": size}, json_)


@export_command.command("show")
@_EXPORT
@_WHO
@as_json
def show(export: str, email: str, json_: bool) -> None:
    """Show EXPORT with its manifest, as the account may see it."""
    from app import exports

    services = opened()
    emit(exports.show(services, export, _caller(services, email, "export.read")), json_)


@export_command.command("list")
@click.option("--state", default="", help="Only those that stand so.")
@_WHO
@as_json
def list_(state: str, email: str, json_: bool) -> None:
    """List the requests that the account may see, the newest first."""
    from app import exports

    services = opened()
    found = exports.page(services, _caller(services, email, "export.read"), state=state)
    rows = [[one["id"], one["state"], one["segment"], one["recipient"], one["form"], one["asked_at"]] for one in found["items"]]
    emit(found, json_, lambda: table(("export", "state", "segment", "recipient", "form", "asked"), rows))


@export_command.command("trace")
@_FILE
@_WHO
@as_json
def trace(file: Path, email: str, json_: bool) -> None:
    """Name the recipient of the leaked CSV FILE; a sample of a thousand rows is enough."""
    from app import exports

    services = opened()
    actor = _account(services, email, "export.trace")
    try:
        raw = file.read_bytes()
    except OSError:
        raise NotFound("the file cannot be read", code="file_unreadable", field="file") from None
    found = exports.trace(services, raw, actor=actor)
    rows = [[one["recipient"], one["key"], one["marks"]] for one in found["found"]]
    emit(found, json_, lambda: table(("recipient", "key", "marks"), rows))


for _command in carried.COMMANDS:
    export_command.add_command(_command)


def _caller(services: Services, email: str, permission: str) -> Any:
    """The account that acts, if it may."""
    from app import exports

    return exports.acting(services, email, permission)


def _account(services: Services, email: str, permission: str) -> str:
    return str(_caller(services, email, permission).account_id)
