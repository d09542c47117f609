"""Files in chunks: every row keeps its place."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion.source import FAULT_COLUMN, INTERNAL_COLUMNS, TEXT_COLUMN, Reading
from ingestion.sources import files
from privacy.errors import Invalid, NotFound
from privacy.records import RawBatch, SourceFacts

SOURCE = SourceFacts("src_a", "pos", "file", public=False, purposes=frozenset())
NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)


def read(path: Path, **more: Any) -> list[RawBatch]:
    return list(files.read(path, SOURCE, clock=lambda: NOW, **more))


def rows(batches: list[RawBatch]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for batch in batches:
        assert batch.table is not None
        kept = [name for name in batch.table.column_names if name not in INTERNAL_COLUMNS]
        found += batch.table.select(kept).to_pylist()
    return found


def faults(batches: list[RawBatch]) -> list[tuple[int, str, str | None]]:
    found = []
    for batch in batches:
        assert batch.table is not None
        for index, (rule, text) in enumerate(
            zip(batch.table.column(FAULT_COLUMN).to_pylist(), batch.table.column(TEXT_COLUMN).to_pylist(), strict=True)
        ):
            if rule is not None:
                found.append((batch.first + index, rule, text))
    return found


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, bytes], Path]:
    def make(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return make


Write = Callable[[str, bytes], Path]
CSV = 'a,b\n1,x\n2,\n3,"多\n行"\n'.encode()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", CSV),
        ("t.csv.gz", CSV),
        ("T.CSV", b"\xef\xbb\xbf" + CSV),
        ("t.tsv", CSV.replace(b",", b"\t")),
        ("t.csv", CSV.replace(b"\n", b"\r\n").replace("多\r\n行".encode(), "多\n行".encode())),
    ],
)
def test_a_table_of_text_is_read_as_it_is(write: Write, name: str, content: bytes) -> None:
    assert [list(row.values()) for row in rows(read(write(name, content)))] == [["1", "x"], ["2", ""], ["3", "多\n行"]]


def test_other_encodings_are_read_when_they_are_named(write: Write) -> None:
    path = write("t.csv", "店\n上海\n".encode("gb18030"))
    assert rows(read(path, encoding="gb18030")) == [{"店": "上海"}]


def test_chunks_have_their_size_and_place(write: Write) -> None:
    path = write("t.csv", b"a\n" + b"".join(b"%d\n" % number for number in range(25)))
    batches = read(path, chunk_rows=10)
    assert [(batch.first, batch.table.num_rows) for batch in batches if batch.table is not None] == [(0, 10), (10, 10), (20, 5)]
    assert [row["a"] for row in rows(batches)] == [str(number) for number in range(25)]
    again = read(path, chunk_rows=10, start=10)
    assert [batch.first for batch in again] == [10, 20]
    assert [batch.chunk for batch in again] == [batch.chunk for batch in batches][1:]
    assert len({batch.chunk for batch in batches}) == 3


def test_a_chunk_is_known_by_content_and_place_and_not_by_compression(write: Write) -> None:
    plain, packed = read(write("a.csv", CSV)), read(write("b.csv.gz", CSV))
    assert plain[0].chunk == packed[0].chunk
    assert read(write("c.csv", CSV.replace(b"x", b"y")))[0].chunk != plain[0].chunk
    assert read(write("d.csv", b"a\nx\nx\n"), chunk_rows=1)[0].chunk != read(write("d.csv", b"a\nx\nx\n"), chunk_rows=1)[1].chunk


def test_a_row_that_cannot_be_read_keeps_its_place(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_BLOCK", 64)
    lines = [b"%d,x%d" % (number, number) for number in range(30)]
    lines[0] = b"alone"
    lines[7] = b"7,\xff\xfe"
    lines[12] = b"1,2,3"
    lines[13] = b"too,many,again"
    lines[29] = b"end"
    batches = read(write("t.csv", b"a,b\n" + b"\n".join(lines) + b"\n"), chunk_rows=8)
    assert faults(batches) == [
        (0, "not_an_object", "alone"),
        (7, "bad_text", None),
        (12, "not_an_object", "1,2,3"),
        (13, "not_an_object", "too,many,again"),
        (29, "not_an_object", "end"),
    ]
    good = [row["a"] for row in rows(batches)]
    assert [value for value in good if value is not None] == [str(n) for n in range(30) if n not in (0, 12, 13, 29)]
    assert [batch.first for batch in batches] == [0, 8, 16, 24]


def test_json_lines_fail_one_by_one(write: Write) -> None:
    path = write("t.jsonl.gz", b'\xef\xbb\xbf{"a":1}\n\n{"a":1,"a":2}\nnope\n{"a":2}')
    (batch,) = read(path)
    assert batch.items is not None
    assert batch.items[0] == {"a": 1}
    assert batch.items[3] == {"a": 2}
    assert [item.rule for item in batch.items if isinstance(item, Reading)] == ["duplicate_key", "not_an_object"]


def test_a_line_without_end_is_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_LINE", 100)
    with pytest.raises(Invalid) as caught:
        read(write("t.jsonl", b"x" * 1000))
    assert caught.value.code == "line_too_long"


def test_typed_columns_of_parquet_become_exact_text(tmp_path: Path) -> None:
    table = pa.table(
        {
            "i": pa.array([1, None], pa.int32()),
            "m": pa.array([Decimal("12.50"), Decimal("0.01")], pa.decimal128(10, 2)),
            "f": pa.array([0.1, 1e20]),
            "t": pa.array([datetime(2026, 1, 2, 3, 4, 5), None], pa.timestamp("ns")),  # noqa: DTZ001
            "z": pa.array([datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), None], pa.timestamp("ms", "Asia/Shanghai")),
            "d": pa.array([date(2026, 1, 2), None]),
            "k": pa.array(["x", None]).dictionary_encode(),
            "n": pa.array([[1], None]),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    first = rows(read(tmp_path / "t.parquet"))[0]
    assert first == {
        "i": "1",
        "m": "12.50",
        "f": "0.1",
        "t": "2026-01-02 03:04:05.000000",
        "z": "2026-01-02 03:04:05.000Z",
        "d": "2026-01-02",
        "k": "x",
    }
    (tmp_path / "t.parquet.gz").write_bytes(gzip.compress((tmp_path / "t.parquet").read_bytes()))
    assert rows(read(tmp_path / "t.parquet.gz"))[0] == first
    assert [batch.first for batch in read(tmp_path / "t.parquet", chunk_rows=1)] == [0, 1]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", b""),
        ("t.csv", b"a,a\n1,2\n"),
        ("t.csv", b"\xff\xfe\n1\n"),
        ("t.parquet", b"PAR1 not"),
        ("t.xlsx", b"x"),
        ("t", b"x"),
    ],
)
def test_what_is_no_table_is_refused_without_a_word_of_it(write: Write, name: str, content: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        read(write(name, content))
    assert caught.value.code in ("file_unreadable", "header_unreadable", "file_kind_unknown")


def test_a_broken_archive_is_refused(tmp_path: Path) -> None:
    for content in (b"no gzip", gzip.compress(CSV * 500)[:-20]):
        (tmp_path / "t.csv.gz").write_bytes(content)
        with pytest.raises(Invalid) as caught:
            read(tmp_path / "t.csv.gz")
        assert caught.value.code in ("file_unreadable", "header_unreadable")


def test_a_missing_file_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read(tmp_path / "none.csv")


def test_a_header_alone_has_no_batches(write: Write) -> None:
    assert read(write("t.csv", b"a,b\n")) == []
    assert read(write("t.jsonl", b"\n\n")) == []


def test_progress_ends_at_the_end(write: Write) -> None:
    told: list[tuple[int, int]] = []
    path = write("t.csv", b"a\n" + b"1\n" * 30)
    read(path, chunk_rows=10, progress=lambda done, total: told.append((done, total)))
    assert len(told) == 3
    assert told[-1] == (path.stat().st_size, path.stat().st_size)
