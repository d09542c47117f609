"""What leaves, as its pages show it: what may be asked for, what waits for a decision, one request beside the last one of its recipient.

Promise: names, papers, states. Whoever asks sees their own requests and released numbers; whoever decides sees everybody's, what is unusual
about each, and what came after it left. Looking here counts nobody and charges nothing. It must never learn a person.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from app import access, audiences, deliveries, exports, reaching, segments
from app.reaching import Wanted
from privacy.errors import NotFound, PiyingError

if TYPE_CHECKING:
    from app.access import Caller
    from app.wiring import Services

LARGE: Final = 100_000
"""People from which on a list is marked: so many in a year end the exemption of transfers abroad (Provisions on Cross-border Data Flows 2024)."""
DIRECT: Final = "direct_identifier"
HIGH: Final = frozenset({DIRECT, "sensitive"})
MEDIUM: Final = frozenset({"quasi_identifier", "behavioural"})
WAITS: Final = "requested"
DECIDED: Final = ("approved", "released", "revoked", "expired")
MOST_WAITING, MOST_EARLIER, MOST_REMOVALS = 500, 50, 200
COMPARED: Final = ("segment", "purpose", "use", "channel", "form", "fields", "days")


# ── asking ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def offer(services: Services, segment: str = "", recipient: str = "") -> dict[str, Any]:
    """What a request may choose from: whose people, and to whom; with both, what that recipient is registered for, and under which papers."""
    active = [one for one in services.recipients.standing() if one["status"] == "active"]
    chosen = next((one for one in active if one["id"] == recipient), None)
    told: dict[str, Any] = {
        "sources": list(_names(services).items()),
        "recipients": active,
        "chosen": None,
        "offers": None,
        "agreement": None,
    }
    if not segment or not recipient:
        return told
    if chosen is None:
        raise NotFound("there is no such recipient, or it is not active", code="dossier_unknown", field="recipient")
    offers = services.exports.offers(recipient, services.segment(segment)["purpose"])
    return told | {"chosen": chosen, "offers": offers, "agreement": agreement(services, recipient)}


def said(services: Services, wish: Mapping[str, Any]) -> dict[str, Any]:
    """What a request that is being filled in would mean: what everybody has to allow, how much its columns tell, which of them it cannot use."""
    told = offer(services, str(wish["segment"]), str(wish["recipient"]))
    if told["chosen"] is None:
        return told | {"needs": [], "heat": "", "unused": [], "name": ""}
    purpose = services.segment(str(wish["segment"]))["purpose"]
    channel = [f"marketing.channel.{wish['channel']}"] if wish["channel"] in told["offers"]["channels"] and wish["channel"] else []
    known = told["offers"]["forms"].get(wish["form"], [])
    return told | {
        "needs": [purpose, *told["chosen"]["consents_needed"], *channel],
        "heat": heat(services, wish["fields"]) if wish["fields"] else "",
        "unused": [one for one in wish["fields"] if one not in known],
        "name": _names(services).get(str(wish["segment"]), ""),
    }


def agreement(services: Services, recipient: str) -> dict[str, Any] | None:
    """The agreement with a recipient that is in force and lasts longest."""
    today = services.recipients.today()
    found = [one for one in services.agreements.listing() if one["recipient"] == recipient and _runs(one, today)]
    return max(found, key=lambda one: one["ends"], default=None)


def _runs(one: Mapping[str, Any], today: date) -> bool:
    over = one.get("ended_on")
    return one["starts"] <= today.isoformat() <= one["ends"] and not (over and over <= today.isoformat())


def heat(services: Services, fields: Iterable[str]) -> str:
    """How much columns tell of somebody: high with an identifier or something sensitive, medium with what people could be found by."""
    classes = {services.partner_columns.get(name, DIRECT) for name in fields}
    return "high" if classes & HIGH else "medium" if classes & MEDIUM else "low"


# ── the requests ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def queue(services: Services, caller: Caller, *, state: str = "", after: str | None = None) -> dict[str, Any]:
    """Requests with the names of what they speak of; for an officer also what is unusual about each."""
    found = exports.page(services, caller, state=state, after=after)
    known = _known(services)
    marked = exports.EXACT in caller.permissions
    rows = [_named(one, known) | {"heat": heat(services, one["fields"])} for one in found["items"]]
    if not marked:
        return found | {"items": rows, "waiting": []}
    return found | {"items": [one | {"flags": _flags(services, one, known)} for one in rows], "waiting": waiting(services)}


def waiting(services: Services) -> list[str]:
    """The requests that wait for a second person, the oldest first."""
    return [one["id"] for one in reversed(services.exports.listing(states=(WAITS,), limit=MOST_WAITING))]


def mine(services: Services, caller: Caller, *, limit: int = 5) -> list[dict[str, Any]]:
    """The newest requests of somebody."""
    known = _known(services)
    return [_named(one, known) for one in services.exports.listing(asked_by=caller.account_id, limit=limit)]


def _known(services: Services) -> dict[str, Any]:
    with services.read_console() as tx:
        people = {str(one["user"]): str(one["email"]) for one in access.accounts(tx)}
    return {"names": _names(services), "people": people, "recipients": {one["id"]: one for one in services.recipients.standing()}}


def _names(services: Services) -> dict[str, str]:
    """What segments and stored audiences are called."""
    kept = {one["id"]: one["name"] for one in audiences.listing(services, state="active")}
    return {one["id"]: one["name"] for one in segments.listing(services)} | kept


def _named(one: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    moments = {name: datetime.fromisoformat(one[name]) for name in ("asked_at", "expires_at", "until")}
    people, to = known["people"], known["recipients"].get(one["recipient"])
    return {
        **one,
        "name": known["names"].get(one["segment"], one["segment"]),
        "recipient_key": to["key"] if to else "",
        "recipient_names": {"en": to["name_en"], "zh": to["name_zh"]} if to else {},
        "country": to["country"] if to else "",
        "abroad": bool(to and to["abroad"]),
        "who": people.get(one["asked_by"], one["asked_by"]),
        "decider": people.get(one["decided_by"], one["decided_by"] or ""),
        "days": (moments["expires_at"] - moments["asked_at"]).days,
    }


def _flags(services: Services, one: Mapping[str, Any], known: Mapping[str, Any]) -> list[str]:
    """What is unusual about a request: sensitive, abroad, large, first."""
    found = {services.partner_columns.get(name, DIRECT) for name in one["fields"]}
    size = _size(services, one)
    marks = {
        "sensitive": "sensitive" in found,
        "abroad": one["abroad"],
        "large": bool(size and size["value"] >= LARGE),
        "first": not _earlier(services, one["recipient"], released=True),
    }
    return [name for name, holds in marks.items() if holds]


def _size(services: Services, one: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The released size of a request's segment, where somebody bought it."""
    try:
        found = reaching.answered(services, _defined(services, one).segment)
    except PiyingError:  # a segment that may not be used any more has no size, and the request shows why by itself
        return None
    return found["size"] if found else None


