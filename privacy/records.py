"""Stage types and small protocols: the shapes in which data changes hands.

Promise: a batch changes type when it changes status, and one module makes each type (DESIGN §2; a test walks the tree for makers).
Batches are columns (Arrow). No type here knows a database, a web request, a key or a clock.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    import pyarrow as pa
    import sqlalchemy as sa

    from privacy.vocabulary import Verdict

# ── who sends ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What a source declared when it was registered. `public` means that anybody can read its key (SHAPES: `client`)."""

    id: str
    name: str
    kind: str
    public: bool
    purposes: frozenset[str]
    on_no_consent: str = "refuse"
    consent_signals: str = "deny_only"
    namespace: str = ""
    consent_categories: Mapping[str, str] = field(default_factory=dict)


# ── in ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class RawBatch:
    """What a source handed over: untrusted, never stored. Exactly one of `items` (JSON values) and `table` (text columns) is set.

    `first` is the position of the first item in its file or request; `chunk` the digest that stands for the whole batch where
    rows carry no message id of their own.
    """

    source: SourceFacts
    received_at: datetime
    items: Sequence[Any] | None = None
    table: pa.Table | None = None
    first: int = 0
    chunk: bytes | None = None
    request_id: str = ""
    starts: tuple[int, ...] = (0,)
    """Where each request begins, of requests that are taken in together."""

    def place(self, position: int) -> int:
        """A position as whoever sent the item counts it."""
        return position - self.starts[bisect_right(self.starts, position) - 1] if len(self.starts) > 1 else position


@dataclass(frozen=True, slots=True)
class Malformed:
    """One item whose form failed: where, which field, which rule. Never the value."""

    position: int
    path: str
    rule: str
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class ConsentClaim:
    """What rows say about one purpose: columns as long as the part. `granted` null means the row says nothing.

    `explicit` is the person's own act brought by a source that may say so; otherwise it is a source's assertion.
    """

    purpose: str
    granted: pa.BooleanArray
    at: pa.TimestampArray
    notice: pa.StringArray | None
    explicit: bool


@dataclass(frozen=True, slots=True)
class Agreements:
    """Which notice of privacy rows say their person agreed to, and when: columns as long as the part, null where a row tells none.

    It is evidence and no consent: nothing that decides reads it.
    """

    notice: pa.StringArray
    at: pa.TimestampArray


@dataclass(frozen=True, slots=True)
class CanonicalPart:
    """Rows of one record kind. All columns have the same length; `fields` has the dictionary's names and types, null = absent."""

    record: str
    positions: pa.Int64Array
    message_ids: pa.StringArray | None
    times: pa.TimestampArray
    fields: pa.Table
    identifiers: Mapping[str, pa.StringArray]
    consents: tuple[ConsentClaim, ...] = ()
    agreements: Agreements | None = None


Census = Mapping[tuple[str, str], tuple[int, int]]
"""(record, field) → how often it came, and how often well formed, before any row was taken out."""


@dataclass(frozen=True, slots=True)
class CanonicalBatch:
    """Known fields, known types, UTC. Made only by `ingestion.canonical`."""

    source: SourceFacts
    received_at: datetime
    batch_id: bytes
    received: int
    parts: tuple[CanonicalPart, ...]
    malformed: tuple[Malformed, ...] = ()
    dropped_fields: Mapping[str, int] = field(default_factory=dict)
    chunk: bytes | None = None
    census: Census = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TablePart:
    """Rows for one lake table. `positions` and `digests` are as long as the table; the digest is the dedupe key of the row's item."""

    table: str
    positions: pa.Int64Array
    digests: pa.FixedSizeBinaryArray | None
    rows: pa.Table


@dataclass(frozen=True, slots=True)
class DeidentifiedBatch:
    """Consent held at this time; no direct identifier. Made only by `privacy.admission`."""

    source_id: str
    batch_id: bytes
    received_at: datetime
    parts: tuple[TablePart, ...]


