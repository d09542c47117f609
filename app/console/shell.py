"""The shell of the console: what every page stands in, and the one place that knows all pages.

Promise: a page is HTML that reads without a script and stores nothing; static files carry their fingerprint and may be kept for a year,
nothing else may be kept at all. Browsers get errors as pages, programs as problem documents. Learns who looks, never a customer.
"""

from __future__ import annotations

import hashlib
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import flask_bootstrap
from flask import Blueprint, Flask, Response, g, render_template, request, url_for
from flask_wtf.csrf import generate_csrf

from app import choices, guard
from app.access import Caller
from app.console import gate, languages, nav
from app.console.icons import icon
from app.console.words import ROLES, STATES, explanation

PAGES = (
    "overview",
    "dictionary",
    "preferences",
    "sign_in",
    "start",
    "account",
    "users",
    "reports",
    "free",
    "diagnose",
    "feeds",
    "releases",
    "budget",
    "jobs",
    "settings",
    "health",
    "charts",
    "log",
    "evidence",
    "quarantine",
    "imports",
    "mappings",
    "people",
    "proposals",
    "minors",
    "requests",
    "consents",
    "endings",
    "notices",
    "visits",
    "sources",
    "sourcekeys",
    "live",
    "recipients",
    "deliveries",
    "segments",
    "audiences",
    "assessments",
    "incidents",
    "accounting",
    "exports",
    "approvals",
)
"""The modules of pages in this package, each with a `blueprint`."""

STATIC = Path(__file__).parent / "static"
KEPT = "public, max-age=31536000, immutable"
THEME_COOKIE = "piying_theme"

blueprint = Blueprint("console", __name__, template_folder="templates", static_folder="static", static_url_path="/static")


def register(app: Flask) -> None:
    """Puts pages, languages, style and error pages into the application."""
    gate.register(app)
    app.static_url_path = "/static"  # Bootstrap-Flask puts its own files under /bootstrap/static
    app.config.setdefault("BOOTSTRAP_SERVE_LOCAL", True)
    flask_bootstrap.Bootstrap5(app)
    languages.register(app)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(icon=icon, static=static, address=address, STATES=STATES, csrf_token=generate_csrf)
    app.register_blueprint(blueprint)
    for module in modules():
        app.register_blueprint(module.blueprint)
    for endpoint in ("console.static", "bootstrap.static"):
        app.view_functions[endpoint] = guard.public(cast(Any, partial(app.view_functions[endpoint])))
    app.context_processor(surroundings)
    app.after_request(_keep_static)
    app.extensions["error_page"] = error_page


def modules() -> list[ModuleType]:
    """The page modules."""
    return [import_module(f"app.console.{name}") for name in PAGES]


def render(template: str, status: int = 200, **context: Any) -> Response:
    """A page."""
    return Response(render_template(template, **context), status=status, mimetype="text/html")


def surroundings() -> dict[str, Any]:
    """What every template may use besides its own context."""
    here = gate.signed_in()
    caller: Caller | None = g.get("caller") or (here.caller() if here else None)
    if caller is not None:
        g.caller = caller
    return {
        "caller": caller,
        "groups": list(nav.groups(caller)) if caller else [],
        "role": ROLES.get(caller.role, caller.role) if caller else "",
        "language": languages.current(),
        "languages": languages.LANGUAGES,
        "lang_tag": languages.TAGS.get(languages.current(), languages.current()),
        "theme": theme(caller),
        "session_left": int((here.ends_at() - guard.services().clock()).total_seconds()) if here else 0,
        "request_id": g.get("request_id", "-"),
        "back": gate.local(request.full_path.rstrip("?")) if request.method == "GET" else request.path,
        "serves": lambda path: path in nav.served(),
        "opens": lambda path: caller is not None and nav.opens(path, caller),
        "may": lambda permission: caller is not None and permission in caller.permissions,
    }


def theme(caller: Caller | None) -> str:
    """light, dark, or empty where the browser decides."""
    if "theme" not in g:
        chosen = choices.of(guard.services(), caller.account_id).theme if caller else ""
        cookie = request.cookies.get(THEME_COOKIE, "")
        g.theme = chosen or (cookie if cookie in choices.THEMES else "")
    return str(g.theme)


# ── addresses and files ────────────────────────────────────────────────────────────────────────────────────────────────────────


def address(path: str = "", **changes: Any) -> str:
    """This page's address, or another path, with the present filters and these changes; None takes one away."""
    from urllib.parse import urlencode

    kept = {name: value for name, value in request.args.items() if name not in changes and value}
    kept |= {name: str(value) for name, value in changes.items() if value not in (None, "")}
    return (path or request.path) + ("?" + urlencode(kept) if kept else "")


def static(filename: str) -> str:
    """The address of a static file of ours, or of Bootstrap's (`bootstrap/…`), with its fingerprint."""
    if filename.startswith("bootstrap/"):
        name = filename.removeprefix("bootstrap/")
        folder = Path(flask_bootstrap.__file__).parent / "static" / "bootstrap5"
        return url_for("bootstrap.static", filename=name, v=_fingerprint(folder / name))
    return url_for("console.static", filename=filename, v=_fingerprint(STATIC / filename))


@cache
def _fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _keep_static(response: Response) -> Response:
    """Static files may be kept where their address holds a fingerprint; the bare address may not."""
    if request.endpoint in ("console.static", "bootstrap.static"):
        response.headers["Cache-Control"] = KEPT if response.status_code in (200, 304) and request.args.get("v") else "no-store"
    return response


# ── errors ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def error_page(status: int, code: str, field: str | None) -> str | None:
    """The error as a page, where a browser asked for one; None for programs."""
    if not _wants_page():
        return None
    back = "/" if request.url_rule is None or request.view_args else request.path  # what was typed in an address may be anybody's number
    try:
        return render_template("error.html", status=status, code=code, field=field, told=explanation(status, code), back=back)
    except Exception:  # the page may fail with what made the error (no store, no keys): then a page that asks nobody anything
        return PLAIN.format(status=status, request_id=g.get("request_id", "-"))


PLAIN = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Piying</title></head>'
    "<body><main><h1>Piying is not ready · 皮影尚未就绪</h1><p>Please try again in a moment. · 请稍后再试。</p>"
    "<p>{status} · {request_id}</p></main></body></html>"
)


def _wants_page() -> bool:
    if request.path.startswith(("/api/", "/v1/", "/c/", "/beacon/")):
        return False
    of_console = request.blueprint is not None and request.blueprint.endswith("_pages")
    return of_console or (request.endpoint is None and "text/html" in request.headers.get("Accept", ""))
