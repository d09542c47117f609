"""How close baskets were to a threshold."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.fakes.behaviour import Row, ask, hour, told, world

BANDS = ((1.0, "over"), (0.9, "to_10"), (0.8, "to_20"), (0.7, "to_30"), (0.5, "to_50"), (0.0, "far"))


def oracle(events: list[Row], threshold: int) -> dict[tuple[str, str], int]:
    frame = pd.DataFrame(events).dropna(subset=["visit"])
    price = frame.product_id.map({"P1": 4_500, "P2": 9_000})
    worth = (price * frame.quantity.fillna(1)).fillna(frame.value_minor).fillna(0)
    frame["worth"] = worth.where(frame.event == "product_added", -worth).where(frame.event.isin(("product_added", "product_removed")), 0)
    baskets = frame.groupby(["run_id", "visit"]).agg(
        worth=("worth", "sum"),
        added=("event", lambda some: "product_added" in set(some)),
        paid=("event", lambda some: "order_completed" in set(some)),
    )
    baskets = baskets[baskets.added & (baskets.worth > 0)]
    names = [next(name for least, name in BANDS if worth >= least * threshold * 100) for worth in baskets.worth]
    return pd.Series(list(zip(names, baskets.paid.map({True: "paid", False: "left"}), strict=True))).value_counts().to_dict()


@pytest.mark.parametrize("threshold", [99, 150])
def test_baskets_by_distance_and_outcome_agree_with_pandas(tmp_path: Path, threshold: int) -> None:
    events = world(people=400)["events"]  # so many people that nobody has more baskets than the bound lets count
    rows = ask(tmp_path, "baskets", {"events": events}, f"threshold={threshold}")
    found = told(rows, "baskets", "distance", "outcome")
    assert {key: number for key, number in found.items() if number} == oracle(events, threshold)


def test_the_share_that_is_left_shows_the_planted_threshold(tmp_path: Path) -> None:
    """Baskets just below 99 yuan are left, those over it are paid for."""
    events = []
    for person in range(200):
        pieces = 2 if person % 2 else 3  # 90 yuan, or 135
        for number in range(pieces):
            events.append(
                {"run_id": person, "hour": hour(1), "visit": person, "event": "product_added", "product_id": "P1", "step": number}
            )
        if person % 2 == 0 or person % 10 == 1:
            events.append({"run_id": person, "hour": hour(1), "visit": person, "event": "order_completed"})
    shares = told(ask(tmp_path, "baskets", {"events": events}), "left", "distance")
    assert shares["to_10"] == pytest.approx(0.8, abs=1e-6)
    assert shares["over"] == pytest.approx(0.0, abs=1e-6)
