"""The door to evidence: bundles of the log for outsiders, and what witnesses outside cosigned.

Promise: whom a bundle is about comes from a case of the one who asks, never from an identifier; that it is made is an entry before anything
is read, and stands in the log that it is a part of. People stand in it under the log's handle. Receipts of a subject go along closed: what
opens their commitments stays with the person's own copy. It must never put a value about a person into a bundle, the log or an error.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

import sqlalchemy as sa

from privacy.audit import bundle, checkpoint, cosignatures, reading
from privacy.audit.bundle import COMMITMENTS, HASHES, PERIOD, REQUEST, SUBJECT, WHOLE, Scope
from privacy.audit.checkpoint import Signer
from privacy.audit.log import head
from privacy.audit.verify import read_checkpoint
from privacy.audit.verify import verify_bundle as verify_file
from privacy.consent import listing, receipts, registry
from privacy.dp import ledger
from privacy.errors import Invalid, NotFound
from privacy.identity import pseudonyms
from privacy.oversight import statement
from privacy.oversight.consents import ConsentLog
from privacy.vocabulary import LogKind

__all__ = ["COMMITMENTS", "HASHES", "PERIOD", "REQUEST", "SUBJECT", "WHOLE", "Evidence", "Order", "verify_file"]

ORDER, BUNDLE, HANDED_OUT, COSIGNED, TRIED = "evidence.order", "log.bundle", "evidence.download", "log.cosigned", "evidence.verify"
RECEIPTS, POLICIES, BUDGET = "receipts", "policies", "budget"
CONTENTS = frozenset({RECEIPTS, POLICIES, BUDGET})
LANGUAGES = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Order:
    """A bundle that somebody wants. `scope.of` are log handles of people or the id of a request."""

    scope: Scope
    contents: frozenset[str] = frozenset()
    language: str = "en"
    size: int | None = None
    held: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            raise Invalid("a bundle speaks English or Chinese", code="evidence_language", field="language")
        if not self.contents <= CONTENTS:
            raise Invalid("a bundle holds receipts, policies or the budget beside the log", code="evidence_contents", field="contents")
        if self.scope.redaction not in (COMMITMENTS, HASHES):
            raise Invalid("what is not of the scope stands as commitments or hashes", code="evidence_redaction", field="redaction")
        if self.scope.since is not None and self.scope.until is not None and self.scope.since >= self.scope.until:
            raise Invalid("the period ends before it begins", code="bad_period", field="until")
        if (self.scope.of is None) != (self.scope.kind in (WHOLE, PERIOD)):
            raise Invalid("the scope names nobody", code="evidence_scope", field="scope")

    def facts(self) -> dict[str, Any]:
        """What the log says of it."""
        of = self.scope.of or ()
        told: dict[str, Any] = {"scope": self.scope.kind, "redaction": self.scope.redaction, "contents": sorted(self.contents)}
        told |= {"since": self.scope.since, "until": self.scope.until, "size": self.size, "language": self.language}
        if self.scope.kind == SUBJECT:
            return told | {"subjects": [bytes.fromhex(one) for one in of]}
        return told | ({"request": of[0]} if of else {})


class Evidence(ConsentLog):
    """Bundles and cosignatures. Each method opens its own transactions; what is made is logged and committed first."""

    def __init__(self, *, witnesses: Sequence[str] = (), **log: Any) -> None:
        super().__init__(**log)
        self._witnesses = tuple(witnesses)

    # ── bundles ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def subject(self, case_id: str, *, actor: str) -> tuple[str, ...]:
        """The log handles of a case's person and of whoever was merged into them."""
        return tuple(sorted(self._log_handle(one).hex() for one in self._of_case(case_id, actor)))

    def ordered(self, tx: sa.Connection, order: Order, *, actor: str, pack: str) -> int:
        """The entry that somebody asked for a pack; in the transaction that queues it."""
        return self._log(tx, LogKind.EXPORT, ORDER, actor=actor, facts=order.facts() | {"pack": pack})

    def handed_out(self, tx: sa.Connection, *, pack: str, number: int, actor: str) -> int:
        """The entry of one download."""
        return self._log(tx, LogKind.EXPORT, HANDED_OUT, actor=actor, facts={"pack": pack, "download": number})

    def make(self, out: IO[bytes], order: Order, *, actor: str, pack: str | None = None) -> dict[str, Any]:
        """Writes a bundle; its manifest. The entry comes first and is covered by a checkpoint of its own where the scope reaches until now."""
        with self._begin_platform() as tx:
            self._log(tx, LogKind.EXPORT, BUNDLE, actor=actor, facts=order.facts() | {"pack": pack})
        if order.size is None:
            self.checkpoint()
        with self._read_platform() as tx:
            made = bundle.plan(tx, order.scope, size=order.size, held=order.held)
            more = {"statement.txt": statement.text(order.scope.kind, order.language).encode()}
            more |= dict(self._more(tx, order, made.size, checkpoint.made_at(tx, made.size)))
            return bundle.write(tx, out, made, self._signers(), more=more, language=order.language)

    def tried(self, verdict: Mapping[str, Any], *, actor: str) -> None:
        """The entry that somebody had a pack verified here."""
        with self._begin_platform() as tx:
            self._log(tx, LogKind.READ, TRIED, actor=actor, result="ok" if verdict["ok"] else "bad", facts={"size": verdict["size"]})

    def _signers(self) -> list[Signer]:
        versions = self._keyring.versions("signing")
        return [Signer(self.origin, self._keyring.signer(one), self._keyring.public_key(one)) for one in versions]

    def _more(self, tx: sa.Connection, order: Order, size: int, at: datetime) -> Iterator[tuple[str, bytes]]:
        """What goes along, as far as it was there when the checkpoint was made."""
        if RECEIPTS in order.contents and order.scope.kind == SUBJECT:
            yield from self._receipts(tx, order.scope.of or (), size)
            yield "receipts/jwks.json", _text(self.public_keys())
        if POLICIES in order.contents:
            yield "policies.json", _text(_policies(tx, at))
        if BUDGET in order.contents and order.scope.kind in (WHOLE, PERIOD):
            yield "budget.json", _text(_budget(tx, order.scope, at))

    def _receipts(self, tx: sa.Connection, of: Collection[str], size: int) -> Iterator[tuple[str, bytes]]:
        people = self._keyring.inverse_block_cipher(pseudonyms.LOG_HANDLE)(b"".join(bytes.fromhex(one) for one in sorted(of)))
        handles = self._keyring.block_cipher(pseudonyms.CONSENT_HANDLE)(people)
        wanted = listing.Wanted(
            handles=[handles[at : at + pseudonyms.PERSON_BYTES] for at in range(0, len(handles), pseudonyms.PERSON_BYTES)]
        )
        before: int | None = None
        while True:
            acts, before = listing.page(tx, wanted, before=before, limit=listing.MAX_PAGE)
            for line in self._lines([act for act in acts if act.entry is not None and act.entry < size]):
                document, notice = self._document(tx, line.act, line.number)
                yield f"receipts/{line.number}.json", receipts.written(self._signed(line.act, document), notice).encode()
            if before is None:
                return

    # ── checkpoints and witnesses ────────────────────────────────────────────────────────────────────────────────────────────

    def growth(self, old: int) -> dict[str, Any]:
        """{"size", "note", "request"}: the newest checkpoint, and the request by which a witness that saw `old` entries is asked to cosign it."""
        with self._read_platform() as tx:
            newest = checkpoint.latest(tx)
            if newest is None:
                raise NotFound("the log has no checkpoint yet", code="checkpoint_unknown")
            size = read_checkpoint(newest[1])[0].size
            if not 0 <= old <= size:
                raise Invalid("the log was never that long", code="log_size_unknown", field="old")
            proof = reading.consistency_proof(tx, old, size) if 0 < old < size else []
        lines = [f"old {old}", *(base64.b64encode(one).decode() for one in proof), "", newest[1]]
        return {"size": size, "note": newest[1], "request": "\n".join(lines)}

    def take_in(self, note: str, *, actor: str) -> dict[str, Any]:
        """{"size", "witnesses", "new"}: keeps what witnesses that are known here cosigned; the same again is no error and no entry."""
        with self._begin_platform() as tx:
            found = cosignatures.read(tx, note, self._witnesses)
            fresh = cosignatures.missing(tx, found)
            if fresh:
                facts = {"size": found[0].size, "at": max(one.at for one in fresh), "witnesses": len(fresh)}
                cosignatures.keep(tx, fresh, self._log(tx, LogKind.SYSTEM, COSIGNED, actor=actor, facts=facts))
        return {"size": found[0].size, "witnesses": [one.witness for one in found], "new": len(fresh)}

    def anchors(self) -> list[dict[str, Any]]:
        """[{"witness", "size", "at"}]: up to where each witness cosigned."""
        with self._read_platform() as tx:
            return [{"witness": one.witness, "size": one.size, "at": one.at} for one in cosignatures.newest(tx)]

    def length(self) -> int:
        """How many entries there are."""
        with self._read_platform() as tx:
            return head(tx).size


