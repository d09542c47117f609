"""A person's own copy, as far as the two stores go: identifiers with why they are theirs, acts of consent with signed receipts that open,
agreements, flags, requests, who of the staff looked, what was turned away.

Promise: it covers what `stores` says it covers; the entry of a copy is committed before anything is read. Merges younger than thirty days that
no server source confirmed are left out (law_rules E-1). Members of staff stand in it by their role, not by name. Values are masked, or in
clear where that was decided. Must never put a value into the log or an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from privacy.accountability import transfers
from privacy.audit import reading
from privacy.audit.reading import Filter
from privacy.consent import agreements, flags, gate, ledger, listing, objections, receipts, registry, stopped
from privacy.consent.listing import Act
from privacy.consent.receipts import Controller
from privacy.deidentify import masking
from privacy.identity import merging, pseudonyms, reasons, receiptkeys, vault
from privacy.identity.proposals import Proposal
from privacy.identity.resolution import births
from privacy.orm import from_micros, to_micros
from privacy.rights import packages, register, stores
from privacy.rights.desk import Desk
from privacy.rights.lapse import LapseRow
from privacy.rights.packages import Package
from privacy.rights.register import Request
from privacy.vocabulary import ANALYTIC_PURPOSES, PROFILING, STATISTICS, Flag, LinkRule, LogKind, Reason

_LAPSE: Any = LapseRow.__table__
YOUNG_MERGE = timedelta(days=30)
"""A merge that only weak identifiers bear out waits this long before its rows go out to the person (law_rules E-1)."""
PACKAGE_TYPE = "access-package+jws"
_AGES = {STATISTICS: 14, PROFILING: 18}
"""Below which age nobody is in a purpose (PIPL 31, law_rules L-1)."""
Rows = list[dict[str, Any]]


Given = Callable[[sa.Connection, Sequence[bytes]], Rows]
"""To whom a person was given, by their consent handles: other doors know it (PIPL 44, GDPR 15(1)(c))."""


def nobody(tx: sa.Connection, handles: Sequence[bytes]) -> Rows:
    """Where nothing is ever given to anybody."""
    return []


class Bound(NamedTuple):
    """What the lake calls the person, by month, and whose parts were gathered."""

    names: pa.Table
    members: int


@dataclass(frozen=True, slots=True)
class Copy:
    """What the stores hold of a person: parts by name, and the names under which the lake is asked."""

    parts: Mapping[str, Rows] = field(repr=False)
    receipts: Mapping[str, str] = field(repr=False)
    bound: Bound = field(repr=False)
    identifiers: Sequence[tuple[str, str]] = field(repr=False)
    people: Sequence[bytes] = field(repr=False, default=())
    """The person and those merged into them, in memory, for doors that know people by keys of their own."""


class Copies(Desk):
    """The desk's own reading of everything about one person."""

    def __init__(self, *, controller: Controller, given: Given = nobody, **desk: Any) -> None:
        super().__init__(**desk)
        self._controller, self._given = controller, given

    @property
    def origin(self) -> str:
        """The name under which this house's log signs."""
        return f"piying/{self._keyring.deployment}"

    def gather(self, number: str, *, actor: str, clear: bool, months: Sequence[int], handed_out: bool) -> Copy:
        """Everything that the two stores hold of the request's person. `handed_out`: it goes into a package, an export in the log."""
        one = self._one(number)
        self._wards.check(self._person(one), "request.package" if handed_out else "request.gather", actor)
        kind, action = (LogKind.EXPORT, "request.package") if handed_out else (LogKind.READ, "request.gather")
        with self._begin_platform() as tx:
            self._log(tx, kind, action, actor=actor, facts=self._named(one) | {"clear": int(clear)})
        family = self._confirmed(self._family(one))
        if not family:
            return Copy({name: [] for name in stores.PARTS}, {}, Bound(self._lake_names([], months), 0), [])
        handles = self._consent_handles(family)
        identified, held = self._identifiers(family, clear)
        with self._read_platform() as tx:
            acts = self._acts(tx, handles)
            signed = self._receipts(tx, acts)
            parts: dict[str, Rows] = {
                stores.IDENTIFIERS: identified,
                stores.CONSENTS: [_act(act, number) for act, number in zip(acts, signed, strict=True)],
                stores.AGREEMENTS: [_agreement(row) for row in agreements.of(tx, handles)],
                stores.FLAGS: [
                    *(_flag(row) for row in flags.history(tx, handles)),
                    *({"tag_refused": tag} for tag in sorted(objections.of(tx, handles))),
                ],
                stores.REQUESTS: self._requests(tx, family),
                stores.LOG: self._looks(tx, family),
                stores.STOPPED: [{"purpose": key, "month": month, "items": items} for key, month, items in stopped.of(tx, handles)],
                stores.ABROAD: [{"year": year} for year in transfers.years_of(tx, self._abroad_marks(family))],
                stores.RECIPIENTS: self._given(tx, handles),
                stores.EXPLANATION: self._populations(tx, family, handles),
                stores.LAPSES: [_lapse(row) for row in tx.execute(sa.select(_LAPSE).where(_LAPSE.c.handle.in_(handles)))],
            }
        parts |= {stores.CASES: [line for line in parts[stores.LOG] if line["action"] == "case.open"], stores.WAITING: [], stores.HELD: []}
        parts[stores.AUDIENCES] = []
        return Copy(parts, signed, Bound(self._lake_names(family, months), len(family)), held, family)

    def _abroad_marks(self, family: Sequence[bytes]) -> list[bytes]:
        """What the counter of transfers abroad calls these people."""
        marks = pseudonyms.handles(b"".join(family), self._keyring.block_cipher(pseudonyms.ABROAD))
        return [marks[start : start + pseudonyms.PERSON_BYTES] for start in range(0, len(marks), pseudonyms.PERSON_BYTES)]

    def sign_package(self, statement: bytes) -> str:
        """Signs a package's manifest with the key of receipts, under a type of its own."""
        return receiptkeys.sign(self._keyring, statement, self._clock(), type_=PACKAGE_TYPE)

    def enter_package(self, package: Package, *, actor: str) -> None:
        """Notes a package that was made and sealed."""
        one = self._one(package.number)
        with self._begin_platform() as tx:
            self._log(tx, LogKind.RIGHTS, "request.package_made", actor=actor, facts=self._named(one) | {"package": package.id})
            packages.add(tx, package)

    def take_package(self, number: str, *, actor: str) -> Package:
        """Counts and logs a download before a byte is given."""
        one = self._one(number)
        self._wards.check(self._person(one), "request.package_taken", actor)
        with self._begin_platform() as tx:
            taken = packages.take(tx, number, self._clock())
            self._log(
                tx,
                LogKind.EXPORT,
                "request.package_taken",
                actor=actor,
                facts=self._named(one) | {"package": taken.id, "times": taken.downloads + 1},
            )
        return taken

    # ── the vault ────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _confirmed(self, family: Sequence[bytes]) -> list[bytes]:
        """The family without members whose only bond is a young merge that no server source confirmed."""
        if len(family) < 2:
            return list(family)
        with self._read_vault() as tx:
            merges = merging.history(tx, family)
        recent = to_micros(self._clock() - YOUNG_MERGE)
        late = {bytes(row.loser) for row in merges if row.rule == LinkRule.LATE_IDENTIFICATION and to_micros(row.at) > recent}
        return [member for member in family if member == family[0] or member not in late]

    def _identifiers(self, family: Sequence[bytes], clear: bool) -> tuple[Rows, list[tuple[str, str]]]:
        with self._read_vault() as tx:
            told = reasons.of_person(tx, self._keyring, family[0])
            born = births(tx, self._keyring, [member.no for member in merging.family_of(tx, family[0])])
            alike = sa.select(Proposal).where(sa.or_(Proposal.first.in_(family), Proposal.second.in_(family)))
            proposed = [
                (row.at, row.state, row.source) for row in tx.execute(alike.with_only_columns(Proposal.at, Proposal.state, Proposal.source))
            ]
        if told is None:
            return [], []
        links = [link for link in told.links if link.member in set(family)]
        rows: Rows = [
            _told(
                link.type,
                link.value.rpartition("\x1f")[2] if clear else masking.mask(link.type, link.value),
                link.since.isoformat(),
                link.rule,
                link.source,
            )
            for link in links
        ]
        rows += [_told("merge", None, row.at.isoformat(), row.rule, row.source or None) for row in told.merges]
        rows += [_told(kind or "merge", None, at.isoformat(), f"refused:{rule}", None) for kind, rule, _, at in told.refused]
        rows += [_told("birth_date", day.isoformat() if clear else "****-**-**", None, "said", None) for day in born.values()]
        rows += [_told("proposed_merge", None, at.isoformat(), state, source) for at, state, source in proposed]
        return rows, [(link.type, link.value) for link in links]

    def _lake_names(self, family: Sequence[bytes], months: Sequence[int]) -> pa.Table:
        joined = b"".join(family)
        names = [pseudonyms.virtual_ids(joined, self._keyring.block_cipher(pseudonyms.VIRTUAL_ID, str(month))) for month in months]
        ids = np.concatenate(names) if names and family else np.empty(0, np.int64)
        return pa.table(
            {"month": pa.array(np.repeat(np.array(months, np.int32), len(family)), pa.int32()), "virtual_id": pa.array(ids, pa.int64())}
        )

    # ── consent ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _acts(self, tx: sa.Connection, handles: Sequence[bytes]) -> list[Act]:
        found: list[Act] = []
        before: int | None = None
        while True:
            page, before = listing.page(tx, listing.Wanted(handles=handles), before=before, limit=listing.MAX_PAGE)
            found += page
            if before is None:
                return found

    def _receipts(self, tx: sa.Connection, acts: Sequence[Act]) -> dict[str, str]:
        """A receipt's file by its number, for every act, with what opens its commitment."""
        purposes, notices = registry.purposes(tx), {one.id: one for one in registry.notices(tx)}
        where = self._controller.jurisdiction
        numbers = (
            pseudonyms.receipt_numbers([act.seq for act in acts], self._keyring.block_cipher(pseudonyms.RECEIPT_NUMBER)) if acts else []
        )
        inverse = self._keyring.inverse_block_cipher(pseudonyms.CONSENT_HANDLE)
        files: dict[str, str] = {}
        for act, number in zip(acts, numbers, strict=True):
            reference = pseudonyms.handles(inverse(act.handle), self._keyring.block_cipher(pseudonyms.RECEIPT_SUBJECT))
            opening = reference, pseudonyms.macs(self._keyring.mac_key(pseudonyms.RECEIPT_SALT), [number.encode()])[0]
            purpose, notice = purposes[act.purpose], notices.get(act.notice or "")
            article = next((told for ground, told in registry.GROUNDS[where].items() if ground == purpose.grounds.get(where)), "")
            document = receipts.document(
                act, number=number, subject=receipts.commitment(*opening), purpose=purpose, article=article, notice=notice,
                controller=self._controller, origin=self.origin,
            )  # fmt: skip
            jws = receiptkeys.sign(self._keyring, receipts.canonical(document), from_micros(act.received_at))
            files[number] = receipts.written(jws, notice, opening)
        return files

    # ── the rest of the platform ─────────────────────────────────────────────────────────────────────────────────────────────

    def _requests(self, tx: sa.Connection, family: Sequence[bytes]) -> Rows:
        cipher = self._keyring.block_cipher(pseudonyms.REQUEST_HANDLE)
        return [_request(one, register.events(tx, one.number)) for one in register.of_subjects(tx, [cipher(member) for member in family])]

    def _looks(self, tx: sa.Connection, family: Sequence[bytes]) -> Rows:
        """Every entry of the access log that names the person, oldest first."""
        lines: Rows = []
        for member in family:
            handle = pseudonyms.handles(member, self._keyring.block_cipher(pseudonyms.LOG_HANDLE)).hex()
            before: int | None = None
            while True:
                page = reading.lines(tx, Filter(subject=handle), before=before, limit=reading.MAX_PAGE)
                lines += [
                    {
                        "entry": line.seq,
                        "at": line.at.isoformat(),
                        "kind": line.kind,
                        "action": line.action,
                        "by": line.actor,
                        "purpose": (line.facts or {}).get("purpose"),
                    }
                    for line in page.items
                ]
                if (before := page.next) is None:
                    break
        return sorted(lines, key=lambda line: int(line["entry"]))

    def _populations(self, tx: sa.Connection, family: Sequence[bytes], handles: Sequence[bytes]) -> Rows:
        """For each analytic purpose whether the person is among those it is used for, and why (PIPL 24(3), 48)."""
        now = to_micros(self._clock())
        said = ledger.timelines(tx, handles[:1], ANALYTIC_PURPOSES, aliases={handles[0]: handles[1:]}).get(handles[0], {})
        standing = {one for row in flags.among(tx, handles).values() for one in row}
        with self._read_vault() as vault_tx:
            births = [born for person, born in vault.youths(vault_tx, self._keyring).items() if person in set(family)]
        rows: Rows = []
        for purpose in ANALYTIC_PURPOSES:
            decision = gate.decide(said.get(purpose), now, now)
            barred = standing & flags.against(purpose)
            flag = Reason.RESTRICTED if Flag.RESTRICTED in barred else Reason.OBJECTED if barred else None
            because = (
                decision.reason
                or (flag.value if flag else "")
                or (Reason.MINOR.value if any(vault.age(born, self.today()) < _AGES[purpose] for born in births) else "")
            )
            rows.append({"purpose": purpose, "used": not because, "because": because or "consent_standing", "policy": gate.POLICY})
        return rows


