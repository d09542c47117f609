"""What a report found, in one sentence a measure, and nothing that noise alone could have made.

Promise: rankings and differences use margins that hold together over every comparison that could have been made (Bonferroni, dp_rules
P-13); where the interval of a difference holds zero, the sentence says that nothing stands out. Pure functions of a report's document.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

from app.figures import compared, customers, follows, words
from app.figures.speech import Speech, outward
from app.figures.tables import TOO_FEW, Line, lines, shown

COVERAGE = 0.95
_ALONE = NormalDist().inv_cdf(1 - (1 - COVERAGE) / 2)


def wider(comparisons: int) -> float:
    """How many times wider a margin is that holds together with all of so many comparisons."""
    return NormalDist().inv_cdf(1 - (1 - COVERAGE) / (2 * max(1, comparisons))) / _ALONE


def findings(document: Mapping[str, Any], speech: Speech) -> list[str]:
    """One sentence for each measure; for a funnel how many get through and where most leave."""
    if document["kind"] == "trend" and document.get("derived"):
        return follows.courses(document, speech)
    if document["kind"] == "distribution":
        return follows.quartiles(document, speech)
    if (finder := compared.finder(document) or customers.finder(document)) is not None:
        return finder(document, speech)
    if document["kind"] == "keys" and not document["rows"]:
        return [speech.gettext("Nothing was bought by enough people to be told.")]
    found = lines(document, speech)
    by = document["question"]["by"]
    if document["kind"] in ("funnel", "channels") and "step" in by:
        people = [line for line in found if line.measure == "people"]
        return _funnel(people, by.index("step"), speech) + compared.left(document, speech)
    measures = list(dict.fromkeys(line.measure for line in found))
    pairs = sum(math.comb(sum(line.measure == name for line in found), 2) for name in measures)
    times = [name for name in by if name in words.TIMES]
    told = []
    for name in measures:
        own = [line for line in found if line.measure == name]
        if len(own) == 1:
            told.append(_alone(own[0], speech))
        elif times and len(by) == 1:
            told.append(_change(own, pairs, speech))
        else:
            told.append(_highest(own, pairs, speech))
    return told


def _alone(line: Line, speech: Speech) -> str:
    name = words.measure(speech, line.measure)
    if line.how == TOO_FEW:
        return speech.gettext("%(measure)s: too few to tell from none.", measure=name)
    return speech.gettext("%(measure)s: %(shown)s.", measure=name, shown=shown(speech, line))


def _difference(one: Line, other: Line, comparisons: int) -> tuple[float, float]:
    """The interval of a difference of two independent numbers that holds together with all the others."""
    half = math.hypot(one.half, other.half) * wider(comparisons)
    return one.value - other.value - half, one.value - other.value + half


def _highest(own: Sequence[Line], pairs: int, speech: Speech) -> str:
    measure = words.measure(speech, own[0].measure)
    ranked = sorted(own, key=lambda line: -line.value)
    top, bottom = ranked[0], ranked[-1]
    below = sum(_difference(top, line, pairs)[0] > 0 for line in ranked[1:])
    if not below:
        return speech.gettext("%(measure)s: no difference between the rows is larger than the noise.", measure=measure)
    if below == len(ranked) - 1:
        return speech.gettext(
            "%(measure)s: %(name)s has the most, %(shown)s; every other row has fewer, all margins taken together.",
            measure=measure,
            name=speech.together(top.names),
            shown=shown(speech, top),
        )
    low, high = outward(*_difference(top, bottom, pairs))
    return speech.gettext(
        "%(measure)s: %(name)s has %(low)s to %(high)s more than %(other)s; which row has the most cannot be told.",
        measure=measure,
        name=speech.together(top.names),
        other=speech.together(bottom.names),
        low=speech.amount(low, top.measure),
        high=speech.amount(high, top.measure),
    )


def _change(own: Sequence[Line], pairs: int, speech: Speech) -> str:
    measure = words.measure(speech, own[0].measure)
    first, last = own[0], own[-1]
    low, high = _difference(last, first, pairs)
    places = {"measure": measure, "first": speech.together(first.names), "last": speech.together(last.names)}
    if low <= 0 <= high:
        return speech.gettext("%(measure)s: between %(first)s and %(last)s no change is larger than the noise.", **places)
    least, most = outward(*(sorted((abs(low), abs(high)))))
    places |= {"least": speech.amount(least, own[0].measure), "most": speech.amount(most, own[0].measure)}
    if low > 0:
        return speech.gettext("%(measure)s: %(least)s to %(most)s more in %(last)s than in %(first)s.", **places)
    return speech.gettext("%(measure)s: %(least)s to %(most)s fewer in %(last)s than in %(first)s.", **places)


def _funnel(found: Sequence[Line], place: int, speech: Speech) -> list[str]:
    """The steps are sums of the same cells, so differences of neighbours are single cells with the last step's margin."""
    groups: dict[tuple[str, ...], list[Line]] = {}
    for line in found:
        groups.setdefault(line.names[:place] + line.names[place + 1 :], []).append(line)
    family = len(groups) * math.comb(len(found) // len(groups), 2) if groups else 1
    told = []
    for group, steps in groups.items():
        head = speech.together(group) if group else speech.gettext("Everybody")
        told.append(_through(head, steps[0], steps[-1], family, speech))
        if not group and (lost := _most_lost(steps, family, speech)):
            told.append(lost)
    return told


def _through(head: str, first: Line, last: Line, family: int, speech: Speech) -> str:
    """The share that got through: both ends hold together, so their quotient lies between the extremes."""
    reach = wider(2 * family)
    least, most = max(0.0, last.value - last.half * reach), last.value + last.half * reach
    fewest, largest = first.value - first.half * reach, first.value + first.half * reach
    if least <= 0 or fewest <= 0:
        return speech.gettext("%(group)s: too few to tell which share gets to the end.", group=head)
    low, high = least / largest, min(1.0, most / fewest)
    return speech.gettext(
        "%(group)s: between %(low)s and %(high)s of those at “%(first)s” get to “%(last)s”.",
        group=head,
        low=speech.share(math.floor(low * 100) / 100),
        high=speech.share(math.ceil(high * 100) / 100),
        first=first.names[-1] if len(first.names) == 1 else speech.together(first.names),
        last=last.names[-1] if len(last.names) == 1 else speech.together(last.names),
    )


def _most_lost(steps: Sequence[Line], family: int, speech: Speech) -> str:
    """Where most leave, if that is certain."""
    if len(steps) < 3:
        return ""
    half = steps[-1].half * math.sqrt(2) * wider(family)
    lost = [(steps[number].value - steps[number + 1].value, number) for number in range(len(steps) - 1)]
    ranked = sorted(lost, reverse=True)
    if ranked[0][0] - ranked[1][0] <= half:
        return ""
    number = ranked[0][1]
    return speech.gettext(
        "Most leave between “%(first)s” and “%(second)s”.", first=steps[number].names[0], second=steps[number + 1].names[0]
    )
