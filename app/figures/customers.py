"""What the reports of topics, content, personas and lifetime found, in sentences.

Promise: pure functions of a report's document. Every sentence names intervals that hold together with all the others that could have been
named (dp_rules P-13), and says so where nothing can be told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.figures import words
from app.figures.compared import Finder, between, reach
from app.figures.speech import Speech
from app.figures.tables import Line, lines, shown

MOST = 4
"""Groups of one page that have a sentence of their own."""


def feedback(document: Mapping[str, Any], speech: Speech) -> list[str]:
    """The topic that certainly has the most notes, in each place if these are few."""
    found = [line for line in lines(document, speech) if line.measure == "share"]
    place = document["question"]["by"].index("topic")
    groups: dict[tuple[str, ...], list[Line]] = {}
    for line in found:
        groups.setdefault(line.names[:place] + line.names[place + 1 :], []).append(line)
    if len(groups) > MOST:
        return [speech.gettext("Which topics people write about, place by place.")]
    told = []
    for group, own in groups.items():
        head = speech.together(group) if group else speech.gettext("Altogether")
        top = _certain(own, len(found))
        if top is None:
            told.append(speech.gettext("%(group)s: which topic has the most notes cannot be told.", group=head))
            continue
        low, high = reach(top, len(found))
        ends = between(speech, max(0.0, low), min(1.0, high), "share")
        told.append(
            speech.gettext(
                "%(group)s: the most notes are about “%(topic)s”, between %(low)s and %(high)s of them.",
                group=head,
                topic=top.names[place],
                **ends,
            )
        )
    return told


def _certain(found: Sequence[Line], comparisons: int) -> Line | None:
    """The line that certainly has the most."""
    ranked = sorted(found, key=lambda line: -line.value)
    if len(ranked) < 2 or reach(ranked[0], comparisons)[0] <= max(reach(line, comparisons)[1] for line in ranked[1:]):
        return None
    return ranked[0]


def rates(document: Mapping[str, Any], speech: Speech) -> list[str]:
    """With what the most is done."""
    place = document["question"]["by"].index("touch")
    found = [line for line in lines(document, speech) if line.keys[place] == "any"]
    top = _certain(found, len(found))
    if top is None:
        return [speech.gettext("With which content the most is done cannot be told.")]
    ends = between(speech, *reach(top, len(found)), "interaction")
    name = speech.together(top.names[:place] + top.names[place + 1 :])
    return [speech.gettext("The most is done with %(name)s: between %(low)s and %(high)s for each time it was shown.", name=name, **ends)]


def against(document: Mapping[str, Any], speech: Speech) -> list[str]:
    """What certainly does better or worse than all the others; the intervals hold together already."""
    told = []
    for line in lines(document, speech):
        places = {"name": speech.together(line.names), **between(speech, line.low, line.high, line.measure)}
        if line.low > 1:
            told.append(speech.gettext("%(name)s gets between %(low)s and %(high)s times as much done as the others.", **places))
        elif line.high < 1:
            told.append(speech.gettext("%(name)s gets less done than the others: between %(low)s and %(high)s times as much.", **places))
    return told or [speech.gettext("No content certainly does better or worse than the others.")]


def personas(document: Mapping[str, Any], speech: Speech) -> list[str]:
    """Each persona's card."""
    rows = [row for row in document["rows"] if row["measure"] == "people"]
    found = lines(document, speech)
    people = [line for line in found if line.measure == "people"]
    if len(people) < 2:
        return [speech.gettext("No groups stand out of the noise: all customers together are one.")]
    told = []
    for row, line in zip(rows, people, strict=True):
        part = next(one for one in found if one.measure == "share" and one.keys == line.keys)
        told.append(
            speech.gettext(
                "%(name)s: %(people)s people (%(share)s). %(card)s",
                name=line.names[0],
                people=shown(speech, line),
                share=shown(speech, part),
                card=row["card"]["zh" if speech.chinese else "en"],
            )
        )
    return told


def traits(document: Mapping[str, Any], speech: Speech) -> list[str]:
    return [speech.gettext("The lowest band of a trait stands at zero, the highest at one hundred: the mean of each persona's people.")]


def churn(document: Mapping[str, Any], speech: Speech) -> list[str]:
    """How many are as good as lost, and how many are likely to come back."""
    found = {line.keys[0]: line for line in lines(document, speech) if line.measure == "share"}
    told = []
    for name in ("gone", "likely"):
        low, high = reach(found[name], len(found))
        ends = between(speech, max(0.0, low), min(1.0, high), "share")
        told.append(
            speech.gettext("Within 90 days %(band)s: between %(low)s and %(high)s of the customers.", band=found[name].names[0], **ends)
        )
    return told


def worth(document: Mapping[str, Any], speech: Speech) -> list[str]:
    """In which band of value the most of the next year lies."""
    found = [line for line in lines(document, speech) if line.measure == "worth"]
    top = _certain(found, len(found))
    if top is None:
        return [speech.gettext("Which customers bring the most of the next 52 weeks cannot be told.")]
    ends = between(speech, *reach(top, len(found)), "worth")
    return [
        speech.gettext(
            "The most of the next 52 weeks comes from customers worth %(band)s each: between %(low)s and %(high)s.",
            band=top.names[0],
            **ends,
        )
    ]


def ahead(document: Mapping[str, Any], speech: Speech) -> list[str]:
    """All that is expected of the next year."""
    found = {line.measure: line for line in lines(document, speech)}
    if "worth" not in found:
        return [speech.gettext("There are too few customers to tell more than about how many there are.")]
    told = []
    for name in ("purchases", "worth"):
        ends = between(speech, *reach(found[name], 2), name)
        measure = words.measure(speech, name)
        told.append(speech.gettext("%(measure)s: between %(low)s and %(high)s, if customers go on as they did.", measure=measure, **ends))
    return told


_BY_PART: Mapping[tuple[str, str], Finder] = {
    ("feedback", ""): feedback,
    ("content", "interaction"): rates,
    ("content", "times_others"): against,
    ("personas", "persona"): personas,
    ("personas", "trait"): traits,
    ("lifetime", "churn"): churn,
    ("lifetime", "value_band"): worth,
    ("lifetime", "all"): ahead,
}


def finder(document: Mapping[str, Any]) -> Finder | None:
    """Whoever speaks for this table; None leaves it to the sentences that every report has."""
    rows: Sequence[Mapping[str, Any]] = document["rows"]
    return _BY_PART.get((document["kind"], str(rows[0].get("marginal", "")) if rows else ""))
