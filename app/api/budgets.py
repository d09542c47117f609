"""What may still be published about each month."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint

from app import asking
from app.answers.work import BudgetOut
from app.guard import needs, services

blueprint = Blueprint("budgets", __name__, url_prefix="/api/budgets", description="Privacy budget by data month")


@blueprint.get("")
@needs("budget.read")
@blueprint.response(200, BudgetOut)
def read() -> dict[str, Any]:
    """Cap, spent and left by month, in nano-rho; it never refreshes."""
    return asking.budget(services())
