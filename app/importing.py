"""The course of an import: chunk by chunk through the pipeline, its books kept in the chunks' own transactions.

Promise: whatever dies when, the books say exactly what was stored, and going on begins with the next chunk. Two who take the same import
up do not both store a chunk. Learns counts, places and rules; never a value.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from app import imports
from app.imports import NOT_PROCESSED, QUEUED, RUNNING, Facts, FileImport, ImportChunk, ImportPart
from ingestion import inbox, pipeline, registry
from ingestion.pipeline import Outcome, Receipt
from privacy.errors import Conflict, Invalid, Refused
from privacy.outcomes import Verdicts
from privacy.vocabulary import LogKind, Verdict

if TYPE_CHECKING:
    from app.wiring import Services
    from ingestion.mapping import FileMapping
    from privacy.records import CanonicalBatch, RawBatch, SourceFacts

Measure = Callable[[str, Receipt], None]
"""Told a source and the receipt of each of its chunks."""
Progress = Callable[[int, int], bool | None]
"""Told after each chunk how much was read, of how much; says whether to stop."""
Chunks = Callable[[int, Callable[[int, int], None]], Iterable["RawBatch"]]
"""Reads a file from a row on, telling how far it is."""
ATTEMPTS = 5
"""Times that one chunk steps aside for chunks of the same microsecond."""


def run(
    services: Services, import_id: str, chunks: Chunks, mapping: FileMapping, *, holder: str, measure: Measure, progress: Progress
) -> dict[str, Any]:
    """Runs an import to its end, or goes on with it; its counts. A cancelled one ends after its chunk."""
    place = [0, 0]

    def told(done: int, total: int) -> None:
        place[:] = [done, total]

    with services.begin_intake() as tx:
        course = _claim(tx, import_id, holder, now=services.clock(), place=place)
    state = imports.DONE
    for chunk in _ahead(services, course, chunks(course.next_row, told), mapping):
        receipt = course.take(services, chunk, mapping)
        measure(course.facts.source_id, receipt)
        if progress(*place) or course.cancelled:
            state = imports.CANCELLED
            break
    with services.begin_intake() as tx:
        imports.finish(tx, import_id, state, now=services.clock())
        facts = {"import": import_id, "received": course.receipt.received, "stored": course.receipt.stored}
        services.log(tx, LogKind.INGEST, "import.finish", actor=course.facts.created_by, result=state, facts=facts)
    return counts_of(course.receipt)


class Chunk(NamedTuple):
    """A chunk under the instant that is to be its own, and the batch that it makes."""

    raw: RawBatch
    batch: CanonicalBatch


def _ahead(services: Services, course: Course, raws: Iterable[RawBatch], mapping: FileMapping) -> Iterator[Chunk]:
    """The chunks in their order, each read and prepared by another thread while the one before it is stored; never more than one ahead."""
    waiting = iter(raws)
    intake = services.intake

    def one() -> Chunk | None:
        for raw in waiting:
            stamped = replace(raw, received_at=course.moment(raw.received_at))
            return Chunk(stamped, pipeline.prepare(stamped, mapping, intake))
        return None

    with ThreadPoolExecutor(1, "import") as reader:
        coming = reader.submit(one)
        while (chunk := coming.result()) is not None:
            coming = reader.submit(one)
            yield chunk


class Course:
    """The run of one import: hands out instants, keeps the books of each chunk in the chunk's transaction, hears of a cancellation."""

    def __init__(self, facts: Facts, holder: str, latest: datetime | None, place: list[int]) -> None:
        self.facts, self._holder, self._latest, self._place = facts, holder, latest, place
        self.next_row = facts.next_row
        self.receipt = Receipt(**facts.counts) if facts.counts else Receipt()
        self.cancelled = False
        self._after = 0
        self._moments = Lock()
        self._kept: list[tuple[int, Receipt, int, bool]] = []

    def take(self, services: Services, ready: Chunk, mapping: FileMapping) -> Receipt:
        """One chunk. Its instant is its own in its source; another import that hit the same one is stepped aside for."""
        chunk, batch = ready.raw, ready.batch
        if chunk.first != self.next_row:
            raise Conflict("the file is read in other chunks than before: import it anew", code="import_not_ready")
        for _ in range(ATTEMPTS):
            rows = chunk.table.num_rows if chunk.table is not None else len(chunk.items or ())
            book = partial(self._book, chunk.received_at, rows, bool(mapping.skip))
            self._kept.clear()
            try:
                receipt = pipeline.ingest(chunk, mapping, services.intake, beside=book, ready=batch)
                if not self._kept:  # not one of its rows meant anything
                    with services.begin_intake() as tx:
                        book(tx, Outcome(b"", {}, {}, Receipt()))
            except sa.exc.IntegrityError:
                chunk = replace(chunk, received_at=self.moment(chunk.received_at))
                batch = pipeline.prepare(chunk, mapping, services.intake)
                continue
            self.next_row, self.receipt, self._after, self.cancelled = self._kept[-1]
            return receipt
        raise Conflict("too many imports of this source run at once", code="import_taken", retry_after=1)

    def moment(self, received_at: datetime) -> datetime:
        """The instant of a next chunk: later than that of every chunk of this source that is known."""
        with self._moments:
            if self._latest is not None and received_at <= self._latest:
                received_at = self._latest + timedelta(microseconds=1)
            self._latest = received_at
            return received_at

    def _book(self, at: datetime, rows: int, skips: bool, tx: sa.Connection, outcome: Outcome) -> None:
        """Books a chunk. Raises Conflict, and the chunk is not stored, if somebody else goes on with this import."""
        facts, first = self.facts, self.next_row
        total = self.receipt.plus(outcome.receipt)
        mine = sa.and_(FileImport.id == facts.id, FileImport.state == RUNNING, FileImport.holder == self._holder)
        row = tx.execute(
            sa.update(FileImport)
            .where(mine, FileImport.next_row == first)
            .values(next_row=first + rows, counts=counts_of(total), done=self._place[0], total=self._place[1], last_at=at)
            .returning(FileImport.cancel)
        ).first()
        if row is None:
            raise Conflict("somebody else goes on with this import", code="import_taken")
        chunk = {"import_id": facts.id, "first": first, "source_id": facts.source_id, "at": at, "batch_id": outcome.batch_id}
        tx.execute(sa.insert(ImportChunk).values(**chunk, faults=_faults(first, 0 if skips else rows, outcome)))
        positions = inbox.positions_of(tx, outcome.batch_id, after=self._after)
        if positions:
            tx.execute(sa.insert(ImportPart), [{"seq": seq, "import_id": facts.id} for seq in positions])
        self._kept.append((first + rows, total, max(positions, default=self._after), bool(row.cancel)))