def _policies(tx: sa.Connection, at: datetime) -> dict[str, Any]:
    """Purposes with their grounds and notices with their words, as far as they were there."""
    rows: Any = registry.PurposeRow.__table__
    there = set(tx.scalars(sa.select(rows.c.key).where(rows.c.created_at <= at)))
    purposes = [one for one in registry.purposes(tx).values() if one.key in there]
    notices = [one for one in registry.notices(tx) if one.published_at <= at]
    return {
        "purposes": {one.key: {"grounds": dict(one.grounds), "separate": one.separate, "names": dict(one.name)} for one in purposes},
        "notices": {one.id: {"version": one.version, "texts": dict(one.texts), "purposes": list(one.purposes)} for one in notices},
    }


def _budget(tx: sa.Connection, scope: Scope, at: datetime) -> list[dict[str, Any]]:
    """What releases of the period took from which month."""
    rows: Any = ledger.Charge.__table__
    query = sa.select(rows).where(rows.c.charged_at <= at).order_by(rows.c.seq)
    if scope.since is not None:
        query = query.where(rows.c.charged_at >= scope.since)
    if scope.until is not None:
        query = query.where(rows.c.charged_at < scope.until)
    names = ("seq", "release_id", "month", "rho_nano", "delta_units")
    return [{name: getattr(row, name) for name in names} | {"charged_at": row.charged_at.isoformat()} for row in tx.execute(query)]


def _text(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"
