"""Signing in: the address and password, the second step, the password once more, and out.

Promise: what was typed is neither repeated, but for the address in its own field, nor kept; whoever is wrong learns only that.
Learns an address of staff and a password for as long as the request lasts.
"""

from __future__ import annotations

import ipaddress

from flask import Blueprint, g, redirect, request
from flask.typing import ResponseReturnValue

from app import errors, signin
from app.console import gate, shell
from app.console.languages import _
from app.guard import services
from privacy.errors import PiyingError

blueprint = Blueprint("sign_in_pages", __name__)


@blueprint.get("/sign-in")
@gate.open_page
def page() -> ResponseReturnValue:
    """The form; whoever is in already goes on."""
    onward = gate.local(request.args.get("next"))
    return redirect(onward) if gate.signed_in() else shell.render("sign_in/sign_in.html", next=onward)


@blueprint.post("/sign-in")
@gate.open_act
def sign_in() -> ResponseReturnValue:
    """The address and the password."""
    form, onward = request.form, gate.local(request.form.get("next"))
    try:
        ticket, waits = signin.sign_in(services(), form.get("email", ""), form.get("password", ""), machine=machine(), ticket=gate.ticket())
    except PiyingError as error:
        return _again("sign_in/sign_in.html", error, onward, email=form.get("email", "")[:320])
    gate.hand_over(ticket)
    return redirect(gate.with_next("/sign-in/second-step", onward) if waits else onward, 303)


@blueprint.get("/sign-in/second-step")
@gate.open_page
def second_page() -> ResponseReturnValue:
    """The form for the code; only after the right password."""
    here, onward = gate.current(), gate.local(request.args.get("next"))
    if here is None or here.complete:
        return redirect(gate.with_next("/sign-in", onward))
    return shell.render("sign_in/second_step.html", next=onward)


@blueprint.post("/sign-in/second-step")
@gate.open_act
def second_step() -> ResponseReturnValue:
    """The code of an authenticator, or a recovery code."""
    onward = gate.local(request.form.get("next"))
    try:
        ticket = signin.second_step(services(), gate.ticket(), request.form.get("code", ""))
    except PiyingError as error:
        if error.code == "sign_in_again":
            return redirect(gate.with_next("/sign-in", onward), 303)
        return _again("sign_in/second_step.html", error, onward)
    gate.hand_over(ticket)
    return redirect(onward, 303)


@blueprint.get("/reauthenticate")
@gate.page("account.own")
def again_page() -> ResponseReturnValue:
    """The form that asks for the password once more."""
    return shell.render("sign_in/reauthenticate.html", next=gate.local(request.args.get("next")))


@blueprint.post("/reauthenticate")
@gate.act("account.own")
def again() -> ResponseReturnValue:
    """The password once more."""
    onward = gate.local(request.form.get("next"))
    try:
        signin.reauthenticate(services(), gate.ticket(), g.caller.account_id, request.form.get("password", ""))
    except PiyingError as error:
        return _again("sign_in/reauthenticate.html", error, onward)
    return redirect(onward, 303)


@blueprint.post("/sign-out")
@gate.act("account.own")
def sign_out() -> ResponseReturnValue:
    """Ends the session here and in the store, and asks the browser to forget what it kept."""
    signin.sign_out(services(), gate.ticket(), g.caller.account_id)
    gate.hand_over("")
    response = redirect("/sign-in", 303)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _again(template: str, error: PiyingError, onward: str, **kept: str) -> ResponseReturnValue:
    """The form once more with what is wrong, and how long to wait where that is it."""
    answer = shell.render(template, errors.status_of(error), next=onward, wrong=told(error), seconds=error.retry_after or 0, **kept)
    if error.retry_after:
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


def told(error: PiyingError) -> str:
    """What to tell about an error, in the reader's language."""
    said = {
        "sign_in_failed": _("The address or the password is wrong."),
        "code_wrong": _("The code is wrong or was already used."),
        "password_wrong": _("The password is wrong."),
        "too_many_tries": _("Too many attempts. Please wait, then try again."),
        "bad_setup_code": _("The link is unknown, used or expired. Ask an administrator for a new one."),
        "account_unknown": _("The link is unknown, used or expired. Ask an administrator for a new one."),
        "password_short": _("A password needs at least 12 characters."),
        "password_long": _("A password has at most 256 characters."),
        "password_weak": _("This password is too easy: use more different characters, and not your address."),
        "passwords_differ": _("The two passwords are not the same."),
        "second_step_exists": _("There is a second step already."),
        "second_step_missing": _("There is no second step to do this with."),
        "scope_not_allowed": _("A token carries only permissions of your own role."),
        "account_exists": _("An account with this address exists."),
        "bad_email": _("An account needs an e-mail address."),
        "unknown_role": _("Choose a role."),
        "own_account": _("Nobody disables their own account."),
    }
    return said.get(error.code, _("That did not work. Please try again."))


def machine() -> str:
    """Where the request came from, no finer than one household's network; only ever digested under a key."""
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return "-"
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else str(address)
