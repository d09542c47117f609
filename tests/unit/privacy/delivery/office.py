"""A deployment's part that the tests of deliveries need: people, their consents, recipients that answer as told, a clock that is moved by hand."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from app.stores import Stores
from privacy.carriage import Parcel, Sent
from privacy.consent import flags, ledger, registry  # noqa: F401 (flags: its table)
from privacy.consent.ledger import ConsentAct
from privacy.delivery import watch
from privacy.delivery.delivered import PUSH, Route
from privacy.delivery.desk import Deliveries
from privacy.errors import NotFound
from privacy.identity import keystate, pseudonyms, vault
from privacy.identity.forms import book
from privacy.identity.forms.shape import fill
from privacy.identity.keys import Keyring
from privacy.orm import to_micros
from privacy.records import SealedExport
from tests.fakes.log import RecordingLog
from tests.unit.privacy.identity.people import NOW, admit

PURPOSES = ("marketing.profiling", "share.dsp")
DSP, OTHER = "rcp_dsp", "rcp_other"


@dataclass
class Recipient:
    """A destination that keeps what it got and answers in turn; the last answer stays."""

    answers: list[Sent] = field(default_factory=lambda: [Sent("acknowledged", "http_200")])
    got: list[Parcel] = field(default_factory=list)
    looks: list[Sent | None] = field(default_factory=list)

    def look(self, key: str, name: str) -> Sent | None:
        return self.looks.pop(0) if self.looks else None

    def send(self, parcel: Parcel) -> Sent:
        self.got.append(parcel)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@dataclass
class Door:
    """The gate, as far as deliveries ask it: consents and the vault decide; files are what was queued."""

    office: Office
    released: dict[str, SealedExport] = field(default_factory=dict)
    got: set[str] = field(default_factory=set)
    back: set[str] = field(default_factory=set)
    minors: set[bytes] = field(default_factory=set)
    closed: NotFound | None = None

    def still(self, tx: sa.Connection, export: str, people: Sequence[bytes]) -> set[bytes]:
        if self.closed is not None:
            raise self.closed
        ring = self.office.keyring
        with self.office.stores.read_vault() as vault_tx:
            known, merges = vault.known(vault_tx, people), vault.merged_into(vault_tx)
        every = watch.with_families(people, merges)
        out = watch.not_allowing(tx, ring, {one: every[one] for one in people}, PURPOSES, self.office.now)
        return {one for one in people if one in known and one not in out and one not in self.minors}

    def taken(self, tx: sa.Connection, export: str) -> bool:
        return export in self.got

    def revoked(self, tx: sa.Connection, exports: Collection[str]) -> set[str]:
        return self.back & set(exports)

    def take(self, id_: str, *, actor: str) -> tuple[SealedExport, Iterator[bytes]]:
        if id_ in self.back:
            raise NotFound("gone", code="export_gone")
        self.got.add(id_)
        return self.released[id_], iter([b"sealed ", id_.encode()])


@dataclass
class Office:
    """The door with a clock of its own."""

    stores: Stores
    keyring: Keyring
    log: RecordingLog = field(default_factory=RecordingLog)
    now: datetime = NOW
    key: str | None = None
    route: Route = field(default_factory=lambda: Route(PUSH, {"audience": "a1"}))

    def __post_init__(self) -> None:
        with self.stores.begin_vault() as tx:
            keystate.register(tx, self.keyring, now=NOW - timedelta(days=30))
        with self.stores.begin_platform() as tx:
            registry.seed(tx, NOW - timedelta(days=30))
            ground = {"CN": "separate_consent", "EU": "separate_consent"}
            shared = registry.Purpose("share.dsp", ground, separate=True, name={"en": "Sharing with DSP", "zh": "向平台提供"})
            registry.add_purpose(tx, shared, NOW - timedelta(days=30))
        self.gate = Door(self)
        self.door = Deliveries(
            begin_vault=self.stores.begin_vault,
            read_vault=self.stores.read_vault,
            begin_platform=self.stores.begin_platform,
            read_platform=self.stores.read_platform,
            keyring=self.keyring,
            log=self.log,
            clock=lambda: self.now,
            random=os.urandom,
            gate=lambda: self.gate,
            routes=lambda tx, recipient: self.route,
        )

    def later(self, **passed: float) -> None:
        self.now += timedelta(**passed)

    def people(self, *phones: str) -> list[bytes]:
        """People in the vault who allow everything."""
        found = [
            person for person in admit(self.stores, self.keyring, now=NOW - timedelta(days=2), phone=list(phones)) if person is not None
        ]
        for person in found:
            for purpose in PURPOSES:
                self.say(person, purpose, "granted", at=NOW - timedelta(days=1))
        return found

    def handle(self, person: bytes) -> bytes:
        return pseudonyms.handles(person, self.keyring.block_cipher(pseudonyms.CONSENT_HANDLE))

    def say(self, person: bytes, purpose: str, state: str, *, at: datetime | None = None) -> None:
        moment = to_micros(at or self.now)
        with self.stores.begin_platform() as tx:
            ledger.append(tx, [ConsentAct(self.handle(person), purpose, state, "explicit", moment, moment)])

    def export(
        self,
        name: str,
        persons: Sequence[bytes],
        phones: Sequence[str],
        *,
        recipient: str = DSP,
        family: str = "meta",
        expires_at: datetime | None = None,
    ) -> list[str]:
        """An export of telephones, handed over as the gate does it; the parts that it makes."""
        filled = fill(book.form(family), {"phone": pa.array(list(phones), pa.string())})
        ordered = [persons[place] for place in filled.rows.to_pylist()]
        self.hand(name, family, ordered, filled.table.to_pylist(), recipient=recipient, until=expires_at)
        return [str(one["id"]) for one in self.door.listing(batch=name)]

    def hand(
        self,
        name: str,
        family: str,
        persons: Sequence[bytes],
        rows: Sequence[dict[str, Any]],
        *,
        recipient: str = DSP,
        until: datetime | None = None,
        tx: sa.Connection | None = None,
    ) -> None:
        """Rows in a recipient's form, handed over in a transaction of the gate's."""
        facts = {"form": family, "consents": list(PURPOSES)}
        sealed = SealedExport(name, 1, recipient, name, bytes(32), 0, len(rows), facts, "", until or self.now + timedelta(days=30))
        self.gate.released[name] = sealed
        if tx is not None:
            return self.door.queue(tx, sealed, persons, pa.Table.from_pylist(list(rows)))
        with self.stores.begin_platform() as own:
            return self.door.queue(own, sealed, persons, pa.Table.from_pylist(list(rows)))

    def round(self, recipient: Recipient, to: str = DSP) -> list[str]:
        """What the schedule does: look, make removals, send what is due."""
        self.door.call_back()
        self.door.notice()
        self.door.leave_out()
        self.door.prepare()
        states = []
        while (state := self.door.send(to, recipient, sealed_for=self.key)) is not None:
            states.append(state)
        self.door.alarm()
        return states

    def actions(self) -> list[str]:
        return [entry.action for entry in self.log.entries]
