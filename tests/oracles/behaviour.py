"""What paths of contacts and arms of experiments come to, by pandas and plain Python alone. Nothing of ours is imported here."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import pandas as pd

Row = Mapping[str, Any]


def sales(rows: Sequence[Row]) -> pd.DataFrame:
    """Lines in the shop's currency: whether a sale, and what was paid."""
    frame = pd.DataFrame(rows)
    frame = frame[frame.currency.isna() | (frame.currency == "CNY")] if "currency" in frame else frame
    frame = frame.assign(sale=frame.kind.isna() | (frame.kind == "sale"))
    return frame.assign(paid=frame.net_minor.where(frame.sale, -frame.net_minor.abs()))


def paths(touches: Sequence[Row], lines: Sequence[Row], channels: Sequence[str]) -> dict[int, tuple[list[str], bool]]:
    """Each person's channels in their order up to the last purchase, and whether there was one."""
    bought = sales(lines)
    last = bought[bought.sale].groupby("run_id").hour.max().to_dict()
    found: dict[int, list[str]] = {}
    for row in sorted(touches, key=lambda one: (one["hour"], str(one["channel"]))):
        if row["channel"] in channels and (row["run_id"] not in last or row["hour"] <= last[row["run_id"]]):
            found.setdefault(row["run_id"], []).append(row["channel"])
    return {person: (path, person in last) for person, path in found.items()}


def credited(known: Mapping[int, tuple[list[str], bool]]) -> dict[tuple[str, str], float]:
    """Conversions by channel and rule."""
    total: defaultdict[tuple[str, str], float] = defaultdict(float)
    for path, converted in known.values():
        if converted:
            number = len(path)
            ends = [1.0] if number == 1 else [0.5, 0.5] if number == 2 else [0.4, *[0.2 / (number - 2)] * (number - 2), 0.4]
            total[path[0], "first"] += 1
            total[path[-1], "last"] += 1
            for channel, part in zip(path, ends, strict=True):
                total[channel, "linear"] += 1 / number
                total[channel, "position"] += part
    return dict(total)


def steps(known: Mapping[int, tuple[list[str], bool]]) -> Counter[tuple[str, str]]:
    """How often each step was made."""
    total: Counter[tuple[str, str]] = Counter()
    for path, converted in known.values():
        whole = ["start", *path, "bought" if converted else "nothing"]
        total.update(pairwise(whole))
    return total


def removal(counts: Mapping[tuple[str, str], float], channel: str) -> float:
    """The share of purchases lost without a channel, by walking the chain again and again instead of solving it."""

    def buying(without: str) -> float:
        states = {origin for origin, _ in counts}
        leaving = {state: sum(number for (origin, _), number in counts.items() if origin == state) for state in states}
        chance, bought = {"start": 1.0}, 0.0
        for _ in range(500):
            following: defaultdict[str, float] = defaultdict(float)
            for (origin, target), number in counts.items():
                if chance.get(origin) and target != without:
                    following[target] += chance[origin] * number / leaving[origin]
            bought += following.pop("bought", 0.0)
            following.pop("nothing", None)
            chance = dict(following)
        return bought

    return 1 - buying(channel) / buying("")


def shapley(known: Mapping[int, tuple[list[str], bool]], channels: Sequence[str]) -> dict[str, float]:
    """Shapley values by their definition: what a channel adds, over all orders in which channels may come."""
    from itertools import permutations
    from math import factorial

    sets = Counter(frozenset(path) for path, converted in known.values() if converted)
    total: defaultdict[str, float] = defaultdict(float)
    for order in permutations(channels):
        worth = 0
        for place, channel in enumerate(order, 1):
            now = sum(number for some, number in sets.items() if some <= set(order[:place]))
            total[channel] += (now - worth) / factorial(len(channels))
            worth = now
    return dict(total)


def arms(touches: Sequence[Row], lines: Sequence[Row], experiment: str, cap: int) -> pd.DataFrame:
    """One row a person of an experiment: arm, whether they bought at or after their first touch, and what share of the cap they spent."""
    frame = pd.DataFrame([row for row in touches if row.get("experiment") == experiment])
    people = frame.groupby("run_id").agg(
        arm=("arm", lambda some: some.iloc[0] if some.nunique() == 1 else "several"), since=("hour", "min")
    )
    after = sales(lines).merge(people[["since"]], left_on="run_id", right_index=True)
    after = after[after.hour >= after.since]
    spent = after.groupby("run_id").agg(bought=("sale", "any"), paid=("paid", "sum"))
    joined = people.join(spent).fillna({"bought": False, "paid": 0})
    return joined.assign(part=joined.paid.clip(0, cap) / cap)
