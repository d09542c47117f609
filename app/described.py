"""The document of the management API: what flask-smorest wrote down of routes and shapes, and what only we know: who may call, what is refused.

Promise: made from the application's own routes and views, so that it cannot claim another permission, another body or another answer than
theirs. Examples are invented and name nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from flask import Flask

from app.answers.parts import ProblemOut

SCHEME = "token"
INFO = (
    "Lists are pages: `items`, and `next`, the cursor of the next page or null. Errors are problem documents (RFC 9457) with a lasting `code`. "
    "`Idempotency-Key` makes a repeated POST answer as the first one did, for seven days; where the first answer showed a secret, a repetition is "
    "409 `already_created` and names what was made. What stands in an address is never anybody's."
)
STATUSES = {
    "400": "The body is not JSON, or breaks a rule of its encoding",
    "401": "No token, or one that does not count",
    "403": "The token lacks the permission, or the act is refused",
    "404": "There is no such thing, or it is not yours",
    "409": "It clashes with what is there",
    "410": "It is over, or was taken as often as it may be",
    "412": "It changed since it was read",
    "413": "The body is larger than this route takes",
    "415": "The body is not of the type that this route takes",
    "422": "A field breaks a rule",
    "428": "The precondition is missing",
    "429": "Too many; come again after Retry-After seconds",
    "503": "Not now; come again after Retry-After seconds",
}
ALWAYS = ("503",)
WITH_BODY = ("400", "409", "413", "415", "422", "429")
IDEMPOTENT = frozenset({"post /api/imports"})
"""Besides every route whose view is declared `once`."""
CONDITIONAL = frozenset(
    {
        "patch /api/sources/{source_id}",
        "put /api/imports/{import_id}/mapping",
        "patch /api/segments/{segment_id}",
        "patch /api/recipients/{recipient_id}",
        "post /api/recipients/{recipient_id}/status",
        "patch /api/agreements/{agreement_id}",
        "post /api/agreements/{agreement_id}/endings",
        "post /api/agreements/{agreement_id}/certificates",
        "patch /api/assessments/{assessment_id}",
        "post /api/assessments/{assessment_id}/approvals",
        "post /api/assessments/{assessment_id}/withdrawals",
        "patch /api/incidents/{incident_id}",
        "post /api/incidents/{incident_id}/notifications",
        "post /api/incidents/{incident_id}/states",
    }
)
VERSIONED = CONDITIONAL | {
    "get /api/sources/{source_id}",
    "get /api/imports/{import_id}/mapping",
    "get /api/segments/{segment_id}",
    "get /api/recipients/{recipient_id}",
    "get /api/assessments/{assessment_id}",
    "get /api/incidents/{incident_id}",
}
"""Their answers tell in `ETag` what a change names."""
FURTHER = {
    "get /api/audit-packs/{pack_id}": ("422",),
    "get /api/audit/packs/{pack_id}/content": ("409", "410"),
    "get /api/audit/checkpoints/latest": ("404",),
    "get /api/cubes/table": ("404",),
    "get /api/minors/years/{year}": ("422",),
    "post /api/requests/{number}/packages": ("410",),
    "post /api/exports/{export_id}/files": ("410",),
}
"""Refusals that follow from nothing else."""
CONTENT = "put /api/imports/{import_id}/content"
RAW = {CONTENT: "application/octet-stream", "post /api/exports/traces": "text/csv"}
"""Routes that take bytes, and of which type."""

EXAMPLES: dict[str, dict[str, Any]] = {
    "SourceIn": {"name": "till", "kind": "file"},
    "SourceChangeIn": {"requests_per_second": 200},
    "RotationIn": {"overlap_hours": 24},
    "KeyIn": {"key": "key_0123456789ab"},
    "ClientIn": {"public_key": "-----BEGIN PUBLIC KEY-----\n…\n-----END PUBLIC KEY-----\n"},
    "ClientEndIn": {"client": "cli_0123456789abcdef01234567"},
    "SetupCodeIn": {"code": "the-one-time-code-behind-the-hash-sign"},
    "TokenIn": {"scopes": ["source.read"]},
    "ReportIn": {"kind": "store_month", "from": "2026-10", "by": ["store_id"]},
    "ReplayIn": {"source": "till", "rule": "bad_time"},
    "ImportIn": {"source": "till", "format": "csv", "size": 2048, "sha256": "0" * 64},
    "MappingIn": {"mapping": 'record = "store"\n[fields]\nstore_id = "id"\n'},
    "TrialIn": {"mapping": None},
    "GuessIn": {"record": "order_line"},
    "LookupIn": {
        "identifier": {"type": "member_card", "value": "CARD-EXAMPLE"},
        "purpose": "data_quality",
        "reason": "the till and the card disagree",
    },
    "CaseIn": {"handle": "0" * 32, "purpose": "data_quality", "reason": "the till and the card disagree"},
    "UnmergeIn": {"handle": "0" * 32, "merge": "mrg_" + "0" * 32, "purpose": "data_quality", "reason": "two people, one phone"},
    "ProposalIn": {"proposal": "prp_" + "0" * 32, "purpose": "data_quality", "reason": "one person, two cards"},
}
"""Request shapes by name → an example that the shape accepts."""


def document(app: Flask) -> dict[str, Any]:
    """The whole document, as `/api/openapi.json` answers it."""
    written = app.extensions["flask-smorest"]["apis"][""]["ext_obj"].spec
    if "Problem" not in written.components.schemas:
        written.components.schema("Problem", schema=ProblemOut)
    spec: dict[str, Any] = written.to_dict()
    spec["info"] |= {"description": INFO}
    components = spec.setdefault("components", {})
    components["securitySchemes"] = {SCHEME: {"type": "http", "scheme": "bearer", "description": "A token of `piying user token`"}}
    components["responses"] = {status: _problem(text) for status, text in STATUSES.items()}
    components["schemas"].pop("Error", None)
    components["schemas"].pop("PaginationMetadata", None)
    for name, example in EXAMPLES.items():
        components["schemas"][name]["examples"] = [example]
    declared, repeatable = permissions(app), idempotent(app)
    for path, method, operation in operations(spec):
        _complete(path, method, operation, declared[(method, path)], repeatable)
    return spec


def operations(spec: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(path, method, operation) of a document."""
    for path, entry in spec["paths"].items():
        for method, operation in entry.items():
            if method != "parameters":
                yield path, method, operation


