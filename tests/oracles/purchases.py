"""What purchases come to by store, month, weekday, daypart and day, and one weight a person over it, by pandas and numpy alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PARTS = ((6, "night"), (11, "morning"), (14, "noon"), (17, "afternoon"), (22, "evening"), (24, "night"))
MEASURES = ("orders", "lines", "sales", "people")
Sums = dict[tuple[str, ...], dict[str, int]]


def worded(lines: pd.DataFrame, zone: str) -> pd.DataFrame:
    """Lines (person, month, hour, order, sale, paid, store) with the words of their order, which are those of its first hour."""
    first = lines.groupby(["person", "month", "order"]).agg(first=("hour", "min"), store=("store", "min")).reset_index()
    local = first["first"].dt.tz_convert(ZoneInfo(zone))
    first["weekday"] = [DAYS[number] for number in local.dt.day_of_week]
    first["day"] = [f"{number:02d}" for number in local.dt.day]
    first["daypart"] = [next(name for end, name in PARTS if hour < end) for hour in local.dt.hour]
    return lines.drop(columns="store").merge(first.drop(columns="first"), on=["person", "month", "order"])


def each(lines: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """What each person brings to each cell, whole numbers."""
    named = lines.assign(**{name: lines[name].astype(str) for name in by})
    sold = named[named.sale].drop_duplicates(["person", "month", "order"])
    keys = ["person", *by]
    found = pd.DataFrame(
        {
            "orders": sold.groupby(keys).size(),
            "lines": named[named.sale].groupby(keys).size(),
            "sales": named.groupby(keys).paid.sum(),
        }
    ).fillna(0)
    return found.astype("int64").assign(people=(found.orders > 0).astype("int64")).reset_index()


def totals(parts: pd.DataFrame, by: Sequence[str], measures: Sequence[str] = MEASURES) -> Sums:
    """Sums over people, by cell."""
    found = parts.groupby(list(by))[list(measures)].sum()
    keys = [key if isinstance(key, tuple) else (key,) for key in found.index]
    return {
        key: {name: int(value) for name, value in zip(measures, row, strict=True)} for key, row in zip(keys, found.to_numpy(), strict=True)
    }


def weighted(parts: pd.DataFrame, units: dict[str, int], clip: float, scale: int = 1_000) -> pd.DataFrame:
    """One weight a person, min(1, clip/‖v‖), on everything that they bring; each amount cut to whole thousandths of its unit, toward zero."""
    vectors = pd.DataFrame({name: parts[name].astype("float64") / unit for name, unit in units.items()})
    squares = (vectors * vectors).sum(axis=1).groupby(parts.person).transform("sum").to_numpy()
    norms = np.sqrt(squares)
    factors = np.where(norms <= clip, float(scale), scale * clip / np.where(norms > 0, norms, 1.0))
    cut = {name: np.trunc(vectors[name].to_numpy() * factors).astype("int64") for name in units}
    return parts.assign(**cut)


def hidden(parts: pd.DataFrame, units: dict[str, int], clip: float) -> float:
    """The share of the whole, in units, that the weights take away."""
    vectors = pd.DataFrame({name: parts[name].astype("float64").abs() / unit for name, unit in units.items()})
    norms = np.sqrt((vectors * vectors).sum(axis=1).groupby(parts.person).transform("sum"))
    weights = np.where(norms <= clip, 1.0, clip / norms.where(norms > 0, 1.0))
    whole = vectors.to_numpy().sum()
    return 1.0 - math.fsum((vectors.mul(weights, axis=0)).to_numpy().ravel()) / whole


def spread(lines: pd.DataFrame, value: str, edges: Sequence[int]) -> list[int]:
    """How many people who gave an order have so many orders, paid so much, or had so large a basket, by bins of these lower edges."""
    one = each(lines, ())[["person", "orders", "sales"]] if len(lines) else pd.DataFrame()
    one = one[one.orders > 0]
    found = {"orders_each": one.orders, "spent": one.sales, "basket": one.sales // one.orders}[value]
    return [int(count) for count in np.bincount(np.digitize(found, edges[1:]), minlength=len(edges))]


def segments(lines: pd.DataFrame, end: pd.Timestamp) -> dict[str, int]:
    """People by the eight segments at a close, over the rows of at most twelve months before it: days since the last sale, orders, paid."""
    sales = lines[lines.sale]
    one = pd.DataFrame(
        {
            "last": sales.groupby("person").hour.max(),
            "orders": sales.drop_duplicates(["person", "month", "order"]).groupby("person").size(),
            "paid": lines.groupby("person").paid.sum(),
        }
    ).dropna(subset=["last"])
    flags = {
        "R": (end - one["last"]) <= pd.Timedelta(days=90),
        "F": one.orders >= 3,
        "M": one.paid >= 50_000,
    }
    names = {
        "RFM": "champions",
        "RM": "important_to_develop",
        "FM": "important_to_keep",
        "M": "important_to_win_back",
        "RF": "general_value",
        "R": "general_to_develop",
        "F": "general_to_keep",
        "": "general_to_win_back",
    }
    said = pd.Series("", index=one.index)
    for letter, flag in flags.items():
        said = said + flag.map({True: letter, False: ""})
    counts = said.map(names).value_counts()
    return {name: int(counts.get(name, 0)) for name in names.values()}
