"""Which keyring belongs to this vault, and which key versions are in force: the vault's word, not the file's.

Promise: a version counts only after it stands here, in a transaction of the vault; every program reads it at the start of its own
transaction and looks into the key file again when it meets a version it does not know. So a rotation splits nothing: nobody writes
with a version that others cannot look up.
Must never learn: a key. Only check values are kept.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy import errors
from privacy.identity.keys import Keyring
from privacy.orm import Instant, VaultBase


class VaultMeta(VaultBase):
    """One row: whose vault this is, and the next person's number."""

    __tablename__ = "vault_meta"

    id: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    deployment: Mapped[str] = mapped_column(sa.String(64))
    created_at: Mapped[datetime] = mapped_column(Instant)
    next_person: Mapped[int] = mapped_column(sa.BigInteger, server_default="1")
    changes: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")


class KeyState(VaultBase):
    """One row a key version in force."""

    __tablename__ = "key_state"

    kind: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    version: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    check_value: Mapped[bytes] = mapped_column(sa.LargeBinary(16))
    activated_at: Mapped[datetime] = mapped_column(Instant)


_CHANGES = sa.select(VaultMeta.changes).where(VaultMeta.id == 1)
_STATE = sa.select(KeyState.kind, KeyState.version, KeyState.check_value).order_by(KeyState.kind, KeyState.version)


def deployment_of(tx: sa.Connection) -> str | None:
    """The deployment this vault belongs to; None before it was initialised."""
    return tx.execute(sa.select(VaultMeta.deployment).where(VaultMeta.id == 1)).scalar_one_or_none()


def register(tx: sa.Connection, keyring: Keyring, *, now: datetime) -> None:
    """Binds a new vault to its keyring: deployment and all versions that the file holds."""
    if deployment_of(tx) is not None:
        raise errors.Conflict("The vault belongs to a keyring already.", code="keys_exist")
    tx.execute(sa.insert(VaultMeta), [{"id": 1, "deployment": keyring.deployment, "created_at": now}])
    rows = [
        {"kind": kind, "version": version, "check_value": check, "activated_at": now} for kind, version, _, check in keyring.inventory()
    ]
    tx.execute(sa.insert(KeyState), rows)


def activate(tx: sa.Connection, keyring: Keyring, kind: str, version: int, *, now: datetime) -> None:
    """Puts a version in force. The meta row is locked, so that no batch is half-way between the old and the new one."""
    tx.execute(sa.select(VaultMeta.id).where(VaultMeta.id == 1).with_for_update())
    check = next(check for owner, number, _, check in keyring.inventory() if (owner, number) == (kind, version))
    tx.execute(sa.insert(KeyState), [{"kind": kind, "version": version, "check_value": check, "activated_at": now}])


def take_numbers(tx: sa.Connection, count: int) -> int:
    """The first of `count` consecutive numbers for new people. The meta row stays locked: one program at a time writes people."""
    taken = sa.update(VaultMeta).where(VaultMeta.id == 1).values(next_person=VaultMeta.next_person + count).returning(VaultMeta.next_person)
    after = tx.execute(taken).scalar_one_or_none()
    if after is None:
        raise errors.Locked("The vault was never initialised with a key file.", code="keys_foreign")
    return int(after) - count


def changes(tx: sa.Connection) -> int:
    """How often something changed what an earlier look-up may have told."""
    return int(tx.execute(_CHANGES).scalar() or 0)


def count_change(tx: sa.Connection) -> None:
    """Says, in the transaction of the change, that earlier look-ups may be wrong now."""
    tx.execute(sa.update(VaultMeta).where(VaultMeta.id == 1).values(changes=VaultMeta.changes + 1))


def sync(tx: sa.Connection, keyring: Keyring) -> Mapping[str, list[int]]:
    """The versions in force by kind, oldest first; raises `errors.Locked` if the keyring is not this vault's."""
    rows = tx.execute(_STATE).all()
    if not rows:
        raise errors.Locked("The vault was never initialised with a key file.", code="keys_foreign")
    held = {(kind, version): check for kind, version, _, check in keyring.inventory()}
    if any((kind, version) not in held for kind, version, _ in rows):
        keyring.reload()
        held = {(kind, version): check for kind, version, _, check in keyring.inventory()}
    state: dict[str, list[int]] = {}
    for kind, version, check in rows:
        known = held.get((kind, version))
        if known is None:
            raise errors.Locked("A key version that is in use is missing from the key file.", code="keys_outdated")
        if not hmac.compare_digest(known, check):
            raise errors.Locked("The key file does not hold this vault's keys.", code="keys_foreign")
        state.setdefault(kind, []).append(version)
    return state
