"""The access log as its page shows it: entries by filter, who was busy when, how far the log is proven.

Promise: a reading is an entry before anything is read, and a file of entries is an export in the log; whoever may read only their own acts
gets those, whatever they ask for; whoever may see no exact number gets no position either, for two positions tell how many entries others
made between them, consents and withdrawals among them. Learns handles and counts, never a customer's value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from app import access
from privacy.errors import Invalid
from privacy.vocabulary import LogKind

if TYPE_CHECKING:
    from app.access import Caller
    from app.wiring import Services

PAGE = 50
MOST = 10_000
"""Lines of one file."""
DAYS = 14
"""Days that the picture of busy hours covers."""
GROUPS = (
    "account", "audit", "budget", "case", "choices", "consent", "erasure", "evidence", "import", "ingest", "key", "log", "person", "pull",
    "release", "request", "sign_in", "source", "token",
)  # fmt: skip
"""How the names of acts begin: what the filter of groups offers."""
OUTCOMES = ("ok", "unknown", "refused", "too_many_lookups", "bad")


@dataclass(frozen=True, slots=True)
class Reading:
    """A page of the log. `hours` is actor → twenty-four counts, by the hour of the controller's day."""

    rows: list[dict[str, Any]]
    total: int
    next: str | None
    hours: list[dict[str, Any]]
    size: int
    signed_at: datetime | None
    own: bool
    kept_months: int
    oldest: datetime | None
    anchors: list[dict[str, Any]]


def page(services: Services, applied: Mapping[str, str], *, caller: Caller, after: str | None = None) -> Reading:
    """The entries that match, newest first."""
    before = _cursor(after)
    since = services.clock() - timedelta(days=DAYS)
    found, total, busy, usual = services.oversight.look_through(
        services.log_filter(**_wanted(services, applied, caller)), actor=caller.account_id, before=before, limit=PAGE, since=since,
        office=services.office(), strange=applied.get("unusual") == "1",
    )  # fmt: skip
    with services.read_console() as tx:
        names = _names(tx, caller)
        size, signed_at = services.log_state(tx)
        oldest = services.log_oldest(tx)
    hours: dict[str, list[int]] = {}
    for one in busy:
        hours.setdefault(one.actor, [0] * 24)[one.hour.astimezone(services.settings.time_zone).hour] += one.entries
    return Reading(
        rows=[_row(line, names, caller) | {"unusual": usual is not None and usual.of(line.actor, line.at)} for line in found.items],
        total=total,
        next=None if found.next is None or not numbered(caller) else str(found.next),
        hours=[
            {"actor": names.get(actor, actor), "counts": counts} for actor, counts in sorted(hours.items(), key=lambda one: -sum(one[1]))
        ],
        size=size,
        signed_at=signed_at,
        own=_own_only(caller),
        kept_months=services.settings.retention.evidence_months,
        oldest=oldest,
        anchors=[] if _own_only(caller) else services.evidence.anchors(),
    )


def one(services: Services, number: str, *, caller: Caller) -> dict[str, Any]:
    """One entry with what is linked to it, what it changed, and whether the signed head contains it; itself an entry."""
    seq = _cursor(number)
    told = services.oversight.entry(-1 if seq is None else seq, actor=caller.account_id)
    with services.read_console() as tx:
        names = _names(tx, caller)
    line, before = told["line"], told["earlier"]
    facts, was = line.facts or {}, {} if before is None else before.facts or {}
    changed = [
        {"name": name, "before": None if before is None else _told(was.get(name)), "after": _told(facts.get(name))}
        for name in sorted(facts.keys() | was.keys())
        if before is None or was.get(name) != facts.get(name)
    ]
    return {
        "row": _row(line, names, caller),
        "facts": [(name, _told(value)) for name, value in sorted(facts.items()) if name not in ("subject", "purpose", "reason")],
        "erased_at": line.erased_at,
        "changed": changed if line.kind == LogKind.CONFIG else [],
        "changed_since": None if before is None else before.at,
        "linked": [_row(other, names, caller) for other in told["linked"]],
        "size": told["size"],
        "included": told["included"],
    }


def every(services: Services, applied: Mapping[str, str], *, caller: Caller) -> Iterator[dict[str, Any]]:
    """The entries that match, at most `MOST`; the export is logged before the first one is read."""
    lines = services.oversight.extract(
        services.log_filter(**_wanted(services, applied, caller)), actor=caller.account_id, limit=MOST,
        office=services.office(), strange=applied.get("unusual") == "1",
    )  # fmt: skip
    with services.read_console() as tx:
        names = _names(tx, caller)
    return (_row(line, names, caller) for line in lines)


def verify(services: Services, *, caller: Caller) -> dict[str, Any]:
    """Recomputes the whole tree; itself an entry."""
    told: dict[str, Any] = services.oversight.verify(actor=caller.account_id)
    return told


def actors(services: Services, caller: Caller) -> tuple[tuple[str, str], ...]:
    """Whose acts may be asked for: (account, address)."""
    with services.read_console() as tx:
        return tuple(sorted(_names(tx, caller).items(), key=lambda one: one[1]))


def numbered(caller: Caller) -> bool:
    """Whether somebody sees at which position of the log an entry stands. Who does not gets the newest entries, and all of them as a file."""
    return "exact.read" in caller.permissions


def _own_only(caller: Caller) -> bool:
    return "log.read" not in caller.permissions


def _names(tx: Any, caller: Caller) -> dict[str, str]:
    known = {str(one["user"]): str(one["email"]) for one in access.accounts(tx)}
    return {caller.account_id: known.get(caller.account_id, caller.account_id)} if _own_only(caller) else known


def _wanted(services: Services, applied: Mapping[str, str], caller: Caller) -> dict[str, Any]:
    """The filter of an address, as the log's reader takes it; days are the controller's."""
    wanted: dict[str, Any] = {name: applied[name] for name in ("kind", "actor", "action", "purpose", "result", "case") if name in applied}
    if "group" in applied:
        wanted["group"] = applied["group"]
    zone = services.settings.time_zone
    if "since" in applied:
        wanted["since"] = datetime.combine(date.fromisoformat(applied["since"]), time(), zone)
    if "until" in applied:
        wanted["until"] = datetime.combine(date.fromisoformat(applied["until"]) + timedelta(days=1), time(), zone)
    if _own_only(caller):
        wanted["actor"] = caller.account_id
    return wanted


def _cursor(after: str | None) -> int | None:
    if after is None:
        return None
    if not (after.isascii() and after.isdigit() and len(after) <= 18):
        raise Invalid("the cursor is not one of ours", code="bad_cursor", field="after")
    return int(after)


def _row(line: Any, names: Mapping[str, str], caller: Caller) -> dict[str, Any]:
    facts = line.facts or {}
    return {
        "seq": line.seq if numbered(caller) else None,
        "page": f"/access-log/{line.seq}" if not _own_only(caller) else None,
        "at": line.at,
        "kind": line.kind,
        "action": line.action,
        "actor": names.get(line.actor, line.actor),
        "result": line.result if line.erased_at is None else "erased",
        "subject": _short(facts.get("subject")),
        "purpose": facts.get("purpose"),
        "reason": facts.get("reason"),
        "facts": [f"{name}: {_told(value)}" for name, value in sorted(facts.items()) if name not in ("subject", "purpose", "reason")],
    }


def _short(handle: object) -> str | None:
    """A log handle as far as it takes to see that two are the same."""
    return None if handle is None else str(handle)[:12]


def _told(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {number}" for name, number in sorted(value.items()))
    return ", ".join(str(one) for one in value) if isinstance(value, list) else "–" if value is None else str(value)
