"""The Complete Journey with invented people: baskets stay as they were, moved by whole weeks. Skipped where the data are not."""

from __future__ import annotations

import os
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyarrow import csv, parquet

from ingestion.sources.synthetic import journey
from ingestion.sources.synthetic.files import Made
from privacy.errors import NotFound
from privacy.identity.normalise import normalise
from tests.contracts.tree import ROOT

DATA = Path(os.environ.get("PIYING_TEST_DATA") or ROOT.parent / "shared" / "data") / "complete_journey"
LAST = date(2026, 10, 31)
real = pytest.mark.skipif(not DATA.is_dir(), reason="the public data sets are not here (PIYING_TEST_DATA)")


def test_without_data_it_says_where_they_may_come_from(tmp_path: Path) -> None:
    for folder in (tmp_path, None):
        with pytest.raises(NotFound) as wrong:
            journey.found(folder)
        assert (wrong.value.code, wrong.value.field) == ("demo_data_missing", "folder")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return journey.write(tmp_path_factory.mktemp("journey"), journey.found(DATA), last=LAST, households=60)


def table(made: Made, name: str) -> pa.Table:
    path = next(one.path for one in made.files if one.name == name)
    return csv.read_csv(path) if path.suffix == ".csv" else parquet.read_table(path)


@real
def test_times_move_by_whole_weeks_into_the_last_closed_months(made: Made) -> None:
    moved = table(made, "transactions")
    known = set(moved["household_id"].to_pylist())
    before = pa.concat_tables([parquet.read_table(path) for path in sorted(DATA.glob("transactions*.parquet"))])
    before = before.filter(pc.is_in(before["household_id"], pa.array(sorted(known))))
    gaps = set(pc.subtract(moved["transaction_timestamp"], before["transaction_timestamp"]).unique().to_pylist())
    (gap,) = gaps
    assert gap % timedelta(days=7) == timedelta()
    latest = pc.max(moved["transaction_timestamp"]).as_py()
    assert datetime.combine(LAST, latest.time()) - timedelta(days=7) <= latest
    assert latest.date() <= LAST
    for column in ("basket_id", "product_id", "sales_value", "quantity"):
        assert moved[column].equals(before[column])


def test_every_invented_telephone_is_one_that_the_vault_takes_and_nobody_elses() -> None:
    """As many as the data set has households; read as a text without a country they would be Chinese numbers, and mostly none at all."""
    heads = journey._households(np.arange(2_500).astype("U5"), np.datetime64("2025-11-01"))
    found, wrong = normalise("phone", heads["phone"].combine_chunks(), namespace="")
    assert (pc.any(wrong).as_py(), found.null_count, pc.count_distinct(found).as_py()) == (False, 0, 2_500)


@real
def test_every_household_has_an_invented_head_and_one_in_twelve_says_no(made: Made) -> None:
    heads = table(made, "households")
    assert heads.num_rows == 60 == len(set(heads["phone"].to_pylist())) == len(set(heads["email"].to_pylist()))
    assert heads["ok_statistics"].to_pylist().count("no") == 5
    assert all(one.endswith(journey.DOMAIN) for one in heads["email"].to_pylist())
    assert all("-555-01" in one for one in heads["phone"].to_pylist()), "numbers that belong to nobody"
    assert pc.max(heads["signed"]).as_py() < pc.min(table(made, "transactions")["transaction_timestamp"]).as_py().date()


@real
def test_mailings_carry_their_campaigns_first_day(made: Made) -> None:
    starts = {row["campaign_id"]: row["start_date"] for row in table(made, "campaigns").to_pylist()}
    sent = table(made, "mailings").to_pylist()
    assert sent
    assert all(row["start_date"] == starts[row["campaign_id"]] for row in sent)


@real
def test_nothing_is_planted(made: Made) -> None:
    assert made.truth == {}
    assert made.erasures == ()
    assert all(one.expected is None and one.rows == table(made, one.name).num_rows for one in made.files)