@dataclass(frozen=True, slots=True)
class Refusals:
    """Positions and reasons of what was refused; never a value, never an identifier."""

    positions: tuple[int, ...]
    reasons: tuple[str, ...]

    def by_reason(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for reason in self.reasons:
            counts[reason] = counts.get(reason, 0) + 1
        return counts


class Admitted(Protocol):
    """What the admission door answers: the rows that may enter, what was refused, what failed in form, and how to settle.

    `settle` runs inside the platform transaction that stores the rows, after duplicates are known: it appends consent acts and the
    batch's log entry, and raises `errors.Raced` if a consent of this batch's people changed since the decision.
    """

    batch: DeidentifiedBatch
    refusals: Refusals
    malformed: tuple[Malformed, ...]
    older_digests: Sequence[tuple[pa.Int64Array, pa.FixedSizeBinaryArray]]
    """The batch's positions and digests under the keys of earlier epochs, so that the dedupe window holds across a change of key."""
    dropped_fields: Mapping[str, int]
    """How many admitted rows left a value behind because nobody could make it safe, by `record.field:reason`."""

    def settle(self, tx: sa.Connection, verdicts: Mapping[int, Verdict]) -> None: ...


class Admit(Protocol):
    """The admission door as ingestion sees it."""

    def __call__(self, batch: CanonicalBatch) -> Admitted: ...


class SealedBox(Protocol):
    """Keeps payloads that failed in form: sealed under a key of their own day and source (SHAPES "Writes and the log")."""

    def seal(self, source_id: str, payloads: Sequence[bytes], expires_at: datetime) -> list[str]: ...

    def open(self, references: Sequence[str]) -> list[bytes | None]: ...

    def destroy(self, references: Sequence[str]) -> None: ...


class Log(Protocol):
    """Appends one entry to the tamper-evident log inside the caller's transaction; raises if it cannot, and the act must not happen."""

    def __call__(
        self, tx: sa.Connection, kind: str, action: str, *, actor: str, result: str = "ok", facts: Mapping[str, Any] | None = None
    ) -> int: ...


class Clock(Protocol):
    def __call__(self) -> datetime: ...


class RandomBytes(Protocol):
    def __call__(self, count: int, /) -> bytes: ...


# ── people, as analytics may know them ─────────────────────────────────────────────────────────────────────────────────────────


class Population(Protocol):
    """The people who allow one purpose now, as a bridge of (month, virtual ID, run ID) under a run key that is thrown away.

    There is no read of people in the lake that is not joined with it.
    """

    purpose: str
    policy: str

    def bridge(self, months: Sequence[int]) -> pa.Table:
        """Columns `month` int32 (YYYYMM), `virtual_id` int64, `run_id` int64; one row for each month and virtual ID of an allowing person."""


class OpenPopulation(Protocol):
    """Makes the Population of a question: `preferences` hands it in through the wiring."""

    def __call__(self, purpose: str) -> Population: ...


# ── out ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Bounds:
    """Public constants that bound one person's part in everything a plan releases (dp_rules P-7).

    v: the person's planned cells and measures in declared units. Weight s = min(1, clip / ‖v‖₂); each entry becomes
    trunc(scale · s · v) toward zero, so that the released vector moves by at most `sensitivity` in L2 when the person leaves.
    """

    clip: int
    scale: int = 1000

    @property
    def sensitivity(self) -> int:
        return self.scale * self.clip


@dataclass(frozen=True, slots=True)
class Measure:
    """One measured quantity: `unit` is how much of it counts as 1 in the person's vector (orders 1, sales 2000 minor units…)."""

    name: str
    unit: int = 1


@dataclass(frozen=True, slots=True)
class Question:
    """A canonical question: equal questions have equal `canonical()` bytes, whatever the order in which they were written.

    `months` are the data months (YYYYMM) whose partitions are opened and charged, all of them in full. Filters and groupings are
    (field, operator, value) triples of a closed grammar, kept sorted.
    """

    kind: str
    version: int
    purpose: str
    months: tuple[int, ...]
    by: tuple[str, ...]
    where: tuple[tuple[str, str, str], ...]
    measures: tuple[Measure, ...]
    bounds: Bounds
    rho_nano: int
    delta_units: int = 0
    """In 1e-15, for keys that nobody knows beforehand: they are told above a threshold. 0 where all cells are public."""

    def canonical(self) -> bytes:
        """The question as canonical JSON; account, label, order of filters and snapshot are not part of it."""
        return json.dumps(
            {
                "by": list(self.by),
                "clip": self.bounds.clip,
                "kind": self.kind,
                "measures": [[measure.name, measure.unit] for measure in self.measures],
                "months": sorted(set(self.months)),
                "purpose": self.purpose,
                "rho_nano": self.rho_nano,
                "scale": self.bounds.scale,
                "version": self.version,
                "where": sorted(set(self.where)),
                **({"delta_units": self.delta_units} if self.delta_units else {}),
            },
            ensure_ascii=True,
            separators=(",", ":"),
            sort_keys=True,
        ).encode()


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Exact sums of bounded contributions over public cells, in the fixed order of `cells` × `measures`. Made only by `analytics.aggregate`.

    It exists only in the memory of the release call: never stored, logged or put in a job's result.
    """

    cells: tuple[tuple[str, ...], ...]
    measures: tuple[str, ...]
    values: tuple[int, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Release:
    """A protected answer: noised, paid, stored. `values` are in 1/scale of a measure's unit; `half_width` is the 95 % half-width in the same."""

    id: str
    question: Question
    cells: tuple[tuple[str, ...], ...]
    measures: tuple[str, ...]
    values: tuple[int, ...]
    sigma: float
    half_width: int
    rho_nano: int
    budget: Mapping[int, tuple[int, int]]
    cached: bool
    released_at: datetime


@dataclass(frozen=True, slots=True)
class Audience:
    """The people of one segment at one instant, under one purpose: virtual IDs of one month, rising. Made only by `analytics.audiences`.

    `digest` is that of the definition from which it was made; whoever hands it on decides again about every person in it.
    """

    purpose: str
    use: str
    segment: str
    version: int
    digest: str
    month: int
    as_of: datetime
    policy: str
    virtual_ids: pa.Int64Array = field(repr=False)
    youth_signal: bool = False
    """Whether the rule speaks of students, schools or children: then nobody without a known age leaves (law_rules L-1)."""
    inferred: frozenset[str] = frozenset()
    """Sensitive categories that the rule infers (law_rules L-9): each needs the person's separate consent."""
    months: tuple[int, ...] = ()
    """Every month that the rule looked at; a number told about its people is paid in each."""


class OpenAudience(Protocol):
    """Evaluates a segment now, for the gate; handed in by the wiring. Raises NotFound for a segment that nobody made."""

    def __call__(self, segment: str) -> Audience: ...


class Attributes(Protocol):
    """Columns about an audience's people for a pseudonymous table, one row for each of its virtual IDs, in their order."""

    def __call__(self, audience: Audience, columns: Sequence[str]) -> pa.Table: ...


@dataclass(frozen=True, slots=True)
class SealedExport:
    """A released list: where its sealed bytes lie, what its signed manifest says, until when it may travel. Made only by `privacy.export`.

    `manifest` is the recipient's part; `signature` the base64 of Ed25519 over its canonical JSON. `revision` rises when people said no before
    the list was taken and it was made again without them.
    """

    export: str
    revision: int
    recipient: str
    file: str
    sha256: bytes
    size: int
    rows: int
    manifest: Mapping[str, Any]
    signature: str
    expires_at: datetime


class Gone(NamedTuple):
    """One erasure as it is remembered outside the vault: permuted ids and digests, nothing else."""

    erasure: str
    at: datetime
    people: tuple[bytes, ...]
    digests: tuple[bytes, ...]