def _claim(tx: sa.Connection, import_id: str, holder: str, *, now: datetime, place: list[int]) -> Course:
    """Begins or goes on with an import; raises Conflict if it is not waiting for that."""
    facts = imports.get(tx, import_id, lock=True)
    if imports.undoing(tx, facts.source_id):
        raise Conflict("an import of this source is being undone", code="import_undoing", retry_after=5)
    started = facts.started_at or now
    if not imports.change(tx, import_id, (QUEUED, RUNNING), state=RUNNING, holder=holder, started_at=started, error_code=None):
        raise Conflict("the import is not waiting to be run", code="import_not_ready")
    return Course(replace(facts, state=RUNNING), holder, imports.latest_chunk(tx, facts.source_id), place)


def counts_of(receipt: Receipt) -> dict[str, Any]:
    """A receipt as it is kept and shown."""
    return {
        "received": receipt.received,
        "stored": receipt.stored,
        "duplicate": receipt.duplicate,
        "quarantined": receipt.quarantined,
        "refused": receipt.refused,
        "reasons": dict(sorted(receipt.reasons.items())),
        "dropped_fields": dict(sorted(receipt.dropped_fields.items())),
    }


def _faults(first: int, rows: int, outcome: Outcome) -> bytes | None:
    """Rows (from 1, the header not counted) with path and rule of what failed in form; of the refused only the row.

    `rows` is 0 where a mapping passes rows over: of those nothing is said.
    """
    failed = [[position + 1, item.path, str(item.rule)] for position, item in outcome.malformed.items()]
    told = Verdicts.of(outcome.verdicts)
    refused = set(told.of_kind(Verdict.REFUSED))
    if len(told) < rows:
        refused |= set(range(first, first + rows)) - set(told)
    lines = sorted([*failed, *([position + 1, "", NOT_PROCESSED] for position in refused)])
    return zlib.compress(json.dumps(lines).encode()) if lines else None


def source_of_files(services: Services, name: str) -> SourceFacts:
    """The facts of a source that takes files; raises NotFound, Refused or Invalid."""
    with services.read_intake() as tx:
        source = registry.by_name(tx, name)
    if source.disabled_at is not None:
        raise Refused("the source is disabled", code="source_disabled")
    if source.facts.kind != "file":
        raise Invalid("only a source of kind file takes files", code="wrong_source_kind", field="source")
    return source.facts
