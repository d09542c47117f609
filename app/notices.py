"""Purposes and notices, as pages, routes and commands use them: one call each, in the words of whoever reads them.

Promise: a publication, a count and a decision are logged by the door before anything is told. Learns words of the controller's own and
counts, never a person: identifiers of a decision pass through and are forgotten.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app import logs
from privacy.errors import NotFound

if TYPE_CHECKING:
    from app.wiring import Services

ENDING_DAYS = 30


def purposes(services: Services) -> list[dict[str, Any]]:
    """Every purpose with its ground and article here, and the notice in force for it."""
    here = services.settings.jurisdiction
    in_force: dict[str, Any] = {}
    for notice, _ in services.notice_book.editions():
        in_force |= dict.fromkeys(notice.purposes, notice)
    with services.read_console() as tx:
        registered = services.purposes(tx)
    return [
        {
            "purpose": one.key,
            "names": dict(one.name),
            "grounds": dict(one.grounds),
            "ground": one.grounds.get(here),
            "article": services.notice_form.grounds[here].get(one.grounds.get(here, "")),
            "analytic": one.analytic,
            "separate": one.separate,
            "written": one.written,
            "validity_days": one.validity_days,
            "by_consent": one.rests_on_consent(),
            "notice": in_force[one.key].id if one.key in in_force else None,
            "version": in_force[one.key].version if one.key in in_force else None,
            "categories": sorted(_uses(in_force.get(one.key)).get(one.key, {}).get("categories", ())),
        }
        for one in registered.values()
    ]


def allowing(services: Services) -> dict[str, int]:
    """How many people allow each purpose now: exact, so for whoever may see exact numbers."""
    with services.read_console() as tx:
        told: dict[str, int] = services.consenting(tx)
    return told


def add_purpose(services: Services, told: Mapping[str, Any], *, actor: str) -> dict[str, Any]:
    """Registers a purpose; raises Invalid for a ground that the jurisdiction does not know."""
    purpose = services.new_purpose(
        key=str(told["purpose"]),
        grounds=dict(told["grounds"]),
        separate=bool(told.get("separate")),
        written=bool(told.get("written")),
        validity_days=told.get("validity_days"),
        name=dict(told["names"]),
    )
    made = services.notice_book.register(purpose, actor=actor)
    return {"purpose": made.key, "separate": made.separate, "written": made.written}


def publish(services: Services, told: Mapping[str, Any], *, actor: str) -> dict[str, Any]:
    """Publishes a notice; its hash and version."""
    made = services.notice_book.publish(_draft(services, told), actor=actor)
    return {"notice": made, "version": told["version"]}


def preview(services: Services, told: Mapping[str, Any], *, actor: str, exact: bool) -> dict[str, Any]:
    """What a draft would change, and how many people it would ask again."""
    shown = services.notice_book.preview(_draft(services, told), actor=actor, exact=exact)
    return {"changes": [one._asdict() for one in shown.changes], "people": shown.people}


def _draft(services: Services, told: Mapping[str, Any]) -> Any:
    return services.notice_draft(str(told["version"]), told["items"], told["uses"], list(told.get("anew") or ()))


def listing(services: Services) -> list[dict[str, Any]]:
    """Every notice, newest first, with whether somebody changed it in place."""
    return [_shown(notice, altered=altered) for notice, altered in reversed(services.notice_book.editions())]


def one(services: Services, identity: str, *, against: str = "") -> dict[str, Any]:
    """A notice with its words by language, what it changed, and its words compared with the one before or with another one."""
    notice, altered, previous, changes = services.notice_book.edition(identity)
    if against:
        previous = services.notice_book.edition(against)[0]
    told = _shown(notice, altered=altered)
    told["changes"] = [change._asdict() for change in changes]
    told["previous"] = None if previous is None else {"notice": previous.id, "version": previous.version}
    told["compared"] = (
        {} if previous is None else {tag: services.compare(previous.texts.get(tag, ""), text) for tag, text in notice.texts.items()}
    )
    return told


def in_force(services: Services, purpose: str) -> dict[str, Any] | None:
    """The newest notice of a purpose; None where none was published."""
    found = [one for one, _ in services.notice_book.editions() if purpose in one.purposes]
    return _shown(found[-1], altered=False) if found else None


def newest(services: Services) -> dict[str, Any] | None:
    """What a new draft begins with: the newest notice that was published with its items."""
    return next((told for told in listing(services) if told["items"]), None)


def to_be_asked(services: Services, *, actor: str) -> dict[str, int]:
    """Purpose → people who allow it by acts that do not reach what its newest notice needs."""
    told: dict[str, int] = services.notice_book.to_be_asked(actor=actor)
    return told


def ending(services: Services, *, actor: str, days: int = ENDING_DAYS) -> dict[str, Any]:
    """Consents that end soon."""
    total, listed = services.notice_book.ending(days, actor=actor)
    return {"days": days, "total": total, "items": listed}


def latency(services: Services) -> dict[str, Any] | None:
    """How fast the latest withdrawals held, in seconds."""
    told = services.notice_book.latency()
    return None if told is None else {"count": told.count, "median": told.median, "p99": told.p99, "longest": told.longest}


def decide(services: Services, items: Sequence[Mapping[str, Any]], *, actor: str, namespace: str = "") -> list[dict[str, Any]]:
    """What stands for each item now, and whether its person may be asked."""
    told: list[dict[str, Any]] = services.notice_book.decide(items, actor=actor, namespace=namespace)
    source = actor if actor.startswith("src_") else "staff"
    for reason, asked in Counter(one["reason"] or "allowed" for one in told).items():
        logs.DECISIONS.labels(source, reason).inc(asked)
    return told


def _shown(notice: Any, *, altered: bool) -> dict[str, Any]:
    content = notice.content or {}
    return {
        "notice": notice.id,
        "version": notice.version,
        "published_at": notice.published_at,
        "texts": dict(notice.texts),
        "purposes": list(notice.purposes),
        "items": content.get("items", {}),
        "uses": content.get("uses", {}),
        "anew": content.get("anew", []),
        "altered": altered,
    }


def _uses(notice: Any) -> Mapping[str, Any]:
    return {} if notice is None or notice.content is None else notice.content.get("uses", {})


def known(services: Services, identity: str) -> dict[str, Any]:
    """A notice by its hash; raises NotFound."""
    found = next((told for told in listing(services) if identity in (told["notice"], told["version"])), None)
    if found is None:
        raise NotFound("no notice has this hash or version", code="notice_unknown", field="notice")
    return found
