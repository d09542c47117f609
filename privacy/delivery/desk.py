"""The door of what has left: carries exports to their recipients, and takes people back out of what recipients hold.

Promise: a pushed part is put together when it goes, from the people whom the gate would let go then; a file is the gate's own, taken at the
moment at which it is laid down. Nobody who has to be taken out of a recipient's list is added to it meanwhile; a withdrawal, an erasure, a
correction or a revoked export becomes one signed removal a recipient in its own form, each person once, sent until it is acknowledged. A
recipient that does not acknowledge in its time gets nothing added. Each call commits its own, but for those that are given a transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from privacy.carriage import Destination, Parcel, Sent
from privacy.delivery import bodies, delivered, holdings, register, removals, suppressions, watch
from privacy.delivery.afterwards import ACTOR, Afterwards
from privacy.delivery.delivered import DOWNLOAD, PUSH, Export
from privacy.delivery.holdings import Held
from privacy.delivery.register import ADD, REMOVE, Delivery
from privacy.errors import Conflict, NotFound, PiyingError, Refused
from privacy.identity import families, vault
from privacy.records import SealedExport
from privacy.vocabulary import LogKind

FOLDER_PARTS = 1
"""A file goes whole."""


class Deliveries(Afterwards):
    """Exports on their way and removals after them; for the gate it is `carriage.Delivery`."""

    # ── what the gate hands over ─────────────────────────────────────────────────────────────────────────────────────────────

    def queue(self, tx: sa.Connection, export: SealedExport, people: Sequence[bytes], table: pa.Table) -> None:
        """Takes a released list on. The vault's part commits by itself, before: rows that no export claims are swept. Raises Refused if blocked."""
        self.check_open(tx, export.recipient)
        now, told, route = self._clock(), export.manifest, self._routes(tx, export.recipient)
        columns = table.column_names
        lane = bodies.lane_of(route.way, told["form"], columns, route.target)
        one = Export(
            export.export, export.recipient, route.way, lane, told["form"], columns, told["consents"], route.target, sum(map(bool, people)),
            now, export.expires_at,
        )  # fmt: skip
        size = bodies.rows_per_part(one) if one.way == PUSH else max(1, len(people))
        with self._begin_vault() as vault_tx:
            parts = holdings.keep(
                vault_tx, self._keyring, recipient=one.recipient, export=one.export, persons=people, table=table, rows_per_part=size, now=now,
                random=self._random,
            )  # fmt: skip
        delivered.note(tx, one)
        parts = {PUSH: parts, DOWNLOAD: 0}.get(one.way, FOLDER_PARTS)
        register.queue(
            tx, recipient=one.recipient, batch=one.export, lane=lane, action=ADD, parts=parts, now=now, random=self._random,
            expires_at=one.expires_at,
        )  # fmt: skip

    def gone(self, tx: sa.Connection, export: str, people: Sequence[bytes]) -> None:
        """Whom the gate left out of a new revision: whoever was never in a file that somebody got will not be followed there."""
        if not self._gate.taken(tx, export):
            delivered.leave_out(tx, export, watch.consent_handles(self._keyring, [one for one in people if one]))

    def leaving(self, tx: sa.Connection, recipient: str) -> set[bytes]:
        """The consent handles of people who are being taken out at a recipient: the gate leaves them out."""
        return suppressions.open_people(tx, recipient)

    def check_open(self, tx: sa.Connection, recipient: str) -> None:
        """Raises Refused while removals are overdue at a recipient (S-10)."""
        if recipient in suppressions.overdue(tx, self._clock(), self.within):
            raise Refused("the recipient has not acknowledged a removal in time; nothing is added there", code="suppression_overdue")

    # ── on the way ───────────────────────────────────────────────────────────────────────────────────────────────────────────

    def due(self) -> list[str]:
        """Recipients with something to send."""
        with self._read() as tx:
            return register.waiting_recipients(tx, self._clock())

    def send(self, recipient: str, destination: Destination, *, sealed_for: str | None, way: str = "") -> str | None:
        """Sends the recipient's next part and returns how it stands; None when nothing is due. A crash in between leaves it to be sent again."""
        now = self._clock()
        with self._begin() as tx:
            open_ = recipient not in suppressions.overdue(tx, now, self.within)
            one = register.claim(tx, recipient, now=now, additions=open_)
            if one is None:
                return None
            export = self._export(tx, one)
        if way and way != export.way:
            return self._ended(one, Sent(register.AGAIN, "destination_changed", reached=False))
        if (looked := destination.look(one.key, bodies.name_of(one, export))) is not None:
            return self._ended(one, looked)
        with self._begin() as tx:
            facts = {"delivery": one.id, "recipient": recipient, "part": one.part, "attempt": one.attempt}
            self._log(tx, LogKind.EXPORT, f"delivery.{one.action}", actor=ACTOR, facts=facts)
        try:
            parcel, count = self._assembled(one, export, sealed_for)
        except PiyingError as error:
            return self._ended(one, Sent(register.REFUSED, error.code, reached=False))
        if not count:
            return self._ended(one, Sent(register.TAKEN, "empty", reached=False))
        with self._begin() as tx:
            register.assembled(tx, one, rows=count, sha256=hashlib.sha256(parcel.body).hexdigest())
        return self._ended(one, destination.send(parcel))

    def _ended(self, one: Delivery, sent: Sent) -> str:
        with self._begin() as tx:
            if not sent.reached:
                register.not_reached(tx, one)
            state = register.ended(tx, one, sent, now=self._clock(), jitter=self._random(1)[0])
            if state in (register.ACKNOWLEDGED, register.DEAD):
                facts = {"delivery": one.id, "recipient": one.recipient, "state": state} | ({"code": sent.code[:40]} if sent.code else {})
                self._log(tx, LogKind.EXPORT, "delivery.ended", actor=ACTOR, facts=facts)
        if state == register.ACKNOWLEDGED and one.action == REMOVE:
            self.settle()
        return state

    def _export(self, tx: sa.Connection, one: Delivery) -> Export:
        """The export that a part is of, or one of those that a removal's list consists of."""
        mine = delivered.every(tx, one.recipient)
        return mine[one.batch] if one.action == ADD else next(item for item in mine.values() if item.lane == one.lane)

    def _assembled(self, one: Delivery, export: Export, sealed_for: str | None) -> tuple[Parcel, int]:
        sign = self._keyring.signer()
        if one.action == ADD and export.way != PUSH:
            sealed, pieces = self._gate.take(export.export, actor=ACTOR)
            return bodies.signed(one, export, b"".join(pieces), "application/octet-stream", sign=sign), sealed.rows
        held = self._leaving(one, export) if one.action == ADD else self._going(one, export)
        content = bodies.plain(export, [item.row for item in held], one.action)
        return bodies.parcel(one, export, content, sealed_for=sealed_for, people=len(held), sign=sign, random=self._random), len(held)

    def _leaving(self, one: Delivery, export: Export) -> list[Held]:
        """The rows of a part of those whom the gate lets go now and nobody takes out; and the control rows, which never go alone.

        Whoever stays behind at the first attempt is forgotten, before anything goes: the recipient will not be told of somebody it never had.
        """
        with self._read_vault() as tx:
            rows = holdings.of_part(tx, self._keyring, one.recipient, one.batch, one.part)
            merges = vault.merged_into(tx)
        marked = [row.handle for row in rows if not row.control]
        persons = holdings.people(self._keyring, one.recipient, marked)
        with self._read() as tx:
            may = self._gate.still(tx, export.export, persons)
            open_ = suppressions.open_people(tx, one.recipient)
        heads, known = dict(merges), families.families(merges)
        stays: set[bytes] = set()
        for mark, person in zip(marked, persons, strict=True):
            head = heads.get(person, person)
            everyone = watch.consent_handles(self._keyring, [head, *known.get(head, ())])
            if person in may and open_.isdisjoint(everyone):
                stays.add(mark)
        if one.first and len(stays) < len(marked):
            with self._begin_vault() as tx:
                holdings.forget(tx, one.recipient, [mark for mark in marked if mark not in stays], export=one.batch)
        return [row for row in rows if row.control or row.handle in stays] if stays else []

    def _going(self, one: Delivery, export: Export) -> list[Held]:
        """The rows of a part of a removal, as its manifest names them."""
        with self._read() as tx:
            people = watch.people_of(self._keyring, suppressions.in_delta(tx, one.batch))
            exports = removals.exports_of(tx, one.batch, one.lane)
        with self._read_vault() as tx:
            held = holdings.of_people(tx, self._keyring, one.recipient, holdings.marks(self._keyring, one.recipient, people), exports)
        pieces = removals.cut(held, export)
        return pieces[one.part] if one.part < len(pieces) else []

    # ── by hand ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def replay(self, *, actor: str, recipient: str | None = None, delivery: str | None = None) -> int:
        """Queues dead parts again under their old keys."""
        with self._begin() as tx:
            if delivery is not None:
                register.one(tx, delivery)
            count = register.replay(tx, recipient=recipient, delivery=delivery, now=self._clock())
            self._log(tx, LogKind.EXPORT, "delivery.replay", actor=actor, facts={"parts": count})
        return count

    def fetch(self, delivery: str, *, sealed_for: str | None, actor: str) -> Parcel:
        """A part of a removal for a recipient whom nothing is pushed to, sealed: somebody carries it there and notes the acknowledgement."""
        with self._begin() as tx:
            one, state = register.part(tx, delivery)
            export = self._export(tx, one)
            if one.action != REMOVE or bodies.in_clear(export):
                raise NotFound("this part is not fetched", code="delivery_unknown", field="delivery")
            if state == register.ACKNOWLEDGED:
                raise Conflict("the recipient has this part", code="delivery_step", field="delivery")
            self._log(tx, LogKind.EXPORT, "delivery.fetch", actor=actor, facts={"delivery": delivery})
            register.handed(tx, delivery, now=self._clock())
        return self._assembled(one, export, sealed_for)[0]

    def acknowledge(self, delivery: str, *, actor: str) -> dict[str, Any]:
        """Notes that the recipient said by another way that it has a part."""
        with self._begin() as tx:
            register.acknowledge(tx, delivery, now=self._clock())
            self._log(tx, LogKind.EXPORT, "delivery.acknowledge", actor=actor, facts={"delivery": delivery})
        self.settle()
        return self.one(delivery)

    # ── showing ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def one(self, delivery: str) -> dict[str, Any]:
        """One part; raises NotFound."""
        with self._read() as tx:
            return register.one(tx, delivery)

    def listing(
        self, *, recipient: str = "", state: str = "", action: str = "", batch: str = "", before: tuple[datetime, str] | None = None, limit: int = 200
    ) -> list[dict[str, Any]]:  # fmt: skip
        """Parts, newest first."""
        with self._read() as tx:
            return register.listing(tx, recipient=recipient, state=state, action=action, batch=batch, before=before, limit=limit)

    def removals(self, *, recipient: str = "", before: tuple[datetime, str] | None = None, limit: int = 200) -> list[dict[str, Any]]:
        """Removals with their signed manifests, newest first."""
        with self._read() as tx:
            return removals.listing(tx, recipient=recipient, before=before, limit=limit)

    def board(self) -> list[dict[str, Any]]:
        """For each recipient: parts by state, its pause, who waits to be taken out, how long acknowledgements took, whether it is blocked."""
        now = self._clock()
        with self._read() as tx:
            parts, paused = register.counts(tx), register.pauses_of(tx, now)
            removed, late = suppressions.board(tx, now), suppressions.overdue(tx, now, self.within)
            ways = {one.recipient: one.way for one in delivered.every(tx).values()}
        return [
            {
                "recipient": recipient, "way": ways.get(recipient, ""), "parts": parts.get(recipient, dict.fromkeys(register.STATES, 0)),
                "pause": paused.get(recipient), "removals": {**suppressions.NOTHING, **removed.get(recipient, {})},
                "overdue": late.get(recipient, 0), "blocked": recipient in late,
            }
            for recipient in sorted({*parts, *removed, *ways})
        ]  # fmt: skip


def told(tx: sa.Connection, handles: Sequence[bytes], purpose: str, since: datetime) -> int:
    """For `effects`: how many recipients were told since to let one person go."""
    return suppressions.of_person(tx, handles, since)[0]


def confirmed(tx: sa.Connection, handles: Sequence[bytes], purpose: str, since: datetime) -> int:
    """For `effects`: how many of them acknowledged."""
    return suppressions.of_person(tx, handles, since)[1]
