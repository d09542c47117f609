"""What the reports of customer behaviour found, in sentences: transitions, repurchase, thresholds, channels, experiments.

Promise: pure functions of a report's document. Every sentence names an interval that holds together with all the others that could have been
named (dp_rules P-13); where it holds the value to compare with, the sentence says that nothing can be told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist
from typing import Any

from app.figures import words
from app.figures.speech import Speech, outward
from app.figures.tables import Line, lines

_ALONE = NormalDist().inv_cdf(0.975)


def _wider(comparisons: int) -> float:
    return NormalDist().inv_cdf(1 - 0.025 / max(1, comparisons)) / _ALONE


def reach(line: Line, comparisons: int) -> tuple[float, float]:
    """A line's interval, wide enough to hold together with so many others."""
    factor = _wider(comparisons)
    return line.value - (line.value - line.low) * factor, line.value + (line.high - line.value) * factor


def between(speech: Speech, low: float, high: float, measure: str) -> dict[str, str]:
    low, high = outward(low, high)
    return {"low": speech.amount(low, measure), "high": speech.amount(high, measure)}


def lifecycle(document: Mapping[str, Any], speech: Speech) -> list[str]:
    """The largest certain move from one stage to another."""
    found = [line for line in lines(document, speech) if line.measure == "share"]
    by = document["question"]["by"]
    before, now = by.index("previous_stage"), by.index("stage")
    moves = [(line, *reach(line, len(found))) for line in found if line.keys[before] not in (line.keys[now], "unknown")]
    moves = [one for one in moves if one[1] > 0]
    if not moves:
        return [speech.gettext("No move from one stage to another is larger than the noise.")]
    line, low, high = max(moves, key=lambda one: one[1])
    ends = between(speech, low, min(1.0, high), "share")
    return [
        speech.gettext(
            "Of those who were at “%(before)s” a month before, between %(low)s and %(high)s are at “%(now)s” now: the largest certain move.",
            before=line.names[before],
            now=line.names[now],
            **ends,
        )
    ]


def cohorts(document: Mapping[str, Any], speech: Speech) -> list[str]:
    """The newest cohort's repurchase, and whether it differs from the oldest one's."""
    found = [line for line in lines(document, speech) if line.measure == "share" and "within_30" in line.keys]
    if not found:
        return []
    newest, oldest = found[-1], found[0]
    low, high = reach(newest, 2)
    if low <= 0 and high >= 1:
        return [speech.gettext("How many buy again is too few to tell.")]
    place = document["question"]["by"].index("cohort")
    places = {"cohort": newest.names[place], **between(speech, max(0.0, low), min(1.0, high), "share")}
    told = [speech.gettext("Of those who first bought in %(cohort)s, between %(low)s and %(high)s bought again within 30 days.", **places)]
    before = reach(oldest, 2)
    if low > before[1]:
        told.append(speech.gettext("That is more than of those who first bought in %(cohort)s.", cohort=oldest.names[place]))
    elif high < before[0]:
        told.append(speech.gettext("That is less than of those who first bought in %(cohort)s.", cohort=oldest.names[place]))
    return told


def left(document: Mapping[str, Any], speech: Speech) -> list[str]:
    """How many go no further after each step of a funnel, where it is the only one on the page."""
    found = [line for line in lines(document, speech) if line.measure == "left"]
    told = []
    for line in found:
        low, high = reach(line, len(found))
        places = {"step": speech.together(line.names), **between(speech, max(0.0, low), min(1.0, high), "left")}
        if low > 0:
            told.append(speech.gettext("After “%(step)s” between %(low)s and %(high)s go no further.", **places))
    return told if len(told) < 4 else []


def baskets(document: Mapping[str, Any], speech: Speech) -> list[str]:
    """The band below the threshold that is certainly left more often than baskets over it."""
    by = document["question"]["by"]
    place = by.index("distance")
    found = {line.keys[place]: line for line in lines(document, speech) if line.measure == "left"}
    over = reach(found["over"], len(found))
    more = [(line, reach(line, len(found))) for name, line in found.items() if name != "over"]
    certain = [(line, ends) for line, ends in more if ends[0] > over[1]]
    if not certain:
        return [speech.gettext("No distance below the threshold is certainly left more often than baskets over it.")]
    line, ends = max(certain, key=lambda one: one[1][0])
    places = between(speech, max(0.0, ends[0]), min(1.0, ends[1]), "left")
    return [
        speech.gettext(
            "Baskets %(distance)s are left in between %(low)s and %(high)s of cases, more often than those over the threshold.",
            distance=line.names[place],
            **places,
        )
    ]


def attribution(document: Mapping[str, Any], speech: Speech) -> list[str]:
    """Under each rule the channel that certainly gets the most."""
    by = document["question"]["by"]
    rule, channel = by.index("rule"), by.index("channel")
    found = lines(document, speech)
    told = []
    for name in dict.fromkeys(line.names[rule] for line in found):
        ranked = sorted((line for line in found if line.names[rule] == name), key=lambda line: -line.value)
        if len(ranked) < 2:
            continue
        if reach(ranked[0], len(found))[0] > max(reach(line, len(found))[1] for line in ranked[1:]):
            ends = between(speech, *reach(ranked[0], len(found)), "conversions")
            told.append(
                speech.gettext(
                    "By “%(rule)s” %(channel)s gets the most credit: %(low)s to %(high)s purchases.",
                    rule=name,
                    channel=ranked[0].names[channel],
                    **ends,
                )
            )
        else:
            told.append(speech.gettext("By “%(rule)s” no channel certainly gets the most credit.", rule=name))
    return [" ".join(told)] if told else []


