"""What the e-mail experiment of Hillstrom comes to, by pandas alone. Nothing of ours is imported here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

ARMS = {"Mens E-Mail": "mens", "Womens E-Mail": "womens", "No E-Mail": "control"}
WHOLE = 1_000_000


def customers(folder: Path) -> pd.DataFrame:
    """One row a customer: arm, whether they bought, what they spent in cents."""
    raw = pd.read_csv(folder / "hillstrom.csv.gz")
    return pd.DataFrame({"arm": raw.segment.map(ARMS), "bought": raw.conversion, "cents": (raw.spend * 100).round().astype("int64")})


def sums(people: pd.DataFrame, cap_cents: int) -> dict[str, dict[str, int]]:
    """By arm, in thousandths: people, buyers, what was spent as a part of the cap, and its square; cut as whole millionths and thousandths."""
    part = people.cents.clip(upper=cap_cents) * WHOLE // cap_cents
    square = part * part // WHOLE
    cut = {name: np.trunc(1_000.0 * (column / float(WHOLE))).astype("int64") for name, column in (("spent", part), ("squares", square))}
    table = people.assign(people=1_000, buyers=people.bought * 1_000, **cut)
    found = table.groupby("arm")[["people", "buyers", "spent", "squares"]].sum()
    return {str(arm): {str(name): int(value) for name, value in row.items()} for arm, row in found.to_dict("index").items()}
