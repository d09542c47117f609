"""`/v1/consents`: a server source, or an officer's token, records what people decided."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request
from marshmallow import Schema, ValidationError

from app import intake, notices, people
from app.errors import path_of
from app.guard import bearer, body, by_write_key, services
from app.shapes import ConsentsIn, DecisionsIn
from ingestion import strictjson
from privacy.errors import Invalid, Refused
from privacy.records import SourceFacts

blueprint = Blueprint("consents", __name__)
LARGEST = 1_048_576
KEY_IN_PATH = ("webhook", "sensors")
"""Kinds whose key stands in a path, where proxies and logs of others may see it."""


@blueprint.post("/v1/consents")
@by_write_key
def record() -> tuple[Response, int]:
    """Records acts of consent; 201 with a verdict for each. Client keys are refused: they can be read by anybody (law_rules E-1)."""
    header = request.headers.get("Authorization", "")
    actor, source = _who(header)
    told = people.record_consents(
        services(), _body()["consents"], actor=actor, source=source, idempotency_key=request.headers.get("Idempotency-Key")
    )
    return jsonify(items=told), 201


@blueprint.post("/v1/consents/decisions")
@by_write_key
def decide() -> tuple[Response, int]:
    """Whether uses of purposes stand for people now, and whether they may be asked. Nobody unknown and nobody erased looks different from
    somebody who said nothing."""
    actor, source = _who(request.headers.get("Authorization", ""), "consent.read")
    items = _body(DecisionsIn, "decisions")["decisions"]
    told = notices.decide(services(), items, actor=actor, namespace=source.namespace if source else "")
    return jsonify(items=told), 200


def _who(header: str, permission: str = "consent.edit") -> tuple[str, SourceFacts | None]:
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer" and not rest.startswith("wk_"):
        caller = bearer()
        if permission not in caller.permissions:
            raise Refused(f"this needs the permission {permission}", code="permission_missing")
        return caller.account_id, None
    key = rest.strip() if scheme.lower() == "bearer" else (request.authorization.username or "") if request.authorization else ""
    if not key:
        raise Refused("a write key or a bearer token is needed", code="key_missing")
    facts = intake.source_of(services(), key)
    if facts.public:
        raise Refused("a client key cannot record consent", code="client_key")
    if facts.kind in KEY_IN_PATH:
        raise Refused("a key that stands in an address cannot record consent", code="client_key")
    return facts.id, facts


def _body(shape: type[Schema] = ConsentsIn, items: str = "consents") -> dict[str, Any]:
    parsed = strictjson.loads(body(LARGEST), items=items)
    if parsed.faults:
        fault = parsed.faults[0]
        raise Invalid(f"item {fault.index} breaks the rule {fault.rule}", code="invalid_json", field=fault.path)
    try:
        told: dict[str, Any] = shape().load(parsed.value)
    except ValidationError as error:
        raise Invalid("a field breaks a rule", code="invalid", field=_first(error.messages)) from None
    return told


def _first(messages: Any) -> str:
    """The path of the first field that broke a rule; never its message, which may quote."""
    path: list[str | int] = []
    while isinstance(messages, dict) and messages:
        name, messages = next(iter(messages.items()))
        path.append(name)
    return path_of(path)
