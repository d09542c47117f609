"""What would be lost without a channel."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analytics.reports.base import Options
from analytics.reports.markov import matrix, removals, render
from tests.fakes.behaviour import CHANNELS, HOUSE, Row, hour, reports, told, world
from tests.oracles import behaviour as oracle


def rare_paths() -> dict[str, list[Row]]:
    """So many people that hardly anybody's path is longer than the bound."""
    return world(people=500)


def test_steps_and_removal_effects_agree_with_a_chain_that_is_walked(tmp_path: Path) -> None:
    rows = rare_paths()
    document = reports(tmp_path, rows).ask("markov", Options(202601, 202601), "usr_1")["rows"]
    counts = oracle.steps(oracle.paths(rows["touches"], rows["order_lines"], CHANNELS))
    found = told(document, "steps", "came_from", "went_to")
    assert {step: number for step, number in found.items() if number} == dict(counts)
    effects = told(document, "removal", "channel")
    for channel in CHANNELS:
        assert effects[channel] == pytest.approx(oracle.removal(counts, channel), abs=1e-5)


def test_a_channel_that_everybody_passes_is_worth_everything(tmp_path: Path) -> None:
    touches = [{"run_id": person, "hour": hour(1), "channel": "sms", "kind": "click"} for person in range(30)]
    lines = [{"run_id": person, "hour": hour(9), "order_key": 1, "kind": "sale", "net_minor": 100} for person in range(30)]
    document = reports(tmp_path, {"touches": touches, "order_lines": lines}).ask("markov", Options(202601, 202601), "usr_1")["rows"]
    effects = told(document, "removal", "channel")
    assert effects["sms"] == pytest.approx(1)
    assert effects["email"] == pytest.approx(0)


def test_intervals_are_drawn_from_the_release_itself_and_repeat(tmp_path: Path) -> None:
    asked = reports(tmp_path, rare_paths())
    release = asked.ask("markov", Options(202601, 202601), "usr_1")["release"]
    assert asked.show(release)["rows"] == asked.show(release)["rows"]
    stored = asked._releases.find(release)
    wide = render(replace(stored, sigma=stored.sigma * 50), HOUSE, lambda release, *, terms=1: 500)  # type: ignore[misc]
    narrow = {row["channel"]: row["high"] - row["low"] for row in asked.show(release)["rows"] if row["measure"] == "removal"}
    for row in wide:
        if row["measure"] == "removal":
            assert row["high"] - row["low"] > narrow[row["channel"]]


def test_any_noise_leaves_a_chain_that_ends(tmp_path: Path) -> None:
    """Negative counts, empty rows, only loops: effects stay between nothing and everything."""
    draw = np.random.default_rng(1)
    stack = np.concatenate([draw.normal(0, 100, (50, 4, 5)), np.zeros((1, 4, 5)), -np.ones((1, 4, 5))])
    stack[0, 1:, :] = 0.0
    stack[0, 1, 0] = 10.0  # a channel that only leads to itself
    found = removals(stack)
    assert np.isfinite(found).all()
    assert ((found >= 0) & (found <= 1)).all()


def test_the_matrix_has_a_row_for_the_start_and_each_channel(tmp_path: Path) -> None:
    asked = reports(tmp_path, rare_paths())
    names, counts = matrix(asked._releases.find(asked.ask("markov", Options(202601, 202601), "usr_1")["release"]))
    assert names == CHANNELS
    assert counts.shape == (4, 5)
