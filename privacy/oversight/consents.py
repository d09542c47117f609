"""The door to the consent log: what people decided, act by act, each with a signed receipt that anybody can check.

Promise: a reading is an entry before anything is read, a file of rows or a receipt handed out is an export in the log. People stand here
under an officer's reference: the same for the acts of one person, of no use anywhere else. A receipt carries neither that nor any identifier
but a commitment; what opens it is handed out with the person's own copy only, and no more once the person is erased.
It must never put a value about a person into the log, an address or an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from privacy.audit import checkpoint, merkle, reading
from privacy.audit import receipts as offline
from privacy.audit.log import LogEntry, head
from privacy.audit.payload import commitment as committed
from privacy.audit.payload import leaf_bytes
from privacy.audit.verify import is_signed, read_checkpoint
from privacy.consent import effects, listing, receipts, registry
from privacy.consent.listing import Act, Totals, Wanted
from privacy.consent.receipts import Controller
from privacy.errors import NotFound
from privacy.identity import merging, pseudonyms, receiptkeys, vault
from privacy.orm import from_micros, to_micros
from privacy.oversight import casebook
from privacy.oversight.door import Oversight
from privacy.vocabulary import ConsentState, LogKind

LIST, EXTRACT, RECEIPT, COPY, CHECK = "consent.list", "consent.extract", "consent.receipt", "consent.copy", "consent.verify"
METHODS = listing.METHODS
RECORDING = frozenset({"consent.record", "ingest.batch", "person.unmerge"})
"""What the log calls the acts of the program that write into the ledger."""
GOOD, BAD, OPEN = "good", "bad", "open"
"""How a check ends; open: there is nothing to compare with."""
ID = pseudonyms.PERSON_BYTES


class Line(NamedTuple):
    """An act with the number of its receipt and the reference of its person, None once the person is erased."""

    number: str
    subject: str | None
    act: Act


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt with what a page shows beside it. `opening` is there only where a copy for the person was asked for."""

    line: Line
    jws: str
    key: str
    key_version: int
    statement: Mapping[str, Any]
    notice: registry.Notice | None
    beside: Sequence[Line]
    after: Line | None
    opening: tuple[bytes, bytes] | None = field(default=None, repr=False)
    effects: Mapping[str, int] = field(default_factory=dict)
    """What a no has stopped since; empty for a yes."""
    in_force: int | None = None
    """Milliseconds from when a no came in until it held everywhere; None for a yes."""

    def file(self) -> str:
        """The receipt as it is downloaded."""
        return receipts.written(self.jws, self.notice, self.opening)


class Check(NamedTuple):
    """One thing that was looked at, how it ended, and the number that goes with it."""

    name: str
    state: str
    number: int | None = None


