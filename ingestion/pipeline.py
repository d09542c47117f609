"""The way in, readable from top to bottom: canonicalise, admit, store once, count everything.

    raw ─▶ canonical ─▶ admitted (consent held, virtual IDs, de-identified) ─▶ inbox ─▶ lake

Promise: every item that was received is stored, a duplicate, quarantined or refused, and the counts say so in the transaction that
acknowledges it. Nothing here knows who a person is: the admission door is handed in. A retry of the same batch changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ingestion import canonical, inbox, quarantine, verdicts
from ingestion.mapping import FileMapping
from ingestion.source import payload
from privacy.errors import Raced
from privacy.vocabulary import FormRule, Reason, Verdict

if TYPE_CHECKING:
    from privacy.dictionary.catalogue import Catalogue
    from privacy.orm import Begin
    from privacy.records import Admit, Admitted, CanonicalBatch, Clock, Malformed, RawBatch, SealedBox

KEEP_MALFORMED = timedelta(days=7)
"""Only items whose form failed are kept, sealed, this long (law_rules L-2)."""
KEEP_WAITING = timedelta(hours=24)
"""Only where the source declares that consent travels on another path."""
ATTEMPTS_ON_RACE = 6


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


def ingest(raw: RawBatch, mapping: FileMapping | None, intake: Intake, *, ends: Sequence[datetime] = ()) -> Receipt:
    """Takes one batch in. Raises errors.Unavailable, Locked or Raced with nothing acknowledged; then the caller may send it again.

    `ends` says of items that were held before when that ends: failing again gives them no more time.
    """
    batch = canonical.canonicalise(
        raw, mapping, intake.catalogue, now=intake.clock(), retention_days=intake.retention_days, zone=intake.zone
    )
    if not batch.received:
        return Receipt()
    for attempt in range(ATTEMPTS_ON_RACE):
        try:
            return _store(raw, batch, intake.admit(batch), intake, ends)
        except Raced:
            if attempt == ATTEMPTS_ON_RACE - 1:
                raise
    raise AssertionError("unreachable")


def _store(raw: RawBatch, batch: CanonicalBatch, admitted: Admitted, intake: Intake, ends: Sequence[datetime]) -> Receipt:
    malformed = {item.position: item for item in (*admitted.malformed, *batch.malformed)}
    failures = _seal(raw, malformed.values(), intake, ends)
    with intake.begin() as tx:
        duplicates = inbox.put(tx, admitted.batch, now=raw.received_at, older=admitted.older_digests)
        outcome = _verdicts(batch, admitted, malformed, duplicates)
        admitted.settle(tx, outcome)
        for end, kept in failures.items():
            quarantine.put(tx, raw.source.id, batch.batch_id, kept, now=raw.received_at, expires_at=end)
        receipt = _count(batch, admitted, malformed, outcome)
        inbox.count(tx, raw.source.id, _day(raw, intake), _tally(receipt), receipt.dropped_fields)
        if raw.request_id and not raw.source.public:  # nobody is told the name of a public source's request
            verdicts.put(tx, raw.request_id, raw.source.id, _told(batch, malformed, outcome), now=raw.received_at)
    return receipt


def _verdicts(batch: CanonicalBatch, admitted: Admitted, malformed: Mapping[int, Malformed], duplicates: set[int]) -> dict[int, Verdict]:
    """One verdict an item, by position: form first, then duplicate, then the law's reason; what is left was stored."""
    outcome = dict.fromkeys((position for part in batch.parts for position in part.positions.to_pylist()), Verdict.STORED)
    outcome |= dict.fromkeys(admitted.refusals.positions, Verdict.REFUSED)
    outcome |= dict.fromkeys(duplicates, Verdict.DUPLICATE)
    outcome |= dict.fromkeys(malformed, Verdict.QUARANTINED)
    return outcome


def _count(batch: CanonicalBatch, admitted: Admitted, malformed: Mapping[int, Malformed], outcome: Mapping[int, Verdict]) -> Receipt:
    tally = Counter(outcome.values())
    reasons = Counter(
        reason
        for position, reason in zip(admitted.refusals.positions, admitted.refusals.reasons, strict=True)
        if outcome[position] is Verdict.REFUSED
    )
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
            quarantine.Failure(item.position, item.path, item.rule, reference) for item, reference in zip(items, references, strict=True)
        ]
    return kept


def _sum(left: Mapping[str, int], right: Mapping[str, int]) -> dict[str, int]:
    return {name: left.get(name, 0) + right.get(name, 0) for name in {*left, *right}}
