"""How the house is set up: every setting in force, where it comes from, and why its default is what it is.

Promise: an address of a store, which may hold a password, is told as set or not set. Nothing can be changed here: settings are read once,
when the program starts.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from app import operating
from app.console import gate, shell
from app.console.languages import N_
from app.guard import services

blueprint = Blueprint("settings_pages", __name__)

GROUPS = {
    "vault": N_("Vault"),
    "platform": N_("Platform store"),
    "lake": N_("Lake"),
    "keys": N_("Keys"),
    "server": N_("Server"),
    "controller": N_("Controller"),
    "privacy": N_("Privacy"),
    "limits": N_("Limits"),
    "retention": N_("Retention"),
    "": N_("House"),
}


@blueprint.get("/settings")
@gate.page("settings.read")
def page() -> ResponseReturnValue:
    """All settings by group."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in operating.settings(services()):
        found[one["key"].rpartition(".")[0]].append(one)
    return shell.render("settings/settings.html", sections=[(name, GROUPS.get(name, name), rows) for name, rows in found.items()])
