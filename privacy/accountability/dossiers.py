"""Papers of accountability as series of versions: recipients, agreements, assessments, incidents, snapshots.

Promise: a version is added and never changed or removed, so that every paper can be read as it stood at any past moment, for as long as the
law wants it kept (three years at least: PIPL 56, Network Data Regulations 12) and longer. Whoever changes a paper names the version they saw.
It must never learn a customer: a paper speaks of companies, purposes and counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from privacy.errors import Conflict, NotFound
from privacy.orm import Instant, PlatformBase
from privacy.records import RandomBytes

KEPT = timedelta(days=3 * 366)
"""The least that the law asks for; no code removes a version, and a trigger refuses it."""
PREFIXES = {"recipient": "rec_", "agreement": "agr_", "assessment": "pia_", "incident": "inc_", "snapshot": "snp_"}
"""Kind → how its ids begin. `rcp_` is a receipt of consent."""


class DossierRow(PlatformBase):
    """One version of one paper. Append-only."""

    __tablename__ = "dossier"

    kind: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    by: Mapped[str] = mapped_column(sa.String(80))
    at: Mapped[datetime] = mapped_column(Instant)
    entry: Mapped[int] = mapped_column(sa.BigInteger)


_DOSSIER: Any = DossierRow.__table__


@dataclass(frozen=True, slots=True)
class Dossier:
    """A version of a paper; `by` wrote this version, `entry` is its position in the access log."""

    kind: str
    id: str
    version: int
    content: Mapping[str, Any]
    by: str
    at: datetime
    entry: int

    def document(self) -> dict[str, Any]:
        """As it is shown and handed out."""
        return {"id": self.id, "version": self.version, "by": self.by, "at": self.at.isoformat(), **self.content}


def new_id(kind: str, random: RandomBytes) -> str:
    """An id that nobody had."""
    return PREFIXES[kind] + random(12).hex()


def check_seen(newest: Dossier, seen: int | None) -> None:
    """Raises Conflict if somebody wrote a version after the one that the caller looked at."""
    if seen is not None and seen != newest.version:
        raise Conflict("somebody changed it since", code="changed_meanwhile")


def write(tx: sa.Connection, made: Dossier) -> Dossier:
    """Keeps a version. Of two that write the same one at the same time the second is told that somebody was faster."""
    insert = (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(_DOSSIER)
    row = {
        "kind": made.kind,
        "id": made.id,
        "version": made.version,
        "content": dict(made.content),
        "by": made.by,
        "at": made.at,
        "entry": made.entry,
    }
    if tx.execute(insert.values(row).on_conflict_do_nothing().returning(_DOSSIER.c.version)).first() is None:
        raise Conflict("somebody changed it since", code="changed_meanwhile")
    return made


def one(tx: sa.Connection, kind: str, id_: str) -> Dossier:
    """The newest version of a paper; raises NotFound."""
    asked = sa.select(_DOSSIER).where(_DOSSIER.c.kind == kind, _DOSSIER.c.id == id_).order_by(_DOSSIER.c.version.desc()).limit(1)
    row = tx.execute(asked).first()
    if row is None:
        raise NotFound("there is no such paper", code="dossier_unknown", field="id")
    return _dossier(row)


def history(tx: sa.Connection, kind: str, id_: str) -> list[Dossier]:
    """Every version of a paper, oldest first; raises NotFound."""
    rows = tx.execute(sa.select(_DOSSIER).where(_DOSSIER.c.kind == kind, _DOSSIER.c.id == id_).order_by(_DOSSIER.c.version))
    found = [_dossier(row) for row in rows]
    if not found:
        raise NotFound("there is no such paper", code="dossier_unknown", field="id")
    return found


def listing(tx: sa.Connection, kind: str, *, before_entry: int | None = None) -> list[Dossier]:
    """Every paper of a kind in its newest version, or as it stood before an entry of the log; in the order in which they were opened."""
    asked = sa.select(_DOSSIER).where(_DOSSIER.c.kind == kind)
    if before_entry is not None:
        asked = asked.where(_DOSSIER.c.entry < before_entry)
    newest: dict[str, Dossier] = {}
    first: dict[str, int] = {}
    for row in tx.execute(asked.order_by(_DOSSIER.c.version)):
        first.setdefault(row.id, row.entry)
        newest[row.id] = _dossier(row)
    return [newest[id_] for id_ in sorted(newest, key=first.__getitem__)]


def _dossier(row: Any) -> Dossier:
    return Dossier(row.kind, row.id, row.version, row.content, row.by, row.at, row.entry)
