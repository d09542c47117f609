"""How many people a segment means, and how many of them a channel and a recipient may reach: one release for ever, out of closed months.

Promise: one cell a person, in the fixed order of dp_rules X-2, so that one person moves the whole by one; the price is charged in full in
every month that the rule looks at, before anything is read (P-2). The question is the rule's digest, the months, the channel and the
recipient, and nothing else: whoever asks it again, under another name or after a slider came back, gets the same numbers for nothing
(attack 17). As of the end of the newest closed month, because an open one has no budget. It must never learn an exact number that it returns.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from analytics.aggregate import outcomes
from analytics.reports.base import numbers
from privacy.records import Bounds, Measure, Question
from privacy.vocabulary import PROFILING

if TYPE_CHECKING:
    from privacy.records import Release
    from privacy.release import Releases

KIND: Final = "segment_reach"
VERSION: Final = 1
RHO_NANO: Final = 200_000
"""Slice F: a month affords ten of them (dp_rules §6); ±98 people each."""
REACHABLE, NO_CHANNEL, NO_RECIPIENT, CAPPED = "reachable", "no_channel_consent", "no_recipient_consent", "frequency_cap"
_OUTCOME: Final = "outcome"
_PEOPLE: Final = Measure("people")
Counts = Callable[[], Mapping[str, int]]
"""How many people stand under each outcome: called once, after the charge."""


def cells(channel: str, recipient: str) -> tuple[str, ...]:
    """The outcomes of a question; without a channel and a recipient everybody is reachable, and the answer is the size."""
    named = ((True, REACHABLE), (bool(channel), NO_CHANNEL), (bool(recipient), NO_RECIPIENT), (bool(channel), CAPPED))
    return tuple(name for asked, name in named if asked)


def question(digest: str, months: Sequence[int], channel: str = "", recipient: str = "") -> Question:
    """The canonical question of a rule; `months` are all that it looks at, and the newest is the one as of whose end it is asked."""
    asked = (("rule", digest), ("channel", channel), ("recipient", recipient))
    where = tuple((name, "=", value) for name, value in asked if value)
    return Question(KIND, VERSION, PROFILING, tuple(sorted(months)), (_OUTCOME,), where, (_PEOPLE,), Bounds(clip=1, scale=1), RHO_NANO)


class Reach:
    """Asks through the release door."""

    def __init__(self, releases: Releases) -> None:
        self._releases = releases

    def look(self, asked: Question, asked_by: str = "") -> dict[str, Any]:
        """What an answer costs and leaves, and the stored answer, if there is one; charges nothing and reads nobody."""
        quote = self._releases.quote(asked, asked_by)
        return {
            "cost": {"rho_nano": quote.cost.rho_nano, "epsilon": quote.cost.epsilon, "delta": quote.cost.delta},
            "months": sorted(asked.months),
            "margin": quote.half_width,
            "affordable": quote.affordable,
            "answer": self.answered(asked),
        }

    def answered(self, asked: Question) -> dict[str, Any] | None:
        """The stored answer, if there is one; charges nothing and reads nobody."""
        known = self._releases.known(asked)
        return None if known is None else self._answer(known)

    def ask(self, asked: Question, counts: Counts, asked_by: str) -> str:
        """Pays, draws and keeps the answer, or repeats it; the release's id."""
        names = _cells(asked)
        read = lambda: outcomes(names, counts(), measure=_PEOPLE.name)  # noqa: E731 - the release door calls it, after the charge
        return self._releases.answer(asked, read, asked_by).id

    def show(self, release_id: str) -> dict[str, Any] | None:
        """A stored answer as a report's document; None for an answer of another kind."""
        release = self._releases.find(release_id)
        if release.question.kind != KIND:
            return None
        asked, cost = release.question, self._releases.cost(0)
        half = self._releases.half_width(release)
        rows = [
            {_OUTCOME: cell[0], "measure": _PEOPLE.name, **numbers(value, half, _PEOPLE, asked.bounds)}
            for cell, value in zip(release.cells, release.values, strict=True)
        ]
        first, last = min(asked.months), max(asked.months)
        return {
            "kind": KIND,
            "release": release.id,
            "question": {
                "version": asked.version,
                "purpose": asked.purpose,
                "by": [_OUTCOME],
                "where": [list(one) for one in asked.where],
                "measures": [{"name": _PEOPLE.name, "unit": 1}],
                "clip": asked.bounds.clip,
            },
            "window": {"from": _day(first, 1), "to": _day(last, monthrange(last // 100, last % 100)[1])},
            "rows": rows,
            "derived": [],
            "hidden_share": 0.0,
            "months": sorted(asked.months),
            "cost": {"rho_nano": cost.rho_nano, "epsilon": cost.epsilon, "delta": cost.delta},
            "budget": {str(month): {"before": before, "after": after} for month, (before, after) in sorted(release.budget.items())},
            "cached": True,
        }

    def _answer(self, release: Release) -> dict[str, Any]:
        """The size with its margin, and each outcome; margins hold for each number by itself. What is shown is never below zero."""
        terms = len(release.values)
        half, whole = self._releases.half_width(release), self._releases.half_width(release, terms=terms)
        return {
            "release": release.id,
            "as_of": max(release.question.months),
            "answered_at": release.released_at.isoformat(),
            "size": _number(sum(release.values), whole),
            "outcomes": [{_OUTCOME: cell[0], **_number(value, half)} for cell, value in zip(release.cells, release.values, strict=True)],
        }


def _cells(asked: Question) -> tuple[str, ...]:
    named = {name: value for name, _, value in asked.where}
    return cells(named.get("channel", ""), named.get("recipient", ""))


def _number(value: int, half: int) -> dict[str, int]:
    return {"value": max(0, value), "low": max(0, value - half), "high": max(0, value + half)}


def _day(month: int, day: int) -> str:
    return f"{month // 100:04d}-{month % 100:02d}-{day:02d}"
