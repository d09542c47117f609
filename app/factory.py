"""Makes the web application: routes, headers, the lock, the error table.

Promise: while keys are locked every route but /healthz answers 503 and writes nothing; every response carries the security headers;
ingestion answers at the root, with and without a slash at the end, and never redirects (clients.md rules 8, 12).
"""

from __future__ import annotations

import secrets
import time

from flask import Flask, Response, g, request
from flask_smorest import Api

from app import errors, logs
from app.api import (
    audit,
    browsers,
    budgets,
    consents,
    dictionary,
    health,
    imports,
    ingest,
    jobs,
    oauth,
    pulls,
    quality,
    quarantine,
    reports,
    snowplow,
    sources,
    start,
    subjects,
    tokens,
    verdicts,
    webhooks,
)
from app.guard import body
from app.wiring import Services, open_services
from ingestion import strictjson
from privacy.errors import Invalid, Locked

LARGEST = 1_048_576
"""Bytes of a body of the management API."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def create_app(services: Services | None = None) -> Flask:
    """The application around its services; without an argument around those of PIYING_HOME (what the server's workers call)."""
    services = services or open_services(serving=True)
    app = Flask("app", static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.config.update(
        API_TITLE="Piying",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api",
        OPENAPI_JSON_PATH="openapi.json",
        DEBUG=False,  # whatever FLASK_DEBUG says: a debugger shows locals
        TESTING=False,
        PROPAGATE_EXCEPTIONS=False,
        TRAP_HTTP_EXCEPTIONS=False,
        JSON_SORT_KEYS=False,
    )
    app.extensions["piying"] = services
    app.before_request(_begin)
    app.after_request(_finish)
    for plain in (ingest, snowplow, browsers, oauth, webhooks, consents, verdicts, health, start):
        app.register_blueprint(plain.blueprint)
    api = Api(app)
    for resource in (sources, pulls, quality, tokens, quarantine, dictionary, imports, jobs, reports, budgets, audit, subjects):
        api.register_blueprint(resource.blueprint)
    errors.register(app)
    return app


def _begin() -> None:
    """Names the request and, while keys are locked, ends it before anybody reads its body."""
    g.request_id = "req_" + secrets.token_hex(12)
    g.started = time.perf_counter()
    services: Services = request_services()
    if services.lock is not None and request.endpoint != "health.healthz":
        logs.LOCKED.inc()
        raise Locked("keys are locked: run `piying doctor`", code=services.lock.code, retry_after=30)
    if request.path.startswith("/api/") and request.is_json and (sent := body(LARGEST, cache=True)):
        _check_json(sent)


def _check_json(sent: bytes) -> None:
    """The strict gate of ingestion before the lenient reader of the management API; raises Invalid."""
    parsed = strictjson.loads(sent, items="")
    if parsed.faults:
        raise Invalid(f"the body breaks the rule {parsed.faults[0].rule}", code="invalid_json", field=parsed.faults[0].path)


def request_services() -> Services:
    """The services of the application that answers this request."""
    from app.guard import services

    return services()


def _finish(response: Response) -> Response:
    route = str(request.url_rule or "-")
    logs.REQUESTS.labels(route, str(response.status_code)).inc()
    logs.SECONDS.labels(route).observe(time.perf_counter() - g.get("started", time.perf_counter()))
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-Id"] = g.get("request_id", "-")
    return response
