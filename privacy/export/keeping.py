"""Stored audiences: made, made again, swept of whoever may not be there any more, ended.

Promise: whoever is put in allowed the purpose inside the transaction that puts them in, after its log entry, as at the gate (decision 0041); a sweep
takes away every row of whoever withdrew, objected, is restricted, is too young, refused a tag that the rule is built on, or is gone. Nobody is
handed on unasked: an audience that is opened is swept on the way, so a no acts at once, and the rows follow within minutes. No count leaves but
an officer's. It must never learn an identifier, or what anybody did.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from privacy.consent import objections
from privacy.errors import Conflict, Invalid, PiyingError, Raced
from privacy.export import members, people
from privacy.export.members import ACTIVE, CONTINUOUS, KINDS, Kept
from privacy.export.people import Group, Needs
from privacy.export.reach import candidates, without_recipient
from privacy.identity import pseudonyms
from privacy.identity.keys import Keyring
from privacy.orm import Begin
from privacy.records import Audience, Clock, Log, RandomBytes
from privacy.vocabulary import LogKind

PREFIX: Final = "aud_"
LASTS: Final = (1, 365)
"""Days that an audience may last: its purpose is a campaign, not a shelf (PIPL 19)."""
HOURS: Final = (1, 168)
"""How often a continuous one may be made again."""
LONGEST_NAME: Final = 120
Also = Callable[[sa.Connection, Mapping[str, Any]], None]


class Keeping:
    """The door. Transactions are handed in; each call commits its own."""

    def __init__(
        self, *, begin_platform: Begin, read_platform: Begin, read_vault: Begin, keyring: Keyring, log: Log, clock: Clock,
        random: RandomBytes, zone: ZoneInfo, unknown_age: str, membership_days: int,
    ) -> None:  # fmt: skip
        self._begin, self._read, self._read_vault = begin_platform, read_platform, read_vault
        self._keyring, self._log, self._clock, self._random, self._zone = keyring, log, clock, random, zone
        self._unknown_age, self._history = unknown_age, timedelta(days=membership_days)

    # ── the register ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def make(self, given: Mapping[str, Any], *, actor: str, also: Also) -> dict[str, Any]:
        """Enters an audience: {name, segment, version, digest, purpose, use, tags, youth_signal, kind, hours, days}. Its people are found later."""
        now, name = self._clock(), str(given["name"]).strip()
        if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
            raise Invalid(f"a name is printable text of at most {LONGEST_NAME} characters", code="audience_name", field="name")
        if given["kind"] not in KINDS:
            raise Invalid("an audience is static or continuous", code="audience_kind", field="kind")
        for field, (least, most) in (("days", LASTS), ("hours", HOURS)):
            if not least <= given[field] <= most:
                raise Invalid(f"{field} are between {least} and {most}", code="audience_range", field=field)
        id_ = PREFIX + self._random(12).hex()
        taken = {field: given[field] for field in ("segment", "version", "digest", "purpose", "use", "youth_signal", "kind", "hours")}
        with self._begin() as tx:
            facts = {"audience": id_, "segment": given["segment"], "version": given["version"], "kind": given["kind"]}
            entry = self._log(tx, LogKind.CONFIG, "audience.make", actor=actor, facts=facts)
            kept = Kept(
                **taken, id=id_, name=name, tags=tuple(given["tags"]), state=ACTIVE, by=actor, made_at=now, entry=entry, months=(),
                until=now + timedelta(days=given["days"]), refreshed_at=None, code="", ended_at=None,
            )  # fmt: skip
            members.add(tx, kept)
            also(tx, kept.document())
        return kept.document()

    def one(self, id_: str) -> Kept:
        """An audience as it stands; raises NotFound."""
        with self._read() as tx:
            return members.one(tx, id_)

    def listing(self, *, segment: str = "", state: str = "") -> list[Kept]:
        """Audiences, the newest first."""
        with self._read() as tx:
            return members.listing(tx, segment=segment, state=state)

    def end(self, id_: str, *, actor: str) -> dict[str, Any]:
        """Ends an audience; with it goes everything about its people."""
        known = self.one(id_).id
        with self._begin() as tx:
            self._log(tx, LogKind.CONFIG, "audience.end", actor=actor, facts={"audience": known})
            if not members.end(tx, id_, self._clock()):
                raise Conflict("the audience has ended", code="audience_ended", field="audience")
            return members.one(tx, id_).document()

    def failed(self, id_: str, error: PiyingError) -> None:
        """Notes why its people were not found."""
        with self._begin() as tx:
            members.failed(tx, id_, error.code[:60])

    def due(self) -> tuple[list[Kept], list[Kept]]:
        """Audiences whose people have to be found now, and those that are over."""
        now, active = self._clock(), self.listing(state=ACTIVE)
        over = [one for one in active if one.until <= now]
        wanted = [
            one
            for one in active
            if one.until > now
            and (one.refreshed_at is None or (one.kind == CONTINUOUS and one.refreshed_at + timedelta(hours=one.hours) <= now))
        ]
        return wanted, over

    # ── people ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def refresh(self, id_: str, found: Audience, *, actor: str) -> None:
        """Puts in whom the rule meant at the moment at which they were looked for, and lets the others go; raises Raced where somebody else did so
        meanwhile. That moment is what is written down, so that it can be told afterwards why somebody was in."""
        kept, now = self.one(id_), self._clock()
        at = min(found.as_of, now)
        if kept.state != ACTIVE:
            raise Conflict("the audience has ended", code="audience_ended", field="audience")
        self.sweep(id_, actor=actor)
        with self._read_vault() as tx:
            crowd = people.group(tx, self._keyring, found, now.astimezone(self._zone).date())
        with self._begin() as tx:
            self._log(tx, LogKind.SYSTEM, "audience.refresh", actor=actor, facts={"audience": id_})
            if (kept.refreshed_at is not None and kept.refreshed_at > at) or not members.refreshed(tx, kept, at, found.months):
                raise Raced("the audience was made again meanwhile", code="audience_raced")
            allowed = self._allowed(tx, kept, crowd)
            wanted = {key for key, stays in zip(self._keys(id_, crowd.people), allowed, strict=True) if stays}
            inside = members.keys(tx, id_, inside=True)
            members.leave(tx, id_, inside - wanted, at)
            members.join(tx, id_, wanted - inside, at)

    def sweep(self, id_: str, *, actor: str) -> int:
        """Takes away every row of whoever may not stand in an audience any more; how many people."""
        with self._read() as tx:
            kept, held = members.one(tx, id_), sorted(members.keys(tx, id_))
        if not held:
            return 0
        crowd = self._crowd(id_, held)
        with self._begin() as tx:
            gone = set(held) - self._staying(tx, kept, crowd)
            if gone:
                self._log(tx, LogKind.SYSTEM, "audience.sweep", actor=actor, facts={"audience": id_})
                members.remove(tx, id_, gone)
        return len(gone)

    def expire(self, *, actor: str) -> int:
        """Takes away what is left of people who went longer ago than a deployment keeps it; how many rows."""
        with self._begin() as tx:
            rows = members.expire(tx, self._clock() - self._history)
            if rows:
                self._log(tx, LogKind.SYSTEM, "audience.expire", actor=actor)
            return rows

    def opened(self, id_: str, month: int) -> dict[str, Any]:
        """An audience by the words of `records.Audience`, its people as virtual IDs of a month: those who stand in it and may at this moment."""
        with self._read() as tx:
            kept, held = members.one(tx, id_), sorted(members.keys(tx, id_, inside=True))
            if kept.state != ACTIVE or kept.refreshed_at is None or kept.until <= self._clock():
                raise Conflict("the audience has ended, or its people were not found yet", code="audience_not_ready", field="audience")
        crowd = self._crowd(id_, held)
        with self._read() as tx:
            joined = b"".join(person for person, stays in zip(crowd.people, self._allowed(tx, kept, crowd), strict=True) if stays)
        names = np.sort(pseudonyms.virtual_ids(joined, self._keyring.block_cipher(pseudonyms.VIRTUAL_ID, str(month))))
        return {
            "purpose": kept.purpose, "use": kept.use, "segment": kept.id, "version": kept.version, "digest": _digest(kept), "month": month,
            "as_of": kept.refreshed_at, "virtual_ids": pa.array(names, pa.int64()), "youth_signal": kept.youth_signal, "months": kept.months,
        }  # fmt: skip

    def count(self, id_: str, *, actor: str) -> int:
        """How many people stand in an audience and may; exact, for officers."""
        known = self.one(id_).id
        with self._begin() as tx:
            self._log(tx, LogKind.READ, "audience.count", actor=actor, facts={"audience": known})
        with self._read() as tx:
            kept, held = members.one(tx, id_), sorted(members.keys(tx, id_, inside=True))
        crowd = self._crowd(id_, held)
        with self._read() as tx:
            return int(self._allowed(tx, kept, crowd).sum())

    # ── one person ───────────────────────────────────────────────────────────────────────────────────────────────────────────

    def of(self, persons: Sequence[bytes]) -> list[tuple[Kept, list[tuple[datetime, datetime | None]]]]:
        """The audiences in which these, who are one person, stand or stood; the reading is the caller's to log."""
        with self._read() as tx:
            found = [(kept, members.rows_of(tx, kept.id, self._keys(kept.id, persons))) for kept in members.listing(tx, state=ACTIVE)]
        return [(kept, rows) for kept, rows in found if rows]

    def forget(self, persons: Sequence[bytes]) -> int:
        """Takes away every row of people who are erased; how many rows."""
        with self._begin() as tx:
            return sum(members.remove(tx, kept.id, self._keys(kept.id, persons)) for kept in members.listing(tx, state=ACTIVE))

    def held(self, persons: Sequence[bytes]) -> int:
        """How many rows are about these people."""
        return sum(len(rows) for _, rows in self.of(persons))

    # ── shared ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _keys(self, id_: str, persons: Sequence[bytes]) -> list[bytes]:
        joined = pseudonyms.handles(b"".join(persons), self._keyring.block_cipher(pseudonyms.AUDIENCE, id_))
        return _blocks(joined)

    def _crowd(self, id_: str, held: Sequence[bytes]) -> Group:
        """The people behind the keys of an audience, as the vault knows them now; whoever is gone is left out."""
        ids = _blocks(self._keyring.inverse_block_cipher(pseudonyms.AUDIENCE, id_)(b"".join(held))) if held else []
        with self._read_vault() as tx:
            found = people.Matched(tuple(ids), np.arange(len(ids), dtype=np.int64))
            return people.gathered(tx, self._keyring, found, self._clock().astimezone(self._zone).date())

    def _staying(self, tx: sa.Connection, kept: Kept, crowd: Group) -> set[bytes]:
        allowed = self._allowed(tx, kept, crowd)
        return {key for key, stays in zip(self._keys(kept.id, crowd.people), allowed, strict=True) if stays}

    def _allowed(self, tx: sa.Connection, kept: Kept, crowd: Group) -> Any:
        """Whether each of a group may stand in an audience, as this transaction sees them."""
        needs = Needs(kept.purpose, "")
        facts, handles = people.facts(tx, self._keyring, crowd, needs, now=self._clock(), channel="", window=timedelta(0))
        signal = self._unknown_age == "signal" and kept.youth_signal
        allowed = candidates(without_recipient(facts), ageless=self._unknown_age == "exclude" or signal)
        refused = {handle for tag in kept.tags for handle in objections.against(tx, tag)}
        if not refused:
            return allowed
        families = [
            (own, *people.handles(self._keyring, crowd.families.get(one, ()))) for own, one in zip(handles, crowd.people, strict=True)
        ]
        return allowed & np.array([refused.isdisjoint(family) for family in families], bool)


def _digest(kept: Kept) -> str:
    """What names these people where lists are compared: the rule alone does not say who stood there at which moment."""
    return hashlib.sha256(f"{kept.digest}/{kept.id}".encode()).hexdigest()


def _blocks(joined: bytes) -> list[bytes]:
    return [joined[start : start + people.ID] for start in range(0, len(joined), people.ID)]
