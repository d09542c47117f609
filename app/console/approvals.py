"""One export: where it stands, its numbers before the release, the second person's decision, its manifest, its sealed file, what came after.

Promise: numbers with noise for whoever asks, every reason for an officer. Who decides types their password again, and nobody decides about what
they asked for. A file leaves sealed, once for each press of the button, and each is counted. Calling back has a page of its own, which says what
it does.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, g, redirect, request
from flask.typing import ResponseReturnValue

from app import errors, exports, leaving
from app.console import gate, shell
from app.console.export_words import BEFORE, CHANNELS, FIELDS, FORMS, STEPS, funnel, refusal, word
from app.console.exports import shown
from app.console.languages import _
from app.console.segment_words import OUTCOMES, USES
from app.guard import services
from privacy.errors import Invalid, PiyingError

blueprint = Blueprint("approvals_pages", __name__)


@blueprint.get("/exports/<export_id>")
@gate.page("export.read")
def one(export_id: str) -> ResponseReturnValue:
    """A request with what may be done about it."""
    return _one(export_id)


def _one(
    export_id: str, *, numbers: dict[str, Any] | None = None, wrong: dict[str, str] | None = None, status: int = 200
) -> ResponseReturnValue:
    told = leaving.whole(services(), export_id, g.caller)
    found = told["one"]
    exact = (numbers or {}).get("exact")
    officers = found["officers"]
    return shell.render(
        "exports/export.html",
        status,
        **told | {"one": shown(found | {"flags": told["flags"]})},
        wrong=wrong or {},
        numbers=numbers,
        now=funnel(exact["people"], exact["exclusions"]) if exact else [],
        left=funnel(officers["people"], officers["exclusions"]) if officers else [],
        compared=_compared(told["last"]) if told["last"] else [],
        steps=_steps(found),
        changes=_changes(found),
        FIELDS=FIELDS,
        OUTCOMES=OUTCOMES,
    )


def _steps(one: dict[str, Any]) -> list[tuple[str, bool, bool]]:
    """The way of a list as (word, done, here); what ended it otherwise stands as its state."""
    done = {"requested": True, "approved": bool(one["decided_at"]) and one["state"] != "rejected", "released": bool(one["released_at"])}
    done["taken"] = done["released"] and bool(one["downloads"])
    last = [name for name, _word in STEPS if done[name]][-1]
    return [(_(said), done[name], name == last) for name, said in STEPS]


def _changes(one: dict[str, Any]) -> list[dict[str, Any]]:
    """What happened to it, by whom, the oldest first."""
    rejected = one["state"] == "rejected"
    steps = [
        (one["asked_at"], one["who"], _("List asked for")),
        (one["decided_at"], one["decider"], _("Rejected") if rejected else _("Approved")),
        (one["released_at"], "", _("Released to the recipient")),
    ]
    if one["state"] in ("revoked", "expired", "cancelled"):
        word_of = {"revoked": _("Called back"), "expired": _("Over"), "cancelled": _("Taken back")}[one["state"]]
        steps.append((one["until"], one["who"] if one["state"] == "cancelled" else "", word_of))
    return [{"at": datetime.fromisoformat(at), "who": who, "what": what} for at, who, what in steps if at]


def _compared(last: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of the comparison with the last approved request, in words."""
    return [row | {"what": word(BEFORE, row["what"]), "now": _plain(row, "now"), "then": _plain(row, "then")} for row in last["rows"]]


def _plain(row: dict[str, Any], side: str) -> str:
    value, words = row[side], {"channel": CHANNELS, "form": FORMS, "use": USES}.get(row["what"], {})
    return ", ".join(word(FIELDS, name) for name in value) if isinstance(value, list) else word(words, str(value))


# ── acts ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.post("/exports/<export_id>/numbers")
@gate.act("export.read")
def numbers(export_id: str) -> ResponseReturnValue:
    """Numbers before the release: protected ones for a marketer, exact ones for an officer."""
    try:
        return _one(export_id, numbers=exports.preview(services(), export_id, g.caller))
    except PiyingError as error:
        return _refused(export_id, error)


@blueprint.post("/exports/<export_id>/decisions")
@gate.act("export.approve", fresh=True)
def decide(export_id: str) -> ResponseReturnValue:
    """Approves, rejects or releases."""
    try:
        told = _decided(export_id, request.form.get("do", ""))
    except PiyingError as error:
        return _refused(export_id, error)
    flash(told, "good")
    return redirect(f"/exports/{export_id}", 303)


def _decided(export_id: str, act: str) -> str:
    door, actor = services(), g.caller.account_id
    if act == "approve":
        exports.approve(door, export_id, actor=actor)
        return _("Approved. It waits to be released, for three days at most.")
    if act == "reject":
        exports.reject(door, export_id, request.form.get("reason", ""), actor=actor)
        return _("Rejected. Whoever asked reads why.")
    if act == "release":
        exports.release(door, export_id, actor=actor)
        return _("Released: everybody was decided about at this moment.")
    raise Invalid("there is no such act", code="export_act", field="do")


@blueprint.post("/exports/<export_id>/cancellation")
@gate.act("export.ask")
def cancel(export_id: str) -> ResponseReturnValue:
    """Whoever asked takes it back."""
    try:
        exports.cancel(services(), export_id, actor=g.caller.account_id)
    except PiyingError as error:
        return _refused(export_id, error)
    flash(_("Taken back."), "good")
    return redirect(f"/exports/{export_id}", 303)


def _refused(export_id: str, error: PiyingError) -> ResponseReturnValue:
    place = "reason" if error.field == "reason" else "decision"
    return _one(export_id, wrong={place: refusal(error)}, status=errors.status_of(error))


@blueprint.post("/exports/<export_id>/file")
@gate.act("export.take", fresh=True)
def take(export_id: str) -> ResponseReturnValue:
    """The sealed file; counted, and everybody in it decided about once more."""
    name, size, pieces = exports.take(services(), export_id, actor=g.caller.account_id)
    told = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Length": str(size)}
    return Response(pieces, mimetype="application/octet-stream", headers=told)


# ── calling back ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/exports/<export_id>/revocation")
@gate.page("export.approve", fresh=True)
def revocation(export_id: str) -> ResponseReturnValue:
    """What calling a list back does, before it is done."""
    return _revocation(export_id)


@blueprint.post("/exports/<export_id>/revocation")
@gate.act("export.approve", fresh=True)
def revoke(export_id: str) -> ResponseReturnValue:
    """Calls it back, once its number was typed."""
    sent, actor = request.form, g.caller.account_id
    if sent.get("confirmation", "").strip() != export_id:
        return _revocation(export_id, {"confirmation": _("Type the number of the export.")}, 422)
    try:
        exports.revoke(services(), export_id, actor=actor, reason=sent.get("reason", ""))
    except PiyingError as error:
        return _revocation(export_id, {"confirmation": refusal(error)}, errors.status_of(error))
    flash(_("Called back. Its recipient is told in the next round of deliveries."), "good")
    return redirect(f"/exports/{export_id}", 303)


def _revocation(export_id: str, wrong: dict[str, str] | None = None, status: int = 200) -> ResponseReturnValue:
    told = leaving.whole(services(), export_id, g.caller)
    kept = {name: request.form.get(name, "") for name in ("confirmation", "reason")}
    return shell.render("exports/revocation.html", status, **told | {"one": shown(told["one"])}, wrong=wrong or {}, kept=kept)
