"""From the family of errors to HTTP, in one table; what is not in it is a blank 500.

Promise: every error body is an RFC 9457 problem document that also has `code` and `message` at its top level (clients.md rule 2),
and carries no value that anybody sent; browsers get it as a page. Learns of an exception its type and code, never prints its arguments.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from flask import Flask, Response, current_app, g, has_request_context, json, request
from werkzeug.exceptions import HTTPException

from ingestion import strictjson
from privacy import errors

STATUS_BY_CODE = {
    "invalid_json": 400,
    "too_deep": 400,
    "bad_encoding": 400,
    "empty_body": 400,
    "too_large": 413,
    "too_many_items": 400,
    "key_missing": 401,
    "key_unknown": 401,
    "signature_wrong": 401,
    "signature_stale": 401,
    "token_missing": 401,
    "token_unknown": 401,
    "bad_setup_code": 401,
    "sign_in_failed": 401,
    "code_wrong": 422,
    "password_wrong": 422,
    "too_many_tries": 429,
    "own_account": 409,
    "source_disabled": 403,
    "too_many_lookups": 429,
    "rate_limited": 429,
    "assertion_invalid": 400,
    "assertion_used": 400,
    "export_gone": 410,
    "changed_meanwhile": 412,
    "precondition_missing": 428,
    "answer_pending": 503,
    "idempotency_mismatch": 409,
    "odata_invalid": 400,
    "odata_unsupported": 501,
    "package_gone": 410,
    "evidence_over": 410,
    "evidence_spent": 410,
}

STATUS_BY_TYPE: tuple[tuple[type[errors.PiyingError], int], ...] = (
    (errors.BudgetExhausted, 403),
    (errors.Refused, 403),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.Invalid, 422),
    (errors.Locked, 503),
    (errors.Unavailable, 503),
    (errors.Raced, 503),
    (errors.WrongSchema, 503),
    (errors.NotConfigured, 409),
)

RETRY_AFTER_SECONDS = 5

_SNOWPLOW = re.compile(r"(?:/c/[^/]*)?/(?:i|com\.snowplowanalytics\.snowplow(?:/.*)?)/?\Z")
_REPEATED = frozenset({404, 405, 409, 413, 415, 500})
"""Snowplow's clients repeat every status but 400, 401, 403, 410 and 422 without limit (clients.md rule 7): what can never succeed is 422 there."""


def status_of(error: errors.PiyingError) -> int:
    """The HTTP status of an error: by its code, else by its type."""
    if error.code in STATUS_BY_CODE:
        return STATUS_BY_CODE[error.code]
    return next((status for kind, status in STATUS_BY_TYPE if isinstance(error, kind)), 500)


def problem(
    status: int, code: str, message: str, *, field: str | None = None, headers: dict[str, str] | None = None, created: str | None = None
) -> Response:
    """A problem document; on the paths of Snowplow's clients with a status that ends their trying, where trying again is no use."""
    if status in _REPEATED and has_request_context() and _SNOWPLOW.match(request.path):
        status, headers = (503, {"Retry-After": str(RETRY_AFTER_SECONDS)}) if status == 500 else (422, headers)
    body: dict[str, Any] = {
        "type": f"urn:piying:problem:{code}",
        "title": message,
        "status": status,
        "detail": message,
        "code": code,
        "message": message,
        "request_id": getattr(g, "request_id", None),
    }
    if field:
        body["field"] = field
    if created:
        body["created"] = created
    response = _page(status, code, field) or Response(json.dumps(body), status=status, mimetype="application/problem+json")
    for name, value in (headers or {}).items():
        response.headers[name] = value
    return response


def _page(status: int, code: str, field: str | None) -> Response | None:
    """The error as the console shows it, where a browser asked; how it looks is the console's, which registers it."""
    draw = current_app.extensions.get("error_page") if has_request_context() else None
    page = draw(status, code, field) if draw else None
    return None if page is None else Response(page, status=status, mimetype="text/html")


def _of_family(error: errors.PiyingError) -> Response:
    status = status_of(error)
    headers = {}
    if status in (429, 503):
        headers["Retry-After"] = str(error.retry_after or RETRY_AFTER_SECONDS)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer" if error.code.startswith("token") else 'Basic realm="piying"'
    return problem(status, error.code, error.message, field=error.field, headers=headers)


def _of_http(error: HTTPException) -> Response:
    status = error.code or 500
    code = "too_large" if status == 413 else error.name.lower().replace(" ", "_")
    kept = {name: value for name, value in error.get_headers() if name not in ("Content-Type", "Content-Length")}
    if status == 422 and hasattr(error, "data"):
        fields = ", ".join(sorted({path_of(one) for one in _paths(getattr(error, "data", {}).get("messages", {}))}))
        return problem(422, "invalid", f"these fields break a rule: {fields}" if fields else "the body breaks a rule", headers=kept)
    return problem(status, code, error.name, headers=kept)


def _paths(messages: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Field paths of marshmallow's messages; the messages themselves may quote what was sent and are left out."""
    if not isinstance(messages, dict):
        return [path] if path else []
    found: list[tuple[str | int, ...]] = []
    for name, inner in messages.items():
        found += _paths(inner, path if name in ("json", "query", "_schema") else (*path, name))
    return found


def path_of(path: Sequence[str | int]) -> str:
    """A path as it may be shown: names that nobody declared can carry people, so they show as `?` unless they read like a field's name."""
    return strictjson.safe_path(path)


def _blank(error: Exception) -> Response:
    """What nobody foresaw: no message, no locals, only the type's name in the log, because a traceback can quote a value."""
    from app.logs import event

    event("unhandled_error", error_type=type(error).__name__, route=str(request.url_rule or "-"))
    return problem(500, "internal", "something failed here; nothing was acknowledged")


def register(app: Flask) -> None:
    """Puts the table into force for every route."""
    app.register_error_handler(errors.PiyingError, _of_family)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(Exception, _blank)
