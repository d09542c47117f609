"""Whom a segment means, by pandas alone, and whether somebody is in, by what an explanation says was seen. Nothing of ours is imported here: edges
and names are written down a second time, from the manual's words.

Frames have `person`, `month` (of the shop's clock), `hour` (UTC) and the columns that rules speak of; absent is null.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

Document = Mapping[str, Any]
EIGHT = {
    (True, True, True): "champions",
    (True, False, True): "important_to_develop",
    (False, True, True): "important_to_keep",
    (False, False, True): "important_to_win_back",
    (True, True, False): "general_value",
    (True, False, False): "general_to_develop",
    (False, True, False): "general_to_keep",
    (False, False, False): "general_to_win_back",
}
"""Recent, frequent, valuable → the customary name."""


@dataclass
class World:
    """A shop at one moment."""

    everybody: frozenset[str]
    lines: pd.DataFrame
    events: pd.DataFrame
    touches: pd.DataFrame
    profiles: pd.DataFrame
    at: datetime
    zone: str
    segments: Mapping[tuple[str, int], Document] = field(default_factory=dict)

    def meant(self, rule: Document) -> set[str]:
        """Everybody whom a rule means."""
        if "all" in rule or "any" in rule:
            parts = [self.meant(one) for one in rule.get("all", rule.get("any"))]
            return set.intersection(*parts) if "all" in rule else set.union(*parts)
        if "segment" in rule:
            inside = self.meant(self.segments[rule["segment"], rule["version"]])
            return inside if rule.get("member", True) else set(self.everybody) - inside
        if "profile" in rule or "joined" in rule:
            return self._stated(rule)
        if "count" in rule or "sum" in rule:
            numbers = self.numbers(rule).reindex(sorted(self.everybody)).fillna(0)
            return set(numbers.index[(numbers >= rule.get("at_least", -(10**15))) & (numbers <= rule.get("at_most", 10**15))])
        return self._standing(rule)

    # ── amounts ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def numbers(self, rule: Document) -> pd.Series[Any]:
        """The amount of everybody who has a row."""
        thing = rule.get("count", rule.get("sum"))
        rows = {"events": self.events, "touches": self.touches}.get(thing, self.lines)
        first, last = self._window(rule["within"])
        rows = rows[(rows.hour >= first) & (rows.hour < last)]
        for one in rule.get("where", ()):
            column = rows[one["field"]]
            rows = rows[column.isin(one["is"]) if "is" in one else column.notna() & ~column.isin(one["is_not"])]
        return _AMOUNTS[thing](rows)

    def _window(self, within: Document) -> tuple[pd.Timestamp, pd.Timestamp]:
        now = pd.Timestamp(self.at)
        if "days" in within:
            return now - pd.Timedelta(days=within["days"]), now
        zone = ZoneInfo(self.zone)
        first, last = (date.fromisoformat(within[name]) for name in ("from", "to"))
        ends = (datetime.combine(day, time(), zone) for day in (first, last + timedelta(days=1)))
        return tuple(min(pd.Timestamp(one), now) for one in ends)  # type: ignore[return-value]

    # ── what was stated ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _stated(self, rule: Document) -> set[str]:
        name = rule.get("profile", "joined_month")
        said = self.profiles[(self.profiles.hour < pd.Timestamp(self.at)) & self.profiles[name].notna()]
        newest = said.sort_values(["hour", name]).groupby("person")[name].last()
        if "joined" in rule:
            return set(newest.index[(newest >= rule["joined"]["from"]) & (newest <= rule["joined"]["to"])])
        return set(newest.index[newest.isin(rule["is"]) if "is" in rule else ~newest.isin(rule["is_not"])])

    # ── recency, frequency, value, stage ─────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def bands(self) -> pd.DataFrame:
        """r, f, m and stage of everybody; zeros and prospect for who bought nothing."""
        local = self.at.astimezone(ZoneInfo(self.zone))
        oldest = (local.year - 1) * 100 + local.month + 1 if local.month < 12 else local.year * 100 + 1
        rows = self.lines[(self.lines.month >= oldest) & (self.lines.hour < pd.Timestamp(self.at))]
        sales = rows[_sale(rows)]
        found = pd.DataFrame(index=sorted(self.everybody))
        found["orders"] = _orders(sales)
        found["last"] = sales.groupby("person").hour.max()
        found["first_month"] = sales.groupby("person").month.min()
        found["paid"] = _sums(rows, _signed(rows, "net_minor"))
        days = (pd.Timestamp(self.at) - found["last"]) / pd.Timedelta(days=1)
        found["r"] = pd.cut(days, [-1, 7, 30, 90, 180, 10_000], labels=[5, 4, 3, 2, 1]).astype(float).fillna(0).astype(int)
        found["f"] = pd.cut(found.orders, [0, 1, 2, 5, 10, 10**9], labels=[1, 2, 3, 4, 5]).astype(float).fillna(0).astype(int)
        edges = [-(10**15), -1, 19_999, 49_999, 149_999, 499_999, 10**15]
        money = pd.cut(found.paid, edges, labels=[0, 1, 2, 3, 4, 5]).astype(float).fillna(0).astype(int)
        found["m"] = money.where(found.orders > 0, 0)
        stage = pd.cut(days, [-1, 30, 90, 180, 10_000], labels=["active", "cooling", "sleeping", "lost"]).astype(object)
        stage = stage.where(found.first_month != local.year * 100 + local.month, "new")
        found["stage"] = stage.where(found["last"].notna(), "prospect")
        return found

    def _standing(self, rule: Document) -> set[str]:
        found = self.bands
        if "stage" in rule:
            return set(found.index[found.stage.isin(rule["stage"])])
        if "cells" in rule:
            inside = pd.Series(True, index=found.index)
            for name, column in (("recency", "r"), ("frequency", "f"), ("value", "m")):
                if name in rule["cells"]:
                    inside &= found[column].isin(rule["cells"][name])
            return set(found.index[inside])
        names = [EIGHT[r >= 3, f >= 3, m >= 3] if r and f else None for r, f, m in zip(found.r, found.f, found.m, strict=True)]
        return set(found.index[pd.Series(names, index=found.index).isin(rule["rfm"])])


def _sale(rows: pd.DataFrame) -> Any:
    return rows.kind.isna() | (rows.kind == "sale")


def _signed(rows: pd.DataFrame, column: str) -> Any:
    return rows[column].where(_sale(rows), -rows[column].abs())


def _orders(rows: pd.DataFrame) -> Any:
    return rows.drop_duplicates(["person", "month", "order_key"]).groupby("person").size()


def _sums(rows: pd.DataFrame, values: Any) -> Any:
    return values.groupby(rows.person).sum()


_AMOUNTS: Mapping[str, Callable[[pd.DataFrame], Any]] = {
    "orders": lambda rows: _orders(rows[_sale(rows)]),
    "returns": lambda rows: _orders(rows[rows.kind == "return"]),
    "products": lambda rows: rows[_sale(rows)].groupby("person").product_id.nunique(),
    "stores": lambda rows: rows[_sale(rows)].groupby("person").store_id.nunique(),
    "events": lambda rows: rows.groupby("person").size(),
    "touches": lambda rows: rows.groupby("person").size(),
    "paid": lambda rows: _sums(rows, _signed(rows, "net_minor")),
    "quantity": lambda rows: _sums(rows, _signed(rows, "quantity_milli")),
    "discount": lambda rows: _sums(rows[_sale(rows)], rows[_sale(rows)].discount_minor.abs()),
}


# ── explanations ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def follows(rule: Document, saw: Mapping[str, Any]) -> bool:
    """Whether a rule holds, by nothing but what an explanation says was seen."""
    if "profile" in rule:
        value = saw[rule["profile"]]
        return value is not None and (value in rule["is"] if "is" in rule else value not in rule["is_not"])
    if "joined" in rule:
        month = saw["joined_month"]
        return month is not None and rule["joined"]["from"] <= month <= rule["joined"]["to"]
    if "stage" in rule:
        return (saw["stage"] or "prospect") in rule["stage"]
    if "cells" in rule:
        return all((saw[f"{name}_band"] or 0) in values for name, values in rule["cells"].items())
    if "rfm" in rule:
        r, f, m = (saw[f"{name}_band"] or 0 for name in ("recency", "frequency", "value"))
        return bool(r and f) and EIGHT[r >= 3, f >= 3, m >= 3] in rule["rfm"]
    amount = saw["amount"] or 0
    return bool(rule.get("at_least", -(10**15)) <= amount <= rule.get("at_most", 10**15))


def reproduced(steps: Sequence[Mapping[str, Any]]) -> bool:
    """The verdict about a person, worked out again from an explanation: raises AssertionError where a step says something else than follows."""
    told: dict[str, bool] = {}
    for step in reversed(steps):
        below = [holds for place, holds in told.items() if place.rpartition(".")[0] == step["place"]]
        if step["kind"] in ("all", "any"):
            verdict = all(below) if step["kind"] == "all" else any(below)
        elif step["kind"] == "segment":
            verdict = below[0] is step["rule"]["member"]
        else:
            verdict = follows(step["rule"], step["saw"])
        assert verdict is step["holds"], step
        told[step["place"]] = verdict
    return told["1"]
