"""Who of a batch is refused and why, which consent it brings, and which rows remain: the decisions of the admission door.

Promise: pure; the unknown is denied, one item has one verdict, and a reason never carries a value. Works on rows about people only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from privacy.consent import gate, ledger
from privacy.consent.agreements import Agreement
from privacy.deidentify import rules
from privacy.identity import normalise, vault
from privacy.orm import to_micros
from privacy.outcomes import Verdicts
from privacy.records import CanonicalBatch, CanonicalPart, ConsentClaim, Malformed, Refusals, SourceFacts
from privacy.vocabulary import (
    ANALYTIC_PURPOSES,
    STRONG_TYPES,
    ConsentKind,
    ConsentSignals,
    ConsentState,
    FormRule,
    IdentifierType,
    OnNoConsent,
    Reason,
    Verdict,
)

if TYPE_CHECKING:
    from privacy.dictionary.catalogue import Catalogue

Bools = npt.NDArray[np.bool_]
Reasons = npt.NDArray[np.object_]

ADULT_FOR_THE_LAKE = 14
"""Nobody younger enters the lake (PIPL 31; law_rules L-1)."""


@dataclass(frozen=True, slots=True)
class Stack:
    """The rows about people of all parts of a batch, one below the other, so that an item's rows have one person."""

    parts: tuple[CanonicalPart, ...]
    positions: npt.NDArray[np.int64]
    times: npt.NDArray[np.int64]
    identifiers: Mapping[str, pa.StringArray]
    bad: Mapping[str, Bools]

    def slices(self) -> list[slice]:
        ends = np.cumsum([len(part.positions) for part in self.parts]).tolist()
        return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]


class Act(NamedTuple):
    """A consent act and the item that brought it."""

    position: int
    row: int
    act: ledger.ConsentAct


def stack(parts: Sequence[CanonicalPart], source: SourceFacts) -> Stack:
    """Stacks parts and normalises their identifiers. A value whose form is wrong is marked; a blocked one is simply absent."""
    lengths = [len(part.positions) for part in parts]
    types = sorted({kind for part in parts for kind in part.identifiers}) or [IdentifierType.COOKIE.value]
    identifiers: dict[str, pa.StringArray] = {}
    bad: dict[str, Bools] = {}
    for kind in types:
        columns = [part.identifiers.get(kind, pa.nulls(length, pa.string())) for part, length in zip(parts, lengths, strict=True)]
        values = pa.concat_arrays([*(_flat(column) for column in columns), pa.array([], pa.string())])
        normal, wrong = normalise.normalise(kind, values, namespace=source.namespace)
        identifiers[kind] = normal
        bad[kind] = np.asarray(wrong.to_numpy(zero_copy_only=False), bool)
    return Stack(
        tuple(parts),
        _join([_numbers(part.positions) for part in parts]),
        _join([_numbers(part.times) for part in parts]),
        identifiers,
        bad,
    )


def consent_acts(
    stack: Stack, batch: CanonicalBatch, found: vault.Resolution, handles: bytes, known: frozenset[str], now: int
) -> tuple[list[Act], Reasons]:
    """The consent acts that rows bring, under the source's rule for signals; rows that name an unknown purpose are refused."""
    refuse: Reasons = np.full(len(stack.positions), None, object)
    acts: list[Act] = []
    for part, rows in zip(stack.parts, stack.slices(), strict=True):
        for claim in part.consents:
            said = np.asarray(pc.is_valid(claim.granted).to_numpy(zero_copy_only=False), bool)
            if claim.purpose not in known:
                refuse[rows][said] = Reason.PURPOSE_UNKNOWN.value
                continue
            counted = np.flatnonzero(said & (found.index[rows] >= 0) & _may_say(claim, batch.source))
            who = [handles[one * 16 : one * 16 + 16] for one in found.index[rows][counted].tolist()]
            told = _acts_of(claim, counted, who, batch.source, now)
            places = stack.positions[rows][counted].tolist()
            brought = map(Act, places, (counted + rows.start).tolist(), told)
            acts += (one for one in brought if _of_now(one.act, found.begins[one.row])) if found.begins.any() else brought
    return acts, refuse


