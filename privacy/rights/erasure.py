"""The door of erasure: opens the rooms in which something of a person stands, in the order in which it has to go.

Promise: what lets a person in is closed first, then their key is destroyed, then everything else; each call commits its own and may be
repeated; what is looked for afterwards is looked for in the stores, not in what was meant. Evidence of consent stays, under a handle that
leads to nobody any more (law_rules L-12). Identifiers live in memory and on the vault's sealed slip, until the certificate.
It must never learn what a person bought or read: names of months go to the lake, counts come back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from privacy.accountability import transfers
from privacy.audit.log import AuditLog, LogPayload, head
from privacy.consent import flags, gate, ledger, objections, registry, stopped
from privacy.consent.ledger import ConsentAct
from privacy.errors import Conflict, Invalid, NotFound, Refused
from privacy.identity import erased, keystate, pseudonyms, receiptkeys
from privacy.identity.erased import Slip
from privacy.identity.keys import Keyring
from privacy.identity.normalise import normalise
from privacy.orm import Begin, to_micros
from privacy.records import Clock, Gone, RandomBytes
from privacy.rights import certificates, erasures, names, packages, register
from privacy.rights.erasures import Erasure
from privacy.vocabulary import ANALYTIC_PURPOSES, ConsentKind, ConsentState, IdentifierType, LogKind

ACTOR = "erasure"
PROOFS = ("in_person", "contract", "code_answered", "document")
"""What can prove that somebody who was erased begins a new relationship."""
EVIDENCE = {"erased": "yes"}
"""Beside the withdrawals that an erasure records: they are nobody's own words."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody who is being erased, in memory; nothing of it is ever shown."""

    erasure: str
    slip: Slip = field(repr=False)
    consents: tuple[bytes, ...] = field(repr=False)
    logged: tuple[bytes, ...] = field(repr=False)

    @property
    def people(self) -> tuple[bytes, ...]:
        return self.slip.people

    @property
    def identifiers(self) -> list[tuple[str, str]]:
        return [(str(kind), value) for kind, value in self.slip.identifiers]


