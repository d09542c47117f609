"""The register of stored audiences and who stands in them, under keys of each audience.

Promise: a person stands under another key in every audience, so that two of them cannot be joined here; a row says since when and until when.
Rows end with the audience, with their person's consent, and, once somebody has left, after the time that a deployment sets.
It must never learn an identifier.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.errors import NotFound
from privacy.orm import Instant, PlatformBase

STATIC, CONTINUOUS = "static", "continuous"
KINDS: Final = (STATIC, CONTINUOUS)
"""Static: the people of one moment, who only ever leave. Continuous: made again and again."""
ACTIVE, ENDED = "active", "ended"
_AT_ONCE: Final = 5_000


class AudienceRow(PlatformBase):
    """`refreshed_at` is null until its people were first found; `months` are those that its rule looked at then. `code` says why the last attempt
    failed; empty: it did not."""

    __tablename__ = "audience"

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    segment: Mapped[str] = mapped_column(sa.String(40), index=True)
    version: Mapped[int] = mapped_column(sa.Integer)
    digest: Mapped[str] = mapped_column(sa.String(64))
    purpose: Mapped[str] = mapped_column(sa.String(80))
    use: Mapped[str] = mapped_column(sa.String(20))
    tags: Mapped[list[str]] = mapped_column(sa.JSON)
    youth_signal: Mapped[bool] = mapped_column(sa.Boolean)
    months: Mapped[list[int]] = mapped_column(sa.JSON)
    kind: Mapped[str] = mapped_column(sa.String(12))
    hours: Mapped[int] = mapped_column(sa.Integer)
    state: Mapped[str] = mapped_column(sa.String(8))
    by: Mapped[str] = mapped_column(sa.String(80))
    made_at: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[datetime] = mapped_column(Instant)
    refreshed_at: Mapped[datetime | None] = mapped_column(Instant)
    code: Mapped[str] = mapped_column(sa.String(60))
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    entry: Mapped[int] = mapped_column(sa.BigInteger)


class MemberRow(PlatformBase):
    """Somebody in an audience; `until` is null while they are."""

    __tablename__ = "audience_member"
    __table_args__ = (sa.Index(None, "until"),)

    audience: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    key: Mapped[bytes] = mapped_column(sa.LargeBinary(16), primary_key=True)
    since: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    until: Mapped[datetime | None] = mapped_column(Instant)


_AUDIENCE: Any = AudienceRow.__table__
_MEMBER: Any = MemberRow.__table__


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored audience; whom it holds is asked for by itself."""

    id: str
    name: str
    segment: str
    version: int
    digest: str
    purpose: str
    use: str
    tags: tuple[str, ...]
    youth_signal: bool
    months: tuple[int, ...]
    kind: str
    hours: int
    state: str
    by: str
    made_at: datetime
    until: datetime
    refreshed_at: datetime | None
    code: str
    ended_at: datetime | None
    entry: int

    def document(self) -> dict[str, Any]:
        """What is shown of it; no number of people, true or not (dp_rules X-8)."""
        plain = {name: getattr(self, name) for name in ("id", "name", "segment", "version", "kind", "hours", "state", "by", "code")}
        instants = ("made_at", "until", "refreshed_at", "ended_at")
        return plain | {name: None if (at := getattr(self, name)) is None else at.isoformat() for name in instants}


# ── audiences ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def add(tx: sa.Connection, kept: Kept) -> None:
    """Enters an audience without people."""
    tx.execute(
        sa.insert(_AUDIENCE),
        [{name: getattr(kept, name) for name in Kept.__slots__} | {"tags": list(kept.tags), "months": list(kept.months)}],
    )


def one(tx: sa.Connection, id_: str) -> Kept:
    """An audience; raises NotFound."""
    row = tx.execute(sa.select(_AUDIENCE).where(_AUDIENCE.c.id == id_)).mappings().first()
    if row is None:
        raise NotFound("there is no such audience", code="audience_unknown", field="audience")
    return _kept(row)


