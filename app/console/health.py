"""How the house is: what the doctor sees, what comes when, how much disk and inbox is left, which keys there are.

Promise: looking changes nothing. The page opens at once with the quick checks; those that read everything run when somebody asks. Shows
counts and ages of ours, nothing about a person.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from app import operating
from app.console import gate, shell
from app.console.jobs import KINDS
from app.console.languages import N_
from app.guard import services

blueprint = Blueprint("health_pages", __name__)

CHECKS = {
    "keys": N_("Keys"),
    "private files": N_("Private files"),
    "vault schema": N_("Schema of the vault"),
    "platform schema": N_("Schema of the platform store"),
    "stores writable": N_("Stores writable"),
    "database engine": N_("Database engine"),
    "access log": N_("Access log"),
    "lake": N_("Lake"),
    "inbox": N_("Inbox"),
    "accounting": N_("Accounting"),
    "disk": N_("Disk"),
    "temporary files": N_("Temporary files"),
    "budget": N_("Budget"),
    "pulls": N_("Pulls"),
    "separation": N_("Separation of roles"),
}


@blueprint.get("/health")
@gate.page("log.health")
def page() -> ResponseReturnValue:
    """The quick checks."""
    return _shown(operating.health(services()), everything=False)


@blueprint.post("/health")
@gate.act("log.health")
def examine() -> ResponseReturnValue:
    """All checks, those that read the whole log, lake and books included; nothing is changed, so the answer is the page itself."""
    return _shown(operating.health(services(), everything=True), everything=True)


def _shown(found: dict[str, Any], *, everything: bool) -> ResponseReturnValue:
    return shell.render("health/health.html", health=found, everything=everything, CHECKS=CHECKS, KINDS=KINDS)