class ConsentLog(Oversight):
    """What officers see of consent. Each method opens its own transactions; readings are logged and committed first."""

    def __init__(self, *, controller: Controller, **oversight: Any) -> None:
        super().__init__(**oversight)
        self._controller = controller

    # ── the list ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def page(
        self, wanted: Wanted, *, actor: str, case: str | None = None, before: int | None = None, limit: int = 50
    ) -> tuple[list[Line], int | None, Totals]:
        """Acts that match, newest first, the next cursor, and how many match. `case` is one of the account's own."""
        wanted = self._logged(wanted, actor, case, limit, LogKind.READ, LIST)
        with self._read_platform() as tx:
            acts, after = listing.page(tx, wanted, before=before, limit=limit)
            told = listing.totals(tx, wanted)
        return self._lines(acts), after, told

    def hand_out(self, wanted: Wanted, *, actor: str, case: str | None = None, limit: int, form: str) -> Iterator[Line]:
        """The acts that match, newest first, at most `limit`: an export, which is logged as one before the first is read."""
        return self._handed_out(self._logged(wanted, actor, case, limit, LogKind.EXPORT, EXTRACT, form=form), limit)

    def _handed_out(self, wanted: Wanted, limit: int) -> Iterator[Line]:
        before: int | None = None
        while limit > 0:
            with self._read_platform() as tx:
                acts, before = listing.page(tx, wanted, before=before, limit=min(limit, listing.MAX_PAGE))
            yield from self._lines(acts)
            limit -= len(acts)
            if before is None:
                return

    def _logged(self, wanted: Wanted, actor: str, case: str | None, limit: int, kind: LogKind, action: str, **facts: str | None) -> Wanted:
        """Commits the entry of a reading; the filter with the handles of the case's person in it."""
        subject: bytes | None = None
        if case is not None:
            with self._read_platform() as tx:
                found = casebook.one(tx, case, actor, self._clock())
            subject = self._keyring.inverse_block_cipher(pseudonyms.CONSOLE_HANDLE, found.id)(found.subject)
            self._wards.check(subject, action, actor)
        named = [*wanted.named(), *([] if case is None else ["case"])]
        told = {"filters": named, "limit": limit, "case": case, "subject": None if subject is None else self._log_handle(subject)}
        with self._begin_platform() as tx:
            self._log(tx, kind, action, actor=actor, facts={**told, **facts})
        if subject is None:
            return wanted
        with self._read_vault() as tx:
            family = [member.id for member in merging.family_of(tx, subject)]
        return replace(wanted, handles=_blocks(self._keyring.block_cipher(pseudonyms.CONSENT_HANDLE)(b"".join(family))) if family else [])

    def _lines(self, acts: Sequence[Act]) -> list[Line]:
        """The acts with their numbers and references; of people whom the vault no longer knows there is none."""
        if not acts:
            return []
        numbers = pseudonyms.receipt_numbers([act.seq for act in acts], self._keyring.block_cipher(pseudonyms.RECEIPT_NUMBER))
        people = self._people(acts)
        references = pseudonyms.officer_references(people, self._keyring.block_cipher(pseudonyms.OFFICER_REFERENCE))
        with self._read_vault() as tx:
            known = vault.known(tx, _blocks(people))
        named = [reference if person in known else None for reference, person in zip(references, _blocks(people), strict=True)]
        return [Line(number, reference, act) for number, reference, act in zip(numbers, named, acts, strict=True)]

    def _people(self, acts: Sequence[Act]) -> bytes:
        return self._keyring.inverse_block_cipher(pseudonyms.CONSENT_HANDLE)(b"".join(act.handle for act in acts))

    # ── a receipt ────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def receipt(self, number: str, *, actor: str, handed_out: bool = False, opened: bool = False) -> Receipt:
        """One receipt: shown, or `handed_out` as a file; `opened`, the person's own copy, holds what opens its commitment."""
        act = self._act(number)
        facts = {"receipt": number, "subject": self._log_handle(self._people([act])), "opened": int(opened) if handed_out else None}
        kind, action = (LogKind.EXPORT, COPY) if handed_out else (LogKind.READ, RECEIPT)
        with self._begin_platform() as tx:
            self._log(tx, kind, action, actor=actor, facts=facts)
        with self._read_platform() as tx:
            beside, after = listing.beside(tx, act), listing.after(tx, act)
            document, notice = self._document(tx, act, number)
            since = from_micros(act.received_at)
            no = act.state != ConsentState.GRANTED
            done, soon = (effects.of(tx, [act.handle], act.purpose, since), _in_force(tx, act)) if no else ({}, None)
        lines = self._lines([act, *beside, *([] if after is None else [after])])
        if opened and lines[0].subject is None:
            raise NotFound("the person is erased: nothing opens this receipt any more", code="receipt_closed", field="receipt")
        jws = self._signed(act, document)
        return Receipt(
            line=lines[0],
            jws=jws,
            key=offline.header(jws)["kid"],
            key_version=receiptkeys.version_at(self._keyring, from_micros(act.received_at)),
            statement=document,
            notice=notice,
            beside=lines[1 : 1 + len(beside)],
            after=None if after is None else lines[-1],
            opening=self._opening(act, number) if opened else None,
            effects=done,
            in_force=soon,
        )

    def public_keys(self) -> dict[str, Any]:
        """The keys that verify receipts, of every version."""
        return receiptkeys.public_keys(self._keyring)

    def _act(self, number: str) -> Act:
        position = pseudonyms.receipt_position(number, self._keyring.inverse_block_cipher(pseudonyms.RECEIPT_NUMBER))
        found = None
        if position is not None:
            with self._read_platform() as tx:
                found = listing.act(tx, position)
        if found is None:
            raise NotFound("there is no receipt with this number", code="receipt_unknown", field="receipt")
        return found

    def _document(self, tx: sa.Connection, act: Act, number: str) -> tuple[dict[str, Any], registry.Notice | None]:
        purpose = registry.purposes(tx)[act.purpose]
        notice = next((one for one in registry.notices(tx) if one.id == act.notice), None)
        jurisdiction = self._controller.jurisdiction
        article = next((told for ground, told in registry.GROUNDS[jurisdiction].items() if ground == purpose.grounds.get(jurisdiction)), "")
        document = receipts.document(
            act, number=number, subject=receipts.commitment(*self._opening(act, number)), purpose=purpose, article=article, notice=notice,
            controller=self._controller, origin=self.origin,
        )  # fmt: skip
        return document, notice

    def _opening(self, act: Act, number: str) -> tuple[bytes, bytes]:
        """What opens a receipt's commitment: the person's reference for receipts, and a salt of this receipt's own."""
        reference = pseudonyms.handles(self._people([act]), self._keyring.block_cipher(pseudonyms.RECEIPT_SUBJECT))
        return reference, pseudonyms.macs(self._keyring.mac_key(pseudonyms.RECEIPT_SALT), [number.encode()])[0]

    def _signed(self, act: Act, document: Mapping[str, Any]) -> str:
        return receiptkeys.sign(self._keyring, receipts.canonical(document), from_micros(act.received_at))

    # ── its verification ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def verify_receipt(self, number: str, *, actor: str) -> list[Check]:
        """Looks again at everything that a receipt rests on: signature, notice, the acts of its log entry, the entry, the tree, its head."""
        act = self._act(number)
        facts = {"receipt": number, "subject": self._log_handle(self._people([act]))}
        with self._begin_platform() as tx:
            self._log(tx, LogKind.READ, CHECK, actor=actor, facts=facts)
        with self._read_platform() as tx:
            document, notice = self._document(tx, act, number)
            file = receipts.written(self._signed(act, document), notice)
            told = offline.verify(file, json.dumps(self.public_keys()))
            signature = Check("signature", GOOD if told["reason"] in ("", "notice_differs") else BAD)
            words = Check("notice", {"matches": GOOD, "none": OPEN}.get(told["notice"], BAD))
            return [signature, words, *self._chain(tx, act)]

    def _chain(self, tx: sa.Connection, act: Act) -> list[Check]:
        size, root = head(tx)
        if act.entry is None:
            return [Check("entry", OPEN), Check("acts", OPEN), Check("tree", OPEN), Check("checkpoint", OPEN)]
        if act.entry >= size:
            return [Check("entry", BAD, act.entry), Check("acts", OPEN), Check("tree", BAD, size), Check("checkpoint", OPEN)]
        with closing(reading.evidence(tx, from_seq=act.entry)) as entries:
            entry = next(entries)
        leaf = merkle.leaf_hash(leaf_bytes(entry["seq"], datetime.fromisoformat(entry["ts"]), entry["kind"], bytes.fromhex(entry["c"])))
        proof = reading.inclusion_proof(tx, act.entry, size)
        included = entry["seq"] == act.entry and merkle.verify_inclusion(leaf, act.entry, size, proof, root)
        return [
            Check("entry", _payload(entry), act.entry),
            Check("acts", self._sealed(tx, act, entry)),
            Check("tree", GOOD if included else BAD, size),
            self._head(tx, act.entry, size, root),
        ]

    def _sealed(self, tx: sa.Connection, act: Act, entry: Mapping[str, Any]) -> str:
        """Whether the stored acts are those whose digest the entry has; an entry of a source's batch counts its acts and has none."""
        if _payload(entry) != GOOD:
            return OPEN
        told = json.loads(entry["payload"])
        said = told["facts"].get("digest")
        if said is None:
            return OPEN if told["action"] in RECORDING else BAD
        return GOOD if said == listing.sealed(tx, act).hex() else BAD

    def _head(self, tx: sa.Connection, entry: int, size: int, root: bytes) -> Check:
        """Whether the newest signed head covers the entry and the tree grew out of it."""
        newest = checkpoint.latest(tx)
        if newest is None:
            return Check("checkpoint", OPEN)
        told, signed, signatures = read_checkpoint(newest[1])
        if told.size <= entry:
            return Check("checkpoint", OPEN, told.size)
        grown = told.size <= size and merkle.verify_consistency(
            told.size, size, reading.consistency_proof(tx, told.size, size), told.root, root
        )
        return Check("checkpoint", GOOD if grown and is_signed(signed, signatures, self.verifier_keys()) else BAD, told.size)


def verify_file(receipt: str, keys: str) -> dict[str, Any]:
    """Checks a receipt file, or a certificate of erasure, against a key set; needs neither a home nor a store."""
    return offline.verify_certificate(receipt, keys) if offline.is_certificate(receipt) else offline.verify(receipt, keys)


def _payload(entry: Mapping[str, Any]) -> str:
    """Whether an entry's payload is the one that it committed to; open where the payload was lawfully erased."""
    if entry["erased"] is not None:
        return OPEN
    if entry["salt"] is None or entry["payload"] is None:
        return BAD
    return GOOD if committed(bytes.fromhex(entry["salt"]), entry["payload"].encode()).hex() == entry["c"] else BAD


def _in_force(tx: sa.Connection, act: Act) -> int | None:
    """Milliseconds, at least one, from when an act came in to its entry, with which it was committed; None where no entry stands beside it."""
    at = None if act.entry is None else tx.execute(sa.select(LogEntry.at).where(LogEntry.seq == act.entry)).scalar()
    return None if at is None else max(-(-(to_micros(at) - act.received_at) // 1_000), 1)


def _blocks(joined: bytes) -> list[bytes]:
    return [joined[start : start + ID] for start in range(0, len(joined), ID)]
