"""`piying user`: accounts of staff and their tokens."""

from __future__ import annotations

import click

from app import access, accounts, acts
from app.cli.opening import opened
from app.cli.output import as_json, emit, table


@click.group("user")
def user_command() -> None:
    """Add accounts, list them, make tokens."""


@user_command.command("add")
@click.argument("email")
@click.option("--role", required=True, type=click.Choice(sorted(access.matrix())))
@as_json
def add(email: str, role: str, json_: bool) -> None:
    """Make an account; the link works once."""
    emit(acts.add_user(opened(), email, role, actor="cli"), json_)


@user_command.command("list")
@as_json
def list_(json_: bool) -> None:
    """List accounts and roles."""
    services = opened()
    with services.read_console() as tx:
        listed = access.accounts(tx)
    columns = ("user", "email", "role", "disabled")
    emit({"items": listed}, json_, lambda: table(columns, [[one[column] for column in columns] for one in listed]))


@user_command.command("token")
@click.argument("email")
@click.option("--scope", "scopes", multiple=True, help="A permission of the account's role; default: all of them.")
@as_json
def token(email: str, scopes: tuple[str, ...], json_: bool) -> None:
    """Make an API token for an account; it is shown this once."""
    services = opened()
    with services.read_console() as tx:
        account = access.account_id_of(tx, email)
    emit(acts.make_token(services, account, actor="cli", scopes=scopes or None), json_)


@user_command.command("disable")
@click.argument("email")
@as_json
def disable(email: str, json_: bool) -> None:
    """End an account with all of its tokens."""
    services = opened()
    with services.read_console() as tx:
        account = access.account_id_of(tx, email)
    emit(acts.disable_user(services, account, actor="cli"), json_)


@user_command.command("link")
@click.argument("email")
@click.option("--without-second-step", is_flag=True, help="Also take the second step away: phone and recovery codes are lost.")
@as_json
def link(email: str, without_second_step: bool, json_: bool) -> None:
    """Print another one-time link for an account; the one before ends."""
    services = opened()
    with services.read_console() as tx:
        account = access.account_id_of(tx, email)
    emit(accounts.new_link(services, account, actor="cli", without_second_step=without_second_step), json_)