def _defined(services: Services, one: Mapping[str, Any]) -> Wanted:
    """The segment behind a request, also behind a stored audience."""
    stored = str(one["segment"]).startswith(audiences.PREFIX)
    segment = audiences.one(services, one["segment"])["segment"] if stored else one["segment"]
    return Wanted(segment, one["version"], one["channel"], one["recipient"])


def _earlier(services: Services, recipient: str, *, released: bool = False, apart: str = "") -> dict[str, Any] | None:
    """The newest request to a recipient that somebody approved, or that was released."""
    found = services.exports.listing(states=DECIDED, recipient=recipient, limit=MOST_EARLIER)
    mark = "released_at" if released else "decided_at"
    return max((one for one in found if one[mark] and one["id"] != apart), key=lambda one: str(one[mark]), default=None)


# ── one request ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def whole(services: Services, export: str, caller: Caller) -> dict[str, Any]:
    """One request as its page shows it; what only officers may know is empty for everybody else."""
    shown, known = exports.show(services, export, caller), _known(services)
    one = _named(shown, known) | {"heat": heat(services, shown["fields"])}
    told = {
        "one": one, "mine": one["asked_by"] == caller.account_id, "reach": _reach(services, one), "agreement": agreement(services, one["recipient"]),
        "classes": {name: services.partner_columns.get(name, DIRECT) for name in one["fields"]},
    }  # fmt: skip
    if exports.EXACT not in caller.permissions:
        return told | {"flags": [], "last": None, "beside": {}, "after": None}
    last = _earlier(services, one["recipient"], apart=one["id"])
    return told | {
        "flags": _flags(services, one, known),
        "last": last and _last(services, one, _named(last, known), caller),
        "beside": _beside(services, one),
        "after": _after(services, one) if one["manifest"] else None,
    }


def _reach(services: Services, one: Mapping[str, Any]) -> dict[str, Any] | None:
    """Whom the segment reaches by this channel at this recipient, if somebody bought that; never bought here."""
    try:
        found = reaching.look(services, _defined(services, one))
    except PiyingError:  # no closed month, or a use that ended: the page does without
        return None
    return {"answer": found["answer"], "segment": found["segment"]}


def _last(services: Services, one: Mapping[str, Any], last: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """The last approved request of the same recipient, and in what the two differ."""
    people = (exports.show(services, last["id"], caller)["officers"] or {}).get("people")
    rows = [{"what": name, "now": one[name], "then": last[name], "differs": _plain(one[name]) != _plain(last[name])} for name in COMPARED]
    rows[0] |= {"now": one["name"], "then": last["name"]}
    return last | {"people": people, "rows": rows, "rule_differs": one["definition"] != last["definition"]}


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else value


def _beside(services: Services, one: Mapping[str, Any]) -> dict[str, Any]:
    """The requests that wait before and behind one, the oldest first."""
    order = waiting(services)
    if one["id"] not in order:
        return {"previous": None, "next": order[0] if order else None, "place": 0, "all": len(order)}
    place = order.index(one["id"])
    return {
        "previous": order[place - 1] if place else None,
        "next": order[place + 1] if place + 1 < len(order) else None,
        "place": place + 1,
        "all": len(order),
    }


def _after(services: Services, one: Mapping[str, Any]) -> dict[str, Any]:
    """What came after a list left: its parts, who of it is being taken out, the removals that name it."""
    parts = deliveries.listing(services, batch=one["id"])["items"]
    waits = services.exports.leaving(one["id"])
    named = [each for each in services.deliveries.removals(recipient=one["recipient"], limit=MOST_REMOVALS) if one["id"] in _exports(each)]
    removals = [
        each
        | {
            "made": datetime.fromisoformat(each["made_at"]),
            "acknowledged": datetime.fromisoformat(each["acknowledged_at"]) if each["acknowledged_at"] else None,
            "alone": _exports(each) == {one["id"]},
        }
        for each in named
    ]
    return {"parts": parts, "waits": waits, "removals": removals, "people": sum(each["people"] for each in removals)}


def _exports(removal: Mapping[str, Any]) -> set[str]:
    return {name for lane in json.loads(removal["manifest"])["lists"] for name in lane["exports"]}
