"""The data dictionary and the register of purposes."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint

from app import facts
from app.answers.files import FieldOut, PurposeOut
from app.answers.parts import page_of
from app.guard import needs, services

blueprint = Blueprint(
    "dictionary", __name__, url_prefix="/api", description="What sources may send, what it becomes, and for which purpose"
)


@blueprint.get("/dictionary")
@needs("dictionary.read")
@blueprint.response(200, page_of(FieldOut))
def dictionary() -> dict[str, Any]:
    """Every field with its class, purposes and treatment."""
    return {"items": facts.dictionary(), "next": None}


@blueprint.get("/purposes")
@needs("purpose.read")
@blueprint.response(200, page_of(PurposeOut))
def purposes() -> dict[str, Any]:
    """Every purpose with its grounds."""
    return {"items": facts.purposes(services()), "next": None}
