"""The way in, readable from top to bottom: canonicalise, admit, store once, count everything.

    raw ─▶ canonical ─▶ admitted (consent held, virtual IDs, de-identified) ─▶ inbox ─▶ lake

Promise: every item that was received is stored, a duplicate, quarantined or refused, and the counts say so in the transaction that
acknowledges it. Nothing here knows who a person is: the admission door is handed in. A retry of the same batch changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import compress
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from ingestion import canonical, inbox, live, quality, quarantine, seen, verdicts
from ingestion.mapping import FileMapping
from ingestion.source import payload
from privacy.errors import Raced
from privacy.outcomes import Verdicts
from privacy.vocabulary import FormRule, Reason, Verdict

if TYPE_CHECKING:
    import sqlalchemy as sa

    from privacy.dictionary.catalogue import Catalogue
    from privacy.orm import Begin
    from privacy.records import Admit, Admitted, CanonicalBatch, Clock, Malformed, RawBatch, SealedBox

KEEP_MALFORMED = timedelta(days=7)
"""Only items whose form failed are kept, sealed, this long (law_rules L-2)."""
KEEP_WAITING = timedelta(hours=24)
"""Only where the source declares that consent travels on another path."""
ATTEMPTS_ON_RACE = 6

Also = Callable[["sa.Connection"], None]
"""Statements of a caller in the transaction that stores its batch."""


def _nothing_more(_tx: sa.Connection) -> None:
    """What most batches need beside their own rows."""


@dataclass(frozen=True, slots=True)
class Intake:
    """What the wiring hands to the pipeline: the admission door, the platform transaction, the sealed box, and the house's constants."""

    admit: Admit
    begin: Begin
    box: SealedBox
    catalogue: Catalogue
    clock: Clock
    zone: str
    retention_days: int
    memory: seen.Memory = field(default_factory=seen.Memory)
    ring: live.Ring | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch. received = stored + duplicate + quarantined + refused."""

    received: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0
    refused: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    dropped_fields: Mapping[str, int] = field(default_factory=dict)

    @property
    def by_verdict(self) -> dict[str, int]:
        """The items by what became of them."""
        return {"stored": self.stored, "duplicate": self.duplicate, "quarantined": self.quarantined, "refused": self.refused}

    def plus(self, other: Receipt) -> Receipt:
        """The receipt of two batches together."""
        return Receipt(
            self.received + other.received,
            self.stored + other.stored,
            self.duplicate + other.duplicate,
            self.quarantined + other.quarantined,
            self.refused + other.refused,
            _sum(self.reasons, other.reasons),
            _sum(self.dropped_fields, other.dropped_fields),
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch, for whoever keeps books beside it: its name, one verdict a position, where form failed, the receipt."""

    batch_id: bytes
    verdicts: Mapping[int, Verdict]
    malformed: Mapping[int, Malformed]
    receipt: Receipt


Beside = Callable[["sa.Connection", Outcome], None]
"""As `Also`, and told what became of the batch."""


def ingest(
    raw: RawBatch,
    mapping: FileMapping | None,
    intake: Intake,
    *,
    ends: Sequence[datetime] = (),
    also: Also = _nothing_more,
    beside: Beside | None = None,
    ready: CanonicalBatch | None = None,
) -> Receipt:
    """Takes one batch in. Raises errors.Unavailable, Locked or Raced with nothing acknowledged; then the caller may send it again.

    `ends` says of items that were held before when that ends: failing again gives them no more time. `also` writes in the transaction
    that stores the batch, so that a reader's position moves with its rows or not at all; it runs once more where a race repeats it.
    `ready` is the batch as `prepare` made it, where somebody did so ahead of time.
    """
    batch = ready or prepare(raw, mapping, intake)
    if not batch.received:
        return Receipt()
    for attempt in range(ATTEMPTS_ON_RACE):
        try:
            return _store(raw, batch, intake.admit(batch), intake, ends, also, beside)
        except Raced:
            if attempt == ATTEMPTS_ON_RACE - 1:
                raise
    raise AssertionError("unreachable")


def prepare(raw: RawBatch, mapping: FileMapping | None, intake: Intake) -> CanonicalBatch:
    """The step before anything is looked up or written: another thread may take it while the batch before is stored."""
    return canonical.canonicalise(
        raw, mapping, intake.catalogue, now=intake.clock(), retention_days=intake.retention_days, zone=intake.zone
    )


