"""The two pages without a sign-in: what runs here, and how a one-time code becomes a token. Plain text; there is nothing else yet."""

from __future__ import annotations

from flask import Blueprint, Response

from app.guard import public

blueprint = Blueprint("start", __name__)

RUNS = """Piying runs here.

/healthz              whether it lives
/readyz               whether it is ready
/metrics              its counters
/api/openapi.json     the management API
/v1/batch             where clients send

The manual is in docs/manual.md.
"""

WELCOME = """This link holds a one-time code behind its #. Turn it into a token, once:

    curl -X POST -H 'Content-Type: application/json' --data '{"code": "<what stands behind #>"}' <this host>/api/tokens/redemptions
"""


@blueprint.get("/")
@public
def home() -> Response:
    """What runs here."""
    return Response(RUNS, mimetype="text/plain")


@blueprint.get("/welcome")
@public
def welcome() -> Response:
    """How a one-time code becomes a token. The code itself never reaches the server with this page."""
    return Response(WELCOME, mimetype="text/plain")
