"""Accounts of staff: who has which role, new ones, new links, ends. For administrators.

Promise: a link is shown on the one page that made it; an account is never deleted, because the log names it. Shows addresses of staff to
administrators and nobody else.
"""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, request
from flask.typing import ResponseReturnValue

from app import access, accounts, acts, errors
from app.console import gate, shell
from app.console.languages import _
from app.console.sign_in import told
from app.console.words import ROLES
from app.guard import services
from privacy.errors import PiyingError

blueprint = Blueprint("users_pages", __name__)


@blueprint.get("/users")
@gate.page("user.edit")
def page() -> ResponseReturnValue:
    """Everybody who has an account."""
    return shell.render("users/users.html", users=accounts.everybody(services()), ROLES=ROLES)


@blueprint.get("/users/new")
@gate.page("user.edit", fresh=True)
def new_page() -> ResponseReturnValue:
    """The form for a new account."""
    return _new()


def _new(status: int = 200, **kept: str) -> ResponseReturnValue:
    roles = [(role, _(ROLES[role])) for role in sorted(access.matrix())]
    return shell.render("users/new.html", status, roles=roles, **kept)


@blueprint.post("/users")
@gate.act("user.edit", fresh=True)
def add() -> ResponseReturnValue:
    """A new account; its link is on the answer, this once."""
    email, role = request.form.get("email", ""), request.form.get("role", "")
    try:
        made = acts.add_user(services(), email, role, actor=g.caller.account_id)
    except PiyingError as error:
        return _new(errors.status_of(error), email=email[:320], role_chosen=role, wrong=told(error), field=error.field or "")
    return shell.render("users/link.html", link=made["link"], email=access.address(email))


@blueprint.get("/users/<user_id>")
@gate.page("user.edit", fresh=True)
def one(user_id: str) -> ResponseReturnValue:
    """One account and what can be done with it."""
    return shell.render("users/user.html", user=accounts.of(services(), user_id), ROLES=ROLES)


@blueprint.post("/users/<user_id>/links")
@gate.act("user.edit", fresh=True)
def new_link(user_id: str) -> ResponseReturnValue:
    """A new link, shown this once."""
    without = request.form.get("without_second_step") == "1"
    made = accounts.new_link(services(), user_id, actor=g.caller.account_id, without_second_step=without)
    return shell.render("users/link.html", link=made["link"], email=accounts.of(services(), user_id)["email"])


@blueprint.post("/users/<user_id>/disablement")
@gate.act("user.edit", fresh=True)
def disable(user_id: str) -> ResponseReturnValue:
    """Ends an account with its sessions and tokens."""
    try:
        acts.disable_user(services(), user_id, actor=g.caller.account_id)
    except PiyingError as error:
        flash(told(error), "bad")
        return redirect(f"/users/{user_id}", 303)
    flash(_("The account is disabled; its sessions and tokens ended."), "good")
    return redirect("/users", 303)
