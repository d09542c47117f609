"""Exports as routes, pages and commands use them: asked for, decided about by a second person, released, taken, called back, traced.

Promise: whoever holds no `exact.read` sees their own requests alone and no number of people that is not protected; whoever holds it sees
everybody's, with what was left out. A file goes out sealed and counted. What an address of one person is comes in a body and is kept nowhere.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from app import access, logs
from app.answers.exports import STATES
from app.repeats import Also, nothing_more
from privacy.errors import Invalid, Refused

if TYPE_CHECKING:
    from app.access import Caller
    from app.wiring import Services

EXACT = "exact.read"
PAGE = 50
LARGEST_SAMPLE = 64 * 1024 * 1024
DELIMITERS = ",;\t|"


@contextmanager
def counted() -> Iterator[None]:
    """What the gate refuses inside is counted under its code."""
    try:
        yield
    except Refused as error:
        logs.EXPORT_REFUSALS.labels(error.code).inc()
        raise


# ── asking and deciding ────────────────────────────────────────────────────────────────────────────────────────────────────────


@counted()
def ask(services: Services, body: Mapping[str, Any], *, actor: str, also: Also = nothing_more) -> dict[str, Any]:
    """Asks for a list: {segment, recipient, channel, form, fields, justification, expires_at, purpose?, use?, ground?}.

    What is not given is what the segment says of itself.
    """
    segment = services.segment(str(body["segment"]))
    wish = services.export_wish(
        segment=segment["id"],
        purpose=body.get("purpose") or segment["purpose"],
        use=body.get("use") or segment["use"],
        channel=body.get("channel") or "",
        recipient=body["recipient"],
        form=body["form"],
        fields=tuple(body["fields"]),
        justification=body["justification"],
        expires_at=moment(body["expires_at"]),
        ground=body.get("ground") or "separate_consent",
    )
    return services.exports.request(wish, actor=actor, also=also)


def moment(told: Any) -> datetime:
    """An instant with its zone; raises Invalid."""
    try:
        at = told if isinstance(told, datetime) else datetime.fromisoformat(str(told))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Invalid("an instant is written as in ISO 8601, with its zone", code="export_expiry", field="expires_at")
    return at


@counted()
def approve(services: Services, export: str, *, actor: str) -> dict[str, Any]:
    """A second person's yes."""
    return services.exports.approve(export, actor=actor)


@counted()
def reject(services: Services, export: str, reason: str, *, actor: str) -> dict[str, Any]:
    """A second person's no."""
    return services.exports.reject(export, reason, actor=actor)


def cancel(services: Services, export: str, *, actor: str) -> dict[str, Any]:
    """Whoever asked takes it back."""
    return services.exports.cancel(export, actor=actor)


@counted()
def release(services: Services, export: str, *, actor: str) -> dict[str, Any]:
    """Releases an approved list."""
    return services.exports.release(export, actor=actor)


def revoke(services: Services, export: str, *, actor: str, reason: str = "") -> dict[str, Any]:
    """Calls a released list back; its recipient is told in the next round of deliveries."""
    return services.exports.revoke(export, actor=actor, reason=reason)


@counted()
def take(services: Services, export: str, *, actor: str) -> tuple[str, int, Iterator[bytes]]:
    """The sealed file: its name, its size and its bytes; everybody in it was decided about once more."""
    sealed, pieces = services.exports.take(export, actor=actor)
    return f"{sealed.file}.sealed", sealed.size, pieces


def expire(services: Services) -> Mapping[str, Any]:
    """Ends requests, approvals and files whose time is over."""
    return {"exports_ended": services.exports.expire()}


def acting(services: Services, email: str, permission: str) -> Caller:
    """The account with an address as a caller, for a terminal; raises NotFound, and Refused where it may not."""
    with services.read_console() as tx:
        found = access.account(tx, access.account_id_of(tx, email))
    permissions = access.matrix()[found["role"]]
    if permission not in permissions:
        raise Refused(f"this needs the permission {permission}", code="permission_missing")
    return access.Caller(found["user"], found["role"], permissions, "")


# ── showing ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def page(services: Services, caller: Caller, *, state: str = "", after: str | None = None, limit: int = PAGE) -> dict[str, Any]:
    """Requests, the newest first: everybody's for an officer, one's own for whoever asks."""
    if state and state not in STATES:
        raise Invalid("there is no such state", code="bad_filter", field="state")
    found = services.exports.listing(states=(state,) if state else (), asked_by=_only(caller), before=after or None, limit=limit + 1)
    return {"items": found[:limit], "next": found[limit - 1]["id"] if len(found) > limit else None}


def show(services: Services, export: str, caller: Caller) -> dict[str, Any]:
    """A request with its manifest; the officer's part of it for officers."""
    return services.exports.show(export, exact=EXACT in caller.permissions, asked_by=_only(caller))


def preview(services: Services, export: str, caller: Caller) -> dict[str, Any]:
    """Numbers before the release: exact ones with every reason for an officer, the day's protected count for whoever asked."""
    show(services, export, caller)
    if EXACT in caller.permissions:
        return {"exact": services.exports.exact(export, actor=caller.account_id), "protected": None}
    return {"exact": None, "protected": services.exports.preview(export, actor=caller.account_id)}


def _only(caller: Caller) -> str | None:
    return None if EXACT in caller.permissions else caller.account_id


# ── control addresses, the suppression list, leaked files ──────────────────────────────────────────────────────────────────────


def own(services: Services, type_: str, values: Sequence[str], *, domain: bool, actor: str) -> dict[str, Any]:
    """Writes down addresses of our own for control rows."""
    return {"added": services.exports.own(type_, values, domain=domain, actor=actor)}


def bar(services: Services, identifiers: Sequence[Mapping[str, str]], channel: str, *, lift: bool, actor: str) -> dict[str, Any]:
    """Sets people on the suppression list of a channel, or takes them off it; the answer does not depend on who is known here (attack 21)."""
    act = services.exports.lift if lift else services.exports.bar
    act(identifiers, channel, actor=actor)
    return {"accepted": len(identifiers)}


def trace(services: Services, raw: bytes, *, actor: str) -> dict[str, Any]:
    """Whose list a CSV file (a sample of a thousand rows is enough) is."""
    return services.exports.trace(columns_of(raw), actor=actor)


def columns_of(raw: bytes) -> list[pa.StringArray]:
    """The columns of a CSV file as text; raises Invalid for what is none."""
    if len(raw) > LARGEST_SAMPLE:
        raise Invalid("a sample has at most 64 MiB", code="too_large", field="file")
    try:
        text = _text(raw)
        first = text.partition("\n")[0]
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=max(DELIMITERS, key=first.count), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise Invalid("the file is no CSV in UTF-8, UTF-16 or GB 18030", code="trace_file", field="file") from None
    if not rows:
        raise Invalid("the file is empty", code="trace_file", field="file")
    width = max(len(row) for row in rows)
    if width > 500:
        raise Invalid("the file has too many columns", code="trace_file", field="file")
    return [pa.array([row[place] if place < len(row) else None for row in rows], pa.string()) for place in range(width)]


def _text(raw: bytes) -> str:
    """A file as it was saved by whoever leaked it: UTF-8 and UTF-16 by their marks, or what a Chinese spreadsheet writes."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("gb18030")
