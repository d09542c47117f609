"""How much is done with what was shown: openings, clicks and visits for each impression, by channel, campaign or creative.

Promise: campaigns and channels are those that a table without people lists, creatives those that the question names; what is compared is each
of them with all the others together, in intervals that hold at once (dp_rules P-13). It must never learn a person beyond the run of one
question.

Argument (dp_rules P-6, P-7). What was shown and what was done with it are words of the person's own touches; all cells are public, and all
touches of a person lie under one weight of at most `clip`, which is priced. Rates are quotients of released sums with Fieller's intervals,
and the comparison of two rates divides intervals that hold together: arithmetic on released numbers.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from analytics.aggregate import PERSON
from analytics.reports.arms import Z
from analytics.reports.base import House, Margin, Report, filtered, numbers
from analytics.reports.families import Estimate, quotient, ratio, reach
from analytics.reports.parameters import left
from analytics.reports.shares import told
from privacy.records import Bounds, Measure

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analytics.lake.reader import View
    from privacy.records import Question, Release

CHANNEL, CAMPAIGN, CREATIVE, KIND = "channel", "campaign_id", "creative", "touch"
SHOWN = "impression"
DONE = ("open", "click", "visit")
KINDS = (SHOWN, *DONE)
TOUCHES = Measure("touches")
RATE, AGAINST = "interaction", "times_others"
ANY = "any"


def public_cells(question: Question, house: House) -> tuple[tuple[str, ...], ...]:
    """What was shown by what was done."""
    campaigns = house.tables["campaigns"]
    known = {
        CHANNEL: sorted({name for name in campaigns[CHANNEL].to_pylist() if name}),
        CAMPAIGN: sorted({name for name in campaigns["id"].to_pylist() if name}),
        CREATIVE: [],
        KIND: KINDS,
    }
    return tuple(product(*[known[name] if name == KIND else left(question, name, known[name]) for name in question.by]))


def contributions(view: View, question: Question, house: House) -> ir.Table:
    """One row a touch."""
    import ibis

    rows = filtered(view.people("touches"), question.where)
    return rows.mutate(touch=rows.kind).select(PERSON, *question.by, touches=ibis.literal(1, "int64"))


def render(release: Release, house: House, margin: Margin) -> list[dict[str, Any]]:
    """Touches in every cell; then what was done for each impression; then all of it against the others."""
    by, bounds = release.question.by, release.question.bounds
    place, half = by.index(KIND), margin(release)
    rows: list[dict[str, Any]] = []
    content: dict[tuple[str, ...], dict[str, float]] = {}
    for cell, value in zip(release.cells, release.values, strict=True):
        content.setdefault(cell[:place] + cell[place + 1 :], {})[cell[place]] = value / bounds.scale
        row = dict(zip(by, cell, strict=True)) | {"measure": TOUCHES.name, "marginal": "touches"}
        rows.append(row | numbers(value, half, TOUCHES, bounds))
    noise = (half / Z / bounds.scale) ** 2
    names = [name for name in by if name != KIND]
    for of, counts in content.items():
        for kind, done in ((ANY, DONE), *((one, (one,)) for one in DONE)):
            found = _rate(counts, done, noise, Z)
            head = dict(zip(names, of, strict=True)) | {KIND: kind, "measure": RATE, "marginal": RATE}
            rows.append(head | _told(found))
    return rows + _compared(content, names, noise)


def _rate(counts: dict[str, float], done: tuple[str, ...], noise: float, deviations: float, cells: int = 1) -> Estimate | None:
    """What was done ÷ what was shown, of sums of so many cells."""
    above = sum(counts[one] for one in done)
    return ratio(above, counts[SHOWN], (noise * len(done) * cells, noise * cells, 0.0), deviations)


def _compared(content: dict[tuple[str, ...], dict[str, float]], names: list[str], noise: float) -> list[dict[str, Any]]:
    """Each rate in times that of all the others together; all these intervals hold at once."""
    if len(content) < 2:
        return []
    rows = []
    deviations = reach(2 * len(content))
    for of, own in content.items():
        rest = [counts for other, counts in content.items() if other != of]
        others = {kind: sum(counts[kind] for counts in rest) for kind in KINDS}
        ours, theirs = _rate(own, DONE, noise, deviations), _rate(others, DONE, noise, deviations, len(rest))
        found = None if ours is None or theirs is None else quotient(ours, theirs)
        head = dict(zip(names, of, strict=True)) | {"measure": AGAINST, "marginal": AGAINST}
        rows.append(head | _told(found))
    return rows


def _told(found: Estimate | None) -> dict[str, Any]:
    """A quotient with its interval; where nothing may have been shown, nothing is known: anything up to a hundred times."""
    return told(1.0, 0.0, 100.0) if found is None else told(found.value, found.low, found.high, floor_is_zero=False)


REPORT = Report(
    kind="content",
    version=1,
    table="touches",
    by=(CHANNEL, KIND),
    measures=(TOUCHES,),
    bounds=Bounds(clip=6),
    rho_nano=2_000_000,
    contributions=contributions,
    render=render,
    own={KIND: KINDS},
    groups=(CAMPAIGN, CREATIVE),
    filters=(CHANNEL, CAMPAIGN, CREATIVE, "experiment", "arm"),
    tables=("campaigns",),
    public_cells=public_cells,
)
