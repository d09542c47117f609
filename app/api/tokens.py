"""One-time codes turned into tokens, tokens with fewer permissions, and their ends."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_smorest import Blueprint

from app import accounts, acts
from app.answers.accounts import TokenEndedOut, TokenMadeOut, TokenOut
from app.answers.parts import page_of
from app.guard import needs, once, public, services
from app.shapes import SetupCodeIn, TokenIn
from privacy.errors import Refused

blueprint = Blueprint("tokens", __name__, url_prefix="/api/tokens", description="Bearer tokens")


@blueprint.post("/redemptions")
@public
@blueprint.arguments(SetupCodeIn)
@blueprint.response(201, TokenMadeOut)
def redeem(body: dict[str, Any]) -> dict[str, Any]:
    """A first token for whoever holds a one-time code."""
    return acts.redeem_code(services(), body["code"])


@blueprint.post("")
@needs("account.own")
@blueprint.arguments(TokenIn)
@blueprint.response(201, TokenMadeOut)
@once(secret=True)
def make(body: dict[str, Any]) -> dict[str, Any]:
    """A token for oneself, with all or some of the permissions of the token that asks."""
    scopes = sorted(g.caller.permissions) if body["scopes"] is None else body["scopes"]
    if not set(scopes) <= g.caller.permissions:
        raise Refused("a token makes no token that may do more than itself", code="scope_not_allowed", field="scopes")
    own = g.caller.account_id
    return acts.make_token(services(), own, actor=own, scopes=scopes, name=body["name"], also=g.also)


@blueprint.get("")
@needs("account.own")
@blueprint.response(200, page_of(TokenOut))
def listing() -> dict[str, Any]:
    """One's own tokens that open something, newest first."""
    return {"items": accounts.list_tokens(services(), g.caller.account_id), "next": None}


@blueprint.post("/<token_id>/revocation")
@needs("account.own")
@blueprint.response(200, TokenEndedOut)
def revoke(token_id: str) -> dict[str, Any]:
    """Ends one of one's own tokens at once."""
    return accounts.revoke_token(services(), g.caller.account_id, token_id)
