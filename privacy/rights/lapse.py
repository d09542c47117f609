"""Lapses: people whose last analytic purpose ended. Their rows are invisible at once, and leave the lake within days (law_rules L-5).

Promise: who never allowed anything is not in it, who allows again leaves it; an erasure is written down with what was seen afterwards. The
officer sees references and dates. It must never learn an identifier or what the rows say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.consent import gate, lapsed, ledger
from privacy.identity import families, pseudonyms, vault
from privacy.identity.keys import Keyring
from privacy.orm import Begin, Instant, PlatformBase, to_micros
from privacy.records import Clock, Log
from privacy.rights import names
from privacy.vocabulary import ANALYTIC_PURPOSES, LogKind

LONGEST = timedelta(days=15)
"""From the end of the last purpose to the last row (PIPL 47, 网数 24)."""
PAGE = 200
ACTOR = "schedule"


class LapseRow(PlatformBase):
    """Somebody, by consent handle, whose rows have to go: when that was noticed, by when they go, when they went, how many there were."""

    __tablename__ = "lapse"

    handle: Mapped[bytes] = mapped_column(sa.LargeBinary(16), primary_key=True)
    noticed_at: Mapped[datetime] = mapped_column(Instant)
    due_at: Mapped[datetime] = mapped_column(Instant, index=True)
    erased_at: Mapped[datetime | None] = mapped_column(Instant, index=True)
    rows: Mapped[int] = mapped_column(sa.BigInteger)
    entry: Mapped[int | None] = mapped_column(sa.BigInteger)


_LAPSE: Any = LapseRow.__table__


@dataclass(frozen=True, slots=True)
class Due:
    """People whose rows go now."""

    handles: tuple[bytes, ...] = field(repr=False)
    people: tuple[bytes, ...] = field(repr=False)


class Lapses:
    """The door's part for lapses; each call commits its own."""

    def __init__(self, *, begin_platform: Begin, read_platform: Begin, read_vault: Begin, keyring: Keyring, log: Log, clock: Clock) -> None:
        self._begin_platform, self._read_platform, self._read_vault = begin_platform, read_platform, read_vault
        self._keyring, self._log, self._clock = keyring, log, clock

    def notice(self, grace: timedelta) -> dict[str, int]:
        """Writes down who lapsed since the last look, and forgets who allows again."""
        now = self._clock()
        gone = self._lapsed(now)
        with self._begin_platform() as tx:
            known = {bytes(row.handle): row for row in tx.execute(sa.select(_LAPSE))}
            back = [handle for handle in known if handle not in gone]
            new = [handle for handle in gone if handle not in known]
            for start in range(0, len(back), 500):
                tx.execute(sa.delete(_LAPSE).where(_LAPSE.c.handle.in_(back[start : start + 500])))
            due = now + min(grace, LONGEST)
            if new:
                tx.execute(sa.insert(_LAPSE), [{"handle": one, "noticed_at": now, "due_at": due, "rows": 0} for one in sorted(new)])
            if new or back:
                self._log(tx, LogKind.SYSTEM, "lapse.notice", actor=ACTOR, facts={"lapsed": len(new), "back": len(back)})
        return {"lapsed": len(new), "back": len(back)}

    def due(self, *, limit: int = 10_000) -> Due:
        """Whose rows go now; nobody who allows again meanwhile."""
        now = self._clock()
        asked = (
            sa.select(_LAPSE.c.handle).where(_LAPSE.c.erased_at.is_(None), _LAPSE.c.due_at <= now).order_by(_LAPSE.c.due_at).limit(limit)
        )
        with self._read_platform() as tx:
            waiting = [bytes(one) for one in tx.execute(asked).scalars()]
        still = self._lapsed(now) if waiting else frozenset[bytes]()
        handles = tuple(one for one in waiting if one in still)
        people = self._keyring.inverse_block_cipher(pseudonyms.CONSENT_HANDLE)(b"".join(handles)) if handles else b""
        return Due(handles, tuple(people[start : start + 16] for start in range(0, len(people), 16)))

    def names(self, due: Due, months: Sequence[int]) -> pa.Table:
        """What the lake calls them."""
        return names.of(self._keyring, [[person] for person in due.people], months)

    def done(self, due: Due, rows: Mapping[int, int], left: Mapping[int, int]) -> dict[str, int]:
        """Writes down whose rows are gone, as it was seen afterwards; of whom a row was left stays in the queue."""
        now = self._clock()
        gone = [number for number in range(len(due.handles)) if not left.get(number)]
        with self._begin_platform() as tx:
            facts = {"people": len(gone), "rows": sum(rows.values()), "left": len(due.handles) - len(gone)}
            entry = self._log(tx, LogKind.ERASURE, "lapse.erase", actor=ACTOR, facts=facts)
            for number in gone:
                told = sa.update(_LAPSE).where(_LAPSE.c.handle == due.handles[number])
                tx.execute(told.values(erased_at=now, rows=_LAPSE.c.rows + rows.get(number, 0), entry=entry))
        return {"erased": len(gone), "rows": sum(rows.values()), "left": len(due.handles) - len(gone)}

    def page(self, *, actor: str, state: str = "", limit: int = PAGE) -> list[dict[str, Any]]:
        """The queue as an officer sees it, what is due first first; `state` is pending, erased or nothing. The reading is logged first."""
        with self._begin_platform() as tx:
            self._log(tx, LogKind.READ, "lapse.list", actor=actor, facts={"limit": limit})
        asked = sa.select(_LAPSE).order_by(_LAPSE.c.erased_at.is_not(None), _LAPSE.c.due_at, _LAPSE.c.handle).limit(limit)
        if state:
            asked = asked.where(_LAPSE.c.erased_at.is_(None) if state == "pending" else _LAPSE.c.erased_at.is_not(None))
        with self._read_platform() as tx:
            rows = list(tx.execute(asked))
        people = self._keyring.inverse_block_cipher(pseudonyms.CONSENT_HANDLE)(b"".join(bytes(row.handle) for row in rows)) if rows else b""
        references = pseudonyms.officer_references(people, self._keyring.block_cipher(pseudonyms.OFFICER_REFERENCE)) if rows else []
        return [
            {
                "subject": reference,
                "state": "pending" if row.erased_at is None else "erased",
                "noticed_at": row.noticed_at.isoformat(),
                "due_at": row.due_at.isoformat(),
                "erased_at": None if row.erased_at is None else row.erased_at.isoformat(),
                "rows": row.rows if row.erased_at is not None else None,
                "entry": row.entry,
            }
            for row, reference in zip(rows, references, strict=True)
        ]

    def counts(self) -> dict[str, Any]:
        """How many wait, how many went, and when the first is due."""
        waiting = _LAPSE.c.erased_at.is_(None)
        with self._read_platform() as tx:
            number, first = tx.execute(sa.select(sa.func.count(), sa.func.min(_LAPSE.c.due_at)).where(waiting)).one()
            erased = tx.execute(sa.select(sa.func.count()).where(~waiting)).scalar_one()
        return {"waiting": int(number), "first_due": None if first is None else first.isoformat(), "erased": int(erased)}

    def _lapsed(self, now: datetime) -> frozenset[bytes]:
        """The handles of everybody in the vault who once allowed an analytic purpose and allows none now, families taken together."""
        at = to_micros(now)
        with self._read_vault() as tx:
            merges = vault.merged_into(tx)
        groups = families.families(merges)
        cipher = self._keyring.block_cipher(pseudonyms.CONSENT_HANDLE)
        with self._read_platform() as tx:
            gone = set(lapsed.handles(tx, ANALYTIC_PURPOSES, at))
            for head, others in groups.items():
                family = [cipher(person) for person in (head, *others)]
                lines = ledger.timelines(tx, family[:1], ANALYTIC_PURPOSES, aliases={family[0]: family[1:]}).get(family[0], {})
                if any(gate.decide(line, at, at).allowed for line in lines.values()):
                    gone -= set(family)
                elif lines:
                    gone |= lapsed.once_allowed(tx, family, ANALYTIC_PURPOSES)
        people = self._keyring.inverse_block_cipher(pseudonyms.CONSENT_HANDLE)(b"".join(gone)) if gone else b""
        by_person = dict(zip((people[start : start + 16] for start in range(0, len(people), 16)), gone, strict=True))
        with self._read_vault() as tx:
            return frozenset(by_person[person] for person in vault.known(tx, list(by_person)))