class Erasures:
    """The door. Transactions are handed in; each call commits its own."""

    def __init__(
        self,
        *,
        begin_vault: Begin,
        read_vault: Begin,
        begin_intake: Begin,
        begin_console: Begin,
        begin_jobs: Begin,
        read_platform: Begin,
        keyring: Keyring,
        log: AuditLog,
        clock: Clock,
        random: RandomBytes,
    ) -> None:
        self._begin_vault, self._read_vault = begin_vault, read_vault
        self._begin_intake, self._begin_console, self._begin_jobs = begin_intake, begin_console, begin_jobs
        self._read_platform = read_platform
        self._keyring, self._log, self._clock, self._random = keyring, log, clock, random

    # ── who ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def meet(self, handle: str, *, actor: str) -> Subject:
        """The person of a console handle, for a dry run; the look is logged before anything is opened."""
        person = self._person(handle)
        (logged,) = self._permuted(pseudonyms.LOG_HANDLE, [person])
        with self._begin_console() as tx:
            self._log(tx, LogKind.READ, "erasure.plan", actor=actor, facts={"subject": logged})
        return self._subject("", self._gathered(person))

    def begin(self, handle: str, *, actor: str, approved_by: str, request: str | None, also: Any = None) -> str:
        """Writes an erasure down and gives its id; `also(tx, id)` runs in the transaction that does. One request has one erasure."""
        if not approved_by or approved_by == actor:
            raise Refused("an erasure needs a second person", code="second_person_needed")
        with self._read_platform() as tx:
            known = None if request is None else erasures.by_request(tx, request)
        if known is not None:
            return known
        slip, erasure, now = self._gathered(self._person(handle)), erasures.new_id(self._random), self._clock()
        with self._begin_vault() as tx:
            erased.write_slip(tx, self._keyring, erasure, slip, now=now, random=self._random)
        with self._begin_console() as tx:
            if request is not None and (known := erasures.by_request(tx, request)) is not None:
                return known  # somebody was quicker; the slip is torn by the sweep
            facts = {"erasure": erasure, "approver": approved_by, "people": len(slip.people), "identifiers": len(slip.identifiers)}
            self._log(tx, LogKind.ERASURE, "erasure.begin", actor=actor, facts=facts)
            erasures.begin(tx, erasure, request=request, by=actor, approved_by=approved_by, now=now)
            if also is not None:
                also(tx, erasure)
        return erasure

    def begin_again(self, gone: Gone) -> None:
        """An old copy has to be cleared of somebody whom this machine remembers as erased: their marks first, then every step anew."""
        now = self._clock()
        with self._begin_vault() as tx:
            erased.mark(tx, gone)
            slip = erased.gather(tx, self._keyring, erased.persons(self._keyring, gone.people))
            erased.write_slip(tx, self._keyring, gone.erasure, replace(slip, whole=False), now=now, random=self._random)
        with self._begin_jobs() as tx:
            self._log(tx, LogKind.ERASURE, "erasure.replay", actor=ACTOR, facts={"erasure": gone.erasure})
            erasures.begin(tx, gone.erasure, request=None, by=ACTOR, approved_by=ACTOR, now=now, replay=True)

    def lift_again(self, digests: Sequence[bytes], at: datetime) -> None:
        """An old copy is told that a new relationship began."""
        with self._begin_vault() as tx:
            erased.lift_marks(tx, digests, at)

    # ── how far ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def one(self, erasure: str) -> Erasure:
        """An erasure as it stands; raises NotFound."""
        with self._read_platform() as tx:
            return erasures.one(tx, erasure)

    def running(self, before: str = "") -> list[Erasure]:
        """Those that are not over; with `before` only those that have that step before them."""
        with self._read_platform() as tx:
            return [one for one in erasures.running(tx) if before not in one.steps]

    def page(self, *, before: tuple[datetime, str] | None = None, limit: int = erasures.PAGE) -> list[Erasure]:
        """All of them, newest first."""
        with self._read_platform() as tx:
            return erasures.listing(tx, before=before, limit=limit)

    def note(self, step: str, done: Sequence[Erasure], counts: Sequence[Mapping[str, int]]) -> None:
        """Notes a step of some, with its entries."""
        with self._begin_jobs() as tx:
            for one, told in zip(done, counts, strict=True):
                facts = {"erasure": one.id, "step": step, "found": {name: number for name, number in told.items() if number}}
                self._log(tx, LogKind.ERASURE, "erasure.step", actor=ACTOR, facts=facts)
                erasures.note(tx, one.id, step, told, self._clock())

    def fail(self, those: Sequence[Erasure], code: str) -> None:
        """Notes why some do not go on."""
        with self._begin_jobs() as tx:
            for one in those:
                erasures.fail(tx, one.id, code)

    def subjects(self, running: Sequence[Erasure]) -> list[Subject]:
        """The people of erasures that run; raises Conflict where a slip died before its erasure was over."""
        found = []
        with self._read_vault() as tx:
            for one in running:
                slip = erased.read_slip(tx, self._keyring, one.id)
                if slip is None:
                    raise Conflict("the erasure's slip is gone: it has to be asked for again", code="erasure_slip_gone")
                found.append(self._subject(one.id, slip))
        return found

    def _gathered(self, person: bytes) -> Slip:
        with self._read_vault() as tx:
            slip = erased.gather(tx, self._keyring, [person])
        if not slip.numbers:
            raise NotFound("no such person", code="person_unknown", field="handle")
        return slip

    def _subject(self, erasure: str, slip: Slip) -> Subject:
        logged = self._permuted(pseudonyms.LOG_HANDLE, slip.people)
        return Subject(erasure, slip, tuple(self._permuted(pseudonyms.CONSENT_HANDLE, slip.people)), tuple(logged))

    def _permuted(self, label: str, people: Sequence[bytes]) -> list[bytes]:
        made = pseudonyms.handles(b"".join(people), self._keyring.block_cipher(label)) if people else b""
        return [made[start : start + 16] for start in range(0, len(made), 16)]

    def _person(self, handle: str) -> bytes:
        try:
            raw = bytes.fromhex(handle)
        except ValueError:
            raw = b""
        if len(raw) != pseudonyms.PERSON_BYTES:
            raise NotFound("no such person", code="person_unknown", field="handle")
        return self._keyring.inverse_block_cipher(pseudonyms.CONSOLE_HANDLE)(raw)

    # ── erasing ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def close(self, subject: Subject, *, again: bool = False) -> dict[str, int]:
        """Records that nothing is allowed any more. With `again` once more, whatever stands: a batch that was decided before is decided anew."""
        now = to_micros(self._clock())
        with self._begin_intake() as tx:
            known = registry.purposes(tx)
            lines = ledger.timelines(tx, subject.consents, known)
            open_ = [
                (handle, purpose)
                for handle in subject.consents
                for purpose in known
                if (again and purpose in ANALYTIC_PURPOSES) or self._allowed(lines.get(handle, {}).get(purpose), now)
            ]
            if not open_:
                return {"withdrawn": 0}
            facts = {"erasure": subject.erasure, "withdrawn": len(open_)}
            entry = self._log(tx, LogKind.CONSENT, "erasure.close", actor=ACTOR, facts=facts)
            withdrawn, explicit = ConsentState.WITHDRAWN.value, ConsentKind.EXPLICIT.value
            acts = [
                ConsentAct(handle, purpose, withdrawn, explicit, now, now, evidence=EVIDENCE, by=subject.erasure)
                for handle, purpose in open_
            ]
            ledger.append(tx, acts, entry=entry)
        return {"withdrawn": len(open_)}

    @staticmethod
    def _allowed(line: Any, now: int) -> bool:
        return line is not None and gate.decide(line, now, now).allowed

    def shred(self, erasure: str) -> dict[str, int]:
        """Destroys the person's keys and marks their identifiers, the entry first."""
        with self._begin_jobs() as tx:
            self._log(tx, LogKind.KEY, "erasure.shred", actor=ACTOR, facts={"erasure": erasure})
        with self._begin_vault() as tx:
            return erased.shred(tx, self._keyring, erasure, now=self._clock(), random=self._random)

    def remove(self, subject: Subject) -> dict[str, int]:
        """Takes the person's rows out of the vault."""
        with self._begin_vault() as tx:
            return erased.remove(tx, subject.slip)

    def forget(self, subject: Subject) -> dict[str, int]:
        """Takes out of the platform store what is not evidence: counts of what a no kept out, flags, marks of transfers abroad."""
        with self._begin_intake() as tx:
            counts = {"stopped": stopped.forget(tx, subject.consents), "flags": flags.forget(tx, subject.consents)}
            counts["tags"] = objections.forget(tx, subject.consents)
        with self._begin_jobs() as tx:
            return counts | {"abroad": transfers.forget(tx, self._permuted(pseudonyms.ABROAD, subject.people))}

    def requests(self, subject: Subject) -> list[str]:
        """The numbers of the person's requests, whose packages hold copies of everything."""
        handles = self._permuted(pseudonyms.REQUEST_HANDLE, subject.people)
        with self._read_platform() as tx:
            return [one.number for one in register.of_subjects(tx, handles)]

    def packages(self, subject: Subject) -> int:
        """How many packages for the person are still there."""
        numbers = self.requests(subject)
        with self._read_platform() as tx:
            return sum(one.destroyed_at is None for number in numbers for one in packages.of(tx, number))

    def blank(self, subject: Subject) -> dict[str, int]:
        """Erases the payloads of the log's entries about the person; who acted, when and of what kind stays, and so does every proof."""
        with self._begin_console() as tx:
            found = tx.execute(sa.select(LogPayload.seq).where(LogPayload.subject.in_([one.hex() for one in subject.logged]))).scalars()
            return {"payloads": self._log.erase(tx, list(found), actor=ACTOR)}

    def names(self, subjects: Sequence[Subject], months: Sequence[int]) -> pa.Table:
        """What the lake calls these people in these months: `month`, `virtual_id`, and `number`, which says whose place in the list it is."""
        return names.of(self._keyring, [one.people for one in subjects], months)

    # ── looking again ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def left(self, subject: Subject) -> dict[str, int]:
        """What vault, consent, counts, flags and log still hold of the person, and how many marks are missing."""
        now = to_micros(self._clock())
        with self._read_vault() as tx:
            keystate.sync(tx, self._keyring)
            vault_rows = erased.left(tx, self._keyring, subject.slip)
            found = {"keys": vault_rows.pop("data_key"), "vault": sum(vault_rows.values())}
            found["marks"] = erased.unmarked(tx, self._keyring, subject.slip)
        with self._read_platform() as tx:
            lines = ledger.timelines(tx, subject.consents, registry.purposes(tx))
            found["consent"] = sum(self._allowed(line, now) for said in lines.values() for line in said.values())
            found["stopped"] = stopped.held(tx, subject.consents)
            found["flags"] = flags.held(tx, subject.consents) + len(objections.of(tx, subject.consents))
            found["abroad"] = len(transfers.years_of(tx, self._permuted(pseudonyms.ABROAD, subject.people)))
            logged = LogPayload.subject.in_([one.hex() for one in subject.logged])
            found["log"] = int(tx.execute(sa.select(sa.func.count()).select_from(LogPayload).where(logged)).scalar_one())
        return found

    def kept(self, subject: Subject, *, data_key_days: int) -> list[dict[str, Any]]:
        """What stays of the person, why, by which law and until when."""
        with self._read_platform() as tx:
            acts = sum(len(ledger.history(tx, handle)) for handle in subject.consents)
        marks, now = len(subject.identifiers), self._clock()
        return certificates.kept(evidence=acts, marks=marks, data_key_days=data_key_days, now=now)

    def certify(self, erasure: Erasure, subject: Subject, facts: Mapping[str, Any], controller: Mapping[str, str]) -> str:
        """Signs what was seen, ends the erasure and destroys its slip; raises Conflict where something was left."""
        remains = sorted(one["store"] for one in facts["stores"] if one["left"])
        if remains:
            with self._begin_jobs() as tx:
                erasures.fail(tx, erasure.id, "erasure_incomplete")
                self._log(tx, LogKind.ERASURE, "erasure.incomplete", actor=ACTOR, facts={"erasure": erasure.id, "stores": remains})
            raise Conflict(f"something of the person was found again: {', '.join(remains)}", code="erasure_incomplete")
        now = self._clock()
        with self._begin_jobs() as tx:
            entry = self._log(
                tx, LogKind.ERASURE, "erasure.certify", actor=ACTOR, facts={"erasure": erasure.id, "stores": len(facts["stores"])}
            )
            size, root = head(tx)
            log = {"entry": entry, "size": size, "root": root.hex()}
            statement = certificates.statement(erasure, facts, controller=controller, log=log, now=now)
            jws = receiptkeys.sign(self._keyring, certificates.canonical(statement), now, type_=certificates.TYPE)
            erasures.finish(tx, erasure.id, jws, now)
        self.tear(erasure.id)
        return jws

    def tear(self, erasure: str) -> None:
        """Destroys the slip of an erasure that is over."""
        with self._begin_vault() as tx:
            erased.tear_slip(tx, erasure)

    # ── remembering, beginning again ─────────────────────────────────────────────────────────────────────────────────────────

    def everyone(self) -> list[Gone]:
        """Every erasure that the vault knows, as permuted ids and digests."""
        with self._read_vault() as tx:
            return erased.everyone(tx)

    def everywhere(self) -> set[str]:
        """The erasures that both stores know."""
        in_vault = {gone.erasure for gone in self.everyone()}
        with self._read_platform() as tx:
            return in_vault & erasures.ids(tx)

    def sweep(self, running: Sequence[str]) -> int:
        """Tears slips that no erasure runs on."""
        with self._begin_vault() as tx:
            return erased.sweep_slips(tx, running)

    def welcome(self, type_: str, value: str, *, proof: str, actor: str, namespace: str = "") -> list[bytes]:
        """Lets an identifier of somebody erased in again, because they proved that a new relationship began; nothing from before counts."""
        if proof not in PROOFS:
            raise Invalid(f"a new relationship is proved by one of {', '.join(PROOFS)}", code="proof_unknown", field="proof")
        kind = next((one for one in IdentifierType if one == type_), None)
        if kind is None:
            raise Invalid("this is no type of identifier", code="bad_identifier", field="type")
        column, _ = normalise(kind, pa.array([value], pa.string()), namespace=namespace)
        normal = column[0].as_py()
        if normal is None:
            raise Invalid("this is no identifier of its type", code="bad_identifier", field="value")
        with self._begin_console() as tx:
            self._log(tx, LogKind.RIGHTS, "erasure.welcome", actor=actor, facts={"identifier_type": str(kind), "proof": proof})
        with self._begin_vault() as tx:
            return erased.lift(tx, self._keyring, [(kind, normal)], now=self._clock())
