"""Requests of one source that came at the same time, taken in as one batch: one commit for all of them.

Promise: each request is told what it would have been told alone: its own counts, its own verdicts by its own positions. All of them are
stored in the one transaction or none is, and none is answered before. What makes the batch fail as a whole is the caller's to take apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

from ingestion import pipeline, verdicts
from ingestion.pipeline import Intake, Outcome, Receipt
from ingestion.source import Reading
from privacy.outcomes import Verdicts
from privacy.records import RawBatch
from privacy.vocabulary import Verdict

if TYPE_CHECKING:
    import sqlalchemy as sa


def ingest(raws: Sequence[RawBatch], intake: Intake) -> tuple[Receipt, list[Receipt]]:
    """Takes in requests of one source, read by an adapter; the receipt of all and of each."""
    if len(raws) == 1:
        receipt = pipeline.ingest(raws[0], None, intake)
        return receipt, [receipt]
    joined = join(raws)
    ends = [*joined.starts[1:], len(joined.items or ())]
    told: list[Receipt] = []

    def settle(tx: sa.Connection, outcome: Outcome) -> None:
        """Each request's own receipt and verdicts, in the transaction of all."""
        everything = Verdicts.of(outcome.verdicts)
        told[:] = [_receipt(everything.between(first, end), end - first) for first, end in zip(joined.starts, ends, strict=True)]
        if joined.source.public:
            return
        requests = {
            raw.request_id: _told(raw, everything.between(first, end), first, outcome)
            for raw, first, end in zip(raws, joined.starts, ends, strict=True)
        }
        verdicts.put_many(tx, joined.source.id, requests, now=joined.received_at)

    receipt = pipeline.ingest(joined, None, intake, beside=settle)
    return receipt, told or [Receipt() for _ in raws]


def join(raws: Sequence[RawBatch]) -> RawBatch:
    """The items of all requests as one batch. What has no message id of its own keeps the one that its request would have given it."""
    items = [_named(item, raw.request_id, place) for raw in raws for place, item in enumerate(raw.items or ())]
    sizes = [len(raw.items or ()) for raw in raws]
    names = hashlib.sha256(b"\n".join(raw.request_id.encode() for raw in raws)).digest()
    starts = tuple(accumulate(sizes[:-1], initial=0))
    return RawBatch(raws[0].source, max(raw.received_at for raw in raws), items=items, chunk=names, starts=starts)


def _named(item: Reading, request_id: str, place: int) -> Reading:
    return item if item.message_id is not None or item.rule is not None else replace(item, message_id=f"{request_id}\x1f{place}")


def _receipt(mine: Verdicts, received: int) -> Receipt:
    """The counts of one request; of what was not stored only how many, as in an answer."""
    tally = mine.tally()
    stored, duplicate, quarantined = (tally.get(one, 0) for one in (Verdict.STORED, Verdict.DUPLICATE, Verdict.QUARANTINED))
    return Receipt(received, stored, duplicate, quarantined, received - stored - duplicate - quarantined)


def _told(raw: RawBatch, mine: Verdicts, first: int, outcome: Outcome) -> list[verdicts.Told]:
    told = []
    for position, verdict in mine.items():
        failed = outcome.malformed.get(position)
        reason, path = (str(failed.rule), failed.path) if failed else (None, None)
        name = (raw.items or ())[position - first].message_id
        told.append(verdicts.tell(position - first, name, verdict, reason, path))
    return told
