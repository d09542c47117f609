"""The register of requests: what was asked, where it stands, and every act on it, in the words of closed lists.

Promise: a request knows its person by a handle of its own domain, of no use anywhere else, so that two requests of one person meet here
and nowhere outside; somebody unknown has one too, which leads to nobody. Acts are only ever added. Two who act at the same time: one wins.
It must never learn an identifier, a value that is to be corrected, or what a package holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.errors import Conflict, NotFound
from privacy.orm import BigId, Instant, PlatformBase
from privacy.records import RandomBytes
from privacy.rights.clocks import Pause
from privacy.vocabulary import Regime, Right, Step

PREFIX = "SR-"
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""Of a number: without vowels it makes no word, without digits it is nobody's telephone."""
HANDLE_BYTES = 16
PAGE, MOST = 50, 500


class RequestRow(PlatformBase):
    """`subject` is the person under a permutation of this domain; `found` says what the look-up met when it was opened."""

    __tablename__ = "request"

    number: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(16))
    regime: Mapped[str] = mapped_column(sa.String(8))
    language: Mapped[str] = mapped_column(sa.String(8))
    channel: Mapped[str] = mapped_column(sa.String(16))
    detail: Mapped[list[str]] = mapped_column(sa.JSON)
    subject: Mapped[bytes] = mapped_column(sa.LargeBinary(HANDLE_BYTES), index=True)
    found: Mapped[str] = mapped_column(sa.String(8))
    step: Mapped[str] = mapped_column(sa.String(10), index=True)
    version: Mapped[int] = mapped_column(sa.Integer)
    opened_at: Mapped[datetime] = mapped_column(Instant, index=True)
    received_on: Mapped[date] = mapped_column(sa.Date)
    opened_by: Mapped[str] = mapped_column(sa.String(80))
    assignee: Mapped[str | None] = mapped_column(sa.String(80), index=True)
    asked_at: Mapped[datetime | None] = mapped_column(Instant)
    proven_at: Mapped[datetime | None] = mapped_column(Instant)
    lengthened_at: Mapped[datetime | None] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(sa.String(80))
    approved_by: Mapped[str | None] = mapped_column(sa.String(80))
    outcome: Mapped[str | None] = mapped_column(sa.String(12))
    reason: Mapped[str | None] = mapped_column(sa.String(24))
    delivered_at: Mapped[datetime | None] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    closing: Mapped[str | None] = mapped_column(sa.String(24))
    erasure: Mapped[str | None] = mapped_column(sa.String(40))
    deceased: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.false())


class RequestEventRow(PlatformBase):
    """An act: append-only. `facts` are codes and counts, `words` a sentence of staff that the scrubber let through, `entry` its log entry."""

    __tablename__ = "request_event"

    seq: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    number: Mapped[str] = mapped_column(sa.String(20), index=True)
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(sa.String(80))
    act: Mapped[str] = mapped_column(sa.String(24))
    facts: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    words: Mapped[str | None] = mapped_column(sa.Text)
    entry: Mapped[int] = mapped_column(sa.BigInteger)


_REQUEST: Any = RequestRow.__table__
_EVENT: Any = RequestEventRow.__table__


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it stands. `subject` is for the door."""

    number: str
    kind: str
    regime: str
    language: str
    channel: str
    detail: Sequence[str]
    subject: bytes = field(repr=False)
    found: str
    step: str
    version: int
    opened_at: datetime
    received_on: date
    opened_by: str
    assignee: str | None
    asked_at: datetime | None
    proven_at: datetime | None
    lengthened_at: datetime | None
    decided_by: str | None
    approved_by: str | None
    outcome: str | None
    reason: str | None
    delivered_at: datetime | None
    closed_at: datetime | None
    closing: str | None
    erasure: str | None
    deceased: bool = False
    """A close relative asks, for somebody who died (PIPL 49)."""

    @property
    def right(self) -> Right:
        return Right(self.kind)

    @property
    def law(self) -> Regime:
        return Regime(self.regime)

    @property
    def place(self) -> Step:
        return Step(self.step)

    def pause(self, zone: Any) -> Pause | None:
        """The days on which proof of identity was waited for."""
        if self.asked_at is None:
            return None
        until = self.proven_at or self.closed_at
        return Pause(self.asked_at.astimezone(zone).date(), None if until is None else until.astimezone(zone).date())


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which requests; everything given must hold."""

    kind: str | None = None
    regime: str | None = None
    step: str | None = None
    assignee: str | None = None
    unassigned: bool = False
    closed: bool | None = None
    proven: bool | None = None
    since: date | None = None
    until: date | None = None

    def named(self) -> list[str]:
        """The names of what is filtered by, for the entry that records the reading."""
        return [name for name in self.__slots__ if getattr(self, name) not in (None, False)]

    def where(self) -> list[Any]:
        """As conditions."""
        same = {"kind": self.kind, "regime": self.regime, "step": self.step, "assignee": self.assignee}
        wanted: list[Any] = [_REQUEST.c[name] == value for name, value in same.items() if value is not None]
        if self.unassigned:
            wanted.append(_REQUEST.c.assignee.is_(None))
        if self.closed is not None:
            wanted.append((_REQUEST.c.step == Step.CLOSED.value) == self.closed)
        if self.proven is not None:
            wanted.append(_REQUEST.c.proven_at.is_not(None) if self.proven else _REQUEST.c.proven_at.is_(None))
        if self.since is not None:
            wanted.append(_REQUEST.c.received_on >= self.since)
        if self.until is not None:
            wanted.append(_REQUEST.c.received_on <= self.until)
        return wanted


