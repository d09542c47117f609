"""Sources as their pages show them: how each of them does, what became of what it sent, who changed it.

Promise: exact counts are for whoever holds exact.read and, of the integrators, for the source's own (dp_rules X-4); everybody else sees what
a source declared and whether it is alive. Counts on the grid source × day and nothing finer. Learns no person.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from app import access, acts, intake, ownership
from ingestion import inbox, registry
from ingestion import quality as grid
from ingestion.strictjson import Parsed
from privacy.errors import Invalid, Refused
from privacy.vocabulary import LogKind, Reason, Verdict

if TYPE_CHECKING:
    from app.access import Caller
    from app.wiring import Services

DAYS = 7
LONGEST_SILENCE = 400
"""Days after which a source counts as one that never sent."""
LATE = timedelta(days=2)
"""A source that sent nothing for this long is shown as late; what arrives and when is its owner's to judge."""
CONSENT = frozenset(
    one.value for one in (Reason.CONSENT_MISSING, Reason.CONSENT_WITHDRAWN, Reason.CONSENT_NOT_YET, Reason.CONSENT_EXPIRED, Reason.OBJECTED)
)
"""The reasons for which a row is dropped because its person does not allow it."""
STATES = ("current", "late", "silent", "disabled")
TESTED = ("segment", "rudderstack")
"""Kinds of source that a test message can be sent for: their clients all speak to one path."""
LINES = 200
"""Entries of the log that a source's history is looked for in."""


# ── the list ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def listing(services: Services, applied: Mapping[str, str], *, caller: Caller) -> list[dict[str, Any]]:
    """The sources that match, by name."""
    today = services.clock().astimezone(services.settings.time_zone).date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    with services.read_console() as tx:
        hidden = ownership.hidden(tx, caller)
        arrived = grid.arrivals(tx, first=today - timedelta(days=LONGEST_SILENCE), last=today, zone=services.settings.zone)
        counted = inbox.counts(tx, first=days[0], last=today)
    lasts: dict[str, datetime] = {}
    for (source, _day), arrivals in arrived.items():
        lasts[source] = max(lasts.get(source, arrivals.last_received_at), arrivals.last_received_at)
    dropped: dict[str, int] = {}
    for source, _day, _verdict, reason, number in counted:
        dropped[source] = dropped.get(source, 0) + (number if reason in CONSENT else 0)
    rows = []
    for one in acts.list_sources(services):
        source = str(one["source"])
        row = {**one, "page": f"/sources/{source}", "state": _state(one, source in hidden, lasts.get(source), services.clock())}
        if sees(caller, source, hidden):
            row |= _numbers([arrived.get((source, day)) for day in days], dropped.get(source, 0)) | {"last_received": lasts.get(source)}
        rows.append(row)
    return [row for row in rows if _matches(row, applied)]


def sees(caller: Caller, source: str, hidden: Collection[str]) -> bool:
    """Whether somebody may see the exact counts of a source."""
    return "exact.read" in caller.permissions and source not in hidden


def _numbers(days: Sequence[grid.Arrivals | None], dropped: int) -> dict[str, Any]:
    """What came in the last days, and the shares of it that somebody should look at."""
    received = sum(day.received for day in days if day)
    held = sum(day.verdicts.get(Verdict.QUARANTINED, 0) for day in days if day)
    refused = sum(day.verdicts.get(Verdict.REFUSED, 0) for day in days if day)
    return {
        "days": [day.received if day else 0 for day in days],
        "received": received,
        "stored": sum(day.verdicts.get(Verdict.STORED, 0) for day in days if day),
        "held_share": held / received if received else None,
        "refused_share": refused / received if received else None,
        "consent_share": dropped / received if received else None,
    }


def _state(one: Mapping[str, Any], hidden: bool, last: datetime | None, now: datetime) -> str | None:
    if one["disabled"]:
        return "disabled"
    if hidden:
        return None
    return "silent" if last is None else "late" if now - last > LATE else "current"


def _matches(row: Mapping[str, Any], applied: Mapping[str, str]) -> bool:
    sought = applied.get("q", "").casefold()
    return (
        sought in row["name"].casefold()
        and applied.get("kind", row["kind"]) == row["kind"]
        and applied.get("state", row["state"]) == row["state"]
    )


# ── one source ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def one(services: Services, source_id: str, *, caller: Caller) -> dict[str, Any]:
    """A source with what it declared, its version, and whether the caller may see its counts and change it."""
    declared, version = acts.show_source(services, source_id)
    with services.read_console() as tx:
        hidden = ownership.hidden(tx, caller)
    return {
        **declared,
        "version": version,
        "exact": sees(caller, source_id, hidden),
        "editable": "source.edit" in caller.permissions and source_id not in hidden,
        "audience": services.base_url,
        "tested": declared["kind"] in TESTED,
    }


def purposes(services: Services) -> list[dict[str, Any]]:
    """The registered purposes with their names; `analytic` are the ones that open the lake."""
    with services.read_console() as tx:
        known = services.purposes(tx)
    return [{"purpose": one.key, "names": dict(one.name), "analytic": one.analytic} for one in known.values()]


def owned(services: Services, source_id: str, *, caller: Caller) -> dict[str, Any]:
    """The same for an act: raises NotFound where the source is another integrator's."""
    check_own(services, source_id, caller=caller)
    return one(services, source_id, caller=caller)


def check_own(services: Services, source_id: str, *, caller: Caller) -> None:
    """Raises NotFound where there is no such source, or it is another integrator's."""
    with services.read_console() as tx:
        registry.get(tx, source_id)
        ownership.check(tx, source_id, caller)


def send_test(services: Services, source_id: str, *, caller: Caller) -> dict[str, Any]:
    """Sends one well-formed message of nobody through the source's own way in; it is counted, and refused for want of consent."""
    with services.read_console() as tx:
        found = registry.get(tx, source_id)
        ownership.check(tx, source_id, caller)
    if found.disabled_at is not None:
        raise Refused("the source is disabled", code="source_disabled")
    if found.facts.kind not in TESTED:
        raise Invalid("a source of this kind has no test message", code="source_untested", field="source")
    name = "piying-test-" + secrets.token_hex(8)
    message = {"type": "track", "event": "Product Viewed", "anonymousId": name, "properties": {"product_id": "test"}}
    with services.begin_console() as tx:
        services.log(tx, LogKind.CONFIG, "source.test", actor=caller.account_id, facts={"source": source_id})
    receipt = intake.receive(services, found.facts, "batch", Parsed({"batch": [message]}, ())).receipt
    return {"source": source_id, "received": receipt.received, "quarantined": receipt.quarantined}


def history(services: Services, source_id: str, *, caller: Caller) -> list[dict[str, Any]]:
    """What was changed of a source, newest first, out of the access log; reading it is an entry. Whoever sees only own acts sees those."""
    own = "log.read" not in caller.permissions
    with services.read_console() as tx:
        registry.get(tx, source_id)
        names = {str(one["user"]): str(one["email"]) for one in access.accounts(tx)}
    wanted = services.log_filter(kind=LogKind.CONFIG.value, **({"actor": caller.account_id} if own else {}))
    found, _total, _busy = services.oversight.survey(wanted, actor=caller.account_id, before=None, limit=LINES, since=services.clock())
    return [
        {"at": line.at, "who": names.get(line.actor, line.actor), "action": line.action, "facts": line.facts or {}}
        for line in found.items
        if (line.facts or {}).get("source") == source_id
    ]
