"""A look at a file: how it is written, and some of its rows."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingestion.sample import FIRST_ROWS, Form, sample, sniff
from ingestion.sources import files
from privacy.records import SourceFacts

NOW = datetime(2026, 6, 15, tzinfo=UTC)
SOURCE = SourceFacts("src_1", "shop", "file", False, frozenset())
TEXT = "姓名,手机,金额\n" + "王芳,13812345678,12.50\n" * 30


@pytest.mark.parametrize(
    ("head", "kind", "form"),
    [
        (TEXT.encode(), "csv", Form()),
        (b"\xef\xbb\xbf" + TEXT.encode(), "csv", Form()),
        (TEXT.encode()[:100], "csv", Form()),
        (TEXT.encode("gb18030"), "csv", Form("gb18030")),
        (TEXT.encode("utf-16"), "csv", Form("utf16")),
        (TEXT.encode() + "王芳,139".encode("gb18030") + TEXT.encode(), "csv", Form()),
        (TEXT.replace(",", ";").encode(), "csv", Form(delimiter=";")),
        (TEXT.replace(",", "\t").encode(), "csv", Form(delimiter="\t")),
        (TEXT.replace(",", "|").encode("gb18030"), "csv", Form("gb18030", "|")),
        (TEXT.replace(",", "\t").encode(), "tsv", Form()),
        (b"id\n1\n2\n", "csv", Form()),
        (b'a;b\n"x,y";"z"\n', "csv", Form(delimiter=";")),
        (b'{"a": 1}\n', "jsonl", Form()),
        (b"", "csv", Form()),
    ],
)
def test_encoding_and_delimiter_are_seen_in_the_first_bytes(head: bytes, kind: str, form: Form) -> None:
    assert sniff(head, kind) == form


@pytest.mark.parametrize("encoding", ["gb18030", "utf16"])
def test_what_was_sniffed_is_what_the_reader_reads(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(TEXT.replace(",", ";").encode("utf-16" if encoding == "utf16" else encoding))
    form = sniff(path.read_bytes(), "csv")
    (batch,) = files.read(path, SOURCE, clock=lambda: NOW, encoding=form.encoding, delimiter=form.delimiter)
    assert batch.table is not None
    assert batch.table.column("姓名").to_pylist() == ["王芳"] * 30


def test_a_byte_that_gb18030_does_not_know_breaks_its_row_alone(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("名,数\n甲,1\n".encode("gb18030") + b"\xff\xff,2\n" + "乙,3\n".encode("gb18030"))
    (batch,) = files.read(path, SOURCE, clock=lambda: NOW, encoding="gb18030")
    assert batch.table is not None
    assert batch.table.column("\x01fault").to_pylist() == [None, "bad_text", None]


def test_the_first_rows_and_rows_spread_over_the_rest_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("n\n" + "\n".join(map(str, range(5_000))), encoding="utf-8")
    seen = sample(files.read(path, SOURCE, clock=lambda: NOW, chunk_rows=1_000), 100_000)
    values = [int(one) for one in seen.columns["n"] if one is not None]
    assert (seen.rows, seen.complete) == (5_000, True)
    assert values[:FIRST_ROWS] == list(range(FIRST_ROWS))
    assert len(values) == FIRST_ROWS + 4 * 50
    assert values[-1] >= 4_900
    short = sample(files.read(path, SOURCE, clock=lambda: NOW, chunk_rows=1_000), 2_000)
    assert (short.rows, short.complete) == (2_000, False)


def test_objects_are_looked_into_by_dotted_names(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"user": {"phone": "138"}, "n": 1, "tags": ["a"]}\n{"user": {}, "ok": true}\nnot json\n', encoding="utf-8")
    seen = sample(files.read(path, SOURCE, clock=lambda: NOW), 1_000)
    assert seen.columns == {"user.phone": ["138", None], "n": ["1", None], "ok": [None, "true"]}
