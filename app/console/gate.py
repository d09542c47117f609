"""The gate before every page: a session, then the permission that the page names; before every act also that our own page sent it.

Promise: a cookie opens pages and nothing else, a token opens the API and nothing else. Nobody signed in: to the sign-in page and back. Not
permitted: 403. An act that our own form did not send: 403. An act that needs the password again: to the page that asks for it, and back.
`next` is only ever a path of ours. Learns who looks, not what they send.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import wraps
from typing import IO, TYPE_CHECKING, Any, ParamSpec, TypeVar, cast
from urllib.parse import quote, urlsplit

from flask import Flask, Request, g, redirect, request, session
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import validate_csrf
from werkzeug.exceptions import HTTPException
from wtforms import ValidationError

from app import sessions
from app.console import forms
from app.guard import services
from privacy.errors import Refused

if TYPE_CHECKING:
    from app.wiring import Services

TICKET = "ticket"
"""What the browser's signed cookie holds besides the mark of our forms."""
LARGEST_FORM = 1_048_576
"""Bytes of a form, where an act does not say otherwise."""
SIGN_IN, REAUTHENTICATE, HOME = "/sign-in", "/reauthenticate", "/"

P = ParamSpec("P")
R = TypeVar("R", bound=ResponseReturnValue)
View = Callable[P, R]
Guarded = Callable[P, R | ResponseReturnValue]


def page(permission: str, *, fresh: bool = False, quiet: bool = False) -> Callable[[View[P, R]], Guarded[P, R]]:
    """Declares and enforces the permission of a page. `quiet` is for fragments that a script polls: they keep no session alive."""
    return _declared(permission, fresh=fresh, quiet=quiet)


def act(permission: str, *, fresh: bool = False, limit: int = LARGEST_FORM) -> Callable[[View[P, R]], Guarded[P, R]]:
    """Declares and enforces the permission of an act; `limit` is the most bytes that its form may have."""
    return _declared(permission, fresh=fresh, limit=limit)


def upload(permission: str) -> Callable[[View[P, R]], Guarded[P, R]]:
    """As `act`, for a form with a file: `g.sent` has its fields, whose mark was checked, and its file, of which nothing was read yet."""
    return _declared(permission, fresh=False, limit=0)


def open_page(view: View[P, R]) -> View[P, R]:
    """Declares a page for anybody."""
    cast(Any, view).permission = "public"
    return view


def open_act(view: View[P, R]) -> View[P, R]:
    """Declares an act for anybody, which our own form must have sent all the same."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        _own_form(LARGEST_FORM)
        return view(*args, **kwargs)

    return open_page(guarded)


def _declared(permission: str, *, fresh: bool, quiet: bool = False, limit: int = LARGEST_FORM) -> Callable[[View[P, R]], Guarded[P, R]]:
    def declare(view: View[P, R]) -> Guarded[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R | ResponseReturnValue:
            here = signed_in(quiet=quiet)
            if here is None:
                return redirect(with_next(SIGN_IN, _back()))
            g.caller = here.caller()
            if permission not in g.caller.permissions:
                raise Refused(f"this needs the permission {permission}", code="permission_missing")
            if request.method not in ("GET", "HEAD"):
                _own_form(limit) if limit else _own_upload()
            if fresh and not here.fresh(services().clock()):
                return redirect(with_next(REAUTHENTICATE, _back()))
            return view(*args, **kwargs)

        cast(Any, guarded).permission = permission
        cast(Any, guarded).of_console = True
        return guarded

    return declare


def signed_in(*, quiet: bool = True) -> sessions.Session | None:
    """The session of whoever looks, once it has everything that it needs; None for anybody else."""
    found = current()
    if found is None or not found.complete:
        return None
    now = services().clock()
    if not quiet and found.stale(now):
        with services().begin_console() as tx:
            sessions.touch(tx, ticket(), now=now)
    return found


def current() -> sessions.Session | None:
    """The session of the request's cookie, also one that waits for its second factor. Looked up once a request."""
    if "console_session" not in g:
        g.console_session = None
        if ticket():
            with services().read_console() as tx:
                g.console_session = sessions.find(tx, ticket(), now=services().clock())
    return cast("sessions.Session | None", g.console_session)


def ticket() -> str:
    """What opens the session of this browser; empty where there is none."""
    held = session.get(TICKET)
    return held if isinstance(held, str) else ""


def hand_over(new: str) -> None:
    """Gives the browser another ticket, and new marks for forms: nothing from before a sign-in is good after it."""
    language = {name: session[name] for name in ("language", "theme") if name in session}
    session.clear()
    session.update(language)
    g.pop("console_session", None)
    g.pop("csrf_token", None)
    if new:
        session[TICKET] = new


def local(path: str | None) -> str:
    """A path of ours to go on to, out of what an address said; anything else is the start page."""
    if not path or len(path) > 500 or not path.startswith("/") or path.startswith("//") or "\\" in path:
        return HOME
    if any(ord(sign) <= 32 or ord(sign) == 127 for sign in path):
        return HOME
    parts = urlsplit(path)
    return path if not parts.scheme and not parts.netloc else HOME


def _back() -> str:
    """Where to go on afterwards: this page; after an act its own page, where it has one, or where its form says."""
    if request.method in ("GET", "HEAD"):
        return local(request.full_path.rstrip("?"))
    if request.mimetype != "multipart/form-data" and request.form.get("back"):
        return local(request.form["back"])
    try:
        request_map().match(request.path, method="GET")
    except HTTPException:
        return HOME
    return local(request.path)


def request_map() -> Any:
    """The routes as this request sees them."""
    from flask import current_app

    return current_app.create_url_adapter(request)


def _own_form(limit: int) -> None:
    """Raises Refused unless a page of ours, given to this very browser, sent the request."""
    _own_site()
    request.max_content_length = limit
    _check_mark(request.headers.get("X-CSRFToken") or request.form.get("csrf_token"))


def _own_upload() -> None:
    """The same for a form with a file: its mark stands before the file, and is checked before the file is read."""
    _own_site()
    if request.mimetype != "multipart/form-data":
        _own_form(LARGEST_FORM)
    g.sent = forms.of(request, services().settings.limits.form_bytes + LARGEST_FORM)
    _check_mark(g.sent.fields.get("csrf_token"))


def _own_site() -> None:
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Refused("another site sent this form", code="csrf_failed")


def _check_mark(sent: str | None) -> None:
    try:
        validate_csrf(sent)
    except ValidationError:
        raise Refused("the form is too old or was not made here: open the page again", code="csrf_failed") from None


class InMemory(Request):
    """A request whose forms never touch a disk, whatever a part of them calls itself; `limit` bounds them."""

    def _get_file_stream(self, *args: Any, **kwargs: Any) -> IO[bytes]:
        return io.BytesIO()


def register(app: Flask) -> None:
    """How this application's cookies are: signed, out of scripts' reach, ours alone, and only over https where the address is."""
    wired = cast("Services", app.extensions["piying"])
    secure = wired.base_url.startswith("https://")
    app.request_class = InMemory
    app.secret_key = wired.console_secret("cookie")
    app.config.update(
        SESSION_COOKIE_NAME="__Host-piying" if secure else "piying",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        WTF_CSRF_TIME_LIMIT=None,  # a form lives as long as the cookie that its mark is bound to
    )


def with_next(path: str, onward: str) -> str:
    """A page of ours that goes on to another one afterwards."""
    return path if onward == HOME else f"{path}?next={quote(onward)}"
