"""What people of staff do with their own account, and administrators with everybody's: one function for page, route and command.

Promise: each act stands in the log in its own transaction, with account ids; an address is shown to its owner and to administrators, and
enters no log. What proves somebody (password, second step, recovery codes, token) is shown once, or never.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app import access, credentials, sessions, signin
from app.repeats import Also, nothing_more
from privacy.errors import Conflict, NotFound, Refused
from privacy.vocabulary import LogKind

if TYPE_CHECKING:
    from app.wiring import Services


def own(services: Services, account: str) -> dict[str, Any]:
    """What the page of one's own account shows."""
    now = services.clock()
    with services.read_console() as tx:
        had = credentials.held(tx, account)
        return {
            **access.account(tx, account),
            "password_at": had.password_at if had else None,
            "second_step_at": had.second_step_at if had else None,
            "recovery_left": len(had.recovery) if had and had.second_step else 0,
            "signed_in_at": had.signed_in_at if had else None,
            "tokens": access.tokens(tx, account, now=now),
        }


def change_password(services: Services, account: str, ticket: str, password: str) -> dict[str, Any]:
    """A new password; every session but this one ends."""
    with services.read_console() as tx:
        who = access.account(tx, account)
    hashed = signin.hash_of(services, credentials.check(password, who["email"]))
    with services.begin_console() as tx:
        ended = signin.take_password(tx, services, who, hashed, keep=ticket)
        services.log(tx, LogKind.ACCOUNT, "account.password", actor=account, facts={"sessions": ended})
    return {"user": account, "sessions": ended}


def end_other_sessions(services: Services, account: str, ticket: str) -> dict[str, Any]:
    """Ends every session but this one."""
    with services.begin_console() as tx:
        ended = sessions.end_all(tx, account, but=ticket)
        services.log(tx, LogKind.ACCOUNT, "account.sessions", actor=account, facts={"sessions": ended})
    return {"user": account, "sessions": ended}


# ── the second step ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def propose_second_step(services: Services, account: str) -> None:
    """Makes a secret for an authenticator; it counts for nothing until one of its codes came back."""
    sealed = services.second_step.propose()
    with services.begin_console() as tx:
        had = credentials.held(tx, account, lock=True)
        if had is None or had.second_step is not None:
            raise Conflict("there is a second step already", code="second_step_exists")
        credentials.change(tx, account, proposed=sealed)
        services.log(tx, LogKind.ACCOUNT, "second_step.propose", actor=account)


def proposed(services: Services, account: str) -> tuple[str, str] | None:
    """The proposed secret, sealed, and the account's address; None where nothing is proposed."""
    with services.read_console() as tx:
        had = credentials.held(tx, account)
        who = access.account(tx, account)
    return None if had is None or had.proposed is None else (had.proposed, who["email"])


def confirm_second_step(services: Services, account: str, code: str) -> list[str]:
    """Puts the proposed second step into force if its code is right; returns the recovery codes, shown this once."""
    codes = services.second_step.recovery_codes()
    with services.begin_console() as tx:
        had = credentials.held(tx, account, lock=True)
        if had is None or had.proposed is None:
            raise Conflict("no second step is proposed", code="second_step_missing")
        used = services.second_step.used_to(had.proposed, code, None)
        if used is None:
            raise Refused("the code is wrong or was used", code="code_wrong")
        credentials.change(
            tx,
            account,
            second_step=had.proposed,
            second_step_at=services.clock(),
            counter=used,
            proposed=None,
            recovery=[signin.recovery_digest(services, one) for one in codes],
        )
        services.log(tx, LogKind.ACCOUNT, "second_step.add", actor=account, facts={"codes": len(codes)})
    return codes


def new_recovery_codes(services: Services, account: str) -> list[str]:
    """Ten new recovery codes instead of the old ones, shown this once."""
    codes = services.second_step.recovery_codes()
    with services.begin_console() as tx:
        had = credentials.held(tx, account, lock=True)
        if had is None or had.second_step is None:
            raise Conflict("there is no second step", code="second_step_missing")
        credentials.change(tx, account, recovery=[signin.recovery_digest(services, one) for one in codes])
        services.log(tx, LogKind.ACCOUNT, "second_step.codes", actor=account, facts={"codes": len(codes)})
    return codes


def end_second_step(services: Services, account: str, *, actor: str) -> None:
    """Takes the second step away, with its recovery codes."""
    with services.begin_console() as tx:
        _end_second_step(tx, services, account, actor=actor)


def _end_second_step(tx: sa.Connection, services: Services, account: str, *, actor: str) -> None:
    credentials.change(tx, account, second_step=None, second_step_at=None, counter=None, proposed=None, recovery=[])
    services.log(tx, LogKind.ACCOUNT, "second_step.end", actor=actor, facts={"account": account})


# ── tokens ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def list_tokens(services: Services, account: str) -> list[dict[str, object]]:
    """One's own tokens that open something, without themselves."""
    with services.read_console() as tx:
        return access.tokens(tx, account, now=services.clock())


def revoke_token(services: Services, account: str, token: str) -> dict[str, Any]:
    """Ends one of one's own tokens at once."""
    with services.begin_console() as tx:
        access.revoke_token(tx, account, token, now=services.clock())
        services.log(tx, LogKind.ACCOUNT, "token.revoke", actor=account, facts={"token": token})
    return {"token": token, "revoked": True}


# ── everybody's accounts ───────────────────────────────────────────────────────────────────────────────────────────────────────


def everybody(services: Services) -> list[dict[str, Any]]:
    """Every account: role, whether it has a second step, when it last signed in."""
    with services.read_console() as tx:
        known = credentials.overview(tx)
        listed = access.accounts(tx)
    nothing: tuple[bool, datetime | None] = (False, None)
    found = []
    for one in listed:
        second, last = known.get(str(one["user"]), nothing)
        found.append({**one, "second_step": second, "signed_in_at": last.isoformat() if last else None})
    return found


def of(services: Services, account: str) -> dict[str, Any]:
    """One of them; raises NotFound."""
    found = next((one for one in everybody(services) if one["user"] == account), None)
    if found is None:
        raise NotFound("no such account", code="account_unknown")
    return found


def new_link(
    services: Services, account: str, *, actor: str, without_second_step: bool = False, also: Also = nothing_more
) -> dict[str, Any]:
    """Another one-time link for an account, for somebody who lost theirs or a password; on request without the second step, too."""
    with services.begin_console() as tx:
        access.account(tx, account)
        code = access.new_setup_code(tx, account, now=services.clock())
        services.log(tx, LogKind.ACCOUNT, "account.link", actor=actor, facts={"account": account})
        if without_second_step:
            _end_second_step(tx, services, account, actor=actor)
        also(tx, {"user": account})
    return {"user": account, "link": f"{services.base_url}/start#{code}"}
