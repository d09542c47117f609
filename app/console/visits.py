"""The public page: somebody proves an address by a code and sees and changes what they chose, without an account and without a script.

Promise: until the code is right every answer is the same for everybody, known, unknown or erased: same words, same status, leaving on the
same beat. No identifier stands in an address or is shown again. It says nothing about anybody but to whoever proved to be them.
"""

from __future__ import annotations

import time
from typing import Any

from flask import Blueprint, flash, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as BaseResponse

from app import errors, visits
from app.console import gate, languages, shell
from app.console.languages import N_, _
from app.console.sign_in import machine
from app.guard import services
from ingestion import signals
from privacy.errors import PiyingError, Refused

blueprint = Blueprint("visits_pages", __name__)

COOKIE = "piying_visit"
PLACE = "/choices"
TYPES = {"phone": N_("Mobile number"), "email": N_("E-mail address")}
TAGS = {
    "sex": N_("Sex"),
    "age_band": N_("Age band"),
    "occupation": N_("Kind of occupation"),
    "region": N_("Region"),
    "tier": N_("Tier of membership"),
    "recency_band": N_("How lately you bought"),
    "frequency_band": N_("How often you buy"),
    "value_band": N_("How much you spend"),
    "stage": N_("Stage of our relationship"),
    "previous_stage": N_("Stage in the month before"),
    "first_purchase_month": N_("Month of your first purchase"),
    "again_band": N_("How soon you came again"),
}
RIGHTS = {
    "access": N_("Know what you have of me"),
    "copy": N_("Get a copy"),
    "portability": N_("Take my data elsewhere"),
    "correction": N_("Correct it"),
    "deletion": N_("Delete it"),
    "restriction": N_("Restrict its use"),
    "objection": N_("Object to automated decisions"),
    "explanation": N_("Explain a decision"),
}
"""What can be asked for here; a withdrawal takes one press above."""
MOST = {"recency_band": 5, "frequency_band": 5, "value_band": 5, "again_band": 3}
"""The highest level of each band."""
SAID = {
    "female": N_("Female"),
    "male": N_("Male"),
    "active": N_("Active"),
    "cooling": N_("Cooling down"),
    "sleeping": N_("Asleep"),
    "lost": N_("Lost"),
}


@blueprint.get(PLACE)
@gate.open_page
def start() -> ResponseReturnValue:
    """The form for an address."""
    return shell.render("visits/start.html", types=TYPES, wrong={})


@blueprint.post(f"{PLACE}/codes")
@gate.open_act
def ask() -> ResponseReturnValue:
    """Sends a code to an address, if it is somebody's; says the same whether it is or not."""
    began = time.monotonic()
    type_, value = request.form.get("type", ""), request.form.get("value", "")[:256]
    try:
        ticket = visits.ask(services(), type_, value, machine=machine(), subject=_("Your code"), text=_letter())
    except PiyingError as error:
        field = error.field if error.field in ("type", "value") else "value"
        answer: BaseResponse = shell.render(
            "visits/start.html", errors.status_of(error), types=TYPES, wrong={field: _told(error)}, type=type_
        )
        if error.retry_after:
            answer.headers["Retry-After"] = str(error.retry_after)
        return _paced(answer, began)
    return _paced(_hold(redirect(f"{PLACE}/code", 303), ticket), began)


@blueprint.get(f"{PLACE}/code")
@gate.open_page
def code_page() -> ResponseReturnValue:
    """The form for the code."""
    return shell.render("visits/code.html", wrong={})


@blueprint.post(f"{PLACE}/code")
@gate.open_act
def code() -> ResponseReturnValue:
    """Opens what is theirs, if the code is right. What a browser objects to for its user is recorded then."""
    began = time.monotonic()
    try:
        ticket = visits.prove(services(), _ticket(), request.form.get("code", "")[:32])
        if signals.objects(request.headers.get("Sec-GPC")):
            visits.object_by_signal(services(), visits.who(services(), ticket))
    except PiyingError as error:
        return _paced(shell.render("visits/code.html", errors.status_of(error), wrong={"code": _told(error)}), began)
    return _paced(_hold(redirect(f"{PLACE}/mine", 303), ticket), began)


