"""What would be lost without a channel: removal effects of a Markov chain over released counts of steps from contact to contact.

Promise: released is a matrix of steps (from the start or a channel to a channel, to a purchase or to nothing), with one weight a person; the
chain, its removal effects and their intervals are made of that matrix alone. The intervals come from drawing the noise again, from a seed
that is the release itself, so that they repeat like the numbers. It must never learn a person beyond the run of one question.

Argument (dp_rules P-14). A removal effect made of raw paths would let one person change everybody's; made of a released matrix it is
post-processing and costs nothing. A person's steps are their own; together, under one weight, they have a norm of at most `clip`.
"""

from __future__ import annotations

import hashlib
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from analytics.aggregate import PERSON
from analytics.reports.base import House, Margin, Report, numbers
from analytics.reports.paths import CHANNEL, channels, paths
from analytics.reports.shares import part_of_one
from privacy.records import Bounds, Measure

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analytics.lake.reader import View
    from privacy.records import Question, Release

ORIGIN, TARGET = "came_from", "went_to"
START, BOUGHT, NOTHING = "start", "bought", "nothing"
STEPS = Measure("steps")
DRAWS = 400
"""How often the noise is drawn again for an interval."""
HOLDS = 0.97
"""Of the draws. Noise drawn again stands around counts that carry noise already, and chances of few steps are cut off at 0: at .95 the intervals
held 93.6 times in 100 (`make audit`, 60,000 intervals), at .965 they held 95.1 times."""
_LEAK = 1e-9
"""What every state loses to nothing, so that a chain of released counts ends whatever the noise was."""


def public_cells(question: Question, house: House) -> tuple[tuple[str, ...], ...]:
    known = channels(question, house)
    values = {ORIGIN: (START, *known), TARGET: (*known, BOUGHT, NOTHING)}
    return tuple(product(*[values[name] for name in question.by]))


def contributions(view: View, question: Question, house: House) -> ir.Table:
    """One row a step: into the first touch, from touch to touch, and out of the last one."""
    import ibis

    path = paths(view, question, house)
    end = ibis.cases((path.converted, BOUGHT), else_=NOTHING)
    first = path.filter(path.place == 1)
    into = first.select(PERSON, came_from=ibis.literal(START), went_to=first.channel, steps=ibis.literal(1, "int64"))
    on = path.select(PERSON, came_from=path.channel, went_to=path.following.coalesce(end), steps=ibis.literal(1, "int64"))
    return into.union(on)


def render(release: Release, house: House, margin: Margin) -> list[dict[str, Any]]:
    """The steps, then for every channel the share of purchases that would be lost without it."""
    by, bounds, half = release.question.by, release.question.bounds, margin(release)
    rows: list[dict[str, Any]] = []
    for cell, value in zip(release.cells, release.values, strict=True):
        head = dict(zip(by, cell, strict=True)) | {"measure": STEPS.name, "marginal": "steps"}
        rows.append(head | numbers(value, half, STEPS, bounds))
    names, counts = matrix(release)
    drawn = _generator(release).normal(0.0, release.sigma, (DRAWS, *counts.shape))
    found, again = removals(counts[None])[0], removals(counts[None] + drawn)
    reach = np.quantile(np.abs(again - found), HOLDS, axis=0)
    for name, effect, width in zip(names, found, reach, strict=True):
        low, high = max(0.0, float(effect - width)), min(1.0, float(effect + width))
        rows.append({CHANNEL: name, "measure": "removal", "marginal": CHANNEL} | part_of_one(float(effect), low, high))
    return rows


def matrix(release: Release) -> tuple[tuple[str, ...], np.ndarray]:
    """The channels, and the released steps: a row for the start and each channel, a column for each channel, a purchase and nothing."""
    by = release.question.by
    found = {
        tuple(cell[by.index(name)] for name in (ORIGIN, TARGET)): value for cell, value in zip(release.cells, release.values, strict=True)
    }
    names = tuple(name for name in dict.fromkeys(origin for origin, _ in found) if name != START)
    counts = [[found[origin, target] for target in (*names, BOUGHT, NOTHING)] for origin in (START, *names)]
    return names, np.array(counts, dtype=np.float64)


def removals(counts: np.ndarray) -> np.ndarray:
    """For a stack of matrices of steps: the share of purchases that each channel's removal would lose; 0 where nobody buys anyway."""
    counts = np.clip(counts, 0.0, None)
    chances = counts / np.maximum(counts.sum(axis=2, keepdims=True), 1e-12)
    number = counts.shape[1] - 1
    whole = _buying(chances, number)
    lost = []
    for channel in range(number):
        without = chances.copy()
        without[:, :, channel] = 0.0  # whoever would have gone there goes nowhere
        lost.append(1.0 - _buying(without, number) / np.maximum(whole, 1e-12))
    return np.where(whole[:, None] > 1e-12, np.clip(np.stack(lost, axis=1), 0.0, 1.0), 0.0)


def _buying(chances: np.ndarray, number: int) -> np.ndarray:
    """The chance to come from the start to a purchase: absorbing chain, solved at once for a stack of matrices."""
    inside = (1.0 - _LEAK) * chances[:, 1:, :number]
    reached = np.linalg.solve(np.eye(number) - inside, chances[:, 1:, number : number + 1])
    return (chances[:, 0, :number] * reached[:, :, 0]).sum(axis=1) + chances[:, 0, number]


def _generator(release: Release) -> np.random.Generator:
    """A seed that is the release itself: public, and the same whenever it is shown."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256(repr((release.cells, release.values)).encode()).digest()))


REPORT = Report(
    kind="markov",
    version=1,
    table="touches",
    by=(ORIGIN, TARGET),
    measures=(STEPS,),
    bounds=Bounds(clip=3),
    rho_nano=3_000_000,
    contributions=contributions,
    render=render,
    own={ORIGIN: (), TARGET: ()},
    filters=(CHANNEL,),
    tables=("campaigns",),
    public_cells=public_cells,
)
