"""What customers talk about: people and notes by topic, with each topic's share of the notes, by channel, store or the store's region.

Promise: topics are a closed list of the dictionary (`generalisations.toml`), so that no cell can come from what somebody wrote, and no text is
read here: this report knows the topic that admission made of the sender's word. It must never learn a person beyond the run of one question.

Argument (dp_rules P-6, P-7). Topic, channel and store are words of the person's own notes and the region is that of a public table; all cells are
public. People and notes of all cells lie under one weight a person of at most `clip`, which is priced. Shares are quotients of released
notes; a note has one topic, so notes add up, and people do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from analytics.aggregate import PERSON
from analytics.reports.base import House, Margin, Opens, Report, filtered, plain_rows
from analytics.reports.parameters import left
from analytics.reports.shares import part_of_one, share
from privacy.records import Bounds, Measure

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analytics.lake.reader import View
    from privacy.records import Question, Release

TOPIC, REGION, STORE, CHANNEL = "topic", "region", "store_id", "channel"
OTHER = "other"
PEOPLE, NOTES = Measure("people"), Measure("notes")


def topics(house: House) -> tuple[str, ...]:
    """The closed list, and the one for everything else."""
    return (*house.dictionary.generalisations["groups"][TOPIC], OTHER)


def public_cells(question: Question, house: House) -> tuple[tuple[str, ...], ...]:
    """Topics by what else was asked; channels are known where the question names them."""
    stores = house.tables["stores"]
    known = {
        TOPIC: topics(house),
        REGION: sorted({name for name in stores[REGION].to_pylist() if name}),
        STORE: [name for name in stores["id"].to_pylist() if name],
        CHANNEL: [],
    }
    return tuple(product(*[left(question, name, known[name]) for name in question.by]))


def contributions(view: View, question: Question, house: House) -> ir.Table:
    """One row a note: what it was about and where, and 1 twice: a note, and the person whose it is."""
    import ibis

    rows = view.people("feedback")
    rows = rows.mutate(topic=ibis.cases((rows.topic.isin(topics(house)), rows.topic), else_=OTHER))
    rows = filtered(rows, question.where)
    if REGION in question.by:
        stores = view.table(house.tables["stores"].select(["id", REGION]))
        rows = rows.inner_join(stores, rows.store_id == stores.id)
    one = ibis.literal(1, "int64")
    return rows.select(PERSON, *question.by, people=one, notes=one)


def render(release: Release, house: House, margin: Margin) -> list[dict[str, Any]]:
    """People and notes in every cell, then each topic's share of the notes in its place."""
    by, scale = release.question.by, release.question.bounds.scale
    half, place = margin(release) / scale, by.index(TOPIC)
    values = iter(release.values)
    groups: dict[tuple[str, ...], list[tuple[tuple[str, ...], float]]] = {}
    for cell in release.cells:
        found = {name: next(values) for name in release.measures}
        groups.setdefault(cell[:place] + cell[place + 1 :], []).append((cell, found[NOTES.name] / scale))
    rows = plain_rows(release, house, margin)
    for group in groups.values():
        whole = sum(count for _, count in group)
        for cell, count in group:
            low, high = share(count, whole, half, len(group))
            middle = count / whole if whole > 0 else (low + high) / 2
            rows.append(dict(zip(by, cell, strict=True)) | {"measure": "share"} | part_of_one(middle, low, high))
    return sorted(rows, key=lambda row: (PEOPLE.name, NOTES.name, "share").index(row["measure"]))


@dataclass(frozen=True, slots=True)
class Feedback(Report):
    """A report whose topics a form may offer."""

    def values(self, reader: Opens, name: str, house: House) -> tuple[str, ...]:
        return topics(house) if name == TOPIC else Report.values(self, reader, name, house)


REPORT = Feedback(
    kind="feedback",
    version=1,
    table="feedback",
    by=(TOPIC,),
    measures=(PEOPLE, NOTES),
    bounds=Bounds(clip=2),
    rho_nano=2_000_000,
    contributions=contributions,
    render=render,
    own={TOPIC: (), REGION: ()},
    groups=(REGION, CHANNEL, STORE),
    filters=(TOPIC, CHANNEL, STORE, "product_id"),
    once=(PEOPLE.name,),
    tables=("stores",),
    public_cells=public_cells,
)
