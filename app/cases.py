"""One person as an officer's page, route or command shows them: a look into a case, in the words of whoever reads it.

Promise: the door has logged the look before anything is read; what comes back is masked, and of the lake only counts. Names of sources and of
staff, legal grounds and ends of retention are added here. Learns masked values, counts and instants, never an identifier.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from app import access, acts
from privacy.dictionary import catalogue
from privacy.errors import Invalid

if TYPE_CHECKING:
    from app.wiring import Services

DAYS = 92
"""Days with rows that a timeline shows, the newest first."""


def open_(services: Services, type_: str, value: str, *, purpose: str, reason: str, actor: str, namespace: str = "") -> dict[str, Any]:
    """Looks somebody up and opens a case of eight hours."""
    opened: dict[str, Any] = services.cases.open(type_, value, purpose=purpose, reason=reason, actor=actor, namespace=namespace)
    return opened


def whose(services: Services, opened: Mapping[str, Any], *, actor: str) -> str | None:
    """Whom a case that was just opened is about, for a request or an erasure: also a minor, of whom nothing is shown. None for nobody."""
    handle: str | None = services.cases.named(opened["case"], actor=actor) if opened["minor"] else opened["handle"]
    return handle


def mine(services: Services, *, actor: str) -> list[dict[str, Any]]:
    """The open cases of an account."""
    listed: list[dict[str, Any]] = services.cases.mine(actor=actor)
    return listed


def close(services: Services, case: str, *, actor: str) -> None:
    """Ends a case."""
    services.cases.close(case, actor=actor)


def look(services: Services, case: str, parts: Collection[str], *, actor: str, at: str = "") -> dict[str, Any]:
    """The case with some of its parts: consents (as of a moment), timeline, identities, held, stopped."""
    moment = _moment(services, at) if at else None
    months = _months(services) if "held" in parts else ()
    told: dict[str, Any] = services.cases.look(case, actor=actor, parts=parts, at=moment, months=months)
    names = told.pop("names", None)
    if names is not None:
        told |= _held(services, told.pop("counts"), services.subject_counts.of(names))
    sources = {str(one["source"]): str(one["name"]) for one in acts.list_sources(services)}
    with services.read_console() as tx:
        people = {str(one["user"]): str(one["email"]) for one in access.accounts(tx)}
    for one in told.get("consents", ()):
        ground = one["grounds"].get(services.settings.jurisdiction)
        one["ground"], one["article"] = ground, one.pop("articles").get(services.settings.jurisdiction)
        if one["act"] is not None:
            _name(one["act"], sources, people)
    for one in (*told.get("acts", ()), *told.get("links", ()), *told.get("merges", ())):
        _name(one, sources, people)
    if "staff" in told:
        told["staff"] = _folded([one | {"who": people.get(one["actor"], one["actor"])} for one in told["staff"]])
    if "consents" in told:
        told["at"] = (moment or services.clock()).isoformat()
    return told


def consequences(services: Services, case: str, merge: str, *, actor: str) -> dict[str, Any]:
    """What an undone merge would leave; nothing is changed."""
    told: dict[str, Any] = services.cases.consequences(case, merge, actor=actor)
    return told


def unmerge(services: Services, case: str, merge: str, *, purpose: str, reason: str, actor: str) -> dict[str, Any]:
    """Undoes one merge of the case's person."""
    told: dict[str, Any] = services.cases.unmerge_of(case, merge, purpose=purpose, reason=reason, actor=actor)
    return told


def reveal(services: Services, case: str, ref: str, *, purpose: str, reason: str, actor: str) -> dict[str, Any]:
    """One identifier of the case's person in clear; the log entry is committed before anything is read."""
    told: dict[str, Any] = services.cases.reveal_of(case, ref, purpose=purpose, reason=reason, actor=actor)
    return told


