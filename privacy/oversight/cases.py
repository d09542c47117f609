"""The officer's case: what is known of one person, as far as one look-up with a purpose and a reason goes.

Promise: a case is one account's and lives eight hours; every look into it is an entry before anything is read, with the case's purpose and
the parts that were asked for; values are masked, one at a time is revealed under an entry of its own. People whom nobody knows take the
same steps as known ones. The consent of a past moment is folded from what had come in by then. It must never put a value into the log,
an address or an error.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from privacy.audit import reading
from privacy.audit.reading import Filter, Line
from privacy.consent import agreements, flags, ledger, registry, separation, standing, stopped, wishes
from privacy.consent.ledger import ConsentAct
from privacy.deidentify import masking
from privacy.errors import Conflict, NotFound, PiyingError, Refused
from privacy.identity import guardians, merging, proposals, pseudonyms, reasons, stones
from privacy.identity.reasons import Reasons
from privacy.orm import from_micros, to_micros
from privacy.oversight import casebook
from privacy.oversight.casebook import Case
from privacy.oversight.door import normalised, why
from privacy.oversight.kinship import MERGE_PREFIX, PROPOSAL_PREFIX, Kinship
from privacy.oversight.wards import UNDER_14
from privacy.vocabulary import ANALYTIC_PURPOSES, ConsentKind, ConsentState, Ground, IdentifierType, LogKind

OPEN, VIEW, CLOSE, PAIR = "case.open", "case.view", "case.close", "person.proposal"
KNOWN, UNKNOWN, ERASED = "known", "unknown", "erased"
PARTS = frozenset({"audiences", "consents", "timeline", "identities", "held", "stopped", "unmerge"})
"""What a look into a case may ask for; the entry names them."""
NOTHING: Mapping[str, Any] = MappingProxyType({})
CASE_BYTES = 12
STAFF_LINES = 200
"""Entries of the log that a timeline shows."""


class Cases(Kinship):
    """What an officer does about one person. Each method opens its own transactions; readings are logged and committed first."""

    # ── opening and closing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def open(self, type_: str, value: str, *, purpose: str, reason: str, actor: str, namespace: str = "") -> dict[str, Any]:
        """What `find_person` tells, and the case: {"case", "state", "purpose", "entry", "opened_at", "until", "minor", "handle", "identifiers"}.

        A case about a minor opens and shows nothing until somebody else approved it.
        """
        met = self._meet(type_, value, purpose=purpose, reason=reason, actor=actor, namespace=namespace)
        kind, normal = normalised(type_, value, namespace)
        with self._read_vault() as tx:
            erased = self._erased(tx, kind, normal)
        band = None if met is None else self._wards.band(met)
        found = {"handle": None, "identifiers": []} if band else self._shown(met, purpose, actor)
        person = self._random(pseudonyms.PERSON_BYTES) if met is None else met
        state = KNOWN if met is not None else ERASED if erased else UNKNOWN
        name, now = casebook.PREFIX + self._random(CASE_BYTES).hex(), self._clock()
        subject = self._log_handle(person) if state == KNOWN else None
        with self._begin_platform() as tx:
            entry = self._log(tx, LogKind.READ, OPEN, actor=actor, facts={"case": name, "subject": subject, **why(purpose, reason)})
            case = Case(name, self._sealed(name, person), state, purpose, entry, now, now + casebook.LASTS)
            casebook.open_(tx, case, actor)
        return case.document() | found | {"minor": band}

    def open_for(self, handle: str, *, purpose: str, reason: str, actor: str) -> dict[str, Any]:
        """A case about a person whom the register of requests names by console handle; nobody left there opens none."""
        person = self._person(handle)
        with self._read_vault() as tx:
            if not merging.family_of(tx, person):
                raise NotFound("no such person", code="person_unknown", field="handle")
        name, now = casebook.PREFIX + self._random(CASE_BYTES).hex(), self._clock()
        with self._begin_platform() as tx:
            facts = {"case": name, "subject": self._log_handle(person), **why(purpose, reason)}
            entry = self._log(tx, LogKind.READ, OPEN, actor=actor, facts=facts)
            case = Case(name, self._sealed(name, person), KNOWN, purpose, entry, now, now + casebook.LASTS)
            casebook.open_(tx, case, actor)
        return case.document()

    def named(self, case_id: str, *, actor: str) -> str:
        """The console handle of whom a case found, for a request about them: nothing of the person is read."""
        return self._handle_of(case_id, actor)

    def mine(self, *, actor: str) -> list[dict[str, Any]]:
        """The open cases of an account."""
        with self._read_platform() as tx:
            return [case.document() for case in casebook.mine(tx, actor, self._clock())]

    def close(self, case_id: str, *, actor: str) -> None:
        """Ends a case; its entries stay."""
        with self._begin_platform() as tx:
            self._log(tx, LogKind.READ, CLOSE, actor=actor, facts={"case": self._case(tx, case_id, actor).id})
            casebook.close(tx, case_id, actor, self._clock())

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def look(
        self, case_id: str, *, actor: str, parts: Collection[str], at: datetime | None = None, months: Sequence[int] = (),
        about: Mapping[str, Any] = NOTHING,
    ) -> dict[str, Any]:  # fmt: skip
        """The case, the person's masked identifiers and the parts that were asked for; one entry says which, and what of ours it was `about`.

        `at` is the moment whose consent is asked for. `months` are those whose names in the lake are handed on, under "names", with `held` and
        `audiences`; the latter hands on the person's ids, too, under "people": in memory, for a door that knows people by keys of its own.
        """
        case, told = self._enter(case_id, actor, parts, about)
        shown = case.document() | {"handle": None, "reference": None, "identifiers": [], "flags": []}
        if told is None:
            return shown | {"state": ERASED if case.found != UNKNOWN else UNKNOWN}
        (reference,) = pseudonyms.officer_references(told.family[0].id, self._keyring.block_cipher(pseudonyms.OFFICER_REFERENCE))
        identifiers = self._identifiers(told)
        shown |= {"handle": self._console_handle(told.family[0].id), "reference": reference, "identifiers": identifiers}
        family = [member.id for member in told.family]
        cipher = self._keyring.block_cipher(pseudonyms.CONSENT_HANDLE)
        handles = [cipher(person) for person in family]
        with self._read_platform() as tx:
            shown["flags"] = sorted({one["flag"] for one in flags.history(tx, handles) if one["lifted_at"] is None})
            histories = [ledger.history(tx, handle) for handle in handles]
            if "consents" in parts:
                shown["consents"] = self._standings(tx, histories, self._clock() if at is None else at)
            if "timeline" in parts:
                shown["acts"] = [self._act(row) for rows in histories for row in rows if "carried" not in (row["evidence"] or {})]
                shown["staff"] = self._staff(tx, family)
            if "stopped" in parts:
                shown["stopped"] = self._stopped(tx, handles, histories)
            if "held" in parts:
                counted = {"identifiers": len(shown["identifiers"]), "acts": sum(map(len, histories))}
                shown["counts"] = counted | {"agreements": len(agreements.of(tx, handles))}
                shown["names"] = self._names(family, months)
            if "audiences" in parts:
                shown["people"], shown["names"] = family, self._names(family, months)
        return shown | (self._kin(told) if "identities" in parts else {})

    def _enter(self, case_id: str, actor: str, parts: Collection[str], about: Mapping[str, Any] = NOTHING) -> tuple[Case, Reasons | None]:
        """Commits the entry of a look, then opens what the vault has of the person; None for nobody."""
        with self._begin_platform() as tx:
            case = self._case(tx, case_id, actor)
            person = self._subject(case)
            facts = {"case": case.id, "purpose": case.purpose, "parts": sorted(PARTS.intersection(parts))}
            self._log(tx, LogKind.READ, VIEW, actor=actor, facts=facts | {**about, "subject": self._logged(case)})
        if case.found == KNOWN:
            self._wards.check(person, VIEW, actor)
        with self._read_vault() as tx:
            return case, reasons.of_person(tx, self._keyring, person)

    def _identifiers(self, told: Reasons) -> list[dict[str, Any]]:
        first: dict[tuple[str, str], datetime] = {}
        for link in told.links:
            key = (link.type, link.value)
            first[key] = min(first.get(key, link.since), link.since)
        return [
            {"type": kind, "ref": self._reference(kind, value), "masked": masking.mask(kind, value), "since": since.isoformat()}
            for (kind, value), since in sorted(first.items())
        ]

    def _standings(self, tx: sa.Connection, histories: Sequence[Sequence[standing.Row]], at: datetime) -> list[dict[str, Any]]:
        """Every registered purpose with how it stood, what it rests on, and the act that made it so."""
        registered = registry.purposes(tx)
        stood = standing.standings(histories, registered, to_micros(at))
        return [
            {
                "purpose": key,
                "names": dict(registered[key].name),
                "grounds": dict(registered[key].grounds),
                "articles": {where: registry.GROUNDS[where][Ground(ground)] for where, ground in registered[key].grounds.items()},
                "by_consent": registered[key].rests_on_consent(),
                "separate": registered[key].separate,
                "state": one.state,
                "since": _iso(one.since),
                "expires": _iso(one.expires),
                "revised": one.revised,
                "act": None if one.act is None else self._act(one.act),
            }
            for key, one in stood.items()
        ]

    def _staff(self, tx: sa.Connection, family: Sequence[bytes]) -> list[dict[str, Any]]:
        """Who of the staff looked at or changed something about this person, newest first."""
        lines: list[Line] = []
        for person in family:
            wanted = Filter(subject=self._log_handle(person).hex())
            lines += reading.lines(tx, wanted, limit=STAFF_LINES).items
        return [
            {
                "entry": line.seq,
                "at": line.at.isoformat(),
                "actor": line.actor,
                "action": line.action,
                "result": line.result,
                **{name: (line.facts or {}).get(name) for name in ("purpose", "reason", "case")},
            }
            for line in sorted(lines, key=lambda line: -line.seq)[:STAFF_LINES]
        ]

    def _stopped(self, tx: sa.Connection, handles: Sequence[bytes], histories: Sequence[Sequence[standing.Row]]) -> list[dict[str, Any]]:
        """For each analytic purpose since when a no stands, and how many items a month it kept out."""
        stood = standing.standings(histories, ANALYTIC_PURPOSES, to_micros(self._clock()))
        counted = stopped.of(tx, handles)
        return [
            {
                "purpose": purpose,
                "state": one.state,
                "since": _iso(one.since) if one.state in ("withdrawn", "denied") else None,
                "months": [{"month": month, "number": number} for key, month, number in counted if key == purpose],
            }
            for purpose, one in stood.items()
        ]

    def _names(self, family: Sequence[bytes], months: Sequence[int]) -> pa.Table:
        """What the lake calls this person and those merged into them, by month: for a count, never for a page."""
        joined = b"".join(family)
        names = [pseudonyms.virtual_ids(joined, self._keyring.block_cipher(pseudonyms.VIRTUAL_ID, str(month))) for month in months]
        columns = np.repeat(np.array(months, np.int32), len(family)), np.concatenate(names) if names else np.empty(0, np.int64)
        return pa.table({"month": pa.array(columns[0], pa.int32()), "virtual_id": pa.array(columns[1], pa.int64())})

    def _act(self, row: Mapping[str, Any]) -> dict[str, Any]:
        evidence = row["evidence"] or {}
        return {
            "act": row["seq"],
            "receipt": self._receipt(row["seq"]),
            "purpose": row["purpose"],
            "state": row["state"],
            "kind": row["kind"],
            "at": _iso(row["effective_at"]),
            "received_at": _iso(row["received_at"]),
            "source": row["source_id"],
            "by": row["by"],
            "collection": evidence.get("collection"),
            "notice": row["notice"],
        }

    def _receipt(self, position: int) -> str:
        """The number of an act's receipt."""
        return pseudonyms.receipt_numbers([position], self._keyring.block_cipher(pseudonyms.RECEIPT_NUMBER))[0]

    # ── acting ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def reveal_of(self, case_id: str, ref: str, *, purpose: str, reason: str, actor: str) -> dict[str, Any]:
        """One identifier of the case's person in clear."""
        return self.reveal(self._handle_of(case_id, actor), ref, purpose=purpose, reason=reason, actor=actor)

    def decide(self, case_id: str, wish: Mapping[str, Any], *, actor: str) -> dict[str, Any]:
        """Records one act of the person, as somebody of the staff heard or read it: {"purpose", "before", "after", "entry", "receipt"}.

        `wish` is an item of `Preferences.record` without its identifier.
        """
        return self.decide_for(self._handle_of(case_id, actor), wish, actor=actor, facts={"case": case_id})

    def decide_for(self, handle: str, wish: Mapping[str, Any], *, actor: str, facts: Mapping[str, Any]) -> dict[str, Any]:
        """The same for a person given by console handle; `facts` say on what occasion."""
        person, now = self._person(handle), self._clock()
        if wish.get("state") == ConsentState.GRANTED.value:  # a no is always recorded
            self._wards.check(person, "consent.record", actor)
        with self._read_vault() as tx:
            family = [member.id for member in merging.family_of(tx, person)]
        if not family:
            raise NotFound("no such person", code="person_unknown", field="case")
        cipher = self._keyring.block_cipher(pseudonyms.CONSENT_HANDLE)
        head, *others = [cipher(one) for one in family]
        with self._begin_platform() as tx:
            checked = wishes.check(wish, registry.purposes(tx), registry.notice_names(tx))
            if isinstance(checked, PiyingError):
                raise checked
            evidence = self._guarded(wish, checked, person, head)
            at, until = (None if one is None else to_micros(one) for one in (checked.at, checked.valid_until))
            act = ConsentAct(
                head, checked.purpose, checked.state, ConsentKind.EXPLICIT.value, to_micros(now) if at is None else at, to_micros(now),
                None, checked.notice, evidence, actor, until,
            )  # fmt: skip
            aliases = {head: others}
            told = {**facts, "subject": self._log_handle(person), "purposes": [checked.purpose], "states": {checked.state: 1}}
            told |= {"digest": ledger.sealed(tx, [act], aliases)}
            entry = self._log(tx, LogKind.CONSENT, "consent.record", actor=actor, facts=told)
            before = self._state(tx, [head, *others], checked.purpose, now)
            last = ledger.append(tx, [act], aliases=aliases, entry=entry)
            after = self._state(tx, [head, *others], checked.purpose, now)
        (position,) = ledger.positions([act], aliases, last)
        receipt = self._receipt(position)
        return {"purpose": checked.purpose, "before": before, "after": after, "entry": entry, "receipt": receipt}

    def _guarded(self, wish: Mapping[str, Any], checked: wishes.Wish, person: bytes, handle: bytes) -> Mapping[str, str]:
        """The evidence of an act, with the mark of the guardian who gave it; a child's yes needs one (PIPL 31)."""
        if "guardian" in checked.evidence:
            return {**checked.evidence, "guardian_mark": guardians.mark(self._keyring, handle, wish["guardian"].get("identifier"))}
        if checked.state == ConsentState.GRANTED.value and self._wards.band(person) == UNDER_14:
            raise Refused("a guardian decides for a child under fourteen", code="guardian_missing", field="guardian")
        return checked.evidence

    def ask_approval(self, case_id: str, *, reason: str, actor: str) -> dict[str, Any]:
        """Asks another person to approve looking at a minor, for a reason in words."""
        with self._read_platform() as tx:
            purpose = self._case(tx, case_id, actor).purpose
        return self._wards.ask(case_id, why(purpose, reason)["reason"], actor=actor)

    def choices(self) -> dict[str, list[dict[str, Any]]]:
        """{"purposes", "notices"}: what an act can be about and which notice can have been shown."""
        with self._read_platform() as tx:
            purposes = [one for one in registry.purposes(tx).values() if one.rests_on_consent()]
            notices = registry.notices(tx)
        return {
            "purposes": [{"purpose": one.key, "names": dict(one.name), "separate": one.separate} for one in purposes],
            "notices": [{"version": one.version, "purposes": list(one.purposes)} for one in reversed(notices)],
        }

    def _state(self, tx: sa.Connection, handles: Sequence[bytes], purpose: str, now: datetime) -> str:
        return standing.standings([ledger.history(tx, handle) for handle in handles], [purpose], to_micros(now))[purpose].state

    # ── who is one with whom ─────────────────────────────────────────────────────────────────────────────────────────────────

    def consequences(self, case_id: str, merge: str, *, actor: str) -> dict[str, Any]:
        """What an undone merge would leave: {"sides": [{"members", "identifiers"}], "consents"}; nothing is changed."""
        case, told = self._enter(case_id, actor, {"unmerge"})
        seq = self._seq(MERGE_PREFIX, merge, "merge")
        with self._read_vault() as tx:
            plan = merging.plan_split(tx, seq)
        if told is None or told.family[0].id not in (*plan.winner, *plan.loser):
            raise NotFound("there is no such merge, or it was undone", code="merge_unknown", field="merge")
        cipher = self._keyring.block_cipher(pseudonyms.CONSENT_HANDLE)
        sides = [[cipher(member) for member in side] for side in (plan.winner, plan.loser)]
        with self._read_platform() as tx:
            noes = separation.noes(tx, sides, now=to_micros(self._clock()), by=actor)
        return case.document() | {
            "sides": [{"members": len(side), "identifiers": self._identifiers(_only(told, side))} for side in (plan.winner, plan.loser)],
            "consents": len(noes),
        }

    def unmerge_of(self, case_id: str, merge: str, *, purpose: str, reason: str, actor: str) -> dict[str, Any]:
        """Undoes one merge of the case's person."""
        return self.unmerge(self._handle_of(case_id, actor), merge, purpose=purpose, reason=reason, actor=actor)

    def pair(self, proposal: str, *, actor: str) -> dict[str, Any]:
        """A proposal with both people's masked identifiers; whose, is logged before anything is opened."""
        seq = self._seq(PROPOSAL_PREFIX, proposal, "proposal")
        with self._read_vault() as tx:
            one = proposals.one(tx, seq)
        people = [bytes(one.first), bytes(one.second)]
        with self._begin_platform() as tx:
            subjects = [self._log_handle(person) for person in people]
            self._log(tx, LogKind.READ, PAIR, actor=actor, facts={"subjects": subjects, "purpose": "data_quality"})
        for person in people:
            self._wards.check(person, PAIR, actor)
        with self._read_vault() as tx:
            told = [reasons.of_person(tx, self._keyring, person) for person in people]
        return {
            "proposal": proposal,
            "weight": one.weight_milli / 1000,
            "fields": dict(one.reasons),
            "source": one.source,
            "at": one.at.isoformat(),
            "sides": [[] if side is None else self._identifiers(side) for side in told],
        }

    # ── names of cases ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _case(self, tx: sa.Connection, case_id: str, actor: str) -> Case:
        return casebook.one(tx, case_id, actor, self._clock())

    def _sealed(self, case_id: str, person: bytes) -> bytes:
        return self._keyring.block_cipher(pseudonyms.CONSOLE_HANDLE, case_id)(person)

    def _subject(self, case: Case) -> bytes:
        return self._keyring.inverse_block_cipher(pseudonyms.CONSOLE_HANDLE, case.id)(case.subject)

    def _logged(self, case: Case) -> bytes | None:
        return self._log_handle(self._subject(case)) if case.found == KNOWN else None

    def _handle_of(self, case_id: str, actor: str) -> str:
        """The console handle of a case's person, for acts; nobody's case has none."""
        with self._read_platform() as tx:
            case = self._case(tx, case_id, actor)
        if case.found != KNOWN:
            raise Conflict("nobody was found by this look-up, so nothing can be done here", code="case_empty", field="case")
        return self._console_handle(self._subject(case))

    def _erased(self, tx: sa.Connection, kind: str, normal: str) -> bool:
        return bool(stones.marks(tx, self._keyring, [IdentifierType(kind)], [normal])[0][0])


def _only(told: Reasons, side: Collection[bytes]) -> Reasons:
    """What some of a family brought."""
    return replace(told, links=[link for link in told.links if link.member in side])


def _iso(micros: int | None) -> str | None:
    return None if micros is None else from_micros(micros).isoformat()
