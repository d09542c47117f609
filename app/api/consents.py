"""`/v1/consents`: a server source, or an officer's token, records what people decided."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request
from marshmallow import ValidationError

from app import intake, people
from app.errors import path_of
from app.guard import bearer, body, by_write_key, services
from app.shapes import ConsentsIn
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


def _who(header: str) -> tuple[str, SourceFacts | None]:
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer" and not rest.startswith("wk_"):
        caller = bearer()
        if "consent.edit" not in caller.permissions:
            raise Refused("this needs the permission consent.edit", code="permission_missing")
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


def _body() -> dict[str, Any]:
    parsed = strictjson.loads(body(LARGEST), items="consents")
    if parsed.faults:
        fault = parsed.faults[0]
        raise Invalid(f"item {fault.index} breaks the rule {fault.rule}", code="invalid_json", field=fault.path)
    try:
        told: dict[str, Any] = ConsentsIn().load(parsed.value)
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
