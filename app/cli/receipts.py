"""`piying receipt`: signed receipts of consent, and their verification without a home, a store or a key file."""

from __future__ import annotations

import json
from pathlib import Path

import click

from app.cli.opening import opened
from app.cli.output import as_json, emit
from privacy.errors import NotFound

LARGEST = 1_048_576
"""Bytes of a receipt or a key set."""


@click.group("receipt")
def receipt_command() -> None:
    """Show and verify signed receipts of consent, print the keys that verify them."""


@receipt_command.command("show")
@click.argument("number")
@click.option("--own", is_flag=True, help="The person's own copy, with the value that opens the receipt's commitment to them.")
def show(number: str, own: bool) -> None:
    """Print the receipt NUMBER as a file; handing it out is an entry of the access log, written first."""
    from app import consents

    click.echo(consents.file(opened(), number, actor="cli", opened=own), nl=False)


@receipt_command.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--keys", required=True, type=click.Path(path_type=Path), help="The published key set (jwks.json), from somebody you trust.")
@as_json
def verify(file: Path, keys: Path, json_: bool) -> None:
    """Verify the receipt, or the certificate of erasure, FILE offline: no home, no store, no network."""
    from privacy.oversight.consents import verify_file

    found = verify_file(_text(file, "file"), _text(keys, "keys"))

    def plain() -> None:
        what = "certificate" if "erasure" in found else "receipt"
        click.echo(f"the {what} holds" if found["ok"] else f"the {what} does not hold: {found['reason']}")
        for name in ("receipt", "erasure", "key", "notice", "subject"):
            if name in found:
                click.echo(f"{name}: {found[name] or '-'}")

    emit(found, json_, plain)
    if not found["ok"]:
        raise SystemExit(1)


@receipt_command.command("keys")
def keys() -> None:
    """Print the public keys that verify receipts (RFC 7517), of every version."""
    from app import consents

    click.echo(json.dumps(consents.public_keys(opened()), indent=1))


def _text(path: Path, field: str) -> str:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise NotFound("the file cannot be read", code="file_unreadable", field=field) from None
