"""What a source hands over, item by item, before anybody looks at columns.

Promise: an adapter (`ingestion.sources.*`) turns each received item into a `Reading`: the rows it means, or the rule of form it breaks.
Rows use the dictionary's field names and carry whatever Python values the sender wrote; `ingestion.canonical` alone checks and types them.
Nothing here is stored, and nothing here knows a person: identifiers are only passed on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ingestion import strictjson
from privacy.vocabulary import FormRule

if TYPE_CHECKING:
    from privacy.records import RawBatch

FAULT_COLUMN = "\x01fault"
"""In a table of text columns: the rule that the row broke while it was read (null = it was read well)."""
TEXT_COLUMN = "\x01text"
"""In a table of text columns: the raw text of a row that could not be read, for the quarantine."""
INTERNAL_COLUMNS = frozenset({FAULT_COLUMN, TEXT_COLUMN})


class Claim(NamedTuple):
    """What one row says about one purpose; `at` is microseconds since the epoch."""

    purpose: str
    granted: bool
    at: int
    explicit: bool


class Agreed(NamedTuple):
    """That whoever a row is about agreed to a privacy notice, and what the sender calls that; `at` is microseconds since the epoch."""

    notice: str
    at: int


class Row(NamedTuple):
    """One row of one record kind out of one received item. `at` is microseconds since the epoch; `refuse` a reason, if it must not enter."""

    record: str
    at: int
    fields: Mapping[str, Any]
    identifiers: Mapping[str, str]
    claims: tuple[Claim, ...] = ()
    refuse: str | None = None
    agreed: Agreed | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of one received item: `rows`, or the `rule` that it broke at `path`.

    `original` is the item as the quarantine would keep it, or makes it when asked: few items are ever kept.
    """

    message_id: str | None
    rows: tuple[Row, ...] = ()
    path: str = ""
    rule: FormRule | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)
    original: Any = None


class Source(Protocol):
    """A file-like source: gives its batches one after the other, each fresh from the sender, with its place."""

    def __call__(self, start: int, /) -> Iterable[RawBatch]: ...


def payload(raw: RawBatch, position: int) -> bytes:
    """The item at `position` as it came, for the sealed quarantine."""
    index = position - raw.first
    if raw.items is not None:
        item = raw.items[index]
        original = item.original if isinstance(item, Reading) else item
        return strictjson.dumps(original() if callable(original) else original)
    if raw.table is None:
        return b"null"
    row = {name: values[0] for name, values in raw.table.slice(index, 1).to_pydict().items()}
    text = row.pop(TEXT_COLUMN, None)
    row.pop(FAULT_COLUMN, None)
    return json.dumps({"text": text} if text is not None else row, ensure_ascii=False, default=str).encode("utf-8", "surrogateescape")
