"""What the Complete Journey files add up to, by pandas alone. Nothing of ours is imported here, and no mapping is read.

Money is counted in whole cents, times are UTC and told by New York's clock, fuel has no number of pieces.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

ZONE = "America/New_York"


def lines(folder: Path, weeks: tuple[int, int]) -> pd.DataFrame:
    """The raw transactions of some weeks, as they stand in the file."""
    (path,) = folder.glob("transactions*.parquet")
    raw = pd.read_parquet(path)
    return raw[raw.week.between(*weeks)].reset_index(drop=True)


def _told(raw: pd.DataFrame, folder: Path) -> pd.DataFrame:
    products = pd.read_parquet(folder / "products.parquet")
    fuel = set(products.loc[products.product_type == "GASOLINE-REG UNLEADED", "product_id"])
    local = raw.transaction_timestamp.dt.tz_localize("UTC").dt.tz_convert(ZONE)
    cents = {name: (raw[name] * 100).round().astype("int64") for name in ("sales_value", "retail_disc", "coupon_match_disc")}
    discount = cents["retail_disc"] + cents["coupon_match_disc"]
    return pd.DataFrame(
        {
            "month": local.dt.year * 100 + local.dt.month,
            "clock": local.dt.hour,
            "store_id": raw.store_id.astype(str),
            "kind": "sale",
            "order": raw.basket_id,
            "person": raw.household_id,
            "counted": (~raw.product_id.isin(fuel)).astype("int64"),
            "quantity_milli": (raw.quantity * 1000).where(~raw.product_id.isin(fuel), 0),
            "gross_minor": cents["sales_value"] + discount,
            "discount_minor": discount,
            "net_minor": cents["sales_value"],
        }
    )


def totals(raw: pd.DataFrame, folder: Path, by: list[str]) -> dict[tuple[object, ...], tuple[int, ...]]:
    """Lines, orders, people, lines with a count, thousandths of pieces, gross, discount and net by the columns `by`."""
    return _summed(_told(raw, folder), by)


def _summed(table: pd.DataFrame, by: list[str]) -> dict[tuple[object, ...], tuple[int, ...]]:
    grouped = table.groupby(by)
    found = pd.DataFrame(
        {
            "lines": grouped.size(),
            "orders": grouped.order.nunique(),
            "people": grouped.person.nunique(),
            **{name: grouped[name].sum() for name in ("counted", "quantity_milli", "gross_minor", "discount_minor", "net_minor")},
        }
    )
    keys = [key if isinstance(key, tuple) else (key,) for key in found.index]
    return {key: tuple(int(value) for value in row) for key, row in zip(keys, found.to_numpy(), strict=True)}


def absent_products(raw: pd.DataFrame, folder: Path) -> int:
    """Lines that name a product that the product file does not have."""
    known = set(pd.read_parquet(folder / "products.parquet").product_id)
    return int((~raw.product_id.isin(known)).sum())


def products(folder: Path) -> dict[str, tuple[str | None, str]]:
    """Category and brand of each product."""
    table = pd.read_parquet(folder / "products.parquet")
    category = table.product_category.astype(object).where(table.product_category.notna(), None)
    return {str(one): (kind, brand) for one, kind, brand in zip(table.product_id, category, table.brand, strict=True)}


def campaigns(folder: Path) -> dict[str, tuple[str, str, str]]:
    """Type, first and last day of each campaign."""
    table = pd.read_parquet(folder / "campaign_descriptions.parquet")
    return {
        str(row.campaign_id): (row.campaign_type, f"{row.start_date:%Y-%m-%d}", f"{row.end_date:%Y-%m-%d}") for row in table.itertuples()
    }


def touches(folder: Path) -> dict[tuple[object, ...], tuple[int, int]]:
    """Touches and people by month, campaign and kind: mailings on the campaign's first day, redemptions on theirs."""
    starts = pd.read_parquet(folder / "campaign_descriptions.parquet").set_index("campaign_id").start_date
    mailings = pd.read_parquet(folder / "campaigns.parquet")
    redeemed = pd.read_parquet(folder / "coupon_redemptions.parquet")
    rows = pd.concat(
        [
            pd.DataFrame(
                {
                    "at": mailings.campaign_id.map(starts),
                    "campaign": mailings.campaign_id,
                    "who": mailings.household_id,
                    "kind": "impression",
                }
            ),
            pd.DataFrame({"at": redeemed.redemption_date, "campaign": redeemed.campaign_id, "who": redeemed.household_id, "kind": "visit"}),
        ]
    )
    rows["month"] = rows["at"].dt.year * 100 + rows["at"].dt.month
    rows["campaign"] = rows.campaign.astype(str)
    grouped = rows.groupby(["month", "campaign", "kind"]).who
    counts, people = grouped.size(), grouped.nunique()
    return {key: (int(counts[key]), int(people[key])) for key in counts.index}
