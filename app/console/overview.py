"""The start page, one for each role: what needs a look, and nothing that the role may not see.

Promise: marketers see releases, their budget and public facts only; exact counts are for whoever holds exact.read. Learns no person.
"""

from __future__ import annotations

from flask import Blueprint, g
from flask.typing import ResponseReturnValue

from app import overviews
from app.console import charts, free, gate, shell
from app.figures import words
from app.guard import services

blueprint = Blueprint("overview_pages", __name__)


@blueprint.get("/")
@gate.page("account.own")
def overview() -> ResponseReturnValue:
    """The overview of the caller's role."""
    facts = overviews.of(services(), g.caller)
    findings = free.summary(facts["free"])["facts"] if "free" in facts else []
    return shell.render(f"overview/{g.caller.role}.html", facts=facts, findings=findings, words=words, speech=charts.speech())