def _store(
    raw: RawBatch,
    batch: CanonicalBatch,
    admitted: Admitted,
    intake: Intake,
    ends: Sequence[datetime],
    also: Also,
    beside: Beside | None,
) -> Receipt:
    malformed = {item.position: item for item in (*admitted.malformed, *batch.malformed)}
    failures = _seal(raw, malformed.values(), intake, ends)
    with intake.begin() as tx:
        duplicates = inbox.put(tx, admitted.batch, now=raw.received_at, older=admitted.older_digests, memory=intake.memory)
        outcome = _verdicts(batch, admitted, malformed, duplicates)
        admitted.settle(tx, outcome)
        for end, kept in failures.items():
            quarantine.put(tx, raw.source.id, batch.batch_id, kept, now=raw.received_at, expires_at=end)
        receipt = _count(batch, admitted, malformed, outcome)
        inbox.count(tx, raw.source.id, _day(raw, intake), _tally(receipt), receipt.dropped_fields)
        quality.put(tx, raw, batch, outcome, malformed, receipt.by_verdict, _day(raw, intake))
        if raw.request_id and not raw.source.public:  # nobody is told the name of a public source's request
            verdicts.put(tx, raw.request_id, raw.source.id, _told(batch, malformed, outcome), now=raw.received_at)
        if intake.ring is not None:
            intake.ring.note(tx, raw, batch)
        also(tx)
        if beside is not None:
            beside(tx, Outcome(batch.batch_id, outcome, malformed, receipt))
    return receipt


_KINDS = (Verdict.STORED, Verdict.REFUSED, Verdict.DUPLICATE, Verdict.QUARANTINED)


def _verdicts(batch: CanonicalBatch, admitted: Admitted, malformed: Mapping[int, Malformed], duplicates: Collection[int]) -> Verdicts:
    """One verdict an item, by position: form first, then duplicate, then the law's reason; what is left was stored."""
    told = [np.fromiter(some, np.int64, len(some)) for some in (admitted.refusals.positions, duplicates, malformed)]
    columns = [part.positions.to_numpy() for part in batch.parts]
    if len(columns) == 1 and not len(told[0]) + len(told[2]):
        positions = columns[0] if (np.diff(columns[0]) > 0).all() else np.unique(columns[0])
    else:
        positions = np.unique(np.concatenate([*columns, *told]))
    codes = np.zeros(len(positions), np.int8)
    for code, some in enumerate(told, 1):
        codes[np.searchsorted(positions, some)] = code
    return Verdicts(positions, codes, _KINDS)


def _count(batch: CanonicalBatch, admitted: Admitted, malformed: Mapping[int, Malformed], outcome: Verdicts) -> Receipt:
    tally = outcome.tally()
    refused = outcome.among(admitted.refusals.positions, Verdict.REFUSED)
    reasons = Counter(compress(admitted.refusals.reasons, refused))
    reasons.update(str(item.rule) for item in malformed.values())
    if silent := batch.received - len(outcome):
        tally[Verdict.REFUSED] += silent
        reasons[Reason.NOTHING_TO_STORE.value] += silent
    counts = {verdict.value: tally[verdict] for verdict in Verdict}
    dropped = _sum(batch.dropped_fields, admitted.dropped_fields)
    return Receipt(batch.received, **counts, reasons=dict(reasons), dropped_fields=dropped)


def _tally(receipt: Receipt) -> dict[tuple[str, str], int]:
    """Items by verdict and reason, for the counters of the source's day."""
    forms = {rule.value for rule in FormRule}
    counts = {(Verdict.STORED.value, ""): receipt.stored, (Verdict.DUPLICATE.value, ""): receipt.duplicate}
    for reason, number in receipt.reasons.items():
        counts[Verdict.QUARANTINED.value if reason in forms else Verdict.REFUSED.value, reason] = number
    return counts


def _day(raw: RawBatch, intake: Intake) -> date:
    """The day of receipt by the controller's clock."""
    return raw.received_at.astimezone(ZoneInfo(intake.zone)).date()


def _told(batch: CanonicalBatch, malformed: Mapping[int, Malformed], outcome: Mapping[int, Verdict]) -> list[verdicts.Told]:
    """What the integrator may hear of each item: reasons of form only."""
    names = {position: item.message_id for position, item in malformed.items()}
    for part in batch.parts:
        if part.message_ids is not None:
            names |= dict(zip(part.positions.to_pylist(), part.message_ids.to_pylist(), strict=True))
    told = []
    for position, verdict in sorted(outcome.items()):
        failed = malformed.get(position)
        reason, path = (str(failed.rule), failed.path) if failed else (None, None)
        told.append(verdicts.tell(position, names.get(position), verdict, reason, path))
    return told


def _seal(
    raw: RawBatch, malformed: Collection[Malformed], intake: Intake, ends: Sequence[datetime]
) -> dict[datetime, list[quarantine.Failure]]:
    """Seals the payload of each malformed item, by when its time ends. Items that wait for consent are kept for less."""
    by_end: dict[datetime, list[Malformed]] = {}
    for item in malformed:
        end = raw.received_at + (KEEP_WAITING if item.rule == FormRule.AWAITING_CONSENT else KEEP_MALFORMED)
        by_end.setdefault(min(end, ends[item.position - raw.first]) if ends else end, []).append(item)
    kept: dict[datetime, list[quarantine.Failure]] = {}
    for end, items in by_end.items():
        references = intake.box.seal(raw.source.id, [payload(raw, item.position) for item in items], end)
        kept[end] = [
            quarantine.Failure(raw.place(item.position), item.path, item.rule, reference)
            for item, reference in zip(items, references, strict=True)
        ]
    return kept


def _sum(left: Mapping[str, int], right: Mapping[str, int]) -> dict[str, int]:
    return {name: left.get(name, 0) + right.get(name, 0) for name in {*left, *right}}