def markov(document: Mapping[str, Any], speech: Speech) -> list[str]:
    """The channel whose removal would cost the most."""
    found = [line for line in lines(document, speech) if line.measure == "removal"]
    if not found:
        return [speech.gettext("The steps between contacts that the removal effects are made of.")]
    top = max(found, key=lambda line: line.value)
    low, high = reach(top, len(found))
    if low <= 0:
        return [speech.gettext("Which channel's removal would cost the most cannot be told.")]
    ends = between(speech, low, min(1.0, high), "removal")
    return [
        speech.gettext("Without %(channel)s between %(low)s and %(high)s of the purchases would be lost.", channel=top.names[0], **ends)
    ]


def returns(document: Mapping[str, Any], speech: Speech) -> list[str]:
    """Where money certainly came back best and worst."""
    found = sorted((line for line in lines(document, speech) if line.measure == "roi"), key=lambda line: -line.value)
    if len(found) < 2:
        return [speech.gettext("A return needs the imported costs of at least two channels to be compared.")]
    best, worst = found[0], found[-1]
    if reach(best, len(found))[0] <= reach(worst, len(found))[1]:
        return [speech.gettext("No channel certainly brings more back of its cost than another.")]
    ends = between(speech, *reach(best, len(found)), "roi")
    return [
        speech.gettext(
            "%(best)s brings the most back of its cost: between %(low)s and %(high)s; "
            "money moved there from %(worst)s would have sold more, all else alike.",
            best=best.names[0],
            worst=worst.names[0],
            **ends,
        )
    ]


def sizes(document: Mapping[str, Any], speech: Speech) -> list[str]:
    """The sample-ratio check."""
    wrong = [row for row in document["rows"] if not row["low"] <= row["expected"] <= row["high"]]
    if wrong:
        names = speech.together([str(row["arm"]) for row in wrong])
        return [
            speech.gettext(
                "The sizes of the arms are not those that were planned (%(arms)s): believe no difference before the reason is known.",
                arms=names,
            )
        ]
    return [speech.gettext("The sizes of the arms are as they were planned, as far as can be told.")]


def differences(document: Mapping[str, Any], speech: Speech) -> list[str]:
    """Each arm against the first one: a difference only where its interval leaves zero out. The intervals hold together already."""
    told = []
    for line in lines(document, speech):
        places = {
            "arm": line.names[0],
            "measure": words.measure(speech, line.measure),
            **between(speech, line.low, line.high, line.measure),
        }
        if line.low > 0 or line.high < 0:
            told.append(speech.gettext("%(arm)s: %(measure)s between %(low)s and %(high)s, chance and noise both inside.", **places))
        else:
            told.append(speech.gettext("%(arm)s: %(measure)s cannot be told from none (%(low)s to %(high)s).", **places))
    return told


def effect(document: Mapping[str, Any], speech: Speech) -> list[str]:
    """The effect, whether the placebo is as it should be, and whether the naive comparison would have misled."""
    told = []
    for measure in dict.fromkeys(row["measure"] for row in document["rows"]):
        found = {line.keys[0]: line for line in lines(document, speech) if line.measure == measure}
        places = {"measure": words.measure(speech, measure)}
        if _holds_zero(found["placebo"]):
            real = found["effect"]
            ends = between(speech, real.low, real.high, measure)
            if _holds_zero(real):
                told.append(speech.gettext("%(measure)s: no effect can be told from none (%(low)s to %(high)s).", **places, **ends))
            else:
                told.append(
                    speech.gettext(
                        "%(measure)s: the campaign changed it by %(low)s to %(high)s against the holdout; the placebo shows nothing.",
                        **places,
                        **ends,
                    )
                )
            if _holds_zero(real) and not _holds_zero(found["naive"]):
                told.append(speech.gettext("Before and after alone would have shown a change that the holdout shows as well."))
        else:
            told.append(
                speech.gettext(
                    "%(measure)s: the placebo differs from zero, so the groups changed differently before the campaign: no effect is told.",
                    **places,
                )
            )
    return told


def _holds_zero(line: Line) -> bool:
    return line.low <= 0 <= line.high


Finder = Callable[[Mapping[str, Any], Speech], list[str]]

_BY_KIND: Mapping[str, Finder] = {
    "lifecycle": lifecycle,
    "cohorts": cohorts,
    "baskets": baskets,
    "attribution": attribution,
    "markov": markov,
}
_BY_PART: Mapping[tuple[str, str], Finder] = {
    ("channels", "channel"): returns,
    ("experiment", "sizes"): sizes,
    ("experiment", "comparison"): differences,
    ("before_after", "comparison"): effect,
}


def finder(document: Mapping[str, Any]) -> Finder | None:
    """Whoever speaks for this table; None leaves it to the sentences that every report has."""
    rows: Sequence[Mapping[str, Any]] = document["rows"]
    part = str(rows[0].get("marginal", "")) if rows else ""
    return _BY_PART.get((document["kind"], part)) or _BY_KIND.get(document["kind"])
