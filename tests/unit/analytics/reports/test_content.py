"""What was done with what was shown: counts and rates against pandas, and a planted difference between two kinds of content (S16)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from analytics.reports.base import Options
from analytics.reports.content import DONE, KINDS
from privacy import errors
from tests.fakes.behaviour import CHANNELS, Row, ask, reports, told

DRAW = random.Random(7)


def touches(people: int, done: dict[str, float]) -> list[Row]:
    """Everybody is shown one creative and clicks it as often as its rate says."""
    found: list[Row] = []
    for person in range(people):
        creative = DRAW.choice(sorted(done))
        head = {"run_id": person, "creative": creative, "channel": DRAW.choice(CHANNELS), "campaign_id": DRAW.choice(("C1", "C2", "other"))}
        found.append(head | {"kind": "impression"})
        if DRAW.random() < done[creative]:
            found.append(head | {"kind": DRAW.choice(DONE)})
    return found


ROWS = touches(4_000, {"science": 0.4, "promo": 0.2})


def by_creative(folder: Path, rows: Sequence[Row]) -> list[Row]:
    options = Options(202601, 202601, ("creative",), ("creative=promo|science",))
    return list(reports(folder, {"touches": rows}).ask("content", options, "usr_1")["rows"])


def test_touches_and_rates_agree_with_pandas(tmp_path: Path) -> None:
    rows = ask(tmp_path, "content", {"touches": ROWS})
    frame = pd.DataFrame(ROWS)
    found = told(rows, "touches", "channel", "touch")
    assert set(found) == {(channel, kind) for channel in CHANNELS for kind in KINDS}
    assert {key: number for key, number in found.items() if number} == frame.groupby(["channel", "kind"]).size().to_dict()
    rates = told(rows, "interaction", "channel", "touch")
    for channel in CHANNELS:
        counts = frame[frame.channel == channel].kind.value_counts()
        assert rates[channel, "click"] == pytest.approx(counts["click"] / counts["impression"], abs=1e-6)
        assert rates[channel, "any"] == pytest.approx(sum(counts[kind] for kind in DONE) / counts["impression"], abs=1e-6)


def test_content_that_does_twice_as_well_is_told_apart_and_alike_content_is_not(tmp_path: Path) -> None:
    (better,) = (row for row in by_creative(tmp_path, ROWS) if row["measure"] == "times_others" and row["creative"] == "science")
    assert better["low"] > 1.5
    assert better["value"] == pytest.approx(2, abs=0.3)
    alike = by_creative(tmp_path / "alike", [row | {"creative": "science" if row["run_id"] % 2 else "promo"} for row in ROWS])
    for row in (one for one in alike if one["measure"] == "times_others"):
        assert row["value"] == pytest.approx(1, abs=0.2)


def test_campaigns_are_those_that_are_listed_and_creatives_those_that_are_named(tmp_path: Path) -> None:
    asked = reports(tmp_path, {"touches": ROWS})
    rows = asked.ask("content", Options(202601, 202601, ("campaign_id",)), "usr_1")["rows"]
    assert {row["campaign_id"] for row in rows} == {"C1", "C2", "C3"}
    unshown = next(row for row in rows if row["measure"] == "interaction" and row["campaign_id"] == "C3")
    assert (unshown["low"], unshown["high"]) == (0.0, 100.0)  # nothing was shown, so nothing is known
    with pytest.raises(errors.NotConfigured):
        asked.ask("content", Options(202601, 202601, ("creative",)), "usr_1")


def test_one_kind_of_content_is_compared_with_nothing(tmp_path: Path) -> None:
    rows = ask(tmp_path, "content", {"touches": ROWS}, "channel=sms")
    assert {row["measure"] for row in rows} == {"touches", "interaction"}
