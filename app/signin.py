"""Signing in to the console: password, second step, asking again, and what a one-time link starts.

Promise: whoever is wrong learns only that it was wrong: an address that nobody has, a disabled account and a wrong password get the same
answer after the same work, and a try counts before it is looked at. A session exists from the right password on and opens nothing before
the second step. A new password ends every other session. Each act and each failure has its entry, with account ids and never an address.
"""

from __future__ import annotations

import secrets
import threading
from typing import TYPE_CHECKING, Protocol

import sqlalchemy as sa

from app import access, credentials, sessions, throttle
from privacy.errors import Refused
from privacy.vocabulary import LogKind

if TYPE_CHECKING:
    from app.wiring import Services

ACCOUNT_TRIES, MACHINE_TRIES = 5, 50
"""Wrong tries before the first wait: of one account, and from one machine, which may be the proxy of a whole office."""
NOBODY = "nobody"
_AT_ONCE = threading.BoundedSemaphore(2)
"""A hash takes 64 MiB: a crowd at the door must not take the memory of those inside."""


class Hasher(Protocol):
    """What of argon2-cffi's PasswordHasher is needed."""

    def hash(self, password: str, /) -> str: ...
    def verify(self, hashed: str, password: str, /) -> bool: ...
    def check_needs_rehash(self, hashed: str, /) -> bool: ...


def sign_in(services: Services, email: str, password: str, *, machine: str, ticket: str = "") -> tuple[str, bool]:
    """A session for whoever gives the right password: (its ticket, whether a second step is still to come). Raises Refused."""
    email = access.address(email)
    own, shared = _counted(services, "account", email, ACCOUNT_TRIES), _counted(services, "machine", machine, MACHINE_TRIES)
    with services.begin_console() as tx:
        tries = throttle.take(tx, (own, shared), now=services.clock())
        account = access.known(tx, email)
        had = credentials.held(tx, account) if account else None
    right = matches(services, had, password)
    renewed = (
        hash_of(services, credentials.normal(password)) if right and had and services.hasher.check_needs_rehash(had.password_hash) else ""
    )
    with services.begin_console() as tx:
        if not right or had is None or access.known(tx, email) != had.account_id:
            services.log(
                tx, LogKind.ACCOUNT, "sign_in.failed", actor=account or NOBODY, result="refused", facts={"step": "password", "tries": tries}
            )
        else:
            return _enter(tx, services, had, renewed, own=own, shared=shared, old=ticket, tries=tries)
    raise Refused("address or password is wrong", code="sign_in_failed")


def _enter(
    tx: sa.Connection,
    services: Services,
    had: credentials.Held,
    renewed: str,
    *,
    own: throttle.Counted,
    shared: throttle.Counted,
    old: str,
    tries: int,
) -> tuple[str, bool]:
    """What a right password does, in one transaction."""
    now, waits = services.clock(), had.second_step is not None
    throttle.clear(tx, own.digest)
    throttle.give_back(tx, shared, now=now)
    if renewed:
        credentials.change(tx, had.account_id, password_hash=renewed)
    if old:
        sessions.end(tx, old)
    ticket = sessions.open_(tx, had.account_id, complete=not waits, now=now, random=secrets.token_bytes)
    if not waits:
        credentials.change(tx, had.account_id, signed_in_at=now)
    services.log(tx, LogKind.ACCOUNT, "sign_in.password" if waits else "sign_in", actor=had.account_id, facts={"tries": tries})
    return ticket, waits


def second_step(services: Services, ticket: str, code: str) -> str:
    """Completes a session with a code of the second step or a recovery code; returns its new ticket. Raises Refused."""
    with services.read_console() as tx:
        waiting = sessions.find(tx, ticket, now=services.clock())
    if waiting is None or waiting.complete:
        raise Refused("sign in again", code="sign_in_again")
    account = waiting.account_id
    own = _counted(services, "second", account, ACCOUNT_TRIES)
    with services.begin_console() as tx:
        tries = throttle.take(tx, (own,), now=services.clock())
    with services.begin_console() as tx:
        how = _prove(tx, services, account, code)
        if how:
            now = services.clock()
            throttle.clear(tx, own.digest)
            sessions.end(tx, ticket)
            new = sessions.open_(tx, account, complete=True, now=now, random=secrets.token_bytes)
            credentials.change(tx, account, signed_in_at=now)
            services.log(tx, LogKind.ACCOUNT, "sign_in", actor=account, facts={"by": how, "tries": tries})
            return new
        services.log(tx, LogKind.ACCOUNT, "sign_in.failed", actor=account, result="refused", facts={"step": "second", "tries": tries})
    raise Refused("the code is wrong or was used", code="code_wrong")


