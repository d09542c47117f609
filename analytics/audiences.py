"""The only maker of `Audience`: the people of a segment at one moment, under one purpose, as virtual IDs of one month.

Promise: an audience is made of those who allow marketing's profiling at this moment and of nobody else: the lake is opened for that purpose,
without minors, without whoever objects, and without whoever deleted a tag that the segment is built on. A segment that was stated for
another purpose makes none (attack 50), and one whose use is prices or terms makes none without a review (attack 53). Whether somebody is in is
explained from the rows that decided it. It must never learn an identifier, and it hands on no number about people.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from analytics.lake.reader import PERSON
from analytics.segments import trace
from analytics.segments.compiled import Compiled, Moment, Needs, needs, seen
from analytics.segments.definition import Definition, check
from privacy.records import Audience

if TYPE_CHECKING:
    from analytics.lake.reader import LakeReader

STORED = "stored-1"
"""Names the rules by which people stay in an audience that is kept; they are `privacy.export.keeping`'s."""
Readers = Callable[[Needs], "LakeReader"]
"""The lake as one rule may see it: its population leaves out who deleted one of the tags, and with a youth signal who told no age."""


@dataclass(frozen=True, slots=True)
class Look:
    """Why one person is in a segment, or is not: each group and rule with what it saw of them and whether it holds (`trace.steps`). `model` is the
    version of the public edges that the rule rests on, `policy` the one by which its population was drawn."""

    inside: bool
    steps: tuple[dict[str, Any], ...] = field(repr=False)
    model: str | None
    policy: str


class Audiences:
    """Makes audiences. `readers` opens the lake for what a rule needs."""

    def __init__(self, readers: Readers, zone: str) -> None:
        self._readers = readers
        self._zone = zone

    def check(self, definition: Definition, at: datetime, months: Sequence[int] = ()) -> Needs:
        """What a definition needs; raises Refused for one that may not be asked. With `months` no others exist: so that what is read of
        profiles is a matter of the calendar, and not of who stated one."""
        check(definition.purpose, definition.use, definition.review)
        return needs(definition.rule, definition.others, self._moment(at, months))

    def of(self, definition: Definition, at: datetime, months: Sequence[int] = ()) -> Audience:
        """The people of a segment now, by their rows up to a moment."""
        wanted, moment = self.check(definition, at, months), self._moment(at, months)
        with self._readers(wanted).open(definition.purpose, wanted.months) as view:
            inside = Compiled(view, moment, definition.others).members(definition.rule)
            found = view.run(view.identifiers(moment.month).semi_join(inside, PERSON).select("virtual_id").order_by("virtual_id"))
            return Audience(
                purpose=definition.purpose,
                use=definition.use,
                segment=definition.segment,
                version=definition.version,
                digest=definition.digest,
                month=moment.month,
                as_of=at,
                policy=view.policy,
                virtual_ids=found["virtual_id"].combine_chunks().cast(pa.int64()),
                youth_signal=wanted.youth_signal,
                months=wanted.months,
            )

    @staticmethod
    def stored(**held: Any) -> Audience:
        """The people of an audience that was kept, by the words of `records.Audience`: whoever keeps it asked again about each of them."""
        return Audience(**held, policy=STORED)

    def why(self, definition: Definition, at: datetime, names: Collection[int]) -> Look | None:
        """Why the person of these virtual IDs of the moment's month is in a segment; None where the lake may not show them for it."""
        if not names:
            return None
        wanted, moment = self.check(definition, at), self._moment(at)
        with self._readers(wanted).open(definition.purpose, wanted.months) as view:
            mine = view.identifiers(moment.month)
            mine = mine.filter(mine.virtual_id.isin([int(one) for one in names]))
            runs = view.run(mine.select(PERSON).distinct())[PERSON].to_pylist()
            rows = (
                view.run(Compiled(view, moment, definition.others, only=min(runs)).looked_at(definition.rule)).to_pylist() if runs else []
            )
            policy = view.policy
        return looked_into(definition, rows[0], policy) if rows else None

    def _moment(self, at: datetime, months: Sequence[int] = ()) -> Moment:
        """Days are counted back as 24 hours each, wherever the clock that told the moment hangs."""
        at = at.astimezone(UTC)
        reader = self._readers(Needs((), (), youth_signal=False))
        products = reader.open_table("products")
        if months:
            return Moment(at, self._zone, products, tuple(sorted(months)), min(months))
        return Moment(at, self._zone, products, reader.months_held("profiles"))


def looked_into(definition: Definition, row: Mapping[str, Any], policy: str) -> Look:
    """A person's row of `Compiled.looked_at`, part by part."""
    verdicts = {}
    for number, leaf in enumerate(seen(definition.rule, definition.others)):
        start = f"saw_{number}_"
        saw = {name.removeprefix(start): value for name, value in row.items() if name.startswith(start)}
        verdicts[leaf] = (bool(row[f"holds_{number}"]), saw)
    told = trace.steps(definition.rule, definition.others, verdicts)
    return Look(bool(row["inside"]), told, trace.model(definition.rule, definition.others), policy)


def change(before: pa.Int64Array, after: pa.Int64Array) -> tuple[pa.Int64Array, pa.Int64Array]:
    """Who came in and who went out between two audiences of one month."""
    return after.filter(pc.invert(pc.is_in(after, before))), before.filter(pc.invert(pc.is_in(before, after)))
