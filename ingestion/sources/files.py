"""Files as sources: CSV, JSON Lines and Parquet, also gzipped, in chunks of ten thousand rows.

Promise: whatever the size of the file, no more than a few chunks are in memory; a row that cannot be read keeps its place and is handed
on as a fault, so that the rows around it keep theirs; reading can begin again at any chunk. Values stay text here and are never shown.
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from ingestion import strictjson
from ingestion.source import FAULT_COLUMN, TEXT_COLUMN, Reading
from privacy.errors import Invalid, NotFound
from privacy.records import RawBatch
from privacy.vocabulary import FormRule

if TYPE_CHECKING:
    from privacy.records import Clock, SourceFacts

CHUNK_ROWS = 10_000
"""Rows in a batch, and the unit of which a digest stands for rows that have no message id (SHAPES "Mapping file")."""
TOGETHER = 5
"""Chunks that go through the pipeline at once where the rows have message ids of their own: fewer commits, and each person once."""
MAX_LINE = 4 * 1024 * 1024
"""Longest line of JSON Lines, as for a whole request."""
MAX_COLUMNS = 1_000
_BLOCK = 4 * 1024 * 1024
_SUFFIXES = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}

Progress = Callable[[int, int], None]
"""Told after each chunk: bytes (or rows, of Parquet) read so far, and all of them."""


@dataclass(frozen=True, slots=True)
class Content:
    """A file that is not one on the disk: its name, its size, and how to open it (readable bytes that can seek)."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]


def read(
    path: Path | Content,
    source: SourceFacts,
    *,
    clock: Clock,
    start: int = 0,
    chunk_rows: int = CHUNK_ROWS,
    progress: Progress | None = None,
    request_id: str = "",
    encoding: str = "utf8",
    delimiter: str | None = None,
) -> Iterator[RawBatch]:
    """The file's batches in order, beginning with the chunk that holds row `start` (a multiple of `chunk_rows`).

    `encoding` is that of CSV: utf8, gb18030 or utf16; what does not fit it makes its row a fault. `delimiter` is what the name says
    (comma, or tab of .tsv) unless it is given.
    """
    content = _content_of(path) if isinstance(path, Path) else path
    kind = kind_of(Path(content.name))
    tell = _Teller(progress)
    first = 0
    chunks: Iterator[pa.Table | list[Any]]
    try:
        mark = delimiter or ("\t" if kind == "tsv" else ",")
        chunks = _parquet(content, chunk_rows, tell) if kind == "parquet" else _text(content, kind, chunk_rows, encoding, mark, tell)
        for chunk in chunks:
            rows = len(chunk) if isinstance(chunk, list) else chunk.num_rows
            if first >= start:
                yield _batch(source, chunk, clock(), first, request_id)
                tell.now()
            first += rows
    except (pa.ArrowException, EOFError, OSError) as fault:
        if isinstance(fault, OSError) and not isinstance(fault, gzip.BadGzipFile | pa.ArrowException):
            raise
        raise Invalid("the file cannot be read as what its name says", code="file_unreadable", field="file") from None


def replayed(source: SourceFacts, payloads: Sequence[bytes], *, now: datetime) -> RawBatch:
    """Rows that were held in the quarantine, as a batch again: each is the object of text columns that it was sealed as."""
    items = [strictjson.loads(one).value for one in payloads]
    digest = hashlib.sha256(b"\n".join(payloads)).digest()
    return RawBatch(source, now, items=items, chunk=digest)


def _content_of(path: Path) -> Content:
    if not path.is_file():
        raise NotFound("there is no such file", code="file_not_found", field="file")
    return Content(path.name, path.stat().st_size, lambda: path.open("rb"))


def kind_of(path: Path) -> str:
    """What a file is by its name; raises Invalid for what is not known."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    kind = _SUFFIXES.get(suffixes[-1]) if suffixes else None
    if kind is None:
        raise Invalid("a file is .csv, .tsv, .jsonl, .ndjson or .parquet, or one of these with .gz", code="file_kind_unknown", field="file")
    return kind


def _batch(source: SourceFacts, chunk: pa.Table | list[Any], now: datetime, first: int, request_id: str) -> RawBatch:
    if isinstance(chunk, list):
        digest = hashlib.sha256(b"\n".join(strictjson.dumps(_bare(item)) for item in chunk)).digest()
        return RawBatch(source, now, items=chunk, first=first, chunk=_digest(first, digest), request_id=request_id)
    return RawBatch(source, now, table=chunk, first=first, chunk=_digest(first, _content(chunk)), request_id=request_id)


def _digest(first: int, content: bytes) -> bytes:
    """The digest that stands for a chunk: its place in the file and its content."""
    return hashlib.sha256(first.to_bytes(8, "big") + content).digest()


def _content(table: pa.Table) -> bytes:
    """A digest of a table's values, whatever the blocks in which they were read."""
    state = hashlib.sha256()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(pa.table({name: _one(table.column(name)) for name in table.column_names}))
    state.update(sink.getvalue())
    return state.digest()


