"""Segments and audiences as their pages show them: a segment with its size, its versions, what is kept of it, in one look.

Promise: released numbers, rules, names and times; looking charges nothing and reads nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app import access, audiences, reaching, segments
from app.reaching import Wanted
from privacy.errors import PiyingError

if TYPE_CHECKING:
    from app.wiring import Services

ACTIVE = "active"


def listing(services: Services) -> list[dict[str, Any]]:
    """The segments as they stand, the newest first, each with its size, if somebody bought it, and how many audiences are kept of it."""
    kept = [one["segment"] for one in audiences.listing(services, state=ACTIVE)]
    people = _people(services)
    return [
        one | {"who": people.get(one["by"], one["by"]), "answer": reaching.answered(services, one["id"]), "kept": kept.count(one["id"])}
        for one in segments.listing(services)
    ]


def page(services: Services, wanted: Wanted, *, asked_by: str) -> dict[str, Any]:
    """One segment; what cannot be asked of it now says why by its code."""
    one = segments.one(services, wanted.segment, wanted.version)
    people = _people(services)
    try:
        reach, refused = reaching.look(services, wanted._replace(version=one["version"]), asked_by=asked_by), ""
    except PiyingError as error:
        if error.field in ("channel", "recipient", "id"):
            raise
        reach, refused = None, error.code
    return {
        "one": one | {"who": people.get(one["by"], one["by"])},
        "versions": [each | {"who": people.get(each["by"], each["by"])} for each in segments.versions(services, wanted.segment)],
        "reach": reach,
        "refused": refused,
        "kept": audiences.listing(services, segment=wanted.segment),
        "recipients": recipients(services),
        "wanted": wanted,
    }


def recipients(services: Services) -> list[tuple[str, str]]:
    """Whom lists may go to: id and name of the active ones, for a choice."""
    return [(one["id"], one["name_en"]) for one in services.recipients.listing() if one["status"] == ACTIVE]


def kept(services: Services, *, state: str = "") -> list[dict[str, Any]]:
    """The stored audiences with their segments' names."""
    named = {one["id"]: one["name"] for one in segments.listing(services)}
    people = _people(services)
    found = audiences.listing(services, state=state)
    return [one | {"segment_name": named.get(one["segment"], one["segment"]), "who": people.get(one["by"], one["by"])} for one in found]


def others(services: Services) -> list[tuple[str, str]]:
    """Versions of segments that a rule may speak of: `id@version` and a name."""
    return [(f"{one['id']}@{one['version']}", f"{one['name']} ({one['version']})") for one in segments.listing(services)]


def _people(services: Services) -> dict[str, str]:
    with services.read_console() as tx:
        return {str(one["user"]): str(one["email"]) for one in access.accounts(tx)}
