"""What people of staff prove themselves with: passwords, second steps, recovery codes.

Promise: a password is kept as its argon2id hash, the secret of a second step sealed, recovery codes as keyed digests; each recovery code and
each code of the second step counts once. There is no default password: without one nobody signs in. Learns accounts, no addresses.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from privacy.errors import Invalid
from privacy.orm import Instant, PlatformBase

SHORTEST, LONGEST = 12, 256
DISTINCT = 5
"""Different characters that a password has at least: twelve times the same letter is not twelve letters."""


class Credential(PlatformBase):
    """What an account proves itself with."""

    __tablename__ = "credential"
    account_id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    password_hash: Mapped[str] = mapped_column(sa.String(200))
    password_at: Mapped[datetime] = mapped_column(Instant)
    second_step: Mapped[str | None] = mapped_column(sa.Text)
    second_step_at: Mapped[datetime | None] = mapped_column(Instant)
    counter: Mapped[int | None] = mapped_column(sa.BigInteger)
    proposed: Mapped[str | None] = mapped_column(sa.Text)
    recovery: Mapped[list[str]] = mapped_column(sa.JSON)
    signed_in_at: Mapped[datetime | None] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class Held:
    """What one account has."""

    account_id: str
    password_hash: str
    password_at: datetime
    second_step: str | None
    second_step_at: datetime | None
    counter: int | None
    proposed: str | None
    recovery: Sequence[str]
    signed_in_at: datetime | None


def normal(password: str) -> str:
    """A password in one spelling (NFKC), whatever keyboard typed it (NIST SP 800-63B 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def check(password: str, email: str) -> str:
    """The password as it is hashed; raises Invalid for one that is too short, too long, too uniform or made of the address."""
    chosen = normal(password)
    if len(chosen) < SHORTEST:
        raise Invalid(f"a password has at least {SHORTEST} characters", code="password_short", field="password")
    if len(chosen) > LONGEST:
        raise Invalid(f"a password has at most {LONGEST} characters", code="password_long", field="password")
    name = email.partition("@")[0].lower()
    if len(set(chosen)) < DISTINCT or (len(name) > 3 and name in chosen.lower()):
        raise Invalid("a password is not one letter repeated and not made of one's address", code="password_weak", field="password")
    return chosen


def held(tx: sa.Connection, account_id: str, *, lock: bool = False) -> Held | None:
    """What an account has; None before its first password. `lock` makes others wait until this transaction ends."""
    wanted = sa.select(Credential).where(Credential.account_id == account_id)
    row = tx.execute(wanted.with_for_update() if lock else wanted).first()
    return None if row is None else Held(**row._mapping)


def set_password(tx: sa.Connection, account_id: str, hashed: str, *, now: datetime) -> None:
    """The account's password from now on."""
    insert = (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(Credential)
    values = {"password_hash": hashed, "password_at": now}
    tx.execute(
        insert.values(account_id=account_id, recovery=[], **values).on_conflict_do_update(index_elements=["account_id"], set_=values)
    )


def change(tx: sa.Connection, account_id: str, **values: Any) -> None:
    """Writes what changed of what an account has."""
    tx.execute(sa.update(Credential).where(Credential.account_id == account_id).values(**values))


def spend(tx: sa.Connection, had: Held, digest: str) -> bool:
    """Whether a recovery code was there; it is not, afterwards. `had` was read under its lock."""
    if digest not in had.recovery:
        return False
    change(tx, had.account_id, recovery=[one for one in had.recovery if one != digest])
    return True


def overview(tx: sa.Connection) -> dict[str, tuple[bool, datetime | None]]:
    """Account → (whether it has a second step, when it last signed in)."""
    rows = tx.execute(sa.select(Credential.account_id, Credential.second_step_at, Credential.signed_in_at))
    return {row.account_id: (row.second_step_at is not None, row.signed_in_at) for row in rows}
