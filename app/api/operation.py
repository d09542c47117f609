"""How the house is set up and how it is: for administrators."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint

from app import operating
from app.answers.parts import page_of
from app.answers.work import HealthOut, SettingOut
from app.guard import needs, services

blueprint = Blueprint("operation", __name__, url_prefix="/api", description="Settings and health")


@blueprint.get("/settings")
@needs("settings.read")
@blueprint.response(200, page_of(SettingOut))
def settings() -> dict[str, Any]:
    """Every setting in force; of an address only whether it is set."""
    return {"items": operating.settings(services()), "next": None}


@blueprint.get("/health")
@needs("log.health")
@blueprint.response(200, HealthOut)
def health() -> dict[str, Any]:
    """The doctor's quick checks, the schedule, the inbox, the disk and the versions of keys."""
    return operating.health(services())
