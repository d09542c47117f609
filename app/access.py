"""Who may use the management API: accounts, one role each, one-time set-up codes and bearer tokens with scopes.

Promise: what `permissions.toml` does not list is denied; codes and tokens are kept as SHA-256 digests of 256 random bits, never in clear;
a token carries a subset of its owner's permissions. Never learns a customer's identifier.
"""

from __future__ import annotations

import hashlib
import secrets
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.errors import Conflict, Invalid, NotFound, Refused
from privacy.orm import Instant, PlatformBase

SETUP_CODE_LIFETIME = timedelta(hours=72)
TOKEN_LIFETIME = timedelta(days=90)
TOUCH = timedelta(minutes=10)
"""A use of a token within this time of the last one is not written down: a read stays a read."""


class Account(PlatformBase):
    """A member of staff: an address to sign in with and one role."""

    __tablename__ = "account"
    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    email: Mapped[str] = mapped_column(sa.String(320), unique=True)
    role: Mapped[str] = mapped_column(sa.String(20))
    created_at: Mapped[datetime] = mapped_column(Instant)
    disabled_at: Mapped[datetime | None] = mapped_column(Instant)


class SetupCode(PlatformBase):
    """A one-time code that its holder turns into a first token."""

    __tablename__ = "setup_code"
    digest: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    account_id: Mapped[str] = mapped_column(sa.String(40), index=True)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