def _of_now(act: ledger.ConsentAct, begins: int) -> bool:
    """A yes from before a new relationship began was given in one that is erased."""
    return act.at >= begins or act.state != ConsentState.GRANTED.value


@dataclass(frozen=True, slots=True)
class Told:
    """An agreement to a notice of privacy and the item that brought it."""

    position: int
    agreement: Agreement


def agreements(stack: Stack, batch: CanonicalBatch, found: vault.Resolution, handles: bytes, stored: Bools, now: int) -> list[Told]:
    """What the rows that are stored say of their people's agreement to a notice; of what is refused nothing is kept."""
    made: dict[tuple[bytes, str], Told] = {}
    for part, rows in zip(stack.parts, stack.slices(), strict=True):
        if part.agreements is None:
            continue
        said = np.asarray(pc.is_valid(part.agreements.notice).to_numpy(zero_copy_only=False), bool)
        for row in np.flatnonzero(said & stored[rows]).tolist():
            person = int(found.index[rows][row])
            handle, notice = handles[person * 16 : person * 16 + 16], part.agreements.notice[row].as_py()
            at = pc.cast(part.agreements.at[row], pa.int64()).as_py()
            one = Agreement(handle, batch.source.id, notice, batch.source.kind, at, now)
            made.setdefault((handle, notice), Told(int(stack.positions[rows][row]), one))
    return list(made.values())


