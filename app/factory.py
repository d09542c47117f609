"""Makes the web application: routes, headers, the lock, the error table.

Promise: while keys are locked every route but /healthz and static files answers 503 and writes nothing; every response carries the security headers;
ingestion answers at the root, with and without a slash at the end, and never redirects (clients.md rules 8, 12).
"""

from __future__ import annotations

import re
import secrets
import time

from flask import Flask, Response, g, request
from flask_smorest import Api
from werkzeug.middleware.proxy_fix import ProxyFix

from app import errors, logs
from app.api import (
    accounting,
    assessments,
    audiences,
    audit,
    browsers,
    budgets,
    cases,
    consents,
    deliveries,
    dictionary,
    document,
    evidence,
    exports,
    feeds,
    health,
    imports,
    incidents,
    ingest,
    jobs,
    minors,
    notices,
    oauth,
    operation,
    pulls,
    quality,
    quarantine,
    recipients,
    reports,
    requests,
    segments,
    snowplow,
    sources,
    subjects,
    tokens,
    users,
    verdicts,
    webhooks,
)
from app.console import shell
from app.guard import body
from app.wiring import Services, open_services
from ingestion import strictjson
from privacy.errors import Invalid, Locked

LARGEST = 1_048_576
"""Bytes of a body of the management API."""

TRANSPORT = "max-age=31536000"
"""A year of https alone, for this host: whether other hosts of the domain may say so too is not ours to decide."""
QUIET = frozenset({"ingest", "snowplow", "browsers", "webhooks", "health"})
"""Blueprints whose ordinary answers are counted and not written down."""
_REQUEST_ID = re.compile(r"(?:req_)?[0-9a-f]{24,32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

OPEN_WHILE_LOCKED = frozenset({"health.healthz", "console.static", "bootstrap.static"})
"""What answers without keys: that the process lives, and the style of the page that says what is the matter."""

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


RESOURCES = (
    sources,
    notices,
    pulls,
    quality,
    tokens,
    users,
    quarantine,
    dictionary,
    imports,
    jobs,
    operation,
    reports,
    budgets,
    audit,
    evidence,
    exports,
    requests,
    subjects,
    cases,
    minors,
    recipients,
    assessments,
    incidents,
    accounting,
    segments,
    audiences,
    deliveries,
)
"""What the description of the API is made of."""


def create_app(services: Services | None = None) -> Flask:
    """The application around its services; without an argument around those of PIYING_HOME (what the server's workers call)."""
    if services is None:
        logs.hush()
        services = open_services(serving=True)
    settings = services.settings
    app = Flask("app", static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.config.update(
        API_TITLE="Piying",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        DEBUG=False,  # whatever FLASK_DEBUG says: a debugger shows locals
        TESTING=False,
        PROPAGATE_EXCEPTIONS=False,
        TRAP_HTTP_EXCEPTIONS=False,
        JSON_SORT_KEYS=False,
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
    )
    if hops := settings.server.trusted_proxies:  # the host is never taken from a forwarded header: addresses come from server.base_url
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0, x_port=0, x_prefix=0)  # type: ignore[method-assign]
    app.extensions["piying"] = services
    app.before_request(_begin)
    app.after_request(_finish)
    for plain in (ingest, snowplow, browsers, oauth, webhooks, consents, verdicts, health, document, feeds):
        app.register_blueprint(plain.blueprint)
    app.register_blueprint(evidence.open_blueprint)
    api = Api(app)
    for resource in RESOURCES:
        api.register_blueprint(resource.blueprint)
    shell.register(app)
    errors.register(app)
    return app


def _begin() -> None:
    """Names the request and, while keys are locked, ends it before anybody reads its body."""
    services: Services = request_services()
    g.request_id = _request_id(trusted=services.settings.server.trusted_proxies > 0)
    g.started = time.perf_counter()
    if services.lock is not None and request.endpoint not in OPEN_WHILE_LOCKED:
        logs.LOCKED.inc()
        raise Locked("keys are locked: run `piying doctor`", code=services.lock.code, retry_after=30)
    if request.path.startswith("/api/") and request.is_json and (sent := body(LARGEST, cache=True)):
        _check_json(sent)


def _request_id(*, trusted: bool) -> str:
    """The name that a trusted proxy gave the request, if it is one; else a new one."""
    given = request.headers.get("X-Request-Id", "") if trusted else ""
    return given if _REQUEST_ID.fullmatch(given) else "req_" + secrets.token_hex(12)


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
    route, seconds = str(request.url_rule or "-"), time.perf_counter() - g.get("started", time.perf_counter())
    status = response.status_code
    logs.REQUESTS.labels(route, str(status)).inc()
    logs.SECONDS.labels(route).observe(seconds)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request_services().settings.https:
        response.headers["Strict-Transport-Security"] = TRANSPORT
    response.headers["X-Request-Id"] = g.get("request_id", "-")
    quiet = request.blueprint in QUIET or request.endpoint in OPEN_WHILE_LOCKED
    if status >= 500 or (status < 400 and not quiet):  # what is denied is counted above: no flood of it grows the log
        name, milliseconds = response.headers["X-Request-Id"], round(seconds * 1000)
        logs.event("request", request_id=name, route=route, method=request.method, status=status, milliseconds=milliseconds)
    return response
