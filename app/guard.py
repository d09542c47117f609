"""The gate before every management route: a bearer token, then the permission that the route names.

Promise: a route without a declared permission is refused to everybody; a test walks all routes. Learns who calls, not what they send.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from flask import current_app, g, request

from app import access
from privacy.errors import Invalid, Refused

if TYPE_CHECKING:
    from app.wiring import Services


P = ParamSpec("P")
R = TypeVar("R")


def services() -> Services:
    """The services that the wiring put into this application."""
    return cast("Services", current_app.extensions["piying"])


def body(limit: int, *, cache: bool = False) -> bytes:
    """The request's bytes; raises Invalid (413) above the limit, also where no length was told. One byte more is read, to know."""
    request.max_content_length = limit + 1
    raw = request.get_data(cache=cache, parse_form_data=False)
    if len(raw) > limit:
        raise Invalid("the body is larger than this endpoint takes", code="too_large")
    return raw


def bearer() -> access.Caller:
    """Whoever the request's bearer token speaks for; raises Refused (401)."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused("this route needs a bearer token", code="token_missing")
    with services().read_console() as tx:
        caller = access.caller(tx, token.strip(), now=services().clock())
    if caller is None:
        raise Refused("the token is unknown, revoked or expired", code="token_unknown")
    now = services().clock()
    if caller.used_at is None or now - caller.used_at >= access.TOUCH:
        with services().begin_console() as tx:
            access.mark_used(tx, caller.token_id, now=now)
    g.caller = caller
    return caller


def needs(permission: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declares and enforces the permission of a view."""

    def declare(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            caller = bearer()
            if permission not in caller.permissions:
                raise Refused(f"this needs the permission {permission}", code="permission_missing")
            return view(*args, **kwargs)

        cast(Any, guarded).permission = permission
        return guarded

    return declare


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Declares a view that answers anybody and says nothing about any person."""
    cast(Any, view).permission = "public"
    return view


def by_write_key(view: Callable[P, R]) -> Callable[P, R]:
    """Declares a view that a source's write key opens; the view itself authenticates."""
    cast(Any, view).permission = "write_key"
    return view
