"""One-time codes turned into tokens, and tokens with fewer permissions."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_smorest import Blueprint

from app import acts
from app.guard import needs, public, services
from app.shapes import SetupCodeIn, TokenIn
from privacy.errors import Refused

blueprint = Blueprint("tokens", __name__, url_prefix="/api/tokens", description="Bearer tokens")


@blueprint.post("/redemptions")
@public
@blueprint.arguments(SetupCodeIn)
@blueprint.response(201)
def redeem(body: dict[str, Any]) -> dict[str, Any]:
    """A first token for whoever holds a one-time code."""
    return acts.redeem_code(services(), body["code"])


@blueprint.post("")
@needs("account.own")
@blueprint.arguments(TokenIn)
@blueprint.response(201)
def make(body: dict[str, Any]) -> dict[str, Any]:
    """A token for oneself, with all or some of the permissions of the token that asks."""
    scopes = sorted(g.caller.permissions) if body["scopes"] is None else body["scopes"]
    if not set(scopes) <= g.caller.permissions:
        raise Refused("a token makes no token that may do more than itself", code="scope_not_allowed", field="scopes")
    return acts.make_token(services(), g.caller.account_id, actor=g.caller.account_id, scopes=scopes)
