"""Requests of people: opened by a look-up, looked at, taken from step to step. Identifiers stand in bodies; whoever is unknown has one too."""

from __future__ import annotations

from typing import Any

from flask import Response, g
from flask_smorest import Blueprint

from app import requestacts, requests
from app.answers.parts import page_of
from app.answers.requests import OpenedRequestOut, PlanOut, RequestOut, WholeRequestOut
from app.guard import needs, services
from app.shapes import RequestActIn, RequestIn, RequestsIn

blueprint = Blueprint("requests", __name__, url_prefix="/api/requests", description="What people ask about their data")


@blueprint.get("")
@needs("request.read")
@blueprint.arguments(RequestsIn, location="query")
@blueprint.response(200, page_of(RequestOut))
def list_requests(query: dict[str, Any]) -> dict[str, Any]:
    """Requests that match, the longest waiting first; the reading is logged."""
    found = requests.page(services(), query, tab=query["tab"], actor=g.caller.account_id, after=query["cursor"] or "")
    return {"items": found.rows, "next": found.next}


@blueprint.post("")
@needs("request.edit")
@blueprint.arguments(RequestIn)
@blueprint.response(201, OpenedRequestOut)
def open_request(body: dict[str, Any]) -> dict[str, Any]:
    """Looks somebody up and opens a request; nobody known gets one too, and a case that leads to nobody."""
    identifier, reason, namespace = body.pop("identifier"), body.pop("reason"), body.pop("namespace")
    return requests.open_by(
        services(), identifier["type"], identifier["value"], body, reason=reason, actor=g.caller.account_id, namespace=namespace
    )


@blueprint.get("/<number>")
@needs("request.read")
@blueprint.response(200, WholeRequestOut)
def show_request(number: str) -> dict[str, Any]:
    """A request with its acts, its packages and the other requests of the same person; the look is logged."""
    return requests.show(services(), number, actor=g.caller.account_id)


@blueprint.get("/<number>/plan")
@needs("request.read")
@blueprint.response(200, PlanOut)
def show_plan(number: str) -> dict[str, Any]:
    """What an erasure would find and what it would keep and why; nothing is changed."""
    return requests.plan(services(), number, actor=g.caller.account_id)


@blueprint.post("/<number>/acts")
@needs("request.edit")
@blueprint.arguments(RequestActIn)
@blueprint.response(201, RequestOut)
def act(body: dict[str, Any], number: str) -> dict[str, Any]:
    """One act: assign, ask_identity, check_identity, gather, redact, reviewed, decide, approve, send_back, lengthen, comment, correct,
    deliver, close."""
    return requestacts.act(services(), number, body, actor=g.caller.account_id)


@blueprint.post("/<number>/packages")
@needs("request.edit")
@blueprint.response(201, {"type": "string", "format": "binary"}, content_type="application/zip")
def take_package(number: str) -> Response:
    """The newest package as a file; every download is counted and logged. One that is over, or was taken ten times: 410 `package_gone`."""
    return Response(requests.take(services(), number, actor=g.caller.account_id), mimetype="application/zip", status=201)
