"""The gate before every management route: a bearer token, then the permission that the route names.

Promise: a route without a declared permission is refused to everybody; a test walks all routes. Learns who calls, not what they send.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import sqlalchemy as sa
from flask import Response, current_app, g, jsonify, request

from app import access, errors, repeats
from privacy.errors import Conflict, Invalid, Refused

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


def bearer(*, basic: bool = False) -> access.Caller:
    """Whoever the request's bearer token speaks for; where `basic`, the token may stand as a Basic password. Raises Refused (401)."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if basic and request.authorization is not None and request.authorization.type == "basic":
        scheme, token = "bearer", request.authorization.password or ""
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


def needs(permission: str, *, basic: bool = False) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declares and enforces the permission of a view."""

    def declare(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            caller = bearer(basic=basic)
            if permission not in caller.permissions:
                raise Refused(f"this needs the permission {permission}", code="permission_missing")
            return view(*args, **kwargs)

        cast(Any, guarded).permission = permission
        return guarded

    return declare


def once(*, secret: bool = False) -> Callable[[Callable[P, R]], Callable[P, R | Response]]:
    """Declares a view that makes something: a repetition under its `Idempotency-Key` makes nothing and hears what the first one made.

    The view hands `g.also` to its act. Where the answer holds a `secret`, a repetition is a conflict that names what was made.
    """

    def declare(view: Callable[P, R]) -> Callable[P, R | Response]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
            g.also, key = repeats.nothing_more, request.headers.get("Idempotency-Key")
            if key is None:
                return view(*args, **kwargs)
            route = f"{request.method} {request.path}"
            asked = repeats.Asked.of(g.caller.account_id, route, key, request.get_json(silent=True))
            if (made := _made_before(asked)) is None:
                g.also = asked.note(services().clock())
                try:
                    return view(*args, **kwargs)
                except sa.exc.IntegrityError:  # the same key at the same time: the act of whoever came second left nothing
                    if (made := _made_before(asked)) is None:
                        raise
            return _already(made) if secret else cast(R, made)

        cast(Any, guarded).once = True
        return guarded

    return declare


def _made_before(asked: repeats.Asked) -> dict[str, Any] | None:
    with services().read_console() as tx:
        return repeats.made_before(tx, asked)


def _already(made: dict[str, Any]) -> Response:
    named = next(iter(made.values()))
    message = "a request under this key made this before; what it showed then is kept nowhere and shown once"
    return errors.problem(409, "already_created", message, field="Idempotency-Key", created=str(named))


def named_version() -> str:
    """The version that a change says it was made from; raises Invalid (428) if it says none."""
    seen = (request.headers.get("If-Match") or "").strip().removeprefix("W/").strip('"')
    if not seen:
        raise Invalid("a change names in If-Match the ETag that it was made from", code="precondition_missing", field="If-Match")
    return seen


def seen_version() -> int:
    """The same where versions are numbers; raises Conflict (412) for one that never was."""
    seen = named_version()
    if not (seen.isascii() and seen.isdigit() and len(seen) <= 9):
        raise Conflict("this is no version of ours", code="changed_meanwhile", field="If-Match")
    return int(seen)


def tagged(told: dict[str, Any], version: str) -> Response:
    """An answer with the version that a change must name."""
    answer = jsonify(told)
    answer.set_etag(version)
    return answer


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Declares a view that answers anybody and says nothing about any person."""
    cast(Any, view).permission = "public"
    return view


def by_write_key(view: Callable[P, R]) -> Callable[P, R]:
    """Declares a view that a source's write key opens; the view itself authenticates."""
    cast(Any, view).permission = "write_key"
    return view
