"""What a person allows: recorded, shown, and carried to whoever asks a question about everybody.

Promise: an act stands in the ledger together with its log entry or not at all; a withdrawal can always be recorded and holds from the next
question on; a population is made of those who allow one analytic purpose at this moment, with the strictest consent of all who turned out
to be one person, without minors, and without those against whose data a flag stands. Identifiers come in bodies, live in the vault, and
leave by no answer, message or log.
It must never learn what anybody did: it opens no lake.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from privacy.consent import agreements, flags, gate, ledger, objections, reach, registry, requests, wishes
from privacy.consent.ledger import ConsentAct
from privacy.consent.wishes import Wish
from privacy.errors import Invalid, PiyingError, Raced, Refused
from privacy.identity import families, guardians, merging, normalise, pseudonyms, stones, vault
from privacy.identity.keys import Keyring
from privacy.identity.profiles import KEY_BYTES
from privacy.orm import Begin, from_micros, to_micros
from privacy.records import Clock, Log, RandomBytes, SourceFacts
from privacy.vocabulary import ANALYTIC_PURPOSES, PROFILING, ConsentKind, IdentifierType, LogKind, Verdict

LAKE_AGE = 14
"""Years; PIPL 31: below it a guardian decides, and nothing enters the lake."""
MARKETING_AGE = 18
"""Years; law_rules L-1: nobody under it is in a segment, score or export whose use is marketing."""

MAX_ITEMS = 10_000
ATTEMPTS = 5
NOT_PROCESSED = "not_processed"
"""What a caller hears where the true reason would tell something about a person (law_rules E-1)."""

ID = 16


@dataclass(slots=True, eq=False)
class Crowd:
    """A Population (records). Person ids stay inside `virtual_ids`; the run key was thrown away when the run IDs were made."""

    purpose: str
    policy: str
    virtual_ids: Callable[[int], npt.NDArray[np.int64]] = field(repr=False)
    run_ids: npt.NDArray[np.int64] = field(repr=False)

    def bridge(self, months: Sequence[int]) -> pa.Table:
        """One row for each month and virtual ID of an allowing person."""
        wanted = sorted(set(months))
        virtual = [self.virtual_ids(month) for month in wanted]
        columns: dict[str, npt.NDArray[Any]] = {
            "month": np.repeat(np.array(wanted, np.int32), len(self.run_ids)),
            "virtual_id": np.concatenate(virtual) if virtual else np.empty(0, np.int64),
            "run_id": np.tile(self.run_ids, len(wanted)),
        }
        return pa.table({name: _arrow(values) for name, values in columns.items()})


def _arrow(values: npt.NDArray[Any]) -> pa.Array:
    """Without a copy, and without the second that pyarrow takes to load pandas when it is handed a NumPy array."""
    type_ = pa.int32() if values.dtype == np.int32 else pa.int64()
    return pa.Array.from_buffers(type_, len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])


@dataclass(frozen=True, slots=True)
class _People:
    """Who the items are about. `handles` is None for an item whose person was erased or names nobody."""

    handles: Sequence[bytes | None]
    aliases: Mapping[bytes, Sequence[bytes]]


class Preferences:
    """The door. Transactions are handed in; each call commits its own."""

    def __init__(
        self,
        *,
        begin_vault: Begin,
        begin_platform: Begin,
        keyring: Keyring,
        log: Log,
        clock: Clock,
        random: RandomBytes,
        zone: str,
        read_vault: Begin | None = None,
        read_platform: Begin | None = None,
        unknown_age: str = "signal",
    ) -> None:
        self._begin_vault, self._begin_platform = begin_vault, begin_platform
        self._read_vault, self._read_platform = read_vault or begin_vault, read_platform or begin_platform
        self._keyring, self._log, self._clock, self._random = keyring, log, clock, random
        self._zone, self._unknown_age = ZoneInfo(zone), unknown_age

    # ── recording ────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def record(
        self,
        items: Sequence[Mapping[str, Any]],
        *,
        actor: str,
        source: SourceFacts | str | None = None,
        idempotency_key: str | None = None,
        namespace: str = "",
    ) -> list[dict[str, Any]]:
        """Records explicit acts and tells of each item what became of it.

        An item is `{identifier: {type, value}, purpose, state, at?, notice?, separate_for?, default_state?, collection?, valid_until?}`.
        Where no item is good, the first one's error is raised and nothing was written; else a bad item never stops another's withdrawal.
        """
        if isinstance(source, SourceFacts):
            if source.public:
                raise Refused("a client key cannot record consent", code="client_key")
            namespace = namespace or source.namespace
            source = source.id
        if not 0 < len(items) <= MAX_ITEMS:
            raise Invalid("a request has between one and ten thousand items", code="too_many_items")
        now = self._clock()
        with self._read_platform() as tx:
            registered, notices = registry.purposes(tx), registry.notice_names(tx)
        checked = [wishes.check(item, registered, notices) for item in items]
        columns, faults = _identifiers(items, namespace)
        outcome = [one if isinstance(one, PiyingError) else faults.get(index, one) for index, one in enumerate(checked)]
        outcome = [self._guardian_fault(item, one, namespace) for item, one in zip(items, outcome, strict=True)]
        if not any(isinstance(one, Wish) for one in outcome):
            raise next(one for one in outcome if isinstance(one, PiyingError))
        people = self._meet(columns, np.array([isinstance(one, Wish) for one in outcome]), outcome, now)
        outcome = self._witnessed(outcome, items, people, namespace)
        acts, told = _acts(outcome, people, to_micros(now), actor, source)
        body = requests.digest(
            *(part for act, wish in acts for part in (*act[:4], wish.notice, act.valid_until, None if wish.at is None else act.at))
        )
        key = None if idempotency_key is None else requests.digest(actor, idempotency_key)
        with self._begin_platform() as tx:
            if key is not None and (before := requests.answered(tx, key, body, now)) is not None:
                return before
            own = [act for act, _ in acts]
            facts = _facts(own, told, source) | ({"digest": ledger.sealed(tx, own, people.aliases)} if own else {})
            entry = self._log(tx, LogKind.CONSENT, "consent.record", actor=actor, facts=facts)
            last = ledger.append(tx, own, aliases=people.aliases, entry=entry)
            self._number(told, people, ledger.positions(own, people.aliases, last))
            if key is not None:
                requests.remember(tx, key, body, told, now)
        return told

    def _number(self, told: Sequence[dict[str, Any]], people: _People, positions: Sequence[int]) -> None:
        """Tells the receipt of every act that was recorded."""
        numbers = pseudonyms.receipt_numbers(positions, self._keyring.block_cipher(pseudonyms.RECEIPT_NUMBER))
        recorded = [item for item, handle in zip(told, people.handles, strict=True) if handle is not None]
        for item, number in zip(recorded, numbers, strict=True):
            item["receipt"] = number

    def _meet(
        self, columns: Mapping[str, pa.StringArray], good: npt.NDArray[np.bool_], outcome: Sequence[Wish | PiyingError], now: datetime
    ) -> _People:
        """The people of the good items, made where nobody knew them. Somebody erased is not made again: there is nobody left to ask."""
        batch = self._random(ID)
        for attempt in range(ATTEMPTS):
            try:
                with self._begin_vault() as tx:
                    found = vault.resolve(tx, self._keyring, columns, may_link_strong=True, random=self._random)
                    erased = np.asarray(found.erased.to_numpy(zero_copy_only=False), bool)
                    keep = good & ~erased & (found.index >= 0) & ~_too_early(outcome, found.begins, to_micros(now))
                    keep &= ~self._without_guardian(outcome, found, now)
                    vault.store(tx, self._keyring, found, pa.array(keep.tolist(), pa.bool_()), batch_id=batch, now=now, random=self._random)
                break
            except Raced:
                if attempt == ATTEMPTS - 1:
                    raise
        cipher = self._keyring.block_cipher(pseudonyms.CONSENT_HANDLE)
        made = _blocks(pseudonyms.handles(found.people, cipher))
        by_person = dict(zip(_blocks(found.people), made, strict=True))
        aliases = {by_person[person]: _blocks(cipher(b"".join(others))) for person, others in found.families.items()}
        handles = [made[index] if kept else None for index, kept in zip(found.index.tolist(), keep.tolist(), strict=True)]
        for row in np.flatnonzero(erased & good).tolist():
            handles[row] = self._nobodys(columns, row, outcome[row])
        return _People(handles, aliases)

    def _without_guardian(self, outcome: Sequence[Wish | PiyingError], found: vault.Resolution, now: datetime) -> npt.NDArray[np.bool_]:
        """A child's yes that no guardian gave: it is no consent (PIPL 31)."""
        orphaned = np.zeros(len(outcome), bool)
        today = now.astimezone(self._zone).date()
        children = {person for person, born in found.youth.items() if vault.age(born, today) < LAKE_AGE}
        if children:
            people = _blocks(found.people)
            for row, wish in enumerate(outcome):
                given = isinstance(wish, Wish) and gate.is_grant(wish.state) and "guardian" not in wish.evidence
                orphaned[row] = given and found.index[row] >= 0 and people[found.index[row]] in children
        return orphaned

    def _guardian_fault(self, item: Mapping[str, Any], wish: Wish | PiyingError, namespace: str) -> Wish | PiyingError:
        """The wish, or why nobody is named by what it says of a guardian."""
        if isinstance(wish, Wish) and "guardian" in wish.evidence:
            try:
                guardians.mark(self._keyring, bytes(ID), item["guardian"].get("identifier"), namespace=namespace)
            except Invalid as error:
                return error
        return wish

    def _witnessed(
        self, outcome: Sequence[Wish | PiyingError], items: Sequence[Mapping[str, Any]], people: _People, namespace: str
    ) -> list[Wish | PiyingError]:
        """The wishes; those that a guardian gave with the mark of who that is."""
        told = list(outcome)
        for row, (wish, handle) in enumerate(zip(outcome, people.handles, strict=True)):
            if isinstance(wish, Wish) and handle is not None and "guardian" in wish.evidence:
                named = guardians.mark(self._keyring, handle, items[row]["guardian"]["identifier"], namespace=namespace)
                told[row] = replace(wish, evidence={**wish.evidence, "guardian_mark": named})
        return told

    def _nobodys(self, columns: Mapping[str, pa.StringArray], row: int, wish: Wish | PiyingError) -> bytes | None:
        """The handle under which a no of somebody erased is recorded: made of their identifier's mark, it leads to no person. A yes has none."""
        if not isinstance(wish, Wish) or gate.is_grant(wish.state):
            return None
        kind, value = next((kind, column[row].as_py()) for kind, column in columns.items() if column[row].is_valid)
        (mark,) = stones.tombstone_digests(self._keyring, [IdentifierType(kind)], [value])
        return self._keyring.block_cipher(pseudonyms.CONSENT_HANDLE)(mark[:ID])

    # ── showing ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def show(self, type_: str, value: str, *, actor: str, namespace: str = "") -> dict[str, Any]:
        """What a person allows now and everything recorded about it; beside it agreements to notices, which allow nothing.

        Logged before anything is read; nobody known looks the same.
        """
        columns, faults = _identifiers([{"identifier": {"type": type_, "value": value}}], namespace)
        for fault in faults.values():
            raise fault
        now = to_micros(self._clock())
        with self._begin_platform() as tx:
            self._log(tx, LogKind.READ, "consent.show", actor=actor, facts={"identifier_type": type_})
        with self._read_vault() as tx:
            person = vault.lookup(tx, self._keyring, type_, columns[type_][0].as_py())
            family = [member.id for member in merging.family_of(tx, person)] if person else []
        cipher = self._keyring.block_cipher(pseudonyms.CONSENT_HANDLE)
        handles = _blocks(cipher(b"".join(family))) if person else []
        with self._read_platform() as tx:
            registered = registry.purposes(tx)
            lines = ledger.timelines(tx, handles[:1], registered, aliases={handles[0]: handles[1:]}) if handles else {}
            acts = [act for handle in handles for act in ledger.history(tx, handle)]
            agreed = agreements.of(tx, handles) if handles else []
        said = lines.get(handles[0], {}) if handles else {}
        decisions = {key: gate.decide(said.get(key), now, now) for key in registered}
        return {
            "purposes": {key: {"allowed": decision.allowed, "reason": decision.reason} for key, decision in decisions.items()},
            "policy": gate.POLICY,
            "acts": [_shown(act) for act in sorted(acts, key=lambda act: act["seq"])],
            "agreements": [_shown(one) for one in agreed],
        }

    # ── the population of a question ─────────────────────────────────────────────────────────────────────────────────────────

    def population(self, purpose: str, *, actor: str = "system", youth_signal: bool = False, tags: Sequence[str] = ()) -> Crowd:
        """Everybody who allows an analytic purpose at this moment (law_rules L-4), as run IDs under a key of this call's own.

        `youth_signal` says that the question's rule speaks of students, schools or children: then marketing leaves out who told no birth
        date, unless the deployment allows them (law_rules L-1). Whoever deleted one of the `tags` that the rule is built on is left out (S-03).
        """
        if purpose not in ANALYTIC_PURPOSES:
            raise Refused("only an analytic purpose opens the lake", code="purpose_not_analytic", field="purpose")
        now = self._clock()
        with self._begin_platform() as tx:
            self._log(tx, LogKind.READ, "population.open", actor=actor, facts={"purpose": purpose})
        with self._read_vault() as tx:
            merges = vault.merged_into(tx)
            born = vault.youths(tx, self._keyring)
            ageless = vault.ageless(tx) if purpose == PROFILING and self._bars_unknown(youth_signal) else set()
        with self._read_platform() as tx:
            allowed = ledger.allowed_handles(tx, purpose, to_micros(now))
            known = families.families(merges)
            verdicts = self._family_verdicts(tx, known, purpose, to_micros(now))
            refused = [handle for tag in tags for handle in objections.against(tx, tag)]
            flagged = [*refused, *flags.everybody(tx, flags.against(purpose)), *_blocks(reach.unreached(tx, purpose, to_micros(now)))]
        people = self._keyring.inverse_block_cipher(pseudonyms.CONSENT_HANDLE)(allowed) if allowed else b""
        barred = self._too_young(born, purpose, now) | set(self._people(flagged)) | ageless
        members, owners = families.members(people, known, verdicts, barred)
        run_ids = pseudonyms.run_ids(owners, self._keyring.profile.permutation(self._random(KEY_BYTES)))

        def virtual_ids(month: int) -> npt.NDArray[np.int64]:
            return pseudonyms.virtual_ids(members, self._keyring.block_cipher(pseudonyms.VIRTUAL_ID, str(month)))

        return Crowd(purpose, gate.POLICY, virtual_ids, run_ids)

    def _family_verdicts(self, tx: Any, known: families.Families, purpose: str, now: int) -> dict[bytes, bool]:
        """For each person with merged others whether all of them together allow."""
        if not known:
            return {}
        cipher = self._keyring.block_cipher(pseudonyms.CONSENT_HANDLE)
        heads = _blocks(cipher(b"".join(known)))
        aliases = {head: _blocks(cipher(b"".join(others))) for head, others in zip(heads, known.values(), strict=True)}
        lines = ledger.timelines(tx, heads, [purpose], aliases=aliases)
        return {person: gate.decide(lines.get(head, {}).get(purpose), now, now).allowed for person, head in zip(known, heads, strict=True)}

    def _people(self, handles: Sequence[bytes]) -> list[bytes]:
        return _blocks(self._keyring.inverse_block_cipher(pseudonyms.CONSENT_HANDLE)(b"".join(handles))) if handles else []

    def _bars_unknown(self, youth_signal: bool) -> bool:
        """Whether marketing leaves out whose age nobody told: always, where the rule has a youth signal, or never."""
        return self._unknown_age == "exclude" or (self._unknown_age == "signal" and youth_signal)

    def _too_young(self, born: Mapping[bytes, date], purpose: str, now: datetime) -> set[bytes]:
        """Who has not reached the age that the purpose needs, on this day in the controller's zone."""
        today, needed = now.astimezone(self._zone).date(), MARKETING_AGE if purpose == PROFILING else LAKE_AGE
        return {person for person, birth in born.items() if vault.age(birth, today) < needed}


