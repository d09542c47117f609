"""Why identifiers belong together, the undoing of a merge, and proposals that an officer decides.

Promise: what an officer sees here is masked and logged before it is read; an undone merge leaves two people as they were, in reports, in
consent and in rights, and keeps them apart; a proposal merges nobody until an officer accepts it, for a purpose and a reason that stand in
the log. Consent is settled before the vault is changed, so that a crash in between leaves too little allowed and never too much.
It must never put a value into the log, an error or a proposal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from privacy.consent import separation
from privacy.deidentify import masking
from privacy.errors import Conflict, Invalid, NotFound, Refused
from privacy.identity import keystate, matching, merging, proposals, pseudonyms, reasons, vault
from privacy.identity.normalise import normalise
from privacy.identity.proposals import Candidate, ProposalState
from privacy.identity.reasons import Reasons
from privacy.orm import Begin, to_micros
from privacy.oversight.door import REASONS, Oversight, why
from privacy.records import RandomBytes
from privacy.vocabulary import IdentifierType, LinkRefusal, LinkRule, LogKind

UNMERGE, MERGE, PROPOSE, PROPOSALS, DISMISS = "person.unmerge", "person.merge", "person.propose", "person.proposals", "person.dismiss"
MERGE_PREFIX, PROPOSAL_PREFIX = "mrg_", "prp_"


class Match(Protocol):
    """Finds records that look alike, as `matching.pairs` does."""

    def __call__(self, columns: Mapping[str, Sequence[str | None]], *, threshold: float) -> Sequence[matching.Pair]: ...


class Kinship(Oversight):
    """What an officer does about who is one person with whom. Each method opens its own transactions."""

    def __init__(self, *, begin_vault: Begin, random: RandomBytes, **oversight: Any) -> None:
        super().__init__(**oversight)
        self._begin_vault, self._random = begin_vault, random

    # ── reasons ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def reasons(self, handle: str, *, purpose: str, reason: str, actor: str) -> dict[str, Any]:
        """{"handle", "links", "merges", "refused"}: every identifier of a person with when, by which rule and from which source it came.

        `member` numbers those who were merged, so that a page can tell who brought what; values are masked.
        """
        person = self._person(handle)
        self._ask(REASONS, actor, {"subject": self._log_handle(person), **why(purpose, reason)})
        self._wards.check(person, REASONS, actor)
        with self._read_vault() as tx:
            told = reasons.of_person(tx, self._keyring, person)
        if told is None:
            raise NotFound("no such person", code="person_unknown", field="handle")
        return {"handle": self._console_handle(told.family[0].id), **self._kin(told)}

    def _kin(self, told: Reasons) -> dict[str, Any]:
        """{"links", "merges", "refused"} of what the vault told."""
        number = {member.id: place for place, member in enumerate(told.family, 1)}
        return {
            "links": [
                {
                    "member": number[link.member],
                    "type": link.type,
                    "ref": self._reference(link.type, link.value),
                    "masked": masking.mask(link.type, link.value),
                    "since": link.since.isoformat(),
                    "rule": link.rule,
                    "source": link.source,
                    "batch": link.batch,
                }
                for link in told.links
            ],
            "merges": [
                {
                    "merge": self._name(MERGE_PREFIX, one.seq),
                    "members": [number.get(bytes(one.winner)), number.get(bytes(one.loser))],
                    "rule": one.rule,
                    "source": one.source or None,
                    "at": one.at.isoformat(),
                    "undone_at": _text(one.undone_at),
                }
                for one in told.merges
            ],
            "refused": [
                {"type": kind or None, "rule": rule, "number": count, "last_at": last.isoformat()}
                for kind, rule, count, last in told.refused
            ],
        }

    # ── undoing a merge ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def unmerge(self, handle: str, merge: str, *, purpose: str, reason: str, actor: str) -> dict[str, Any]:
        """{"people": [{"handle", "identifiers"}, …], "consents"}: two people again. `merge` is what `reasons` gave.

        `consents` counts the noes by which grants end that only the other one gave.
        """
        person, seq = self._person(handle), self._seq(MERGE_PREFIX, merge, "merge")
        facts = {"subject": self._log_handle(person), **why(purpose, reason)}
        with self._begin_platform() as tx:
            self._log(tx, LogKind.RIGHTS, UNMERGE, actor=actor, result="asked", facts=facts)
        self._wards.check(person, UNMERGE, actor)
        with self._read_vault() as tx:
            plan = merging.plan_split(tx, seq)
        if person not in (*plan.winner, *plan.loser) and self._head(person) not in (*plan.winner, *plan.loser):
            raise NotFound("there is no such merge, or it was undone", code="merge_unknown", field="merge")
        cipher = self._keyring.block_cipher(pseudonyms.CONSENT_HANDLE)
        sides = [[cipher(member) for member in side] for side in (plan.winner, plan.loser)]
        now = self._clock()
        with self._begin_platform() as tx:
            entry = self._log(tx, LogKind.RIGHTS, UNMERGE, actor=actor, facts={**facts, "members": len(plan.winner) + len(plan.loser)})
            acts = separation.separate(tx, sides, now=to_micros(now), by=UNMERGE, entry=entry)
        with self._begin_vault() as tx:
            if merging.split(tx, seq, by=actor, now=now) != plan:
                raise Conflict("the person changed meanwhile; look again", code="person_changed")
            people = [self._counted(tx, side) for side in (plan.winner, plan.loser)]
        return {"people": people, "consents": acts, "entry": entry}

    def _counted(self, tx: sa.Connection, side: Sequence[bytes]) -> dict[str, Any]:
        family = merging.family_of(tx, side[0])
        return {"handle": self._console_handle(family[0].id), "identifiers": sum(merging.count_types(tx, family).values())}

    def _head(self, person: bytes) -> bytes | None:
        with self._read_vault() as tx:
            family = merging.family_of(tx, person)
        return family[0].id if family else None

    # ── proposals ────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def propose(
        self,
        fields: Mapping[str, Sequence[str | None]],
        identifiers: Mapping[str, Sequence[str | None]],
        *,
        source: str,
        namespace: str,
        purpose: str,
        reason: str,
        actor: str,
        threshold: float | None = None,
        match: Match | None = None,
    ) -> dict[str, Any]:
        """{"records", "known", "pairs", "proposed"}: compares a file's records in memory and notes which people of the vault look alike.

        Names, addresses and birth dates die with this call; what stays is the pair, its weight and a word a field.
        """
        unknown = sorted(identifiers.keys() - {kind.value for kind in IdentifierType}) or sorted(fields.keys() - set(matching.FIELDS))
        if unknown or not identifiers:
            raise Invalid("a match names identifiers of the closed list, and fields of its own", code="match_fields", field="fields")
        columns = {kind: normalise(kind, pa.array(values, pa.string()), namespace=namespace)[0] for kind, values in identifiers.items()}
        size = len(next(iter(columns.values())))
        with self._begin_platform() as tx:
            self._log(tx, LogKind.READ, PROPOSE, actor=actor, facts={"source": source, "records": size, **why(purpose, reason)})
        with self._read_vault() as tx:
            found = vault.resolve(tx, self._keyring, columns, may_link_strong=True, random=self._random)
        known = np.flatnonzero(np.asarray(found.known.to_numpy(zero_copy_only=False), bool))
        people = found.persons.to_pylist()
        here = {name: [values[row] for row in known.tolist()] for name, values in fields.items()}
        told = (match or matching.pairs)(here, threshold=matching.THRESHOLD if threshold is None else threshold)
        candidates = [
            Candidate(people[known[pair.first]], people[known[pair.second]], pair.weight_milli, pair.reasons)
            for pair in told
            if people[known[pair.first]] != people[known[pair.second]]
        ]
        with self._begin_vault() as tx:
            keystate.take_numbers(tx, 0)
            made = proposals.propose(tx, candidates, source=source, now=self._clock())
        return {"records": size, "known": len(known), "pairs": len(told), "proposed": made}

    def proposals(self, *, actor: str, limit: int = 100) -> dict[str, Any]:
        """Proposals that wait, the strongest first, each with the handles of the two people; logged before anything is read."""
        with self._begin_platform() as tx:
            self._log(tx, LogKind.READ, PROPOSALS, actor=actor, facts={"limit": limit})
        with self._read_vault() as tx:
            waiting = proposals.waiting(tx, limit=limit)
        items = [
            {
                "proposal": self._name(PROPOSAL_PREFIX, one.seq),
                "handles": [self._console_handle(bytes(one.first)), self._console_handle(bytes(one.second))],
                "weight": one.weight_milli / 1000,
                "fields": dict(one.reasons),
                "source": one.source,
                "at": one.at.isoformat(),
            }
            for one in waiting
        ]
        return {"items": items, "next": None}

    def accept(self, proposal: str, *, purpose: str, reason: str, actor: str) -> dict[str, Any]:
        """{"handle", "members", "entry"}: merges the two by an officer's word. What kept them apart ends; limits hold."""
        seq, words = self._seq(PROPOSAL_PREFIX, proposal, "proposal"), why(purpose, reason)
        with self._begin_platform() as tx:
            entry = self._log(tx, LogKind.RIGHTS, MERGE, actor=actor, facts=words)
        now = self._clock()
        with self._begin_vault() as tx:
            keystate.take_numbers(tx, 0)
            one = proposals.one(tx, seq)
            pair = bytes(one.first), bytes(one.second)
            families = [member.id for person in pair for member in merging.family_of(tx, person)]
            merging.lift(tx, families, now)
            wanted = merging.Wanted(*pair, LinkRule.MANUAL)
            if merging.merge(tx, wanted, batch=seq.to_bytes(16, "big"), source=one.source, now=now) is LinkRefusal.OVER_LIMIT:
                raise Refused("the two together would have more identifiers than one person may", code="merge_over_limit")
            proposals.decide(tx, seq, ProposalState.ACCEPTED, by=actor, now=now)
            family = merging.family_of(tx, pair[0])
        return {"handle": self._console_handle(family[0].id), "members": len(family), "entry": entry}

    def dismiss(self, proposal: str, *, purpose: str, reason: str, actor: str) -> dict[str, Any]:
        """{"dismissed", "entry"}: the pair is not proposed again."""
        seq, words = self._seq(PROPOSAL_PREFIX, proposal, "proposal"), why(purpose, reason)
        with self._begin_platform() as tx:
            entry = self._log(tx, LogKind.RIGHTS, DISMISS, actor=actor, facts=words)
        with self._begin_vault() as tx:
            proposals.decide(tx, seq, ProposalState.REFUSED, by=actor, now=self._clock())
        return {"dismissed": proposal, "entry": entry}

    # ── names of merges and proposals ────────────────────────────────────────────────────────────────────────────────────────

    def _name(self, prefix: str, seq: int) -> str:
        cipher = self._keyring.block_cipher(pseudonyms.CONSOLE_HANDLE, prefix)
        return prefix + cipher(seq.to_bytes(pseudonyms.PERSON_BYTES, "big")).hex()

    def _seq(self, prefix: str, name: str, field: str) -> int:
        try:
            raw = bytes.fromhex(name.removeprefix(prefix)) if name.startswith(prefix) else b""
        except ValueError:
            raw = b""
        number = 0
        if len(raw) == pseudonyms.PERSON_BYTES:
            number = int.from_bytes(self._keyring.inverse_block_cipher(pseudonyms.CONSOLE_HANDLE, prefix)(raw), "big")
        if not 0 < number < 2**62:
            raise NotFound(f"there is no such {field}, or it was decided", code=f"{field}_unknown", field=field)
        return number


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