def _one(column: pa.ChunkedArray) -> pa.Array:
    """The column as one array that owns nothing but its rows."""
    return pa.concat_arrays([*column.chunks, pa.array([], column.type)])


def _bare(item: Any) -> Any:
    return item.original if isinstance(item, Reading) else item


class _Teller:
    """Progress by the bytes taken from the file itself, so that it also fits a compressed one."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self.done: Callable[[], int] = lambda: 0
        self.total = 0

    def now(self) -> None:
        if self._progress is not None:
            self._progress(min(self.done(), self.total), self.total)


# ── text ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _text(content: Content, kind: str, chunk_rows: int, encoding: str, delimiter: str, tell: _Teller) -> Iterator[pa.Table | list[Any]]:
    with content.open() as raw:
        tell.total = content.size
        tell.done = raw.tell
        stream = inflated(content.name, raw)
        if kind == "jsonl":
            yield from _json_lines(stream, chunk_rows)
        else:
            recoded = stream if encoding == "utf8" else cast("IO[bytes]", io.BufferedReader(_Recoded(stream, encoding)))
            yield from _csv(recoded, delimiter, chunk_rows)


def inflated(name: str, raw: IO[bytes]) -> IO[bytes]:
    """The bytes of a file, out of its gzip if its name says so."""
    return cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if name.lower().endswith(".gz") else raw


class _Recoded(io.RawIOBase):
    """Text of another encoding as UTF-8. A byte that has no meaning there stays what it is, so that its row is found to be broken."""

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace" if encoding == "utf16" else "surrogateescape")
        self._ready = b""
        self._over = False

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        while not self._ready and not self._over:
            block = self._stream.read(1 << 20)
            self._over = not block
            self._ready = self._decoder.decode(block, final=self._over).encode("utf-8", "surrogateescape")
        given = self._ready[: len(target)]
        self._ready = self._ready[len(given) :]
        target[: len(given)] = given
        return len(given)


def _json_lines(stream: IO[bytes], chunk_rows: int) -> Iterator[list[Any]]:
    lines: list[bytes] = []
    first = True
    while line := stream.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            raise Invalid("a line is longer than the limit", code="line_too_long", field="file")
        if first:
            line, first = line.removeprefix(b"\xef\xbb\xbf"), False
        stripped = line.strip()
        if stripped:
            lines.append(stripped)
        if len(lines) == chunk_rows:
            yield _objects(lines)
            lines = []
    if lines:
        yield _objects(lines)


def _objects(lines: list[bytes]) -> list[Any]:
    parsed = strictjson.loads_lines(lines)
    items: list[Any] = parsed.value
    for fault in parsed.faults:
        line = lines[fault.index].decode("utf-8", "backslashreplace")
        items[fault.index] = Reading(None, path=fault.path, rule=fault.rule, original={"line": line})
    return items


def _csv(stream: IO[bytes], delimiter: str, chunk_rows: int) -> Iterator[pa.Table]:
    head, names = _header(stream, delimiter)
    bad: dict[int, str] = {}

    def note(row: pacsv.InvalidRow) -> str:
        bad[row.number - 2] = row.text
        return "skip"

    try:
        reader = pacsv.open_csv(
            _Joined(head, stream),
            read_options=pacsv.ReadOptions(use_threads=False, block_size=_BLOCK),
            parse_options=pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=note),
            convert_options=pacsv.ConvertOptions(column_types=dict.fromkeys(names, pa.binary()), check_utf8=False),
        )
    except pa.ArrowInvalid:
        raise Invalid("the file is not a table with a header", code="file_unreadable", field="file") from None
    seen = 0
    held: list[pa.Table] = []
    rows = 0
    while (block := _next(reader)) is not None or bad:
        last = block is None
        table = _placed(_decoded(pa.table(block)) if block is not None else None, names, seen, bad, last=last)
        seen += table.num_rows
        held.append(table)
        rows += table.num_rows
        while rows >= chunk_rows:
            whole = pa.concat_tables(held)
            yield whole.slice(0, chunk_rows)
            held, rows = [whole.slice(chunk_rows)], rows - chunk_rows
        if last:
            break
    if rows:
        yield pa.concat_tables(held)


def _next(reader: pacsv.CSVStreamingReader) -> pa.RecordBatch | None:
    try:
        return reader.read_next_batch()
    except StopIteration:
        return None


def _header(stream: IO[bytes], delimiter: str) -> tuple[bytes, list[str]]:
    """The first line and the names in it. A header does not span lines and does not repeat a name."""
    head = stream.readline(1_000_000)
    try:
        line = head.decode("utf-8-sig")
        names = list(pacsv.read_csv(io.BytesIO(line.encode()), parse_options=pacsv.ParseOptions(delimiter=delimiter)).column_names)
    except (UnicodeDecodeError, pa.ArrowInvalid):
        raise Invalid("the file has no readable header", code="header_unreadable", field="file") from None
    if not names or len(names) > MAX_COLUMNS or len(set(names)) != len(names):
        raise Invalid("the header names no column, one column twice, or too many", code="header_unreadable", field="file")
    return head, names


class _Joined(io.RawIOBase):
    """The header that was looked at, and then the rest of the file."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._head:
            cut = len(self._head) if size < 0 else size
            given, self._head = self._head[:cut], self._head[cut:]
            return given
        return self._rest.read(size)