def listing(tx: sa.Connection, *, segment: str = "", state: str = "") -> list[Kept]:
    """Audiences, the newest first."""
    asked = sa.select(_AUDIENCE).order_by(_AUDIENCE.c.made_at.desc(), _AUDIENCE.c.id)
    asked = asked.where(_AUDIENCE.c.segment == segment) if segment else asked
    asked = asked.where(_AUDIENCE.c.state == state) if state else asked
    return [_kept(row) for row in tx.execute(asked).mappings()]


def refreshed(tx: sa.Connection, kept: Kept, now: datetime, months: Sequence[int]) -> bool:
    """Notes that its people were found; false where somebody else was there first, or it ended."""
    here = sa.and_(_AUDIENCE.c.id == kept.id, _AUDIENCE.c.state == ACTIVE)
    seen = _AUDIENCE.c.refreshed_at.is_(None) if kept.refreshed_at is None else _AUDIENCE.c.refreshed_at == kept.refreshed_at
    return tx.execute(sa.update(_AUDIENCE).where(here, seen).values(refreshed_at=now, code="", months=list(months))).rowcount == 1


def failed(tx: sa.Connection, id_: str, code: str) -> None:
    """Notes why its people were not found."""
    tx.execute(sa.update(_AUDIENCE).where(_AUDIENCE.c.id == id_).values(code=code))


def end(tx: sa.Connection, id_: str, now: datetime) -> bool:
    """Ends an audience, and with it everything about its people; false where it ended before."""
    here = sa.and_(_AUDIENCE.c.id == id_, _AUDIENCE.c.state == ACTIVE)
    done = tx.execute(sa.update(_AUDIENCE).where(here).values(state=ENDED, ended_at=now)).rowcount == 1
    tx.execute(sa.delete(_MEMBER).where(_MEMBER.c.audience == id_))
    return done


def _kept(row: Any) -> Kept:
    return Kept(**{name: row[name] for name in Kept.__slots__} | {"tags": tuple(row["tags"]), "months": tuple(row["months"])})


# ── people ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def keys(tx: sa.Connection, id_: str, *, inside: bool = False) -> set[bytes]:
    """Everybody about whom an audience has a row; with `inside`, who stands in it."""
    asked = sa.select(_MEMBER.c.key).where(_MEMBER.c.audience == id_).distinct()
    return {bytes(one) for one in tx.execute(asked.where(_MEMBER.c.until.is_(None)) if inside else asked).scalars()}


def join(tx: sa.Connection, id_: str, coming: Iterable[bytes], now: datetime) -> None:
    """Puts people in."""
    for part in _parts(coming):
        tx.execute(sa.insert(_MEMBER), [{"audience": id_, "key": key, "since": now, "until": None} for key in part])


def leave(tx: sa.Connection, id_: str, going: Iterable[bytes], now: datetime) -> None:
    """Lets people go whom the rule does not mean any more; that they were there stays for a while."""
    for part in _parts(going):
        here = sa.and_(_MEMBER.c.audience == id_, _MEMBER.c.key.in_(part), _MEMBER.c.until.is_(None))
        tx.execute(sa.update(_MEMBER).where(here).values(until=now))


def remove(tx: sa.Connection, id_: str, gone: Iterable[bytes]) -> int:
    """Takes away every row about people; returns how many rows."""
    rows = 0
    for part in _parts(gone):
        rows += tx.execute(sa.delete(_MEMBER).where(_MEMBER.c.audience == id_, _MEMBER.c.key.in_(part))).rowcount
    return rows


def rows_of(tx: sa.Connection, id_: str, mine: Sequence[bytes]) -> list[tuple[datetime, datetime | None]]:
    """Since when and until when these, who are one person, stood in an audience; oldest first."""
    asked = sa.select(_MEMBER.c.since, _MEMBER.c.until).where(_MEMBER.c.audience == id_, _MEMBER.c.key.in_(mine))
    return [(row.since, row.until) for row in tx.execute(asked.order_by(_MEMBER.c.since))]


def expire(tx: sa.Connection, before: datetime) -> int:
    """Takes away rows of people who left before an instant."""
    return int(tx.execute(sa.delete(_MEMBER).where(_MEMBER.c.until < before)).rowcount)


def _parts(wanted: Iterable[bytes]) -> Iterable[list[bytes]]:
    ordered = sorted(wanted)
    return [ordered[start : start + _AT_ONCE] for start in range(0, len(ordered), _AT_ONCE)]
