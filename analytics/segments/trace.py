"""The verdict about one person, part by part: every group and rule of a definition, where it stands, what it saw and whether it holds.

Promise: pure. The verdict of a group is that of its parts and the whole is the verdict about the person, so that whoever reads a trace can
follow it by hand; what was seen is told in words of both languages, beside the public edges that it is held against. It must never learn who
the person is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from analytics import metrics
from analytics.segments import rules, vocabulary
from analytics.segments.definition import Others
from analytics.segments.rules import Amount, Cells, Group, Joined, Leaf, Member, Profile, Rfm, Rule, Stage
from analytics.segments.sentence import banded, named

Saw = Mapping[str, Any]
Verdicts = Mapping[Leaf, tuple[bool, Saw]]
"""Of each leaf whether it holds, and what it saw of the person; membership of another segment follows from that one's own leaves."""

_KINDS: Final[Mapping[type, str]] = {
    Profile: "profile",
    Joined: "joined",
    Cells: "cells",
    Rfm: "rfm",
    Stage: "stage",
    Amount: "amount",
    Member: "segment",
}
BANDED: Final = (Cells, Rfm, Stage)
"""Rules that rest on the public edges of the reports, which have a version of their own."""


@dataclass(frozen=True, slots=True)
class Part:
    """A group or a rule at its place in a definition: 1 is the whole, 1.2 the second part of it."""

    place: str
    rule: Rule
    parts: tuple[Part, ...] = ()

    @property
    def kind(self) -> str:
        """What it is: all, any, or the kind of rule."""
        return ("all" if self.rule.every else "any") if isinstance(self.rule, Group) else _KINDS[type(self.rule)]

    def holds(self, verdicts: Verdicts) -> bool:
        """Whether it holds of the person."""
        if isinstance(self.rule, Group):
            held = [one.holds(verdicts) for one in self.parts]
            return all(held) if self.rule.every else any(held)
        if isinstance(self.rule, Member):
            return self.parts[0].holds(verdicts) is self.rule.inside
        return verdicts[self.rule][0]


def whole(rule: Rule, others: Others, place: str = "1") -> Part:
    """A definition as a tree; below a membership stands the rule of the segment that it speaks of."""
    within: tuple[Rule, ...] = ()
    if isinstance(rule, Group):
        within = rule.rules
    elif isinstance(rule, Member):
        within = (others[rule.segment, rule.version],)
    return Part(place, rule, tuple(whole(one, others, f"{place}.{number}") for number, one in enumerate(within, 1)))


def walk(part: Part) -> Iterator[Part]:
    """A part and all below it, in the order in which they are read."""
    yield part
    for one in part.parts:
        yield from walk(one)


def model(rule: Rule, others: Others) -> str | None:
    """The version of the public edges that a definition rests on, if it does."""
    told = (part.rule for part in walk(whole(rule, others)))
    return metrics.CLOSE_VERSION if any(isinstance(one, BANDED) for one in told) else None


def steps(rule: Rule, others: Others, verdicts: Verdicts) -> tuple[dict[str, Any], ...]:
    """Each part with its place, kind, rule, verdict and what it saw, in the order in which they are read."""
    return tuple(
        {
            "place": part.place,
            "kind": part.kind,
            "rule": part.rule.document(),
            "holds": part.holds(verdicts),
            "saw": {} if isinstance(part.rule, Group | Member) else dict(verdicts[part.rule][1]),
        }
        for part in walk(whole(rule, others))
    )


def seen(rule: Rule, saw: Saw, language: str) -> str:
    """What a rule saw of the person, in words; empty for a group and for membership, whose parts say it."""
    chinese = language == "zh"
    if isinstance(rule, Profile | Joined):
        column = rule.among.field if isinstance(rule, Profile) else "joined_month"
        value = saw.get(column)
        if value is None:
            return _pair(column, "未提供" if chinese else "not told", language)
        return _pair(column, f"{value // 100}-{value % 100:02}" if isinstance(rule, Joined) else str(value), language)
    if isinstance(rule, Stage):
        return _pair("stage", named(saw.get("stage") or metrics.PROSPECT, language), language)
    if isinstance(rule, Amount):
        return _pair(rule.of, str(saw.get("amount") or 0), language)
    if isinstance(rule, Cells | Rfm):
        return _bands(rule, saw, language)
    return ""


def _bands(rule: Cells | Rfm, saw: Saw, language: str) -> str:
    told = {name: int(saw[column] or 0) for name, column in vocabulary.BANDS.items() if column in saw}
    parts = [banded(name, band, language) for name, band in told.items()]
    if isinstance(rule, Rfm):
        found = metrics.segment(told["recency"], told["frequency"], told["value"])
        nobody = "过去十二个月内未购买" if language == "zh" else "nothing bought within twelve months"
        parts.insert(0, nobody if found is None else _pair("rfm", named(found, language), language))
    return ("；" if language == "zh" else "; ").join(parts)


def _pair(name: str, value: str, language: str) -> str:
    return f"{named(name, language)}{'：' if language == 'zh' else ': '}{value}"


def size(rule: Rule, others: Others) -> int:
    """How many rules somebody has to read who reads all of it, with the rules of every segment that it speaks of, each time that it does."""
    known: dict[tuple[str, int], int] = {}

    def count(one: Rule) -> int:
        found = 0
        for leaf in rules.leaves(one):
            found += 1
            if isinstance(leaf, Member):
                key = (leaf.segment, leaf.version)
                if key not in known:
                    known[key] = count(others[key])
                found += known[key]
        return found

    return count(rule)