def _decoded(table: pa.Table) -> pa.Table:
    """Bytes as text; rows in which a value is not UTF-8 are marked."""
    columns: dict[str, pa.Array] = {}
    broken: dict[int, None] = {}
    for name in table.column_names:
        column = _one(table.column(name))
        try:
            text = pc.cast(column, pa.string())
        except pa.ArrowInvalid:
            values = [_utf8(value) for value in column.to_pylist()]
            broken.update({index: None for index, value in enumerate(values) if value is False})
            text = pa.array([value or None for value in values], pa.string())
        columns[name] = text
    faults: list[str | None] | None = None
    if broken:
        faults = [FormRule.BAD_TEXT.value if index in broken else None for index in range(table.num_rows)]
    columns[FAULT_COLUMN] = pa.array(faults, pa.string()) if faults else pa.nulls(table.num_rows, pa.string())
    columns[TEXT_COLUMN] = pa.nulls(table.num_rows, pa.string())
    return pa.table(columns)


def _utf8(value: bytes | None) -> str | bool | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return False


def _placed(table: pa.Table | None, names: list[str], seen: int, bad: dict[int, str], *, last: bool) -> pa.Table:
    """The block with empty rows where rows could not be read; `bad` is by row of the file, and emptied as far as the block goes."""
    good = 0 if table is None else table.num_rows
    order: list[int | None] = []
    texts: list[str | None] = []
    taken = 0
    due = sorted(bad)
    while taken < good or (last and due):
        if due and (due[0] <= seen + len(order) or taken >= good):
            texts.append(bad.pop(due.pop(0)))
            order.append(None)
            continue
        stretch = good - taken if not due else min(good - taken, due[0] - seen - len(order))
        order += range(taken, taken + stretch)
        texts += [None] * stretch
        taken += stretch
    if table is None:
        table = pa.table({name: pa.array([], pa.string()) for name in [*names, FAULT_COLUMN, TEXT_COLUMN]})
    if len(order) == good:
        return table
    table = table.take(pa.array(order, pa.int64()))
    unread = pc.is_valid(pa.array(texts, pa.string()))
    faults = pc.if_else(unread, pa.scalar(FormRule.NOT_AN_OBJECT.value, pa.string()), table.column(FAULT_COLUMN))
    table = table.set_column(table.schema.get_field_index(FAULT_COLUMN), FAULT_COLUMN, faults)
    return table.set_column(table.schema.get_field_index(TEXT_COLUMN), TEXT_COLUMN, pa.array(texts, pa.string()))


# ── Parquet ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _parquet(content: Content, chunk_rows: int, tell: _Teller) -> Iterator[pa.Table]:
    zipped = content.name.lower().endswith(".gz")
    with content.open() as raw, pq.ParquetFile(pa.BufferReader(gzip.decompress(raw.read())) if zipped else pa.PythonFile(raw)) as file:
        read_rows = 0
        tell.total = file.metadata.num_rows
        tell.done = lambda: read_rows
        held: list[pa.Table] = []
        rows = 0
        for block in file.iter_batches(batch_size=chunk_rows, use_threads=False):
            read_rows += block.num_rows
            held.append(_texts(pa.table(block)))
            rows += block.num_rows
            while rows >= chunk_rows:
                whole = pa.concat_tables(held)
                yield whole.slice(0, chunk_rows)
                held, rows = [whole.slice(chunk_rows)], rows - chunk_rows
        if rows:
            yield pa.concat_tables(held)


def _texts(table: pa.Table) -> pa.Table:
    """Typed columns as text, exactly; columns of lists and structures hold nothing that a mapping could name, so they are left out."""
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        kind = column.type
        if pa.types.is_dictionary(kind):
            column, kind = pc.cast(column, kind.value_type), kind.value_type
        if pa.types.is_nested(kind):
            continue
        if pa.types.is_timestamp(kind) and kind.unit == "ns":
            column = pc.cast(column, pa.timestamp("us", kind.tz), safe=False)
        if pa.types.is_timestamp(kind) and kind.tz is not None:
            column = pc.cast(column, pa.timestamp(column.type.unit, "UTC"))
        if pa.types.is_decimal(kind) or not pa.types.is_string(kind):
            column = pc.cast(column, pa.string())
        columns[name] = column
    return pa.table(columns)
