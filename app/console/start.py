"""The page that a one-time link opens: its holder chooses a password.

Promise: the code stands behind the # of the link, so it reaches the server only in the body of this form; it works once. There is no
password before this page was used. Learns the code and the password for as long as the request lasts.
"""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from app import errors, signin
from app.console import gate, shell
from app.console.sign_in import machine, told
from app.guard import services
from privacy.errors import Invalid, PiyingError

blueprint = Blueprint("start_pages", __name__)


@blueprint.get("/start")
@gate.open_page
def page() -> ResponseReturnValue:
    """The form; a script takes the code out of the address, otherwise it is pasted."""
    return shell.render("start/start.html")


@blueprint.post("/start")
@gate.open_act
def start() -> ResponseReturnValue:
    """Sets the password; signing in is the next step."""
    form = request.form
    try:
        email = signin.start(services(), form.get("code", ""), same(form.get("password", ""), form.get("repeated", "")), machine=machine())
    except PiyingError as error:
        kept = form.get("code", "")[:200]
        return shell.render("start/start.html", errors.status_of(error), wrong=told(error), field=error.field, code=kept)
    gate.hand_over("")
    return shell.render("start/done.html", email=email)


def same(password: str, repeated: str) -> str:
    """A password that was typed twice the same way; raises Invalid."""
    if password != repeated:
        raise Invalid("the two passwords are not the same", code="passwords_differ", field="repeated")
    return password
