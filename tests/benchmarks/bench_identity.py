"""Linking: identifiers a second into an empty vault and into a full one; the probabilistic match on the Febrl sets with its errors.

`BENCH_IDENTIFIERS` sets how many identifiers are linked (default 1,000,000): a third of the rows carry a phone, a card and a cookie of one
person, in batches of 10,000; one row in a hundred joins two people who were known before.
"""

from __future__ import annotations

import csv
import gzip
import math
import os
import resource
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from privacy.identity import keystate, matching, vault
from privacy.identity.keys import Keyring
from privacy.identity.recent import RecentPeople
from privacy.orm import VaultBase
from tests.stores import sqlite_stores

BATCH = 10_000
NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)
COLUMNS = {
    "given_name": "given_name",
    "family_name": "surname",
    "birth_date": "date_of_birth",
    "street": "address_1",
    "place": "suburb",
} | {
    "postcode": "postcode",
    "number": "soc_sec_id",
}


def main() -> None:
    """Prints both parts."""
    _linking(int(os.environ.get("BENCH_IDENTIFIERS", "1000000")))
    _matching(Path(os.environ.get("PIYING_TEST_DATA", "../shared/data")) / "identity_febrl")


def _linking(identifiers: int) -> None:
    keyring = Keyring.fresh(random=os.urandom, clock=lambda: NOW)
    people = identifiers // 3
    with tempfile.TemporaryDirectory() as folder, sqlite_stores(Path(folder)) as stores:
        with stores.begin_vault() as tx:
            VaultBase.metadata.create_all(tx)
            keystate.register(tx, keyring, now=NOW)
        recent = RecentPeople()

        def pass_(what: str, *, merging: bool) -> None:
            started, worked = time.perf_counter(), time.process_time()
            joins = 0
            for first in range(0, people, BATCH):
                numbers = range(first, min(first + BATCH, people))
                columns = {
                    "phone": pa.array([f"+8613{number:09d}" for number in numbers]),
                    "member_card": pa.array([f"C{number - (merging and number % 100 == 1):09d}" for number in numbers]),
                    "cookie": pa.array([f"web\x1fvisitor-{number:09d}" for number in numbers]),
                }
                with stores.read_vault() as tx:
                    found = vault.resolve(tx, keyring, columns, may_link_strong=True, random=os.urandom, recent=recent)
                joins += len(found.merges)
                if not found.known.false_count and not found.merges:
                    continue
                with stores.begin_vault() as tx:
                    keep = pa.array([True] * len(numbers))
                    vault.store(tx, keyring, found, keep, batch_id=b"b" * 32, now=NOW, random=os.urandom, source="src_bench")
            seconds, worked = time.perf_counter() - started, time.process_time() - worked
            print(f"linking, {what}: N {people * 3:,} identifiers of {people:,} people, {joins:,} merges, {seconds:.1f} s", end="")
            print(f", {people * 3 / seconds:,.0f} identifiers/s, {worked / people / 3 * 1e6:.1f} µs of processor each")

        pass_("all new", merging=False)
        pass_("all known", merging=False)
        pass_("all known, one row in a hundred merges two", merging=True)
        size = sum(path.stat().st_size for path in Path(folder).iterdir()) / 2**20
        print(f"vault {size:,.0f} MiB; peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")


def _matching(folder: Path) -> None:
    for name in ("dataset1", "dataset2"):
        path = folder / f"{name}.csv.gz"
        if not path.exists():
            print(f"match, {name}: not here")
            continue
        with gzip.open(path, "rt", encoding="utf-8") as text:
            rows = list(csv.DictReader(text, skipinitialspace=True))
        truth = [row["rec_id"].split("-")[1] for row in rows]
        wanted = sum(math.comb(count, 2) for count in Counter(truth).values())
        for without in ((), ("number",)):
            columns = {field: [row[column] for row in rows] for field, column in COLUMNS.items() if field not in without}
            started = time.perf_counter()
            found = matching.pairs(columns)
            seconds = time.perf_counter() - started
            right = sum(truth[one.first] == truth[one.second] for one in found)
            print(
                f"match, {name}{' without the number' if without else ''}: N {len(rows):,} records, {wanted:,} true pairs, {len(found):,} proposed at"
                f" {matching.THRESHOLD}, precision {right / max(1, len(found)):.4f}, recall {right / wanted:.4f}, {seconds:.1f} s"
            )


if __name__ == "__main__":
    main()