def _identifiers(items: Sequence[Mapping[str, Any]], namespace: str) -> tuple[dict[str, pa.StringArray], dict[int, PiyingError]]:
    """Normalised identifiers as columns by type, one an item, and the items whose identifier is none."""
    faults: dict[int, PiyingError] = {}
    given: dict[str, list[str | None]] = {}
    for index, item in enumerate(items):
        one = item.get("identifier")
        type_, value = (one.get("type"), one.get("value")) if isinstance(one, Mapping) else (None, None)
        if type_ not in {kind.value for kind in IdentifierType} or not isinstance(value, str):
            faults[index] = Invalid("an item names its person by one identifier", code="identifier_missing", field="identifier")
            continue
        given.setdefault(str(type_), [None] * len(items))[index] = value
    columns = {}
    for type_, values in given.items():
        columns[type_], bad = normalise.normalise(type_, pa.array(values, pa.string()), namespace=namespace)
        absent = columns[type_].is_null().to_pylist()
        for index, value in enumerate(values):
            if value is not None and (absent[index] or bad[index].as_py()):
                faults[index] = Invalid("this is no identifier of its type", code="bad_identifier", field="identifier")
    return columns, faults


def _too_early(outcome: Sequence[Wish | PiyingError], begins: npt.NDArray[np.int64], now: int) -> npt.NDArray[np.bool_]:
    """A yes that was given before a new relationship began belongs to one that is erased."""
    early = np.zeros(len(outcome), bool)
    for row in np.flatnonzero(begins).tolist():
        wish = outcome[row]
        early[row] = isinstance(wish, Wish) and gate.is_grant(wish.state) and (now if wish.at is None else to_micros(wish.at)) < begins[row]
    return early


