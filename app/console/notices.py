"""Purposes and notices: what is registered and on which ground, what people are told, and whom a change asks again.

Promise: a published notice is shown as it was and never edited; a draft lives in its form until it is published. Counts of people stand here
only for whoever may see exact numbers. Learns words of the controller's own, never a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, g, redirect, request
from flask.typing import ResponseReturnValue

from app import errors, notices
from app.console import gate, languages, shell
from app.console.languages import N_, _
from app.guard import services
from privacy.errors import PiyingError

blueprint = Blueprint("notices_pages", __name__)

GROUNDS = {
    "consent": N_("Consent"),
    "separate_consent": N_("Separate consent"),
    "contract": N_("Contract"),
    "legal_duty": N_("Legal duty"),
    "public_health": N_("Public health"),
    "public_interest": N_("Public interest"),
    "published": N_("Made public by the person"),
    "other_law": N_("Another law"),
    "legitimate_interest": N_("Legitimate interest"),
}
CHANGES = {
    "purpose": N_("The purpose itself is asked for anew"),
    "category": N_("New category of data"),
    "method": N_("New way of processing"),
}
JURISDICTIONS = ("CN", "EU")


@blueprint.get("/purposes")
@gate.page("purpose.read")
def purposes() -> ResponseReturnValue:
    """Every purpose, every notice; for officers also counts, what ends soon and how fast a no holds."""
    exact = "exact.read" in g.caller.permissions and "consent.read" in g.caller.permissions
    more: dict[str, Any] = {}
    if exact:
        more = {
            "allowing": notices.allowing(services()),
            "again": notices.to_be_asked(services(), actor=g.caller.account_id),
            "ending": notices.ending(services(), actor=g.caller.account_id),
            "latency": notices.latency(services()),
        }
    listed = notices.purposes(services())
    return _render("purposes", purposes=listed, published=notices.listing(services()), exact=exact, **more)


@blueprint.get("/purposes/new")
@gate.page("purpose.edit")
def new_purpose() -> ResponseReturnValue:
    """The form for a purpose."""
    return _render("purpose", wrong={}, kept={})


@blueprint.post("/purposes")
@gate.act("purpose.edit")
def add_purpose() -> ResponseReturnValue:
    """Registers it."""
    form = request.form
    days = form.get("validity_days", "").strip()
    told = {
        "purpose": form.get("purpose", "").strip()[:64],
        "names": {"en": form.get("name_en", "").strip()[:200], "zh": form.get("name_zh", "").strip()[:200]},
        "grounds": {place: form[f"ground_{place}"] for place in JURISDICTIONS if form.get(f"ground_{place}")},
        "written": form.get("written") == "1",
        "validity_days": int(days) if days.isascii() and days.isdigit() and len(days) < 6 else None,
    }
    try:
        notices.add_purpose(services(), told, actor=g.caller.account_id)
    except PiyingError as error:
        field = {"key": "purpose", "name": "name_en", "grounds": f"ground_{JURISDICTIONS[0]}"}.get(
            error.field or "", error.field or "purpose"
        )
        return _render("purpose", errors.status_of(error), wrong={field: _told(error)}, kept=form)
    flash(_("The purpose is registered."), "good")
    return redirect("/purposes", 303)


@blueprint.get("/notices/new")
@gate.page("purpose.edit")
def new_notice() -> ResponseReturnValue:
    """The editor, beginning with what the newest notice says."""
    newest = notices.newest(services())
    return _editor(newest or {"items": {}, "uses": {}, "anew": []}, version="")


@blueprint.post("/notices/previews")
@gate.act("purpose.edit")
def preview() -> ResponseReturnValue:
    """The draft again, with what publishing would change."""
    draft = _draft()
    try:
        shown = notices.preview(services(), draft, actor=g.caller.account_id, exact="exact.read" in g.caller.permissions)
    except PiyingError as error:
        return _editor(draft, errors.status_of(error), version=draft["version"], error=error)
    return _editor(draft, version=draft["version"], shown=shown)


@blueprint.post("/notices")
@gate.act("purpose.edit")
def publish() -> ResponseReturnValue:
    """Publishes it; what was published before stays as it was."""
    draft = _draft()
    try:
        made = notices.publish(services(), draft, actor=g.caller.account_id)
    except PiyingError as error:
        return _editor(draft, errors.status_of(error), version=draft["version"], error=error)
    flash(_("Published. Whoever is asked from now on is shown this notice."), "good")
    return redirect(f"/notices/{made['notice']}", 303)


@blueprint.get("/notices/<notice_id>")
@gate.page("purpose.read")
def notice(notice_id: str) -> ResponseReturnValue:
    """A notice as people saw it, in its languages side by side, and what it changed."""
    against = request.args.get("against", "")[:64]
    told = notices.one(services(), notice_id[:64], against=against)
    return _render("notice", told=told, others=notices.listing(services()), against=against, form=services().notice_form)


def _draft() -> dict[str, Any]:
    """What the editor's form says."""
    form, known = request.form, services().notice_form
    with_purposes = [one["purpose"] for one in notices.purposes(services())]
    uses = {}
    for key in with_purposes:
        categories = [one for one in form.getlist(f"category:{key}") if one in known.categories]
        methods = [one for one in form.getlist(f"method:{key}") if one in known.methods]
        if categories or methods:
            uses[key] = {"categories": categories, "methods": methods}
    items = {tag: {name: form.get(f"{name}:{tag}", "")[:4_001] for name in known.items} for tag in ("en", "zh")}
    return {
        "version": form.get("version", "").strip()[:40],
        "items": items,
        "uses": uses,
        "anew": [key for key in form.getlist("anew") if key in uses],
    }


