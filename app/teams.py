"""Teams and their shares of the questions, as pages use them.

Promise: an officer proposes, another one confirms; shares cut the question slice and never add to a month (privacy.dp.teams).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app import access
from app.repeats import Also, nothing_more
from privacy.errors import Invalid

if TYPE_CHECKING:
    from app.wiring import Services

ASKING = ("marketer",)
"""Roles that ask questions and may stand in a team."""


def known(services: Services, *, editing: bool) -> dict[str, Any]:
    """What the page shows; who proposes and who is in which team is for those who decide about it."""
    found = page(services)
    waiting = [
        {"share": one["id"], "proposed_at": one["proposed_at"].isoformat()}
        | {name: one[name] for name in ("team", "permille", "proposed_by")}
        for one in found["waiting"]
    ]
    return {"items": found["items"], "waiting": waiting if editing else [], "people": found["people"] if editing else []}


def page(services: Services) -> dict[str, Any]:
    """Shares with what is left of the newest months, proposals with their proposers, and who is in which team."""
    held = services.teams()
    with services.read_console() as tx:
        staff = {str(one["user"]): one for one in access.accounts(tx)}
    names = {user: str(one["email"]) for user, one in staff.items()}
    waiting = [one | {"by": names.get(one["proposed_by"], one["proposed_by"])} for one in held["waiting"]]
    asking = [
        {"user": user, "email": one["email"], "team": held["members"].get(user, "")}
        for user, one in staff.items()
        if one["role"] in ASKING and not one["disabled"]
    ]
    return {"items": held["items"], "waiting": waiting, "people": asking}


def propose(services: Services, team: str, share: str, *, actor: str, also: Also = nothing_more) -> int:
    """A share in whole per cent of the question slice."""
    if not (share.isascii() and share.isdigit() and len(share) <= 3):
        raise Invalid("a share is a whole number of per cent", code="bad_share", field="share")
    return services.propose_share(team.strip(), int(share) * 10, actor=actor, also=also)


def confirm(services: Services, number: str, *, actor: str) -> None:
    """Puts a proposal in force."""
    if not (number.isascii() and number.isdigit() and len(number) <= 18):
        raise Invalid("a proposal has a number", code="share_unknown", field="share")
    services.confirm_share(int(number), actor=actor)


def assign(services: Services, account: str, team: str, *, actor: str) -> None:
    """Puts a member of staff who asks questions into a team."""
    with services.read_console() as tx:
        held = access.account(tx, account)
    if held["role"] not in ASKING:
        raise Invalid("only accounts that ask questions stand in a team", code="bad_team", field="account")
    services.assign_team(account, team.strip(), actor=actor)


def account_of(services: Services, email: str) -> str:
    """The account with this address; raises NotFound."""
    with services.read_console() as tx:
        return access.account_id_of(tx, email)
