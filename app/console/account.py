"""One's own account: password, second step, recovery codes, sessions, tokens.

Promise: everything that proves somebody asks for the password again first; recovery codes and tokens are shown on the one page that made
them. Learns the account that is signed in, and no other.
"""

from __future__ import annotations

from flask import Blueprint, Response, flash, g, redirect, request
from flask.typing import ResponseReturnValue

from app import accounts, acts
from app.console import gate, shell
from app.console.languages import _, ngettext
from app.console.sign_in import told
from app.console.start import same
from app.guard import services
from privacy.errors import NotFound, PiyingError

blueprint = Blueprint("account_pages", __name__)

ACCOUNT = "/account"


@blueprint.get("/account")
@gate.page("account.own")
def page() -> ResponseReturnValue:
    """The account of whoever looks."""
    return shell.render("account/account.html", own=accounts.own(services(), g.caller.account_id), scopes=sorted(g.caller.permissions))


@blueprint.get("/account/password")
@gate.page("account.own", fresh=True)
def password_page() -> ResponseReturnValue:
    """The form for a new password."""
    return shell.render("account/password.html")


@blueprint.post("/account/password")
@gate.act("account.own", fresh=True)
def password() -> ResponseReturnValue:
    """A new password; other sessions end."""
    form = request.form
    try:
        chosen = same(form.get("password", ""), form.get("repeated", ""))
        ended = accounts.change_password(services(), g.caller.account_id, gate.ticket(), chosen)["sessions"]
    except PiyingError as error:
        return shell.render("account/password.html", 422, wrong=told(error), field=error.field)
    flash(_("The password is changed."), "good")
    flash(_ended(ended), "info")
    return redirect(ACCOUNT, 303)


@blueprint.post("/account/sessions/endings")
@gate.act("account.own")
def end_sessions() -> ResponseReturnValue:
    """Ends every session but this one."""
    flash(_ended(accounts.end_other_sessions(services(), g.caller.account_id, gate.ticket())["sessions"]), "good")
    return redirect(ACCOUNT, 303)


def _ended(number: int) -> str:
    return ngettext("%(num)d other session ended.", "%(num)d other sessions ended.", number)


# ── the second step ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/account/second-step")
@gate.page("account.own", fresh=True)
def second_page() -> ResponseReturnValue:
    """The secret as a picture and as letters, once it is proposed."""
    return _second_page()


def _second_page(status: int = 200, wrong: str = "") -> ResponseReturnValue:
    found = accounts.proposed(services(), g.caller.account_id)
    key = services().second_step.key(found[0]) if found else ""
    own = accounts.own(services(), g.caller.account_id)
    return shell.render("account/second_step.html", status, key=key, own=own, wrong=wrong)


@blueprint.get("/account/second-step.svg")
@gate.page("account.own", fresh=True)
def picture() -> ResponseReturnValue:
    """The proposed secret, for an authenticator's camera."""
    found = accounts.proposed(services(), g.caller.account_id)
    if found is None:
        raise NotFound("no second step is proposed", code="second_step_missing")
    return Response(services().second_step.picture(*found), mimetype="image/svg+xml")


@blueprint.post("/account/second-step")
@gate.act("account.own", fresh=True)
def propose() -> ResponseReturnValue:
    """Makes a secret to scan."""
    accounts.propose_second_step(services(), g.caller.account_id)
    return redirect("/account/second-step", 303)


@blueprint.post("/account/second-step/confirmations")
@gate.act("account.own", fresh=True)
def confirm() -> ResponseReturnValue:
    """Puts it into force with its first code; the recovery codes are on the answer, this once."""
    try:
        codes = accounts.confirm_second_step(services(), g.caller.account_id, request.form.get("code", ""))
    except PiyingError as error:
        return _second_page(422, told(error))
    return shell.render("account/codes.html", codes=codes)


@blueprint.post("/account/second-step/codes")
@gate.act("account.own", fresh=True)
def codes() -> ResponseReturnValue:
    """Ten new recovery codes instead of the old ones, this once."""
    return shell.render("account/codes.html", codes=accounts.new_recovery_codes(services(), g.caller.account_id))


@blueprint.post("/account/second-step/endings")
@gate.act("account.own", fresh=True)
def end_second_step() -> ResponseReturnValue:
    """Takes the second step away."""
    accounts.end_second_step(services(), g.caller.account_id, actor=g.caller.account_id)
    flash(_("The second step is removed."), "warn")
    return redirect(ACCOUNT, 303)


# ── tokens ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/account/tokens/new")
@gate.page("account.own", fresh=True)
def token_page() -> ResponseReturnValue:
    """The form for a token."""
    return shell.render("account/token.html", scopes=sorted(g.caller.permissions), chosen=[], name="")


@blueprint.post("/account/tokens")
@gate.act("account.own", fresh=True)
def make_token() -> ResponseReturnValue:
    """A token with the permissions that were ticked, shown this once."""
    name, chosen = request.form.get("name", "").strip()[:60], request.form.getlist("scope")
    if not chosen:
        told_ = _("Choose at least one permission.")
        return shell.render("account/token.html", 422, scopes=sorted(g.caller.permissions), chosen=[], name=name, wrong=told_)
    me = g.caller.account_id
    made = acts.make_token(services(), me, actor=me, scopes=chosen, name=name)
    return shell.render("account/token_made.html", token=made["token"], name=name)


@blueprint.post("/account/tokens/<token_id>/revocation")
@gate.act("account.own")
def revoke_token(token_id: str) -> ResponseReturnValue:
    """Ends a token at once."""
    accounts.revoke_token(services(), g.caller.account_id, token_id)
    flash(_("The token is revoked: it opens nothing any more."), "good")
    return redirect(ACCOUNT, 303)
