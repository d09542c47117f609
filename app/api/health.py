"""Whether the program lives, whether it is ready, and its counters. Answers anybody and says nothing about any person."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST

from app import facts, measures
from app.guard import needs, public, services

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@public
def healthz() -> Response:
    """The process answers; nothing else is claimed. The only route that works while keys are locked."""
    return jsonify(ok=True)


@blueprint.get("/readyz")
@public
def readyz() -> tuple[Response, int]:
    """Keys open, stores and log writable, schema its own, inbox age under its limit."""
    checks = facts.readiness(services())
    ready = all(checks.values())
    return jsonify(ok=ready, checks=checks), 200 if ready else 503


@blueprint.get("/metrics")
@needs("metrics.read")
def metrics() -> Response:
    """Prometheus text for the holder of a token: to anybody else the counters would tell what became of an event (law_rules E-1)."""
    return Response(measures.text(services()), content_type=CONTENT_TYPE_LATEST)
