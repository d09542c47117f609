"""Looks at minors' data, as pages and routes use the guard: asked for by one officer, answered by another, listed by year.

Promise: who may answer is a setting, `privacy.minors_approvers`; where it names nobody every other officer may, and nobody answers their own.
Names of staff are added here. Learns case numbers, reasons that name nobody, and counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app import access
from privacy.errors import Refused

if TYPE_CHECKING:
    from app.wiring import Services


def ask(services: Services, case: str, *, reason: str, actor: str) -> dict[str, Any]:
    """Asks for the approval of a case of the account's own."""
    told: dict[str, Any] = services.cases.ask_approval(case, reason=reason, actor=actor)
    return told


def of_case(services: Services, case: str, *, actor: str) -> dict[str, Any] | None:
    """What a case of the account's own asked for and was told."""
    told: dict[str, Any] | None = services.wards.of_case(case, actor=actor)
    return told


def answer(services: Services, case: str, *, approve: bool, actor: str) -> dict[str, Any]:
    """A responsible person's yes or no."""
    if not responsible(services, actor):
        raise Refused("only who is named as responsible for minors answers this", code="not_responsible", field="case")
    told: dict[str, Any] = services.wards.answer(case, approve=approve, actor=actor)
    return told


def responsible(services: Services, actor: str) -> bool:
    """Whether an account may answer for others."""
    named = {one.casefold() for one in services.settings.privacy.minors_approvers}
    return not named or _names(services).get(actor, "").casefold() in named


def listing(services: Services, *, actor: str) -> list[dict[str, Any]]:
    """What was asked and answered, the newest first, each with how often it was used."""
    names = _names(services)
    return [
        one
        | {"asked_by_name": names.get(one["asked_by"], one["asked_by"]), "decided_by_name": names.get(one["decided_by"], one["decided_by"])}
        for one in services.wards.listing(actor=actor)
    ]


def year(services: Services, number: str, *, actor: str) -> bytes:
    """Every look of a year with its approver, as a signed ZIP."""
    made: bytes = services.wards.year(int(number) if number.isascii() and number.isdigit() and len(number) == 4 else 0, actor=actor)
    return made


def years(services: Services) -> list[int]:
    """The years of which there is something to tell, the newest first."""
    with services.read_console() as tx:
        first = services.log_oldest(tx)
    zone, now = services.settings.time_zone, services.clock()
    return list(range(now.astimezone(zone).year, (first or now).astimezone(zone).year - 1, -1))


def _names(services: Services) -> dict[str | None, str]:
    with services.read_console() as tx:
        return {str(one["user"]): str(one["email"]) for one in access.accounts(tx)}