def permissions(app: Flask) -> dict[tuple[str, str], tuple[str, str]]:
    """(method, path) of every route under /api → the permission that its view declares, and the view's name."""
    return {(method, path): (getattr(view, "permission", ""), endpoint) for method, path, view, endpoint in _views(app)}


def idempotent(app: Flask) -> frozenset[str]:
    """`method path` of every route that makes something once under its `Idempotency-Key`."""
    return IDEMPOTENT | {f"{method} {path}" for method, path, view, _ in _views(app) if getattr(view, "once", False)}


def _views(app: Flask) -> Iterator[tuple[str, str, Any, str]]:
    """(method, path, view, its name) of every route under /api."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/"):
            view = app.view_functions[rule.endpoint]
            holder = getattr(view, "view_class", None)
            for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}:
                path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
                yield method.lower(), path, getattr(holder, method.lower()) if holder else view, rule.endpoint


def _complete(path: str, method: str, operation: dict[str, Any], declared: tuple[str, str], repeatable: frozenset[str]) -> None:
    permission, endpoint = declared
    public = permission == "public"
    operation["operationId"] = endpoint.replace(".", "_").lower()
    operation["security"] = [] if public else [{SCHEME: []}]
    if not public:
        operation["description"] = f"{operation.get('description', '')}\n\nNeeds the permission `{permission}`.".strip()
    named = f"{method} {path}"
    if named in RAW:
        operation["requestBody"] = {"required": True, "content": {RAW[named]: {"schema": {"type": "string", "format": "binary"}}}}
    told = [*ALWAYS, "403"] if not public else [*ALWAYS, "401"]
    told += [] if public else ["401"]
    told += ["404"] if "{" in path else []
    told += WITH_BODY if "requestBody" in operation else []
    told += ["422"] if operation.get("parameters") else []
    told += ["409"] if method != "get" else []
    told += ["400", "404", "429"] if method != "get" else []
    told += FURTHER.get(named, ())
    if named in CONDITIONAL:
        told += ["412", "428"]
        operation.setdefault("parameters", []).append(_header("If-Match", "the ETag of what is changed"))
    if named in VERSIONED:
        tagged = {"description": "the version that a change names in If-Match", "schema": {"type": "string"}}
        operation["responses"]["200"].setdefault("headers", {})["ETag"] = tagged
    if named in repeatable:
        operation.setdefault("parameters", []).append(_header("Idempotency-Key", "any text of yours; the same again gets the same answer"))
    if named == CONTENT:
        operation.setdefault("parameters", []).append(
            _header("Upload-Offset", "the byte at which this part begins", {"type": "integer", "minimum": 0, "maximum": 1 << 40})
        )
    responses = operation["responses"]
    for status in ("default", "422"):
        responses.pop(status, None)
    responses |= {status: {"$ref": f"#/components/responses/{status}"} for status in sorted(set(told))}


def _header(name: str, text: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"in": "header", "name": name, "required": False, "description": text, "schema": schema or {"type": "string"}}


def _problem(text: str) -> dict[str, Any]:
    return {"description": text, "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