@dataclass(frozen=True, slots=True)
class Event:
    """One act on a request."""

    at: datetime
    actor: str
    act: str
    facts: Mapping[str, Any]
    words: str | None
    entry: int


# ── writing ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def new_number(random: RandomBytes) -> str:
    """A number that tells nothing, neither how many there were nor when: ten letters of twenty, 43 bits."""
    drawn = int.from_bytes(random(16), "big")
    signs = []
    for _ in range(10):
        drawn, one = divmod(drawn, len(LETTERS))
        signs.append(LETTERS[one])
    return f"{PREFIX}{''.join(signs[:5])}-{''.join(signs[5:])}"


def add(tx: sa.Connection, one: Request) -> None:
    """Enters a request."""
    tx.execute(sa.insert(_REQUEST), [{name: getattr(one, name) for name in Request.__slots__}])


def change(tx: sa.Connection, one: Request, values: Mapping[str, Any]) -> None:
    """Changes a request that nobody else changed meanwhile; raises Conflict otherwise."""
    where = (_REQUEST.c.number == one.number, _REQUEST.c.version == one.version)
    if not tx.execute(sa.update(_REQUEST).where(*where).values(version=one.version + 1, **values)).rowcount:
        raise Conflict("somebody else acted on this request meanwhile", code="request_changed", field="request")


def note(tx: sa.Connection, number: str, event: Event) -> None:
    """Adds an act."""
    row = {"at": event.at, "actor": event.actor, "act": event.act, "facts": dict(event.facts), "words": event.words, "entry": event.entry}
    tx.execute(sa.insert(_EVENT), [{"number": number, **row}])


# ── reading ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def one(tx: sa.Connection, number: str) -> Request:
    """A request; raises NotFound."""
    row = tx.execute(sa.select(_REQUEST).where(_REQUEST.c.number == number)).first()
    if row is None:
        raise NotFound("there is no request with this number", code="request_unknown", field="request")
    return _request(row)


def page(tx: sa.Connection, wanted: Wanted, *, after: str = "", limit: int = PAGE) -> tuple[list[Request], str | None]:
    """Requests that match, the oldest receipt first, since it is due first; and the cursor of the next page."""
    asked = sa.select(_REQUEST).where(*wanted.where()).order_by(_REQUEST.c.received_on, _REQUEST.c.number)
    if after:
        day, _, number = after.partition(".")
        try:
            place = (date.fromisoformat(day), number)
        except ValueError:
            raise NotFound("the cursor is not one of ours", code="bad_cursor", field="after") from None
        asked = asked.where(
            sa.or_(_REQUEST.c.received_on > place[0], sa.and_(_REQUEST.c.received_on == place[0], _REQUEST.c.number > place[1]))
        )
    found = [_request(row) for row in tx.execute(asked.limit(min(limit, MOST) + 1))]
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], f"{last.received_on.isoformat()}.{last.number}"


def every(tx: sa.Connection, wanted: Wanted, most: int) -> Iterator[Request]:
    """Requests that match, for a file."""
    asked = sa.select(_REQUEST).where(*wanted.where()).order_by(_REQUEST.c.received_on, _REQUEST.c.number).limit(most)
    return (_request(row) for row in tx.execute(asked))


def total(tx: sa.Connection, wanted: Wanted) -> int:
    """How many match."""
    return int(tx.execute(sa.select(sa.func.count()).select_from(_REQUEST).where(*wanted.where())).scalar_one())


def by_step(tx: sa.Connection) -> dict[str, int]:
    """How many stand at each step."""
    counted = tx.execute(sa.select(_REQUEST.c.step, sa.func.count()).group_by(_REQUEST.c.step))
    found = {step: int(number) for step, number in counted}
    return {step.value: found.get(step.value, 0) for step in Step}


def of_subjects(tx: sa.Connection, subjects: Sequence[bytes]) -> list[Request]:
    """Every request of those who are one person, oldest first."""
    asked = sa.select(_REQUEST).where(_REQUEST.c.subject.in_(subjects)).order_by(_REQUEST.c.opened_at, _REQUEST.c.number)
    return [_request(row) for row in tx.execute(asked)]


def events(tx: sa.Connection, number: str) -> list[Event]:
    """Every act on a request, oldest first."""
    rows = tx.execute(sa.select(_EVENT).where(_EVENT.c.number == number).order_by(_EVENT.c.seq))
    return [Event(row.at, row.actor, row.act, row.facts, row.words, row.entry) for row in rows]


def _request(row: Any) -> Request:
    held: dict[str, Any] = dict(row._mapping)
    return Request(**held | {"subject": bytes(row.subject)})
