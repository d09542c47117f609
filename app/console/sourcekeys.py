"""What an integrator changes of a source: keys, signing clients, settings, its end.

Promise: whatever opens or closes a way in asks for the password again; a new key is on the answer, once; a change names the version that
its form was made from. Only a source of one's own, or of the command line, is changed here. Learns no person.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, g, redirect, request
from flask.typing import ResponseReturnValue

from app import acts, errors, feeds
from app.console import gate, shell
from app.console.languages import _
from app.console.sources import lines, shown_once, wrong
from app.guard import services
from privacy.errors import Invalid, PiyingError

blueprint = Blueprint("source_keys_pages", __name__)


# ── keys ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/sources/<source_id>/keys")
@gate.page("source.edit")
def page(source_id: str) -> ResponseReturnValue:
    """The names of the keys that work, and the clients that sign."""
    return _keys(source_id)


def _keys(source_id: str, status: int = 200, problems: dict[str, str] | None = None) -> ResponseReturnValue:
    return shell.render("sources/keys.html", status, one=feeds.owned(services(), source_id, caller=g.caller), errors=problems or {})


@blueprint.post("/sources/<source_id>/rotations")
@gate.act("source.edit", fresh=True)
def rotate(source_id: str) -> ResponseReturnValue:
    """A new key, on the answer; the old ones work until the overlap ends."""
    feeds.owned(services(), source_id, caller=g.caller)
    try:
        hours = _whole(request.form.get("overlap", "24"), "overlap")
        made = acts.rotate_source(services(), source_id, actor=g.caller.account_id, overlap=timedelta(hours=hours))
    except PiyingError as error:
        return _keys(source_id, errors.status_of(error), {error.field or "overlap": wrong(error)})
    return shown_once(source_id, str(made["write_key"]), str(made["old_keys_end_at"]))


@blueprint.post("/sources/<source_id>/revocations")
@gate.act("source.edit", fresh=True)
def revoke(source_id: str) -> ResponseReturnValue:
    """Ends one key at once."""
    feeds.owned(services(), source_id, caller=g.caller)
    acts.revoke_key(services(), source_id, request.form.get("key", ""), actor=g.caller.account_id)
    flash(_("The key is revoked: whoever sends with it is refused from now on."), "good")
    return redirect(f"/sources/{source_id}/keys", 303)


@blueprint.post("/sources/<source_id>/clients")
@gate.act("source.edit", fresh=True)
def add_client(source_id: str) -> ResponseReturnValue:
    """Registers the public key that a client signs with."""
    feeds.owned(services(), source_id, caller=g.caller)
    try:
        made = acts.add_client(services(), source_id, request.form.get("public_key", "")[:4096], actor=g.caller.account_id)
    except PiyingError as error:
        return _keys(source_id, errors.status_of(error), {"public_key": _("This is not a public RSA key in PEM form.")})
    flash(
        _("The client %(name)s may sign now; its authorization server is %(address)s", name=made["client"], address=made["audience"]),
        "good",
    )
    return redirect(f"/sources/{source_id}/keys", 303)


@blueprint.post("/sources/<source_id>/clients/endings")
@gate.act("source.edit", fresh=True)
def end_client(source_id: str) -> ResponseReturnValue:
    """Refuses what a client signs from now on."""
    feeds.owned(services(), source_id, caller=g.caller)
    acts.end_client(services(), source_id, request.form.get("client", ""), actor=g.caller.account_id)
    flash(_("What this client signs is refused from now on."), "good")
    return redirect(f"/sources/{source_id}/keys", 303)


# ── settings ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/sources/<source_id>/settings")
@gate.page("source.edit")
def settings(source_id: str) -> ResponseReturnValue:
    """Origins, categories of consent, rate and root paths."""
    return _settings(source_id)


def _settings(source_id: str, status: int = 200, problems: dict[str, str] | None = None, **kept: str) -> ResponseReturnValue:
    one = feeds.owned(services(), source_id, caller=g.caller)
    shown = {
        "origins": "\n".join(one["origins"]),
        "categories": "\n".join(f"{name} = {purpose}" for name, purpose in sorted(one["categories"].items())),
        "rate": str(one["requests_per_second"] or ""),
    } | kept
    return shell.render("sources/settings.html", status, one=one, kept=shown, errors=problems or {})


@blueprint.post("/sources/<source_id>/settings")
@gate.act("source.edit")
def change(source_id: str) -> ResponseReturnValue:
    """Changes them, if nobody else did since the form was made."""
    feeds.owned(services(), source_id, caller=g.caller)
    form = request.form
    try:
        acts.change_source(
            services(),
            source_id,
            actor=g.caller.account_id,
            seen=form.get("version", ""),
            origins=lines(form.get("origins", "")),
            categories=_categories(form.get("categories", "")),
            root_paths=form.get("root_paths") == "1",
            requests_per_second=_whole(form.get("rate", "") or "0", "requests_per_second"),
        )
    except PiyingError as error:
        if error.code == "changed_meanwhile":
            return _settings(source_id, errors.status_of(error), {"origins": wrong(error)})
        places = {
            "consent_categories": "categories",
            "purposes": "categories",
            "requests_per_second": "rate",
            "owns_root_paths": "root_paths",
        }
        kept = {name: form.get(name, "")[:4000] for name in ("origins", "categories", "rate")}
        place = places.get(error.field or "", error.field or "origins")
        return _settings(source_id, errors.status_of(error), {place: wrong(error)}, **kept)
    flash(_("The settings are changed."), "good")
    return redirect(f"/sources/{source_id}", 303)


def _categories(text: str) -> Mapping[str, str]:
    """`name = purpose`, one a line."""
    pairs = [line.partition("=") for line in lines(text)]
    if any(not mark or not name.strip() or len(name) > 64 for name, mark, _purpose in pairs):
        raise Invalid("a category stands for a purpose", code="source_invalid", field="consent_categories")
    return {name.strip(): purpose.strip() for name, _mark, purpose in pairs}


def _whole(text: str, field: str) -> int:
    if not (text.strip().isascii() and text.strip().isdigit() and len(text.strip()) <= 6):
        raise Invalid("a whole number is needed", code="source_invalid", field=field)
    return int(text)


# ── its end ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/sources/<source_id>/disablement")
@gate.page("source.edit", fresh=True)
def end_page(source_id: str) -> ResponseReturnValue:
    """What happens when the source ends."""
    return _end(source_id)


def _end(source_id: str, status: int = 200, **more: Any) -> ResponseReturnValue:
    return shell.render("sources/disable.html", status, one=feeds.owned(services(), source_id, caller=g.caller), **more)


@blueprint.post("/sources/<source_id>/disablement")
@gate.act("source.edit", fresh=True)
def end(source_id: str) -> ResponseReturnValue:
    """Refuses the source's requests from now on; its name is typed to confirm."""
    one = feeds.owned(services(), source_id, caller=g.caller)
    if request.form.get("name", "").strip() != one["name"]:
        return _end(source_id, 422, errors={"name": _("Type the name of the source as it stands above.")})
    acts.disable_source(services(), source_id, actor=g.caller.account_id)
    flash(_("The source is disabled: whatever it sends is refused."), "warn")
    return redirect(f"/sources/{source_id}", 303)
