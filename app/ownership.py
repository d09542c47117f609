"""Whose source it is: an integrator reads exact numbers of own sources only (SHAPES "exact.read").

Promise: a source that an account registered is that account's and of nobody else among the integrators; one made at the command line is
every integrator's, because the house has one operator. Another's source answers as if there were none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.access import Caller
from privacy.errors import NotFound
from privacy.orm import PlatformBase

if TYPE_CHECKING:
    from app.wiring import Services

ACCOUNT_PREFIX = "usr_"


class SourceOwner(PlatformBase):
    __tablename__ = "source_owner"

    source_id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    account_id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)


def take(tx: sa.Connection, source_id: str, actor: str) -> None:
    """Notes who registered a source; a command has no account."""
    if actor.startswith(ACCOUNT_PREFIX):
        tx.execute(sa.insert(SourceOwner).values(source_id=source_id, account_id=actor))


def check(tx: sa.Connection, source_id: str, caller: Caller | None) -> None:
    """Raises NotFound if the caller is an integrator and the source another's. A command asks as nobody and may."""
    if caller is not None and source_id in hidden(tx, caller):
        raise NotFound("there is no such source", code="source_not_found")


def hidden(tx: sa.Connection, caller: Caller) -> frozenset[str]:
    """The sources that are not this caller's to read exactly."""
    if caller.role != "integrator":
        return frozenset()
    owned = tx.execute(sa.select(SourceOwner.source_id, SourceOwner.account_id)).all()
    own = {source for source, account in owned if account == caller.account_id}
    return frozenset(source for source, _ in owned) - own


def hidden_from(services: Services, caller: Caller | None) -> frozenset[str]:
    """The same, where no transaction is open. A command asks as nobody and sees everything."""
    if caller is None or caller.role != "integrator":
        return frozenset()
    with services.read_console() as tx:
        return hidden(tx, caller)
