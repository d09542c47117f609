"""The words of the grammar: what may be asked of whom, in which table it stands, and the closed lists of values.

Promise: data. What is not in here cannot be said in a segment. Closed lists come from the data dictionary and from the public constants of
the reports, so that a segment and a report mean the same by a word. It must never learn a value about a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from analytics import metrics
from privacy.dictionary import catalogue

PROFILE = ("sex", "age_band", "occupation", "region", "city_tier", "tier", "join_channel")
BANDS: Mapping[str, str] = MappingProxyType({"recency": "recency_band", "frequency": "frequency_band", "value": "value_band"})
HIGHEST_BAND = 5
STAGES = (metrics.NEW, *metrics.STAGES, metrics.PROSPECT)
RFM = tuple(one.key for one in metrics.SEGMENTS)

TAGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {one: (one,) for one in ("sex", "age_band", "occupation", "region", "tier")} | {"stage": ("stage",), "rfm": tuple(BANDS.values())}
)
"""What a person may have deleted, by the words that are built of it (`privacy.consent.objections`)."""

ADULT = 18
YOUNG = frozenset({"student"})
"""Occupations that signal youth: with them who told no birth date is left out (law_rules L-1)."""

LINE_FIELDS = ("product_id", "category", "brand", "store_id", "channel", "coupon_id")
EVENT_FIELDS = ("event", "product_id", "category", "store_id", "channel", "page_group", "referrer_group", "device_class", "region")
TOUCH_FIELDS = ("campaign_id", "channel", "kind", "creative")
PRODUCTS = frozenset({"product_id", "category", "brand"})
"""Fields that speak of products, which may tell something sensitive about who bought them (law_rules L-9)."""


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that is counted or added up: its table and the columns by which its rows may be narrowed."""

    table: str
    fields: tuple[str, ...]


THINGS: Mapping[str, Mapping[str, Thing]] = MappingProxyType(
    {
        "count": {
            "orders": Thing("order_lines", LINE_FIELDS),
            "returns": Thing("order_lines", LINE_FIELDS),
            "products": Thing("order_lines", LINE_FIELDS),
            "stores": Thing("order_lines", LINE_FIELDS),
            "events": Thing("events", EVENT_FIELDS),
            "touches": Thing("touches", TOUCH_FIELDS),
        },
        "sum": {
            "paid": Thing("order_lines", LINE_FIELDS),
            "discount": Thing("order_lines", LINE_FIELDS),
            "quantity": Thing("order_lines", LINE_FIELDS),
        },
    }
)
"""Amounts are whole numbers: money in minor units, quantities in thousandths."""


@lru_cache(maxsize=1)
def closed() -> Mapping[tuple[str, str], tuple[str, ...]]:
    """(table, column) → its words, where the list is closed."""
    records = catalogue.load().records
    found = {("profiles", "sex"): records["member"].fields["sex"].input.values}
    found["events", "event"] = records["event"].fields["event"].input.values
    found["touches", "kind"] = records["touch"].fields["kind"].input.values
    found["profiles", "occupation"] = (*catalogue.load().generalisations["groups"]["occupation"], "other")
    edges = catalogue.load().generalisations["bands"]["age"]
    found["profiles", "age_band"] = (*(f"{low}-{high}" for low, high in edges["edges"] if low >= ADULT), f"{edges['last']}+")
    return found
