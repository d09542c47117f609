"""What noise, bound and price of a report mean, in words.

Promise: pure; says what a margin covers (the noise) and what it does not (what the bound hides, dp_rules P-9), and never a number of
people that no release holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.figures import words
from app.figures.speech import MONEY, Speech, upward
from app.figures.tables import ONE_ROW_EACH, lines

NANO = 1_000_000_000


def meaning(document: Mapping[str, Any], speech: Speech) -> list[str]:
    """Whole sentences: the margins, how many numbers may lie outside, the bound, whether rows add up, and that asking again is free."""
    found = lines(document, speech)
    widest = {name: max((line.half for line in found if line.measure == name), default=0.0) for name in _measures(document)}
    told = [margin_of(speech, name, half) for name, half in widest.items() if half]
    outside = len(found) * 0.05
    if outside >= 1:
        told.append(
            speech.ngettext(
                "This page shows %(numbers)s numbers: about %(num)s of them lies outside its interval by chance.",
                "This page shows %(numbers)s numbers: about %(num)s of them lie outside their intervals by chance.",
                round(outside),
                numbers=speech.number(len(found)),
            )
        )
    told.append(hidden(speech, document["hidden_share"], document["question"]["clip"]))
    if "people" in _measures(document) and document["kind"] not in ONE_ROW_EACH and len(found) > 1:
        told.append(speech.gettext("People are counted once in each row; rows of people do not add up."))
    told.append(speech.gettext("Noise may make a small number negative; it is shown as it was drawn, or else sums would be wrong."))
    return told


def margin_of(speech: Speech, measure: str, half: float) -> str:
    """One measure's margin: "±20 people, 95 %"."""
    return speech.gettext(
        "%(measure)s: noise moves a number by at most ±%(margin)s in 95 of 100 cases.",
        measure=words.measure(speech, measure),
        margin=speech.amount(upward(half), measure),
    )


def short_margin(speech: Speech, measure: str, half: float) -> str:
    """A margin as a label: "±20 people, 95 %"."""
    if measure in MONEY:
        return speech.gettext("±%(margin)s, 95 %%", margin=speech.money(upward(half)))
    return speech.gettext("±%(margin)s %(measure)s, 95 %%", margin=speech.number(upward(half)), measure=words.measure(speech, measure))


def hidden(speech: Speech, share: float | None, clip: float) -> str:
    """What the bound hides."""
    bound = speech.number(clip)
    if share is None:
        return speech.gettext(
            "One person counts with at most %(bound)s; how much that hides is not known for this question, and no margin covers it.",
            bound=bound,
        )
    if share <= 0:
        return speech.gettext("One person counts with at most %(bound)s; that hides nothing here.", bound=bound)
    return speech.gettext(
        "One person counts with at most %(bound)s; that hides up to %(share)s of the total, which no margin covers.",
        bound=bound,
        share=speech.share(share),
    )


def price(speech: Speech, rho_nano: int, epsilon: float) -> str:
    """A price in words: what it takes of the month and what it adds to the loss."""
    return speech.gettext(
        "ρ %(rho)s (ε %(epsilon)s if it stood alone)", rho=f"{rho_nano / NANO:.4f}".rstrip("0").rstrip("."), epsilon=f"{epsilon:.2f}"
    )


def _measures(document: Mapping[str, Any]) -> list[str]:
    return [one["name"] for one in document["question"]["measures"]]
