"""What the attacks of several files share: invented people, consent that holds, a search through everything that was written."""

from __future__ import annotations

import base64
import binascii
import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from app import intake
from ingestion import inbox
from tests.conftest import NOW
from tests.house import House

if TYPE_CHECKING:
    pass

PHONE = "13800009999"
SECRET = "13912345678"
STATISTICS = "analytics.statistics"
FEEDBACK = """
record = "feedback"
zone = "Asia/Shanghai"
[identifiers]
phone = "phone"
[fields]
occurred_at = "at"
text = "text"
product_id = "sample"
"""


def allow(house: House, key: str, *people: tuple[str, str]) -> None:
    """Consent that holds for everything these tests send."""
    assert house.grant(key, people, at=(NOW - timedelta(days=300)).isoformat()).status_code == 201
    house.clock.forward(seconds=1)


def import_feedback(house: House, folder: Path, rows: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
    """Rows of (phone, text, sample) through the real pipeline."""
    house.source("crm", "file")
    folder.mkdir()
    (folder / "feedback.toml").write_text(FEEDBACK, encoding="utf-8")
    with (folder / "feedback.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(("phone", "at", "text", "sample"))
        writer.writerows((phone, "2026-06-01 10:00:00", text, sample) for phone, text, sample in rows)
    return intake.import_file(
        house.services,
        folder / "feedback.csv",
        source_name="crm",
        mapping_path=folder / "feedback.toml",
        actor="test",
        progress=lambda *_: None,
    )


def waiting(house: House, table: str) -> list[dict[str, Any]]:
    """The rows of a table that wait for the lake."""
    with house.services.read_jobs() as tx:
        return [row for one in inbox.pending(tx, limit=10_000) if one.table == table for row in one.open().to_pylist()]


def in_lake(house: House, table: str) -> list[dict[str, Any]]:
    """The rows of a table as they stand in the lake's files."""
    return [
        row
        for path in house.services.settings.lake_path.rglob("*.parquet")
        if table in path.parts
        for row in pq.ParquetFile(path).read().to_pylist()
    ]


def dropped(house: House) -> Counter[str]:
    """How often a field was left out because nobody declared it, by path."""
    with house.services.read_console() as tx:
        return Counter({row.path: row.number for row in tx.execute(sa.select(inbox.DroppedField.path, inbox.DroppedField.number))})


@dataclass(slots=True)
class Loot:
    """What somebody has who can read stores and files: numbers, byte strings, hexadecimal words, and raw bytes."""

    numbers: set[int] = field(default_factory=set)
    blobs: set[bytes] = field(default_factory=set)
    raw: list[bytes] = field(default_factory=list)

    def take(self, value: Any) -> None:
        if isinstance(value, int):
            self.numbers.add(value)
        elif isinstance(value, (bytes, memoryview)):
            self.blobs.add(bytes(value))
        elif isinstance(value, str):
            for word in re.findall(r"(?:[0-9a-fA-F]{2}){8,}", value):
                self.blobs.add(bytes.fromhex(word))
            for word in re.findall(r"[A-Za-z0-9+/_-]{22,}={0,2}", value):
                with_padding = word.rstrip("=") + "=" * (-len(word.rstrip("=")) % 4)
                try:
                    self.blobs.add(base64.b64decode(with_padding.replace("-", "+").replace("_", "/"), validate=True))
                except binascii.Error:
                    continue

    def take_table(self, table: pa.Table) -> None:
        for column in table.columns:
            for value in column.unique().to_pylist():
                self.take(value)

    def marks(self) -> set[bytes]:
        """The first eight bytes of everything, as digests are cut short; numbers also with the bit that 63 bits lose."""
        made = {blob[:8] for blob in self.blobs if len(blob) >= 8}
        made |= {blob[8:16] for blob in self.blobs if len(blob) >= 16}
        for number in self.numbers:
            if 2**40 < number < 2**63:
                made |= {number.to_bytes(8, "big"), (2 * number).to_bytes(8, "big"), (2 * number + 1).to_bytes(8, "big")}
        return made


def loot_of(house: House, owner: Any) -> Loot:
    """Every value of a store."""
    loot = Loot()
    with owner.read() as tx:
        for table in sa.inspect(tx).get_table_names():
            for row in tx.execute(sa.select(sa.text("*")).select_from(sa.table(table))):
                for value in row:
                    loot.take(value)
    return loot
