"""Requests of people, as pages, routes and commands use the desk: one call each, in the words of whoever reads it.

Promise: identifiers are arguments in memory only; whoever is unknown gets a request by the same steps. What was decided is carried out by the
part that owns it: a package is packed, a flag set, a consent withdrawn, an erasure begun, by one officer's decision and, for an erasure,
a second one's. Names of staff are added here. Learns masked values, counts and codes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from app import access, cases, erasing, packing
from privacy.errors import Conflict, Invalid, NotFound
from privacy.vocabulary import Flag, Right

if TYPE_CHECKING:
    from app.wiring import Services

PAGE, MOST = 50, 10_000
TABS = ("mine", "unassigned", "all", "closed")
_FILTERS = ("kind", "regime", "step")


@dataclass(frozen=True, slots=True)
class Found:
    """A page of the queue, how many match, and how many stand at each step."""

    rows: list[dict[str, Any]]
    next: str | None
    total: int
    by_step: dict[str, int]


# ── opening ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def open_from_case(services: Services, case: str, asked: Mapping[str, Any], *, actor: str) -> dict[str, Any]:
    """Opens a request about the person of a case; a case about nobody opens one about nobody."""
    found = cases.look(services, case, (), actor=actor)
    return _open(services, found["handle"] if found["state"] == "known" else None, asked, actor=actor)


def open_by(
    services: Services, type_: str, value: str, asked: Mapping[str, Any], *, reason: str, actor: str, namespace: str = ""
) -> dict[str, Any]:
    """Looks somebody up, which opens a case of eight hours, and opens a request; gives the request with the case."""
    opened = cases.open_(services, type_, value, purpose="rights_request", reason=reason, actor=actor, namespace=namespace)
    return _open(services, cases.whose(services, opened, actor=actor), asked, actor=actor) | {"case": opened["case"]}


def open_public(
    services: Services,
    type_: str,
    value: str,
    *,
    right: str,
    language: str,
    namespace: str = "",
    purposes: Sequence[str] = (),
    proven_by: str = "",
) -> str:
    """Opens a request for a person themselves, on the public page; tells its number and nothing else, the same for unknown people.

    `proven_by` is `code` where the page has sent one to an identifier that the vault knew and it came back.
    """
    number: str = services.rights.open_unseen(
        type_, value, right=right, regime=regime_of(services), language=language, channel="public_page", actor="public_page",
        namespace=namespace, purposes=purposes, proven_by=proven_by,
    )  # fmt: skip
    return number


def regime_of(services: Services) -> str:
    """The law whose clock runs where nobody says otherwise."""
    return "pipl" if services.settings.jurisdiction == "CN" else "gdpr"


def _open(services: Services, handle: str | None, asked: Mapping[str, Any], *, actor: str) -> dict[str, Any]:
    told: dict[str, Any] = services.rights.open(
        handle,
        right=asked["right"],
        regime=asked.get("regime") or regime_of(services),
        language=asked.get("language") or "zh",
        channel=asked["channel"],
        received_on=asked.get("received_on"),
        detail=list(asked.get("purposes") or ()),
        deceased=bool(asked.get("deceased")),
        actor=actor,
    )
    return told


# ── the queue ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def page(services: Services, applied: Mapping[str, str], *, tab: str, actor: str, after: str = "", limit: int = PAGE) -> Found:
    """The requests of a tab that match."""
    told = services.rights.page(_wanted(services, applied, tab, actor), actor=actor, after=after, limit=limit)
    names = staff(services)
    return Found([_named(one, names) for one in told["items"]], told["next"], told["total"], told["by_step"])


def every(services: Services, applied: Mapping[str, str], *, tab: str, actor: str) -> Iterator[dict[str, Any]]:
    """The same as rows of a file; an export in the log."""
    names = staff(services)
    rows = services.rights.every(_wanted(services, applied, tab, actor), actor=actor, most=MOST)
    return (_named(one, names) for one in rows)


def _wanted(services: Services, applied: Mapping[str, str], tab: str, actor: str) -> Any:
    wanted: dict[str, Any] = {name: applied[name] for name in _FILTERS if applied.get(name)}
    wanted |= {name: date.fromisoformat(applied[name]) for name in ("since", "until") if applied.get(name)}
    if applied.get("proven"):
        wanted["proven"] = applied["proven"] == "yes"
    if tab == "mine":
        wanted["assignee"] = actor
    return services.requests_wanted(**wanted, unassigned=tab == "unassigned", closed=tab == "closed")


def staff(services: Services, *, officers: bool = False) -> dict[str, str]:
    """Addresses of staff by account; `officers`: of those who may work on requests."""
    with services.read_console() as tx:
        listed = access.accounts(tx)
    return {
        str(one["user"]): str(one["email"])
        for one in listed
        if not officers or (not one["disabled"] and "request.edit" in access.matrix()[str(one["role"])])
    }


def _named(one: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return one | {f"{who}_name": names.get(one[who] or "", one[who]) for who in ("assignee", "opened_by", "decided_by", "approved_by")}


# ── one request ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def show(services: Services, number: str, *, actor: str) -> dict[str, Any]:
    """A request with everything that its page shows; the look is logged."""
    names = staff(services)
    told = _named(services.rights.show(number, actor=actor), names)
    told["events"] = [one | {"who": names.get(one["actor"], one["actor"])} for one in told["events"]]
    told["others"] = [_named(one, names) for one in told["others"]]
    told["erasing"] = erasing.state(services, told["erasure"]) if told["erasure"] else None
    return told


def of_case(services: Services, handle: str | None) -> list[dict[str, Any]]:
    """The requests of a case's person; the look into the case is logged."""
    return [] if handle is None else list(services.rights.of_person(handle))


