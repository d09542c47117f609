"""The consent log and its receipts, as pages, routes and commands use them: one call each, in the words of whoever reads it.

Promise: the door has logged a reading before anything is read. People stand under an officer's reference or under nothing; names of sources
and of staff are added here. Learns acts, purposes and instants, never an identifier.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from app import access, acts
from privacy.errors import Invalid
from privacy.orm import from_micros

if TYPE_CHECKING:
    from app.wiring import Services

PAGE = 50
MOST = 100_000
"""Lines of one file."""
DAYS = ("1", "7", "30")
"""Presets: so many days of the controller's, today included."""


@dataclass(frozen=True, slots=True)
class Found:
    """A page of the consent log, with how much matches."""

    rows: list[dict[str, Any]]
    next: str | None
    entries: int
    grants: int
    withdrawals: int


@dataclass(frozen=True, slots=True)
class Names:
    """What things are called: sources, staff, versions of notices by hash."""

    sources: Mapping[str, str]
    staff: Mapping[str, str]
    notices: Mapping[str, str]


def names(services: Services) -> Names:
    """The names of sources, staff and notices."""
    with services.read_console() as tx:
        staff = {str(one["user"]): str(one["email"]) for one in access.accounts(tx)}
        notices = {one.id: one.version for one in services.notices(tx)}
    return Names({str(one["source"]): str(one["name"]) for one in acts.list_sources(services)}, staff, notices)


def page(services: Services, applied: Mapping[str, str], *, actor: str, after: str | None = None, limit: int = PAGE) -> Found:
    """The acts that match, newest first."""
    called = names(services)
    lines, following, told = services.consent_log.page(
        _wanted(services, applied, called), actor=actor, case=applied.get("case"), before=_cursor(after), limit=limit
    )
    return Found(
        [_row(line, called) for line in lines],
        None if following is None else str(following),
        told.entries,
        told.grants,
        told.withdrawals,
    )


def every(services: Services, applied: Mapping[str, str], *, actor: str, form: str) -> Iterator[dict[str, Any]]:
    """The acts that match, at most `MOST`; the export is logged before the first one is read."""
    called = names(services)
    wanted = _wanted(services, applied, called)
    lines = services.consent_log.hand_out(wanted, actor=actor, case=applied.get("case"), limit=MOST, form=form)
    return (_row(line, called) for line in lines)


def purposes(services: Services) -> list[str]:
    """The keys of all purposes."""
    with services.read_console() as tx:
        return list(services.purposes(tx))


# ── receipts ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def receipt(services: Services, number: str, *, actor: str) -> dict[str, Any]:
    """A receipt with what a page shows beside it; the look is logged."""
    made, called = services.consent_log.receipt(number, actor=actor), names(services)
    with services.read_console() as tx:
        purpose = services.purposes(tx)[made.line.act.purpose]
    return {
        "row": _row(made.line, called),
        "jws": made.jws,
        "key": made.key,
        "key_version": made.key_version,
        "statement": made.statement,
        "purpose_names": dict(purpose.name),
        "analytic": purpose.analytic,
        "notice_texts": {} if made.notice is None else dict(made.notice.texts),
        "beside": [_row(line, called) for line in made.beside],
        "after": None if made.after is None else _row(made.after, called),
        "effects": dict(made.effects),
        "in_force": made.in_force,
        "latency": None if made.in_force is None else services.notice_book.latency(),
    }


def file(services: Services, number: str, *, actor: str, opened: bool = False) -> str:
    """A receipt as a file: signed statement and notice; `opened` for the person's own copy. Logged as an export."""
    text: str = services.consent_log.receipt(number, actor=actor, handed_out=True, opened=opened).file()
    return text


def verify(services: Services, number: str, *, actor: str) -> list[dict[str, Any]]:
    """Everything a receipt rests on, looked at again: {"name", "state", "number"} with the states good, bad, open."""
    return [one._asdict() for one in services.consent_log.verify_receipt(number, actor=actor)]


def public_keys(services: Services) -> dict[str, Any]:
    """The keys that verify receipts (RFC 7517)."""
    keys: dict[str, Any] = services.consent_log.public_keys()
    return keys


def drawn(text: str) -> tuple[int, str]:
    """A text as a QR code: how many modules a side, margin included, and the dark ones as one path of horizontal bars."""
    import qrcode

    code = qrcode.QRCode(border=4, error_correction=qrcode.constants.ERROR_CORRECT_L, mask_pattern=0)  # trying all eight takes 0.1 s
    code.add_data(text)
    code.make(fit=True)
    rows = code.get_matrix()
    bars: list[str] = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            length = 1
            while x + length < len(row) and row[x + length] == row[x]:
                length += 1
            if row[x]:
                bars.append(f"M{x} {y}h{length}v1h-{length}z")
            x += length
    return len(rows), "".join(bars)


# ── words ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _row(line: Any, called: Names) -> dict[str, Any]:
    act = line.act
    return {
        "receipt": line.number,
        "recorded_at": from_micros(act.received_at),
        "decided_at": from_micros(act.effective_at),
        "subject": line.subject,
        "purpose": act.purpose,
        "state": act.state,
        "kind": act.kind,
        "method": act.method,
        "source": act.source_id,
        "source_name": None if act.source_id is None else called.sources.get(act.source_id, act.source_id),
        "notice": act.notice,
        "notice_version": None if act.notice is None else called.notices.get(act.notice, act.notice[:12]),
        "default_state": (act.evidence or {}).get("default_state"),
        "language": (act.evidence or {}).get("language"),
        "evidence": act.notice is not None or bool(act.evidence),
        "valid_until": None if act.valid_until is None else from_micros(act.valid_until),
        "by": act.by,
        "by_name": None if act.by is None else called.staff.get(act.by, called.sources.get(act.by, act.by)),
        "entry": act.entry,
    }


def _wanted(services: Services, applied: Mapping[str, str], called: Names) -> Any:
    """The filter of an address, as the ledger's reader takes it; days are the controller's."""
    wanted: dict[str, Any] = {name: applied[name] for name in ("purpose", "state", "method", "source") if name in applied}
    if "notice" in applied:
        versions = {version: identity for identity, version in called.notices.items()}
        wanted["notice"] = versions.get(applied["notice"], applied["notice"])
    zone = services.settings.time_zone
    today = services.clock().astimezone(zone).date()
    if "days" in applied:
        wanted["since"] = datetime.combine(today - timedelta(days=int(applied["days"]) - 1), time(), zone)
    if "since" in applied:
        asked = datetime.combine(date.fromisoformat(applied["since"]), time(), zone)
        wanted["since"] = max(asked, wanted.get("since", asked))
    if "until" in applied:
        wanted["until"] = datetime.combine(date.fromisoformat(applied["until"]) + timedelta(days=1), time(), zone)
    return services.consent_filter(**wanted, conflicts=applied.get("conflicts") == "1")


def _cursor(after: str | None) -> int | None:
    if after is None:
        return None
    if not (after.isascii() and after.isdigit() and len(after) <= 18):
        raise Invalid("the cursor is not one of ours", code="bad_cursor", field="after")
    return int(after)