@blueprint.get(f"{PLACE}/mine")
@gate.open_page
def mine() -> ResponseReturnValue:
    """What they allow, and what is said about them."""
    try:
        visitor = visits.who(services(), _ticket())
    except Refused:
        return _forget(redirect(PLACE, 303))
    listed = visits.choices(services(), visitor)
    return shell.render("visits/mine.html", choices=listed, tags=_tags(visits.tags(services(), visitor)), tongue=_tongue(), rights=RIGHTS)


@blueprint.post(f"{PLACE}/mine")
@gate.open_act
def choose() -> ResponseReturnValue:
    """Records one choice: a no and a yes take one press each."""
    try:
        visitor = visits.who(services(), _ticket())
    except Refused:
        return _forget(redirect(PLACE, 303))
    allow = request.form.get("state") == "granted"
    visits.choose(services(), visitor, request.form.get("purpose", "")[:64], allow=allow, language=_tongue())
    flash(_("Recorded. It holds from now on."), "good")
    return redirect(f"{PLACE}/mine", 303)


@blueprint.post(f"{PLACE}/tags")
@gate.open_act
def refuse() -> ResponseReturnValue:
    """Deletes a tag."""
    try:
        visitor = visits.who(services(), _ticket())
    except Refused:
        return _forget(redirect(PLACE, 303))
    visits.refuse(services(), visitor, request.form.get("tag", "")[:40])
    flash(_("Deleted. It is not made again."), "good")
    return redirect(f"{PLACE}/mine", 303)


@blueprint.post(f"{PLACE}/requests")
@gate.open_act
def request_() -> ResponseReturnValue:
    """Files a request about their data."""
    try:
        visitor = visits.who(services(), _ticket())
    except Refused:
        return _forget(redirect(PLACE, 303))
    right = request.form.get("right", "")
    number = visits.request(services(), visitor, right if right in RIGHTS else "access", language=_tongue())
    flash(_("Your request has the number %(number)s. Keep it.", number=number), "good")
    return redirect(f"{PLACE}/mine", 303)


@blueprint.post(f"{PLACE}/endings")
@gate.open_act
def leave() -> ResponseReturnValue:
    """Ends the visit."""
    visits.leave(services(), _ticket())
    return _forget(redirect(PLACE, 303))


def _tags(found: list[tuple[str, Any]]) -> list[dict[str, str]]:
    """Tags in words: a band as a level, a word of ours in the reader's language, anything else as it is."""
    listed = []
    for tag, value in found:
        if tag in MOST:
            said = _("Level %(level)s of %(most)s", level=value, most=MOST[tag])
        elif tag == "first_purchase_month":
            said = f"{value // 100}-{value % 100:02d}"
        else:
            said = _(SAID[value]) if value in SAID else str(value)
        listed.append({"tag": tag, "name": _(TAGS[tag]), "said": said})
    return listed


def _letter() -> str:
    """The words of the message, in the reader's language."""
    return _("Your code for your choices is {code}. It works for 15 minutes. Nobody of ours will ever ask you for it.")


def _told(error: PiyingError) -> str:
    said = {
        "bad_identifier": _("This does not look like a mobile number or an e-mail address."),
        "identifier_type": _("Choose how we reach you."),
        "visit_code_wrong": _("The code is wrong or too old. After five tries a new one is needed."),
        "too_many_tries": _("Too many attempts. Please wait, then try again."),
    }
    return said.get(error.code, _("That did not work. Please try again."))


def _tongue() -> str:
    return "zh" if languages.current().startswith("zh") else "en"


def _ticket() -> str:
    return request.cookies.get(COOKIE, "")[:100]


def _hold(response: BaseResponse, ticket: str) -> BaseResponse:
    """Gives the browser what opens the visit: for this page alone, and for no script."""
    response.set_cookie(COOKIE, ticket, path=PLACE, httponly=True, samesite="Strict", secure=services().settings.https)
    return response


def _forget(response: BaseResponse) -> BaseResponse:
    response.delete_cookie(COOKIE, path=PLACE)
    return response


def _paced(response: BaseResponse, began: float) -> BaseResponse:
    """Leaves on a beat after the request began, whoever it was about."""
    time.sleep(services().pace.wait(time.monotonic() - began))
    return response