def plan(services: Services, number: str, *, actor: str) -> dict[str, Any]:
    """What an erasure would find and what it would keep; nothing is changed."""
    handle = services.rights.handle_of(number)
    if handle is None:
        return {"stores": [], "kept": [], "steps": []}
    told: dict[str, Any] = erasing.plan(services, handle, actor=actor)
    return told


def case_of(services: Services, number: str, *, actor: str, reason: str) -> str:
    """A case about the request's person, for the eight hours in which somebody works on it."""
    handle = services.rights.handle_of(number)
    if handle is None:
        raise NotFound("nobody is known here", code="person_unknown", field="request")
    return str(services.cases.open_for(handle, purpose="rights_request", reason=reason, actor=actor)["case"])


# ── acts ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def assign(services: Services, number: str, account: str | None, *, actor: str) -> dict[str, Any]:
    """Gives a request to an officer, or to nobody."""
    if account and account not in staff(services, officers=True):
        raise Invalid("only somebody who works on requests is given one", code="account_unknown", field="assignee")
    return dict(services.rights.assign(number, account or None, actor=actor))


def ask_identity(services: Services, number: str, *, actor: str) -> dict[str, Any]:
    """Notes that proof of identity was asked for."""
    return dict(services.rights.ask_identity(number, actor=actor))


def check_identity(services: Services, number: str, *, method: str, passed: bool, actor: str) -> dict[str, Any]:
    """Notes how somebody proved who they are."""
    return dict(services.rights.check_identity(number, method=method, passed=passed, actor=actor))


def check_kin(services: Services, number: str, kin: Mapping[str, str], *, actor: str) -> dict[str, Any]:
    """Notes what a relative of somebody who died has shown."""
    return dict(services.rights.check_kin(number, kin, actor=actor))


def gather(services: Services, number: str, *, actor: str) -> dict[str, Any]:
    """Looks into every store and notes how much each holds."""
    return dict(services.rights.gathered(number, packing.gather(services, number, actor=actor).counts(), actor=actor))


def redact(services: Services, number: str, parts: Sequence[str], ground: str, *, actor: str) -> dict[str, Any]:
    """Says what a package withholds."""
    return dict(services.rights.redact(number, parts, ground, actor=actor))


def reviewed(services: Services, number: str, *, actor: str) -> dict[str, Any]:
    """What was gathered was looked through."""
    return dict(services.rights.reviewed(number, actor=actor))


def decide(services: Services, number: str, *, outcome: str, reason: str, words: str, actor: str) -> dict[str, Any]:
    """Decides; a deletion then waits for a second person."""
    return dict(services.rights.decide(number, outcome=outcome, reason=reason, words=words, actor=actor))


def approve(services: Services, number: str, *, actor: str) -> dict[str, Any]:
    """The second person's word."""
    return dict(services.rights.approve(number, actor=actor))


def send_back(services: Services, number: str, words: str, *, actor: str) -> dict[str, Any]:
    """The second person's no."""
    return dict(services.rights.send_back(number, words=words, actor=actor))


def lengthen(services: Services, number: str, reason: str, *, actor: str) -> dict[str, Any]:
    """Lengthens the deadline once."""
    return dict(services.rights.lengthen(number, reason, actor=actor))


def comment(services: Services, number: str, words: str, *, actor: str) -> dict[str, Any]:
    """Adds a sentence."""
    return dict(services.rights.comment(number, words, actor=actor))


def correct(services: Services, number: str, asked: Mapping[str, str], *, actor: str) -> dict[str, Any]:
    """Corrects one value of the request's person; the value is sealed and forgotten."""
    named = {name: asked.get(name) or "" for name in ("ref", "value", "namespace")}
    return dict(services.rights.correct(number, type_=asked["type"], actor=actor, **named))


def close(services: Services, number: str, reason: str, words: str, *, actor: str) -> dict[str, Any]:
    """Closes a request, for a reason."""
    return dict(services.rights.close(number, reason, words, actor=actor))