def strangers(found: vault.Resolution) -> Bools:
    """Which of the batch's people the vault did not know, by any row."""
    new = np.ones(len(found.people) // 16, bool)
    new[found.index[np.asarray(found.known.to_numpy(zero_copy_only=False), bool) & (found.index >= 0)]] = False
    return new


def _may_say(claim: ConsentClaim, source: SourceFacts) -> Bools:
    """Which rows of a claim count (SHAPES "Consent at admission"): a person's own act brought by a server source always does."""
    everything = np.ones(len(claim.granted), bool)
    if claim.explicit and not source.public:
        return everything
    if source.consent_signals == ConsentSignals.IGNORE:
        return ~everything
    if source.consent_signals == ConsentSignals.ACCEPT and not source.public:
        return everything
    return ~np.asarray(pc.fill_null(claim.granted, fill_value=False).to_numpy(zero_copy_only=False), bool)


def _acts_of(
    claim: ConsentClaim, rows: npt.NDArray[np.int64], handles: Sequence[bytes], source: SourceFacts, now: int
) -> list[ledger.ConsentAct]:
    """These rows of a claim as acts, in their order."""
    explicit = claim.explicit and not source.public
    denial = (ConsentState.WITHDRAWN if explicit else ConsentState.DENIED).value
    kind = (ConsentKind.EXPLICIT if explicit else ConsentKind.ASSERTED).value
    granted = claim.granted.take(rows).to_pylist()
    times = pc.cast(claim.at.take(rows), pa.int64()).to_pylist()
    notices = [None] * len(rows) if claim.notice is None else claim.notice.take(rows).to_pylist()
    yes = ConsentState.GRANTED.value
    return [
        ledger.ConsentAct(
            handle, claim.purpose, yes if grant else denial, kind, now if at is None else at, now, source.id, notice, None, source.id
        )
        for handle, grant, at, notice in zip(handles, granted, times, notices, strict=True)
    ]


def refuse_by_person(stack: Stack, found: vault.Resolution, refuse: Reasons, now: datetime, zone: str) -> None:
    """Refuses rows that name nobody, name somebody erased, come from a child, or carry what may never be kept.

    A birth date that any row tells or the vault has noted holds for all rows of its person, and of those who turn out to be the same.
    """
    refuse[(found.index < 0) & _unset(refuse)] = Reason.PERSON_MISSING.value
    refuse[np.asarray(found.erased.to_numpy(zero_copy_only=False), bool) | (stack.times < found.begins)] = Reason.ERASED.value
    told = _told_young(stack, now, zone)
    people = blocks(found.people) if found.youth or told.any() else []
    young = {person for person, born in found.youth.items() if _age(born, now, zone) < ADULT_FOR_THE_LAKE}
    young |= {people[one] for one in np.unique(found.index[told & (found.index >= 0)]).tolist()}
    young |= {person for person, others in found.families.items() if not young.isdisjoint(others)}
    if young:
        children = np.fromiter((one in young for one in people), bool, len(people))
        refuse[(found.index >= 0) & children[np.maximum(found.index, 0)]] = Reason.MINOR.value
    refuse[told] = Reason.MINOR.value
    for part, rows in zip(stack.parts, stack.slices(), strict=True):
        if "_refuse" in part.fields.column_names:
            reasons = part.fields["_refuse"].to_numpy()
            given = np.asarray(pc.is_valid(part.fields["_refuse"]).to_numpy(), bool)
            refuse[rows][given] = reasons[given]


def _told_young(stack: Stack, now: datetime, zone: str) -> Bools:
    """Rows that tell the birth date of a child."""
    young = np.zeros(len(stack.positions), bool)
    for part, rows in zip(stack.parts, stack.slices(), strict=True):
        if "birth_date" in part.fields.column_names:
            born = _flat(part.fields["birth_date"])
            today = pa.array(np.full(len(born), to_micros(now)), pa.timestamp("us", tz="UTC"))
            child = pc.less(rules.ages(born, today, zone), ADULT_FOR_THE_LAKE)
            young[rows] = np.asarray(pc.fill_null(child, fill_value=False).to_numpy(zero_copy_only=False), bool)
    return young


def refuse_without_consent(stack: Stack, source: SourceFacts, allowed: Mapping[str, gate.Decisions], refuse: Reasons) -> None:
    """Refuses rows for which no analytic purpose that the source declared is allowed, at their time and now."""
    declared = [purpose for purpose in ANALYTIC_PURPOSES if purpose in source.purposes and purpose in allowed]
    lake = (
        np.concatenate([np.full(len(part.positions), part.record != "consent") for part in stack.parts])
        if stack.parts
        else np.empty(0, bool)
    )
    open_ = _unset(refuse) & lake
    if not declared:
        refuse[open_] = Reason.PURPOSE_NOT_DECLARED.value
        return
    any_allowed = np.logical_or.reduce([allowed[purpose].allowed for purpose in declared])
    denied = open_ & ~any_allowed
    refuse[denied] = allowed[declared[0]].reasons[denied]
    if source.on_no_consent == OnNoConsent.WAIT and not source.public:
        refuse[denied & (refuse == Reason.CONSENT_MISSING.value)] = FormRule.AWAITING_CONSENT.value


def refuse_sensitive(catalogue: Catalogue, stack: Stack, allowed: Mapping[str, gate.Decisions], refuse: Reasons) -> None:
    """Refuses rows that carry a sensitive value without the separate consent of its category (PIPL 29); such a row does not wait either."""
    for part, rows in zip(stack.parts, stack.slices(), strict=True):
        for name in part.fields.column_names:
            field = catalogue.records[part.record].fields.get(name)
            if field is None or field.class_ != "sensitive":
                continue
            carried = np.asarray(pc.is_valid(part.fields[name]).to_numpy(), bool)
            for purpose in field.purposes:
                if purpose in allowed:
                    carried &= ~allowed[purpose].allowed[rows]
            open_ = _unset(refuse[rows]) | (refuse[rows] == FormRule.AWAITING_CONSENT.value)
            refuse[rows][carried & open_] = Reason.SENSITIVE_WITHOUT_CONSENT.value


def sensitive_purposes(catalogue: Catalogue, parts: Sequence[CanonicalPart]) -> set[str]:
    return {
        purpose
        for part in parts
        for name in part.fields.column_names
        if (field := catalogue.records[part.record].fields.get(name)) is not None and field.class_ == "sensitive"
        for purpose in field.purposes
    }


_LATER = {FormRule.AWAITING_CONSENT.value: 1, Reason.PERSON_MISSING.value: 2}
"""Reasons that give way to another one of the same item. All others are the law's: what they refuse is never kept (law_rules L-2)."""


def by_item(stack: Stack, batch: CanonicalBatch, refuse: Reasons, acts: Sequence[Act]) -> tuple[tuple[Malformed, ...], Refusals, Bools]:
    """From rows to items: all rows of an item enter or none. The law comes before form; a person's own act makes its item stored, a source's
    word about consent is recorded beside the item's own verdict.

    A bad identifier quarantines the item, unless it brings a no: a withdrawal is recorded whatever stands beside it.
    """
    explicit, granted = ConsentKind.EXPLICIT.value, ConsentState.GRANTED.value
    brought = {one.position for one in acts if one.act.kind == explicit}
    noes = {one.position for one in acts if one.act.state != granted}
    reasons: dict[int, str] = {}
    told = ~_unset(refuse)
    for position, reason in zip(stack.positions[told].tolist(), refuse[told].tolist(), strict=True):
        if position not in reasons or _LATER.get(reason, 0) < _LATER.get(reasons[position], 0):
            reasons[position] = reason
    malformed: dict[int, Malformed] = {}
    for position, reason in reasons.items():
        if reason == FormRule.AWAITING_CONSENT.value and position not in brought:
            malformed[position] = Malformed(position, "", reason)
    broken: set[int] = set()
    for kind, wrong in stack.bad.items():
        if not (batch.source.public and kind in STRONG_TYPES):
            broken.update(stack.positions[wrong].tolist())
            for position in stack.positions[wrong].tolist():
                if position not in noes and reasons.get(position) in (None, Reason.PERSON_MISSING.value):
                    malformed.setdefault(position, Malformed(position, f"identifiers.{kind}", FormRule.BAD_IDENTIFIER.value))
    out = np.fromiter(broken | reasons.keys(), np.int64)
    admitted = ~np.isin(stack.positions, out)
    for part, rows in zip(stack.parts, stack.slices(), strict=True):
        if part.record == "consent":
            admitted[rows] = False
    refused = {position: reason for position, reason in reasons.items() if position not in brought and position not in malformed}
    return tuple(malformed.values()), Refusals(tuple(refused), tuple(refused.values())), admitted


def denied(found: vault.Resolution, refuse: Reasons) -> Bools:
    """Rows that a person's no refused and that show who a visitor is: the no counts for the whole person from now on."""
    rows = np.zeros(len(refuse), bool)
    for join in found.merges:
        rows[join.row] |= join.late and refuse[join.row] == Reason.CONSENT_WITHDRAWN.value
    return rows


def stopped(
    stack: Stack, source: SourceFacts, found: vault.Resolution, handles: bytes, allowed: Mapping[str, gate.Decisions], refusals: Refusals
) -> dict[tuple[bytes, str], int]:
    """How many items a no of their person's kept out, by the person's handle and the purpose that the no is about (decision 0026)."""
    no = Reason.CONSENT_WITHDRAWN.value
    out = [position for position, reason in zip(refusals.positions, refusals.reasons, strict=True) if reason == no]
    if not out:
        return {}
    rows = np.isin(stack.positions, out) & (found.index >= 0)
    counts: dict[tuple[bytes, str], int] = {}
    for purpose in ANALYTIC_PURPOSES:
        if purpose in source.purposes and purpose in allowed:
            here = rows & (allowed[purpose].reasons == no)
            items = np.unique(np.stack([found.index[here], stack.positions[here]]), axis=1)
            for person, number in zip(*np.unique(items[0], return_counts=True), strict=True):
                counts[handles[16 * person : 16 * person + 16], purpose] = int(number)
    return counts


def has_news(found: vault.Resolution, keep: Bools) -> bool:
    """Whether the kept rows bring the vault anything: a person, a link, a merge, a refused link, a newer index version."""
    if any(keep[one.row] for one in found.merges) or any(keep[one.row] for one in found.refusals):
        return True
    rows = found.rows[:, keep]
    used = np.unique(rows[rows >= 0])
    same = (found.found.owner[used] == found.owner[used]) & (found.found.at_version[used] == found.found.version)
    return not bool(same.all())


def verdict_leaves(verdicts: Mapping[int, Verdict]) -> list[bytes]:
    """What the batch's Merkle root is built over: `first-last:verdict` for each run of neighbours with one verdict, so that every item's
    verdict can be shown by one leaf, and a batch of one kind costs one."""
    return [b"%d-%d:%s" % (first, last, verdict.value.encode()) for first, last, verdict in Verdicts.of(verdicts).runs()]


def counts(one: Act, refuse: Reasons) -> bool:
    """A child's grant does not count without a guardian; anybody's no always does. Who was erased can still say no."""
    if one.act.state != ConsentState.GRANTED.value:
        return True
    return refuse[one.row] not in (Reason.MINOR.value, Reason.ERASED.value)


def that_count(acts: list[Act], refuse: Reasons) -> list[Act]:
    """Those of the acts that count: nearly always all, since nearly nobody is a child or erased."""
    some = (refuse == Reason.MINOR.value) | (refuse == Reason.ERASED.value)
    return [one for one in acts if counts(one, refuse)] if some.any() else acts


def births(stack: Stack, found: vault.Resolution, source: SourceFacts, admitted: Bools, refuse: Reasons, today: date) -> dict[bytes, date]:
    """The last birth date that was told of each person: by admitted rows, and by rows refused for a child's date if the vault knows the child.

    A public source's word may only protect: it makes nobody an adult and does not change what was noted of the young.
    """
    people: list[bytes] = []
    births: dict[bytes, date] = {}
    minors = (refuse == Reason.MINOR.value) & np.asarray(found.known.to_numpy(zero_copy_only=False), bool)
    for part, rows in zip(stack.parts, stack.slices(), strict=True):
        if "birth_date" not in part.fields.column_names:
            continue
        people = people or blocks(found.people)
        for row, born in enumerate(part.fields["birth_date"].to_pylist(), rows.start):
            if born is None or not (admitted[row] or minors[row]):
                continue
            person, years = people[found.index[row]], vault.age(born, today)
            if minors[row] and years >= ADULT_FOR_THE_LAKE:
                continue
            if source.public and (years >= vault.ADULT_YEARS or person in found.youth):
                continue
            births[person] = born
    return births


def _age(born: date, now: datetime, zone: str) -> int:
    at = pa.array([to_micros(now)], pa.timestamp("us", tz="UTC"))
    return int(rules.ages(pa.array([born], pa.date32()), at, zone)[0].as_py())


def _unset(refuse: Reasons) -> Bools:
    equal: Any = np.equal  # its declared types do not know object arrays
    return np.asarray(equal(refuse, None), np.bool_)


def blocks(joined: bytes) -> list[bytes]:
    return [joined[start : start + 16] for start in range(0, len(joined), 16)]


def _flat(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _numbers(column: pa.Array) -> npt.NDArray[np.int64]:
    return np.asarray(pc.cast(column, pa.int64()).to_numpy(zero_copy_only=False), np.int64)


def _join(columns: Sequence[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    return np.concatenate(columns) if columns else np.empty(0, np.int64)
