"""The register of control addresses: what the controller owns, and whose each address became.

Promise: an address that was given to a recipient stays that recipient's for ever; one by which somebody is known is in no list as a control and
names nobody (a file of our customers would accuse whoever had it). It must never learn a person.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.identity import controls, pseudonyms
from privacy.identity.controls import Plan, Register
from privacy.identity.keys import Keyring
from privacy.orm import Instant, PlatformBase


class ControlRow(PlatformBase):
    """An address (`domain` false) or an e-mail domain of the controller's; `recipient` is empty until it is somebody's."""

    __tablename__ = "export_control"

    type: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    value: Mapped[str] = mapped_column(sa.String(320), primary_key=True)
    domain: Mapped[bool] = mapped_column(sa.Boolean)
    recipient: Mapped[str | None] = mapped_column(sa.String(40), index=True)
    at: Mapped[datetime] = mapped_column(Instant)


_CONTROL: Any = ControlRow.__table__


def register(tx: sa.Connection, type_: str, values: Sequence[str], *, domain: bool, now: datetime) -> int:
    """Writes down addresses or domains that the controller owns; returns how many were new."""
    known = set(tx.execute(sa.select(_CONTROL.c.value).where(_CONTROL.c.type == type_)).scalars())
    rows = [
        {"type": type_, "value": one, "domain": domain, "recipient": None, "at": now} for one in dict.fromkeys(values) if one not in known
    ]
    if rows:
        tx.execute(sa.insert(_CONTROL), rows)
    return len(rows)


def single(tx: sa.Connection, type_: str) -> list[str]:
    """Every single address of a type that is or may become somebody's."""
    return list(tx.execute(sa.select(_CONTROL.c.value).where(_CONTROL.c.type == type_, _CONTROL.c.domain.is_(False))).scalars())


def choose(
    tx: sa.Connection, keyring: Keyring, type_: str, recipient: str, rows: int, *, now: datetime, known: Collection[str] = ()
) -> Plan:  # fmt: skip
    """The controls of a list of so many people, each assigned to the recipient in this transaction; `known` are addresses of people."""
    stored = tx.execute(sa.select(_CONTROL).where(_CONTROL.c.type == type_)).all()
    owned = Register(
        tuple(row.value for row in stored if not row.domain and row.recipient is None),
        tuple(sorted(row.value for row in stored if row.domain)),
    )
    given = {row.value: row.recipient for row in stored if row.recipient is not None} | dict.fromkeys(known, "")
    plan = controls.choose(owned, given, recipient, rows, keyring.mac_key(pseudonyms.RECIPIENT, "control", version=1))
    held = {row.value for row in stored}
    for value in plan.values:
        if value not in held:
            tx.execute(sa.insert(_CONTROL).values(type=type_, value=value, domain=False, recipient=recipient, at=now))
        elif value not in given:
            here = sa.and_(_CONTROL.c.type == type_, _CONTROL.c.value == value)
            tx.execute(sa.update(_CONTROL).where(here).values(recipient=recipient, at=now))
    return plan


def assigned(tx: sa.Connection) -> dict[str, dict[str, pa.StringArray]]:
    """Recipient → type → its addresses, in clear."""
    found: dict[str, dict[str, list[str]]] = {}
    asked = sa.select(_CONTROL.c.recipient, _CONTROL.c.type, _CONTROL.c.value).where(_CONTROL.c.recipient.is_not(None))
    for recipient, kind, value in tx.execute(asked):
        found.setdefault(recipient, {}).setdefault(kind, []).append(value)
    return {one: {kind: pa.array(values, pa.string()) for kind, values in kinds.items()} for one, kinds in found.items()}