# ── delivering ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def deliver(services: Services, number: str, *, actor: str, clear: bool = False) -> dict[str, Any]:
    """Carries out what was decided, and notes it."""
    told = services.rights.show(number, actor=actor)
    if told["step"] != "deliver" or told["delivered_at"] is not None:
        raise Conflict("the request does not stand at this step", code="request_step", field="step")
    if told["outcome"] == "refused":
        return dict(services.rights.delivered(number, {"outcome": "refused"}, actor=actor))
    done = _DELIVERIES[Right(told["right"])](services, told, actor, clear)
    return dict(services.rights.delivered(number, done, actor=actor, erasure=done.get("erasure")))


def _packed(services: Services, told: Mapping[str, Any], actor: str, clear: bool) -> dict[str, Any]:
    withheld = told["redacted"]
    made = packing.make(
        services, told["number"], right=told["right"], actor=actor, clear=clear, withheld=withheld["parts"], ground=withheld["ground"],
        kin=told["deceased"],
    )  # fmt: skip
    return {"package": made["package"]}


def _corrected(services: Services, told: Mapping[str, Any], actor: str, clear: bool) -> dict[str, Any]:
    number = sum(event["act"] == "corrected" for event in told["events"])
    if not number:
        raise Conflict("nothing was corrected yet", code="not_corrected", field="request")
    return {"corrections": number}


def _erased(services: Services, told: Mapping[str, Any], actor: str, clear: bool) -> dict[str, Any]:
    handle = services.rights.handle_of(told["number"])
    if handle is None:
        return {"erasure": None}
    numbers = [told["number"], *(other["number"] for other in told["others"])]
    begun = erasing.begin(services, handle, actor=told["decided_by"], approved_by=told["approved_by"], request=told["number"])
    packing.sweep(services, numbers)
    return {"erasure": str(begun)}


def _restricted(services: Services, told: Mapping[str, Any], actor: str, clear: bool) -> dict[str, Any]:
    return {"flag": Flag.RESTRICTED.value, "new": int(services.rights.set_flag(told["number"], Flag.RESTRICTED, actor=actor))}


def _objected(services: Services, told: Mapping[str, Any], actor: str, clear: bool) -> dict[str, Any]:
    return {"flag": Flag.OBJECTED.value, "new": int(services.rights.set_flag(told["number"], Flag.OBJECTED, actor=actor))}


def _withdrawn(services: Services, told: Mapping[str, Any], actor: str, clear: bool) -> dict[str, Any]:
    handle = services.rights.handle_of(told["number"])
    said = {"state": "withdrawn", "collection": {"phone": "phone", "letter": "paper", "store": "paper"}.get(told["channel"], "form")}
    occasion = {"request": told["number"].lower()}
    if handle is None:
        return {"purposes": 0}
    for purpose in told["purposes"]:
        services.cases.decide_for(handle, {"purpose": purpose} | said, actor=actor, facts=occasion)
    return {"purposes": len(told["purposes"])}


_Delivery = Callable[["Services", Mapping[str, Any], str, bool], dict[str, Any]]
_DELIVERIES: Mapping[Right, _Delivery] = {
    **dict.fromkeys((Right.ACCESS, Right.COPY, Right.PORTABILITY, Right.EXPLANATION), _packed),
    Right.CORRECTION: _corrected,
    Right.DELETION: _erased,
    Right.RESTRICTION: _restricted,
    Right.OBJECTION: _objected,
    Right.WITHDRAWAL: _withdrawn,
}


def lift(services: Services, number: str, flag: str, *, actor: str) -> int:
    """Lifts what a request set; the person's own wish."""
    if flag not in set(Flag):
        raise Invalid("there is no such flag", code="flag_unknown", field="flag")
    return int(services.rights.lift_flag(number, Flag(flag), actor=actor))


def take(services: Services, number: str, *, actor: str) -> bytes:
    """The newest package; counted and logged."""
    return packing.take(services, number, actor=actor)


def certificate(services: Services, number: str, *, actor: str) -> dict[str, Any]:
    """The certificate of the request's erasure."""
    told = services.rights.show(number, actor=actor)
    if not told["erasure"]:
        raise NotFound("this request has no erasure", code="erasure_unknown", field="request")
    document: dict[str, Any] = erasing.certificate(services, told["erasure"])
    return document


def letter(services: Services, number: str, name: str, language: str, *, actor: str) -> list[str]:
    """A letter's paragraphs, in a language; that it was handed out is noted."""
    paragraphs: list[str] = services.rights_letter(services.rights.show(number, actor=actor), name, language)
    services.rights.told(number, name, language, actor=actor)
    return paragraphs


def letters(services: Services, told: Mapping[str, Any]) -> list[str]:
    """Which letters there are for a request where it stands."""
    found: list[str] = services.rights_letters(told)
    return found