def _prove(tx: sa.Connection, services: Services, account: str, code: str) -> str:
    """How a code proves itself: by the authenticator, by a recovery code, or not at all. Uses it up."""
    had = credentials.held(tx, account, lock=True)
    if had is None or had.second_step is None:
        return ""
    used = services.second_step.used_to(had.second_step, code, had.counter)
    if used is not None:
        credentials.change(tx, account, counter=used)
        return "code"
    return "recovery" if credentials.spend(tx, had, recovery_digest(services, code)) else ""


def reauthenticate(services: Services, ticket: str, account: str, password: str) -> None:
    """The password once more, for acts that need it; raises Refused."""
    own = _counted(services, "again", account, ACCOUNT_TRIES)
    with services.begin_console() as tx:
        tries = throttle.take(tx, (own,), now=services.clock())
        had = credentials.held(tx, account)
    right = matches(services, had, password)
    with services.begin_console() as tx:
        if right:
            throttle.clear(tx, own.digest)
            sessions.freshen(tx, ticket, now=services.clock())
            services.log(tx, LogKind.ACCOUNT, "sign_in.again", actor=account)
            return
        services.log(tx, LogKind.ACCOUNT, "sign_in.failed", actor=account, result="refused", facts={"step": "again", "tries": tries})
    raise Refused("the password is wrong", code="password_wrong")


def sign_out(services: Services, ticket: str, account: str) -> None:
    """Ends a session, whatever cookie somebody kept."""
    with services.begin_console() as tx:
        if sessions.end(tx, ticket):
            services.log(tx, LogKind.ACCOUNT, "sign_out", actor=account)


def start(services: Services, code: str, password: str, *, machine: str) -> str:
    """Sets the password of whoever holds a one-time code, and ends the account's sessions; returns the address to sign in with."""
    shared = _counted(services, "machine", machine, MACHINE_TRIES)
    with services.begin_console() as tx:
        throttle.take(tx, (shared,), now=services.clock())
    with services.read_console() as tx:
        account = access.account(tx, access.holder(tx, code.strip(), now=services.clock()))
    hashed = hash_of(services, credentials.check(password, account["email"]))
    with services.begin_console() as tx:
        access.use_code(tx, code.strip(), now=services.clock())
        ended = take_password(tx, services, account, hashed)
        throttle.give_back(tx, shared, now=services.clock())
        services.log(tx, LogKind.ACCOUNT, "account.start", actor=account["user"], facts={"sessions": ended})
    return account["email"]


def take_password(tx: sa.Connection, services: Services, account: dict[str, str], hashed: str, *, keep: str = "") -> int:
    """The account's password from now on; returns how many of its sessions, but the one to keep, ended."""
    credentials.set_password(tx, account["user"], hashed, now=services.clock())
    throttle.clear(tx, _counted(services, "account", account["email"], ACCOUNT_TRIES).digest)
    return sessions.end_all(tx, account["user"], but=keep)


def hash_of(services: Services, checked: str) -> str:
    """The hash of a password that `credentials.check` let through. Asked outside of transactions: it takes its time on purpose."""
    with _AT_ONCE:
        return services.hasher.hash(checked)


def matches(services: Services, had: credentials.Held | None, password: str) -> bool:
    """Whether a password is the account's; as much work where there is no account."""
    from argon2.exceptions import Argon2Error

    hashed = had.password_hash if had else services.nobodys_hash
    with _AT_ONCE:
        try:
            services.hasher.verify(hashed, credentials.normal(password[: credentials.LONGEST]))
        except Argon2Error:
            return False
    return had is not None


def recovery_digest(services: Services, code: str) -> str:
    """What is kept of a recovery code."""
    plain = "".join(sign for sign in code.lower() if sign.isalnum())
    return services.console_mac("recovery", plain).hex()


def _counted(services: Services, kind: str, who: str, free: int) -> throttle.Counted:
    return throttle.Counted(services.console_mac(kind, who), free)
