"""A report's rows as a reader may take them: each number as wide as it is known, rolled up where it is too wide, and as a file.

Promise: pure functions of a report's document; how a number may be shown is decided on the released value and its margin alone
(dp_rules section 6), and a shown interval is never narrower than the true one. Nothing is left out without its reason.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.figures import cells
from app.figures.speech import MONEY, SHARES, Speech, nearest, outward, upward

ADD_UP = ("orders", "sales", "lines")
"""Measures whose rows may be added; people may be only where each stands in one row."""
ONE_ROW_EACH = ("rfm", "distribution", "lifecycle", "personas", "lifetime")
"""Kinds in which a person stands in one row at most."""

NUMBER, ABOUT, BAND, TOO_FEW = "number", "about", "band", "too_few"


@dataclass(frozen=True, slots=True)
class Line:
    """One released number: its cell by name and in words, what it is, how far it reaches and how it may be shown."""

    keys: tuple[str, ...]
    names: tuple[str, ...]
    measure: str
    value: float
    low: float
    high: float
    how: str

    @property
    def half(self) -> float:
        return (self.high - self.low) / 2


RESERVED = frozenset({"marginal", "measure", "unit", "value", "low", "high", "reading", "name", "card", "expected"})
"""What a row says besides its cell."""


def parts(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A report as tables of one form each: a part of a month's plan releases several tables at once, any other report is one."""
    if not document["rows"] or "marginal" not in document["rows"][0]:
        return [dict(document)]
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in document["rows"]:
        groups.setdefault(row["marginal"], []).append(row)
    return [_part(document, rows) for rows in groups.values()]


def _part(document: Mapping[str, Any], rows: list[Mapping[str, Any]]) -> dict[str, Any]:
    names = dict.fromkeys(row["measure"] for row in rows)
    question = dict(document["question"]) | {
        "by": [name for name in rows[0] if name not in RESERVED],
        "measures": [one for one in document["question"]["measures"] if one["name"] in names],
    }
    return dict(document) | {"question": question, "rows": rows}


def lines(document: Mapping[str, Any], speech: Speech) -> list[Line]:
    """Every released number of a report, in the report's order."""
    by = document["question"]["by"]
    found = []
    for row in document["rows"]:
        own = [name for name in by if name in row]
        keys = tuple(str(row[name]) for name in own)
        names = tuple(cells.cell(speech, name, key, row) for name, key in zip(own, keys, strict=True))
        low, high = float(row["low"]), float(row["high"])
        found.append(Line(keys, names, row["measure"], float(row["value"]), low, high, how(float(row["value"]), (high - low) / 2)))
    return found


def how(value: float, margin: float) -> str:
    """How wide a number is, as dp_rules section 6 cuts it; where the interval holds zero the margin is wider than the value."""
    if margin > 0.5 * abs(value):
        return TOO_FEW
    share = margin / abs(value) if margin else 0.0
    return BAND if share > 0.25 else ABOUT if share > 0.1 else NUMBER


def shown(speech: Speech, line: Line) -> str:
    """A number as wide as it is known."""
    _, measure = speech.gettext, line.measure
    margin = speech.amount(upward(line.half), measure)
    if not line.half:
        return speech.amount(line.value, measure)
    middle = speech.amount(nearest(line.value, line.half), measure)
    if line.how == NUMBER:
        return _("%(value)s ± %(margin)s", value=middle, margin=margin)
    if line.how == ABOUT:
        return _("about %(value)s (± %(margin)s)", value=middle, margin=margin)
    if line.how == BAND:
        low, high = outward(line.low, line.high)
        return _("between %(low)s and %(high)s", low=speech.amount(low, measure), high=speech.amount(high, measure))
    if measure in SHARES:
        return _("too few to tell")
    return _("too few to tell: readable from about %(value)s", value=speech.amount(upward(4 * line.half), measure))


def between(speech: Speech, line: Line) -> str:
    """The 95 % interval, rounded outward."""
    low, high = outward(line.low, line.high)
    return speech.gettext("%(low)s to %(high)s", low=speech.amount(low, line.measure), high=speech.amount(high, line.measure))


def adds_up(document: Mapping[str, Any], measure: str) -> bool:
    """Whether rows of a measure may be added (dp_rules P-10)."""
    if measure == "orders" and "category" in document["question"]["by"]:
        return False  # one order has several categories
    return (measure in ADD_UP and document["kind"] != "funnel") or (document["kind"] in ONE_ROW_EACH and measure == "people")


def rolled_up(document: Mapping[str, Any], speech: Speech) -> list[Line]:
    """The parents of rows that are too few to tell, with the margin of a sum of independent noise; rows that do not add up have none."""
    found = lines(document, speech)
    width = len(document["question"]["by"])
    parents = []
    for measure in dict.fromkeys(line.measure for line in found if adds_up(document, line.measure)):
        own = [line for line in found if line.measure == measure]
        if len(own) < 2:
            continue
        for place in range(width):
            groups: dict[tuple[str, ...], list[Line]] = {}
            for line in own:
                groups.setdefault(line.keys[:place] + line.keys[place + 1 :], []).append(line)
            parents += [
                _sum(members, place, speech)
                for members in groups.values()
                if len(members) > 1 and any(one.how == TOO_FEW for one in members)
            ]
    return parents


def _sum(members: Sequence[Line], place: int, speech: Speech) -> Line:
    value = sum(line.value for line in members)
    half = math.sqrt(sum(line.half**2 for line in members))
    first = members[0]

    def with_all(cells: tuple[str, ...], all_: str) -> tuple[str, ...]:
        return (*cells[:place], all_, *cells[place + 1 :])

    return Line(
        with_all(first.keys, "*"),
        with_all(first.names, speech.gettext("all")),
        first.measure,
        value,
        value - half,
        value + half,
        how(value, half),
    )


COLUMNS = ("measure", "value", "low", "high", "shown_as", "unit")


def columns(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The stable English keys of a report's file."""
    return (*document["question"]["by"], *COLUMNS)


def records(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of a report's file: released values with their margins in the measure's own unit; money in minor units."""
    for row in document["rows"]:
        value, low, high = float(row["value"]), float(row["low"]), float(row["high"])
        yield {name: row[name] for name in document["question"]["by"]} | {
            "measure": row["measure"],
            "value": value,
            "low": low,
            "high": high,
            "shown_as": how(value, (high - low) / 2),
            "unit": "minor" if row["measure"] in MONEY else "share" if row["measure"] in SHARES else "count",
        }