def _acts(
    outcome: Sequence[Wish | PiyingError], people: _People, now: int, actor: str, source: str | None
) -> tuple[list[tuple[ConsentAct, Wish]], list[dict[str, Any]]]:
    """The acts to be recorded, each with its wish, and what the caller is told of every item."""
    acts: list[tuple[ConsentAct, Wish]] = []
    told: list[dict[str, Any]] = []
    for index, (wish, handle) in enumerate(zip(outcome, people.handles, strict=True)):
        if isinstance(wish, PiyingError):
            told.append({"index": index, "verdict": Verdict.REFUSED.value, "reason": wish.code, "path": wish.field})
            continue
        stored = handle is not None or not gate.is_grant(wish.state)
        told.append({"index": index, "verdict": (Verdict.STORED if stored else Verdict.REFUSED).value})
        if not stored:
            told[-1] |= {"reason": NOT_PROCESSED, "path": None}
        if handle is not None:
            at = now if wish.at is None else to_micros(wish.at)
            until = None if wish.valid_until is None else to_micros(wish.valid_until)
            explicit = ConsentKind.EXPLICIT.value
            act = ConsentAct(handle, wish.purpose, wish.state, explicit, at, now, source, wish.notice, wish.evidence, actor, until)
            acts.append((act, wish))
    return acts, told


def _facts(acts: Sequence[ConsentAct], told: Sequence[Mapping[str, Any]], source: str | None) -> dict[str, Any]:
    """Counts for the log: how many of each state and verdict; never whose."""
    states: dict[str, int] = {}
    for act in acts:
        states[act.state] = states.get(act.state, 0) + 1
    stored = sum(item["verdict"] == Verdict.STORED for item in told)
    purposes = sorted({act.purpose for act in acts})
    return {"source": source, "states": states, "purposes": purposes, "stored": stored, "refused": len(told) - stored}


def _shown(act: Mapping[str, Any]) -> dict[str, Any]:
    """An act as people read it: instants as text in UTC."""
    instants = ("effective_at", "received_at", "claimed_at", "valid_until", "agreed_at")
    return {
        name: from_micros(value).isoformat() if name in instants and value is not None else value
        for name, value in act.items()
        if name not in ("seq", "entry")
    }


def _blocks(joined: bytes) -> list[bytes]:
    return [joined[start : start + ID] for start in range(0, len(joined), ID)]
