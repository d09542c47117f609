"""Accounts of staff, for administrators: the same functions as the console's pages and the command line."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_smorest import Blueprint

from app import accounts, acts
from app.answers.accounts import LinkOut, UserEndedOut, UserOut
from app.answers.parts import page_of
from app.guard import needs, once, services
from app.shapes import NewLinkIn, UserIn

blueprint = Blueprint("users", __name__, url_prefix="/api/users", description="Accounts of staff")


@blueprint.get("")
@needs("user.edit")
@blueprint.response(200, page_of(UserOut))
def listing() -> dict[str, Any]:
    """Every account, oldest first."""
    return {"items": accounts.everybody(services()), "next": None}


@blueprint.post("")
@needs("user.edit")
@blueprint.arguments(UserIn)
@blueprint.response(201, LinkOut)
@once(secret=True)
def add(body: dict[str, Any]) -> dict[str, Any]:
    """A new account and the link that its holder opens once; it is shown this once."""
    return acts.add_user(services(), body["email"], body["role"], actor=g.caller.account_id, also=g.also)


@blueprint.post("/<user_id>/links")
@needs("user.edit")
@blueprint.arguments(NewLinkIn)
@blueprint.response(201, LinkOut)
@once(secret=True)
def link(body: dict[str, Any], user_id: str) -> dict[str, Any]:
    """Another link for an account; the one before ends."""
    return accounts.new_link(services(), user_id, actor=g.caller.account_id, also=g.also, **body)


@blueprint.post("/<user_id>/disablement")
@needs("user.edit")
@blueprint.response(200, UserEndedOut)
def disable(user_id: str) -> dict[str, Any]:
    """Ends an account with its sessions and tokens."""
    return acts.disable_user(services(), user_id, actor=g.caller.account_id)