def decide(services: Services, case: str, wish: Mapping[str, Any], *, actor: str) -> dict[str, Any]:
    """Records a person's act with its evidence; tells how the purpose stood before and stands now."""
    given = {name: value for name, value in wish.items() if value not in (None, "")}
    if isinstance(given.get("at"), str):
        given["at"] = _moment(services, given["at"])
    told: dict[str, Any] = services.cases.decide(case, given, actor=actor)
    return told


def choices(services: Services) -> dict[str, list[dict[str, Any]]]:
    """What an act can be about, and the notices that can have been shown."""
    told: dict[str, list[dict[str, Any]]] = services.cases.choices()
    return told


def pair(services: Services, proposal: str, *, actor: str) -> dict[str, Any]:
    """A proposal with both people's masked identifiers."""
    told: dict[str, Any] = services.cases.pair(proposal, actor=actor)
    return told


# ── moments and months ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _moment(services: Services, text: str) -> datetime:
    """A moment that is over, as people write it: a day (its end), a time of the controller's zone, or an instant with a zone."""
    now, zone = services.clock(), services.settings.time_zone
    try:
        if len(text) == 10:
            whole = datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), zone) - timedelta(microseconds=1)
            if whole - timedelta(days=1) < now:
                return min(whole, now)
        else:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
            if moment <= now:
                return moment
    except (ValueError, OverflowError):
        pass
    raise Invalid("a moment is a day or a time that is over, in ISO 8601", code="bad_instant", field="at")


def _months(services: Services) -> list[int]:
    """Every month of which the lake may hold rows."""
    today = services.clock().astimezone(services.settings.time_zone).date()
    last = today.year * 12 + today.month - 1
    return [_month(number) for number in range(last - services.settings.retention.lake_months - 1, last + 2)]


def _month(number: int) -> int:
    return number // 12 * 100 + number % 12 + 1


# ── what is held ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _held(services: Services, counts: Mapping[str, int], counted: Sequence[Any]) -> dict[str, Any]:
    """Counts by kind of record with the ends of their retention, and rows by day of the controller's zone."""
    known, zone = catalogue.load().tables, services.settings.time_zone
    months: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    days: dict[date, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in counted:
        months[one.table][one.month] += one.rows
        if known[one.table].made == "records":
            days[one.hour.astimezone(zone).date()][one.table] += one.rows
    kept = services.settings.retention.lake_months
    held = [
        {
            "kind": name,
            "meaning": {"en": known[name].meaning_en, "zh": known[name].meaning_zh},
            "rows": sum(by_month.values()),
            "first_month": min(by_month),
            "last_month": max(by_month),
            "ends": [_end(month, kept).isoformat() for month in (min(by_month), max(by_month))],
        }
        for name, by_month in months.items()
    ]
    newest = sorted(days, reverse=True)
    return {
        "held": sorted(held, key=lambda one: -int(one["rows"])),
        "counts": dict(counts),
        "days": [{"day": day.isoformat(), "rows": sum(days[day].values()), "kinds": dict(days[day])} for day in newest[:DAYS]],
        "more_days": max(len(newest) - DAYS, 0),
    }


def _end(month: int, kept: int) -> date:
    """The first day on which a month's rows are gone."""
    number = month // 100 * 12 + month % 100 - 1 + kept + 1
    return date(number // 12, number % 12 + 1, 1)


def _folded(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Entries, newest first; of the looks of one account into one case on one day the newest, with how many they were."""
    folded: dict[tuple[Any, ...], dict[str, Any]] = {}
    for line in lines:
        key = (line["actor"], line["case"], line["at"][:10]) if line["action"] == "case.view" else (line["entry"],)
        folded.setdefault(key, line | {"times": 0})["times"] += 1
    return list(folded.values())


def _name(one: dict[str, Any], sources: Mapping[str, str], people: Mapping[str, str]) -> None:
    """Names instead of numbers, for a source and for whoever recorded it."""
    one["source_name"] = sources.get(one.get("source") or "", one.get("source"))
    if "by" in one:
        one["who"] = people.get(one["by"] or "", sources.get(one["by"] or "", one["by"]))
