"""Language, theme and the find box: what belongs to every page and to nobody's data.

Promise: a choice is kept in a cookie of the browser and, for whoever is signed in, with the account; the find box takes numbers of ours
and refuses what looks like a person's identifier, without putting it into an address.
"""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as BaseResponse

from app import choices
from app.console import gate, languages, lists, nav, shell
from app.console.languages import _
from app.guard import services

blueprint = Blueprint("preferences_pages", __name__)

YEAR = 31_536_000


@blueprint.get("/preferences")
@gate.page("account.own")
def preferences() -> ResponseReturnValue:
    """Language and theme."""
    return shell.render("preferences/preferences.html", chosen=choices.of(services(), g.caller.account_id))


@blueprint.post("/preferences")
@gate.act("account.own")
def keep() -> ResponseReturnValue:
    """Keeps both, for the account."""
    language, theme = request.form.get("language", ""), request.form.get("theme", "")
    choices.keep(services(), g.caller.account_id, language=language, theme=theme)
    languages.forget()
    flash(_("Your choice is kept."), "good")
    return _remember(_remember(redirect(url_for("preferences_pages.preferences")), languages.COOKIE, language), shell.THEME_COOKIE, theme)


@blueprint.post("/preferences/language")
@gate.open_act
def language() -> ResponseReturnValue:
    """The switch in the header; also before the sign-in."""
    wanted = request.form.get("language", "")
    choices.check(language=wanted, theme=None)
    if here := gate.signed_in():
        choices.keep(services(), here.account_id, language=wanted)
    return _remember(redirect(gate.local(request.form.get("back"))), languages.COOKIE, wanted)


def _remember(response: BaseResponse, name: str, value: str) -> BaseResponse:
    """Puts a choice into a cookie that no script reads; an empty one takes it away."""
    if value:
        response.set_cookie(name, value, max_age=YEAR, httponly=True, samesite="Lax", secure=services().settings.https)
    else:
        response.delete_cookie(name)
    return response


@blueprint.post("/find")
@gate.act("account.own")
def find() -> ResponseReturnValue:
    """Leads to what a number of ours names. What was typed is neither repeated nor kept."""
    number = request.form.get("number", "").strip()
    found = nav.place(number, g.caller)
    if found:
        return redirect(found, 303)
    return shell.render("preferences/not_found.html", 422, identifier=lists.identifier_like(number))
