"""What is shown to whoever asks: the register of processing, transfers abroad, the self-check, audit packs.

Promise: everything on these pages is read from the live house; a red control says where it is put right. Counts, never a person.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, g, redirect
from flask.typing import ResponseReturnValue

from app.accountability import controls, history, packs, register
from app.console import gate, languages, paperwork, shell
from app.console.languages import _
from app.console.lists import Column, csv_of
from app.guard import services

blueprint = Blueprint("accounting_pages", __name__)

CONTROL_FILE = tuple(Column(name, name) for name in ("id", "law", "question", "question_zh", "state", "count", "link"))
REGISTER_FILE = tuple(Column(name, name) for name in register.COLUMNS)


def _zh() -> bool:
    return languages.current().startswith("zh")


@blueprint.get("/controls")
@gate.page("accountability.read")
def self_check() -> ResponseReturnValue:
    """Every control, what is broken first."""
    found = controls.run(services())
    rows = [
        one | {"asks": one["question_zh"] if _zh() else one["question"], "state_word": f"control_{one['state']}"} for one in found["items"]
    ]
    return shell.render("papers/controls.html", found=found, rows=rows)


@blueprint.get("/controls.csv")
@gate.page("accountability.read")
def controls_file() -> ResponseReturnValue:
    """The same as a file."""
    return csv_of(CONTROL_FILE, controls.run(services())["items"], "controls.csv")


@blueprint.get("/register")
@gate.page("accountability.read")
def read_register() -> ResponseReturnValue:
    """Every processing activity; made to be printed."""
    told = register.of(services())
    rows = [one | {"name": one["name_zh"] if _zh() else one["name_en"]} for one in told["activities"]]
    return shell.render("papers/register.html", told=told, rows=rows, now=services().clock())


@blueprint.get("/register.csv")
@gate.page("accountability.read")
def register_file() -> ResponseReturnValue:
    """The activities as a file."""
    return csv_of(REGISTER_FILE, register.rows(register.of(services())), "register.csv")


@blueprint.get("/register.json")
@gate.page("accountability.read")
def register_whole() -> ResponseReturnValue:
    """The whole register as a file."""
    raw = register.as_json(register.of(services()))
    return Response(raw, mimetype="application/json", headers={"Content-Disposition": 'attachment; filename="register.json"'})


@blueprint.get("/transfers")
@gate.page("accountability.read")
def transfers() -> ResponseReturnValue:
    """How many people's data went abroad this year, and what that needs."""
    told: dict[str, Any] = services().recipients.abroad()
    abroad = [one for one in services().recipients.standing() if one["abroad"]]
    return shell.render("papers/transfers.html", told=told, abroad=abroad, words=paperwork)


@blueprint.get("/audit-packs")
@gate.page("accountability.read")
def audit_packs() -> ResponseReturnValue:
    """The packs that somebody took."""
    names = history.staff(services())
    rows = [one | {"who": names.get(one["by"], one["by"]), "at": datetime.fromisoformat(one["at"])} for one in services().packs.listing()]
    return shell.render("papers/packs.html", rows=rows)


@blueprint.post("/audit-packs")
@gate.act("accountability.edit")
def take_pack() -> ResponseReturnValue:
    """Writes the present state down and names its pack."""
    packs.take(services(), actor=g.caller.account_id)
    flash(_("The state of the house is written down; its pack can be downloaded."), "good")
    return redirect("/audit-packs", 303)


@blueprint.get("/audit-packs/<pack_id>.zip")
@gate.page("accountability.read", fresh=True)
def pack(pack_id: str) -> ResponseReturnValue:
    """A pack, as a signed ZIP."""
    raw = packs.file(services(), pack_id, actor=g.caller.account_id)
    return Response(raw, mimetype="application/zip", headers={"Content-Disposition": f'attachment; filename="audit-pack-{pack_id}.zip"'})
