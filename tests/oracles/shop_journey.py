"""A shop of the Complete Journey's households with everything that a segment can speak of, by pandas alone. Purchases, discounts, coupons, ages, and
contacts by campaign are real; what the files do not have (returns, channels, clicks, sex, regions) is invented from numbers, not from luck.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.oracles import complete_journey

ZONE = complete_journey.ZONE
NOBODY = "nothing-bought"
_AGES = {"19-24": "20-24", "25-34": "30-34", "35-44": "40-49", "45-54": "50-59", "55-64": "60+", "65+": "60+"}


@dataclass
class Journey:
    """Frames by table, the facts of the products, and the moment: the end of the last day."""

    tables: dict[str, pd.DataFrame]
    products: pd.DataFrame
    at: datetime

    @property
    def people(self) -> frozenset[str]:
        return frozenset({NOBODY}.union(*(set(frame.person) for frame in self.tables.values())))

    def lines(self) -> pd.DataFrame:
        """Purchases with the product's facts beside them."""
        return self.tables["order_lines"].merge(self.products, left_on="product_id", right_on="id", how="left").drop(columns="id")


def read(folder: Path, weeks: tuple[int, int]) -> Journey:
    """Some weeks of the files."""
    raw = complete_journey.lines(folder, weeks)
    lines = _lines(raw)
    told = pd.read_parquet(folder / "products.parquet")
    told = told[told.product_id.astype(str).isin(lines.product_id)]
    facts = pd.DataFrame({"id": told.product_id.astype(str), "category": told.product_category, "brand": told.brand.astype(str)})
    facts = facts.astype(object).where(facts.notna(), None).reset_index(drop=True)
    last = raw.transaction_timestamp.dt.tz_localize("UTC").dt.tz_convert(ZONE).max().normalize() + timedelta(days=1)
    tables = {"order_lines": lines, "events": _events(lines, facts), "profiles": _profiles(folder, lines)}
    tables["touches"] = _touches(folder, pd.Timestamp(lines.hour.min()), pd.Timestamp(last))
    return Journey(tables, facts, last.to_pydatetime())


def _local(hours: Any) -> Any:
    local = hours.dt.tz_convert(ZONE)
    return (local.dt.year * 100 + local.dt.month).astype("int64")


def _lines(raw: pd.DataFrame) -> pd.DataFrame:
    instant = raw.transaction_timestamp.dt.tz_localize("UTC")
    mark = raw.basket_id.astype("int64") + raw.product_id.astype("int64")
    returned, untold = (mark % 41 == 0).to_numpy(), (mark % 43 == 0).to_numpy()
    sign = np.where(returned & (mark % 2 == 0).to_numpy(), -1, 1)
    coupon = "upc-" + (mark % 5).astype(str)
    store = raw.store_id.astype("int64")
    return pd.DataFrame(
        {
            "person": raw.household_id.astype(str),
            "hour": instant.dt.floor("h"),
            "month": _local(instant),
            "order_key": raw.basket_id.astype("int64"),
            "kind": np.select([returned, untold], ["return", None], "sale"),
            "product_id": raw.product_id.astype(str),
            "store_id": raw.store_id.astype(str),
            "channel": np.select([store % 5 == 0, store % 7 == 0], ["online", None], "store"),
            "coupon_id": coupon.where((raw.coupon_disc + raw.coupon_match_disc) > 0, None),
            "net_minor": (raw.sales_value * 100).round().astype("int64") * sign,
            "discount_minor": ((raw.retail_disc + raw.coupon_match_disc) * 100).round().astype("int64"),
            "quantity_milli": raw.quantity.astype("int64") * 1000 * sign,
        }
    )


def _events(lines: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """Somebody looked at every third thing that they bought, an hour before."""
    seen = lines.iloc[::3].merge(facts, left_on="product_id", right_on="id", how="left")
    number = np.arange(len(seen))
    pick = lambda words: np.asarray(words, dtype=object)[number % len(words)]  # noqa: E731 (one line, used five times)
    hour = seen.hour - pd.Timedelta(hours=1)
    return pd.DataFrame(
        {
            "person": seen.person, "hour": hour, "month": _local(hour), "event": pick(["product_viewed", "product_added", "page_viewed"]),
            "product_id": seen.product_id, "category": seen.category, "store_id": seen.store_id, "channel": pick(["app", "web", None]),
            "page_group": pick(["home", "search", None, "cart"]), "referrer_group": pick(["direct", "social", None]),
            "device_class": pick(["phone", "desktop"]), "region": pick(["north", "south", None]),
        }
    )  # fmt: skip


def _profiles(folder: Path, lines: pd.DataFrame) -> pd.DataFrame:
    """Each household of the demographics states itself twice, the second time something else, or nothing."""
    real = pd.read_parquet(folder / "demographics.parquet")
    number = real.household_id.astype("int64")
    words = {name: real[name].astype(object).where(real[name].notna(), None) for name in ("income", "home_ownership", "household_comp")}
    start = pd.Timestamp(lines.hour.min())
    first = pd.DataFrame(
        {
            "person": number.astype(str), "hour": start + pd.to_timedelta(number % 24, unit="h"),
            "sex": np.select([number % 3 == 0, number % 3 == 1], ["female", "male"], None), "age_band": real.age.astype(str).map(_AGES),
            "occupation": np.select([number % 4 == 0, number % 4 == 1], ["teacher", "retired"], None), "region": words["household_comp"],
            "city_tier": words["home_ownership"], "tier": words["income"], "join_channel": np.where(number % 2 == 0, "store", "app"),
            "joined_month": 201601 + number % 12,
        }
    )  # fmt: skip
    again = first[number % 5 == 0].copy()
    again["hour"] = again.hour + pd.Timedelta(days=2)
    again["tier"], again["sex"], again["region"] = "moved-up", None, "moved"
    told = pd.concat([first, again], ignore_index=True)
    told["month"] = _local(told.hour)
    return told.astype({"joined_month": "int64"})


def _touches(folder: Path, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    starts = pd.read_parquet(folder / "campaign_descriptions.parquet").set_index("campaign_id").start_date
    mailed, redeemed = pd.read_parquet(folder / "campaigns.parquet"), pd.read_parquet(folder / "coupon_redemptions.parquet")
    sent = {"at": mailed.campaign_id.map(starts), "campaign": mailed.campaign_id, "who": mailed.household_id, "kind": "impression"}
    came = {"at": redeemed.redemption_date, "campaign": redeemed.campaign_id, "who": redeemed.household_id, "kind": "visit"}
    rows = pd.concat([pd.DataFrame(sent), pd.DataFrame(came)], ignore_index=True)
    hour = pd.to_datetime(rows["at"]).dt.tz_localize(ZONE).dt.tz_convert("UTC") + pd.Timedelta(hours=12)
    campaign = rows.campaign.astype("int64")
    told = pd.DataFrame(
        {
            "person": rows.who.astype(str), "hour": hour, "month": _local(hour), "campaign_id": "c" + campaign.astype(str),
            "channel": np.where(campaign % 2 == 0, "post", "email"), "kind": rows.kind,
            "creative": np.select([campaign % 3 == 0, campaign % 3 == 1], ["tea", "cake"], None),
        }
    )  # fmt: skip
    return told[(told.hour >= first) & (told.hour < last)].reset_index(drop=True)
