"""What Online Retail adds up to, by pandas and decimals alone. Nothing of ours is imported here, and no mapping is read.

Codes stay text, prices stay as they are written, times are London's. A line without a customer is nobody's; a line whose price times
quantity is no whole number of pence cannot be stored exactly.
"""

from __future__ import annotations

import gzip
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pandas as pd

CHARGES = ("POST", "DOT", "C2", "D", "M", "m", "S", "B", "CRUK", "AMAZONFEE", "BANK CHARGES")
NOWHERE = ("Unspecified", "European Community")


def cut(folder: Path, to: Path, rows: tuple[int, int]) -> None:
    """Writes some lines of the raw file, as they stand in it."""
    (path,) = folder.glob("*.csv.gz")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as whole, gzip.open(to, "wt", encoding="utf-8", newline="") as part:
        part.write(whole.readline())
        part.writelines(islice(whole, *rows))


def lines(path: Path) -> pd.DataFrame:
    """The raw file as text, with what each line means."""
    raw = pd.read_csv(path, dtype=str, keep_default_na=False)
    pence = [Decimal(price) * int(number) * 100 for price, number in zip(raw.UnitPrice, raw.Quantity, strict=True)]
    exact = pd.Series([value == value.to_integral_value() for value in pence])
    local = pd.to_datetime(raw.InvoiceDate).dt.tz_localize("Europe/London")
    number = raw.Quantity.astype("int64")
    cancel = raw.InvoiceNo.str.startswith("C")
    charge = raw.StockCode.isin(CHARGES)
    return raw.assign(
        month=local.dt.year * 100 + local.dt.month,
        clock=local.dt.hour,
        kind=pd.Series("sale", index=raw.index).mask(number < 0, "return").mask(cancel, "cancel"),
        nobody=raw.CustomerID == "",
        exact=exact,
        counted=(~charge).astype("int64"),
        quantity_milli=(number * 1000).where(~charge, 0),
        net_minor=[int(value) for value in pence],
    )


def counts(told: pd.DataFrame) -> dict[str, int]:
    """What becomes of the lines when everybody allows it: form comes first, then whether there is anybody."""
    quarantined = ~told.exact
    nobody = told.nobody & told.exact
    return {
        "received": len(told),
        "stored": int((~quarantined & ~nobody).sum()),
        "quarantined": int(quarantined.sum()),
        "refused": int(nobody.sum()),
    }


def totals(told: pd.DataFrame, by: list[str]) -> dict[tuple[object, ...], tuple[int, ...]]:
    """Lines, invoices, people, lines with a count, thousandths of pieces and pence by the columns `by`, of the lines that are stored."""
    kept = told[told.exact & ~told.nobody]
    grouped = kept.groupby(by)
    found = pd.DataFrame(
        {
            "lines": grouped.size(),
            "orders": grouped.InvoiceNo.nunique(),
            "people": grouped.CustomerID.nunique(),
            **{name: grouped[name].sum() for name in ("counted", "quantity_milli", "net_minor")},
        }
    )
    keys = [key if isinstance(key, tuple) else (key,) for key in found.index]
    return {key: tuple(int(value) for value in row) for key, row in zip(keys, found.to_numpy(), strict=True)}


def members(told: pd.DataFrame) -> set[tuple[str, str]]:
    """Customers with a country that is one."""
    kept = told[~told.nobody & ~told.Country.isin(NOWHERE)]
    return set(zip(kept.CustomerID, kept.Country, strict=True))