def _act(act: Act, number: str) -> dict[str, Any]:
    return {
        "receipt": number,
        "purpose": act.purpose,
        "state": act.state,
        "kind": act.kind,
        "method": act.method,
        "decided_at": from_micros(act.effective_at).isoformat(),
        "received_at": from_micros(act.received_at).isoformat(),
        "valid_until": None if act.valid_until is None else from_micros(act.valid_until).isoformat(),
        "source": act.source_id,
        "notice": act.notice,
    }


def _told(kind: str, value: str | None, since: str | None, why: str, source: str | None) -> dict[str, Any]:
    return {"type": kind, "value": value, "since": since, "why": why, "source": source}


def _lapse(row: Any) -> dict[str, Any]:
    return {
        "noticed_at": row.noticed_at.isoformat(), "due_at": row.due_at.isoformat(),
        "erased_at": None if row.erased_at is None else row.erased_at.isoformat(), "rows": row.rows,
    }  # fmt: skip


def _agreement(row: Mapping[str, Any]) -> dict[str, Any]:
    return dict(row) | {name: from_micros(row[name]).isoformat() for name in ("agreed_at", "received_at")}


def _flag(row: Mapping[str, Any]) -> dict[str, Any]:
    lifted = row["lifted_at"]
    return {
        "flag": row["flag"], "since": row["since"].isoformat(), "request": row["request"],
        "lifted_at": None if lifted is None else lifted.isoformat(),
    }  # fmt: skip


def _request(one: Request, events: Sequence[register.Event]) -> dict[str, Any]:
    return {
        "number": one.number,
        "right": one.kind,
        "regime": one.regime,
        "channel": one.channel,
        "received_on": one.received_on.isoformat(),
        "step": one.step,
        "outcome": one.outcome,
        "acts": [{"at": event.at.isoformat(), "act": event.act, "words": event.words} for event in events],
    }