def _editor(
    draft: dict[str, Any], status: int = 200, *, version: str, shown: dict[str, Any] | None = None, error: PiyingError | None = None
) -> ResponseReturnValue:
    wrong = {}
    if error is not None:
        path = (error.field or "").split(".")
        field = f"{path[2]}:{path[1]}" if len(path) == 3 else "version" if path[0] in ("version", "") else "uses"
        wrong = {field: _told(error)}
    listed = notices.purposes(services())
    return _render("editor", status, draft=draft, version=version, shown=shown, wrong=wrong, purposes=listed, form=services().notice_form)


def _told(error: PiyingError) -> str:
    said = {
        "ground_not_in_jurisdiction": _("This ground does not exist in this jurisdiction. China knows no legitimate interest."),
        "ground_missing": _("A purpose needs a legal ground."),
        "purpose_exists": _("A purpose with this key exists."),
        "purpose_key_invalid": _("A key is words joined by dots, such as share.acme."),
        "separate_consent_needed": _("This family needs separate consent."),
        "name_missing": _("A purpose has a name in both languages."),
        "notice_version_invalid": _("A version is letters, digits, dots and dashes."),
        "notice_version_taken": _("This version names another text. Choose a new one."),
        "notice_item_missing": _("The law asks for this item, in both languages."),
        "notice_too_long": _("This is longer than anybody reads."),
        "category_unknown": _("Choose the categories of each purpose."),
        "method_unknown": _("Choose how each purpose processes data."),
        "purpose_unknown": _("Choose at least one purpose."),
    }
    return said.get(error.code, _("That did not work. Please try again."))


def _render(name: str, status: int = 200, **context: Any) -> ResponseReturnValue:
    tongue = "zh" if languages.current().startswith("zh") else "en"
    return shell.render(
        f"notices/{name}.html",
        status,
        words=_words,
        GROUNDS=GROUNDS,
        CHANGES=CHANGES,
        JURISDICTIONS=JURISDICTIONS,
        tongue=tongue,
        **context,
    )


def _words(listed: Mapping[str, str]) -> list[tuple[str, str]]:
    """The words of a list in the reader's language, for a field of choices."""
    return [(key, _(word)) for key, word in listed.items()]