class Token(PlatformBase):
    """A bearer token of the management API, by digest."""

    __tablename__ = "token"
    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    digest: Mapped[bytes] = mapped_column(sa.LargeBinary(32), unique=True)
    account_id: Mapped[str] = mapped_column(sa.String(40), index=True)
    scopes: Mapped[list[str]] = mapped_column(sa.JSON)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    name: Mapped[str] = mapped_column(sa.String(60))
    used_at: Mapped[datetime | None] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever a valid token speaks for, and what that token may do."""

    account_id: str
    role: str
    permissions: frozenset[str]
    token_id: str
    used_at: datetime | None = None
    """When the token was last known to be used."""


@cache
def matrix() -> dict[str, frozenset[str]]:
    """Role → permissions, as `permissions.toml` lists them."""
    content = tomllib.loads((Path(__file__).parent / "permissions.toml").read_text("utf-8"))
    return {role: frozenset(entry["permissions"]) for role, entry in content.items()}


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def add_account(tx: sa.Connection, email: str, role: str, *, now: datetime) -> tuple[str, str]:
    """Makes an account and its one-time code; returns (account id, code). Raises Invalid for an unknown role, Conflict for a known address."""
    if role not in matrix():
        raise Invalid("the role is not one of: " + ", ".join(sorted(matrix())), code="unknown_role", field="role")
    email = address(email)
    if "@" not in email or len(email) > 320:
        raise Invalid("an account needs an e-mail address", code="bad_email", field="email")
    if tx.execute(sa.select(Account.id).where(Account.email == email)).first():
        raise Conflict("an account with this address exists", code="account_exists", field="email")
    account_id = "usr_" + secrets.token_hex(12)
    tx.execute(sa.insert(Account).values(id=account_id, email=email, role=role, created_at=now))
    return account_id, new_setup_code(tx, account_id, now=now)


def address(email: str) -> str:
    """An address of staff in its one spelling."""
    return email.strip().lower()


def new_setup_code(tx: sa.Connection, account_id: str, *, now: datetime) -> str:
    """A fresh one-time code for an account; earlier unused codes end."""
    tx.execute(sa.delete(SetupCode).where(SetupCode.account_id == account_id))
    code = secrets.token_urlsafe(32)
    tx.execute(sa.insert(SetupCode).values(digest=_digest(code), account_id=account_id, expires_at=now + SETUP_CODE_LIFETIME))
    return code


def redeem(tx: sa.Connection, code: str, *, now: datetime) -> tuple[str, str]:
    """Turns an unused code into a token with all permissions of its owner; returns (account id, token). Raises Refused."""
    account_id = use_code(tx, code, now=now)
    return account_id, new_token(tx, account_id, now=now)


def holder(tx: sa.Connection, code: str, *, now: datetime) -> str:
    """Whose an unused one-time code is, without using it. Raises Refused."""
    found = sa.select(SetupCode.account_id).where(
        SetupCode.digest == _digest(code), SetupCode.used_at.is_(None), SetupCode.expires_at > now
    )
    account_id = tx.execute(found).scalar()
    if account_id is None:
        raise Refused("the code is unknown, used or expired", code="bad_setup_code")
    return str(account_id)


def use_code(tx: sa.Connection, code: str, *, now: datetime) -> str:
    """Uses up a one-time code; returns whose it is. Raises Refused."""
    used = tx.execute(
        sa.update(SetupCode)
        .where(SetupCode.digest == _digest(code), SetupCode.used_at.is_(None), SetupCode.expires_at > now)
        .values(used_at=now)
        .returning(SetupCode.account_id)
    ).first()
    if used is None:
        raise Refused("the code is unknown, used or expired", code="bad_setup_code")
    return str(used.account_id)


def new_token(tx: sa.Connection, account_id: str, *, now: datetime, scopes: Sequence[str] | None = None, name: str = "") -> str:
    """A token for an account; `scopes` must be among the permissions of its role (all of them when omitted). Shown once."""
    account = tx.execute(sa.select(Account).where(Account.id == account_id, Account.disabled_at.is_(None))).first()
    if account is None:
        raise NotFound("no such account", code="account_unknown")
    allowed = matrix()[account.role]
    wanted = allowed if scopes is None else frozenset(scopes)
    if not wanted <= allowed:
        raise Refused("a token carries only permissions of its owner's role", code="scope_not_allowed", field="scopes")
    token = "pat_" + secrets.token_urlsafe(32)
    tx.execute(
        sa.insert(Token).values(
            id="tok_" + secrets.token_hex(12),
            digest=_digest(token),
            account_id=account_id,
            scopes=sorted(wanted),
            created_at=now,
            expires_at=now + TOKEN_LIFETIME,
            name=name,
        )
    )
    return token


def caller(tx: sa.Connection, token: str, *, now: datetime) -> Caller | None:
    """Whom a token speaks for; None when it is unknown, revoked, expired or its owner is disabled."""
    row = tx.execute(
        sa.select(Token.id, Token.scopes, Token.used_at, Account.id.label("account_id"), Account.role)
        .join(Account, Account.id == Token.account_id)
        .where(Token.digest == _digest(token), Token.revoked_at.is_(None), Token.expires_at > now, Account.disabled_at.is_(None))
    ).first()
    if row is None:
        return None
    return Caller(row.account_id, row.role, frozenset(row.scopes) & matrix()[row.role], row.id, row.used_at)


def mark_used(tx: sa.Connection, token_id: str, *, now: datetime) -> None:
    """Writes down that a token was used."""
    tx.execute(sa.update(Token).where(Token.id == token_id).values(used_at=now))


def tokens(tx: sa.Connection, account_id: str, *, now: datetime) -> list[dict[str, object]]:
    """The tokens of an account that open something, newest first, without themselves."""
    wanted = sa.select(Token).where(Token.account_id == account_id, Token.revoked_at.is_(None), Token.expires_at > now)
    return [
        {
            "id": row.id,
            "name": row.name,
            "scopes": sorted(row.scopes),
            "created_at": row.created_at.isoformat(),
            "expires_at": row.expires_at.isoformat(),
            "used_at": row.used_at.isoformat() if row.used_at else None,
        }
        for row in tx.execute(wanted.order_by(Token.created_at.desc(), Token.id))
    ]


def revoke_token(tx: sa.Connection, account_id: str, token_id: str, *, now: datetime) -> None:
    """Ends one token of an account; raises NotFound for any other."""
    ended = sa.update(Token).where(Token.id == token_id, Token.account_id == account_id, Token.revoked_at.is_(None))
    if not tx.execute(ended.values(revoked_at=now)).rowcount:
        raise NotFound("no such token", code="token_unknown_id")


def accounts(tx: sa.Connection) -> list[dict[str, object]]:
    """Every account without its secrets, oldest first."""
    rows = tx.execute(sa.select(Account.id, Account.email, Account.role, Account.disabled_at).order_by(Account.created_at, Account.id))
    return [{"user": row.id, "email": row.email, "role": row.role, "disabled": row.disabled_at is not None} for row in rows]


def account(tx: sa.Connection, account_id: str) -> dict[str, str]:
    """One account that is not disabled; raises NotFound."""
    row = tx.execute(sa.select(Account.email, Account.role).where(Account.id == account_id, Account.disabled_at.is_(None))).first()
    if row is None:
        raise NotFound("no such account", code="account_unknown")
    return {"user": account_id, "email": row.email, "role": row.role}


def known(tx: sa.Connection, email: str) -> str | None:
    """The account that signs in with an address; None where nobody does."""
    return tx.execute(sa.select(Account.id).where(Account.email == address(email), Account.disabled_at.is_(None))).scalar()


def disable(tx: sa.Connection, account_id: str, *, now: datetime) -> int:
    """Ends an account, its unused codes and all of its tokens at once; returns how many tokens ended. Raises NotFound; twice is no error."""
    if tx.execute(sa.select(Account.id).where(Account.id == account_id)).scalar() is None:
        raise NotFound("no such account", code="account_unknown")
    tx.execute(sa.update(Account).where(Account.id == account_id, Account.disabled_at.is_(None)).values(disabled_at=now))
    tx.execute(sa.delete(SetupCode).where(SetupCode.account_id == account_id))
    return tx.execute(sa.update(Token).where(Token.account_id == account_id, Token.revoked_at.is_(None)).values(revoked_at=now)).rowcount


def account_id_of(tx: sa.Connection, email: str) -> str:
    """The account with an address; raises NotFound."""
    found = tx.execute(sa.select(Account.id).where(Account.email == address(email))).scalar()
    if found is None:
        raise NotFound("no such account", code="account_unknown")
    return str(found)
