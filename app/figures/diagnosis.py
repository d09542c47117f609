"""A diagnosis in words and pictures: one sentence, one small figure and one line of a table for each finding.

Promise: pure functions of a diagnosis; a sentence says the interval and never the middle alone; nothing is said that is not in the document.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from app.figures import cells, words
from app.figures.specs import Look, dressed
from app.figures.speech import Speech

COLUMNS = ("rank", "scan", "measure", "group", "against", "unit", "value", "low", "high", "reference", "times", "months")


def sentence(row: Mapping[str, Any], speech: Speech) -> str:
    """The finding."""
    places = {
        "group": _names(row["group"], speech),
        "against": _names(row["against"], speech),
        "measure": words.measure(speech, row["measure"]),
        "low": _written(row, row["low"], speech, math.floor),
        "high": _written(row, row["high"], speech, math.ceil),
        "even": speech.share(row["reference"]),
    }
    _ = speech.gettext
    if row["scan"] == "share":
        return _("%(group)s: %(low)s to %(high)s of all customers; evenly spread it would be %(even)s.", **places)
    if row["scan"] == "order_value":
        if not row["against"]:
            return _("An order of %(group)s is worth %(low)s to %(high)s times what all other orders are worth.", **places)
        return _("An order of %(group)s is worth %(low)s to %(high)s times an order of %(against)s.", **places)
    if row["scan"] == "weekday":
        return _("%(group)s: a day has %(low)s to %(high)s times the orders of a day of %(against)s.", **places)
    if row["scan"] == "mix":
        return _("%(group)s: the share there is %(low)s to %(high)s times what it is elsewhere (%(measure)s).", **places)
    return _growth(row, places, speech)


def _growth(row: Mapping[str, Any], places: dict[str, str], speech: Speech) -> str:
    _ = speech.gettext
    places |= {"low": speech.share(_outer(row["low"] - 1, math.floor)), "high": speech.share(_outer(row["high"] - 1, math.ceil))}
    if not row["group"]:
        return _("%(measure)s change by %(low)s to %(high)s a month.", **places)
    beside = row.get("beside")
    if beside is None:
        return _("%(group)s: %(measure)s change by %(low)s to %(high)s a month.", **places)
    places |= {"least": speech.share(_outer(beside["low"], math.floor)), "most": speech.share(_outer(beside["high"], math.ceil))}
    return _("%(group)s: %(measure)s change by %(low)s to %(high)s a month, and %(least)s to %(most)s of what is sold is of it.", **places)


def name(row: Mapping[str, Any], speech: Speech) -> str:
    """What kind of finding it is."""
    _ = speech.gettext
    return {
        "share": _("A large group"),
        "order_value": _("What an order is worth"),
        "weekday": _("Quiet and busy days"),
        "mix": _("What goes together"),
        "growth": _("Growth"),
    }[row["scan"]]


def group(row: Mapping[str, Any], speech: Speech) -> str:
    return _names(row["group"], speech) or speech.gettext("altogether")


def against(row: Mapping[str, Any], speech: Speech) -> str:
    """What the group is compared with."""
    _ = speech.gettext
    if row["scan"] == "share":
        return _("an even spread")
    if row["scan"] == "growth":
        return _("no growth")
    if row["scan"] == "mix" or not row["against"]:
        return _("all the rest")
    return _names(row["against"], speech)


def shown(row: Mapping[str, Any], speech: Speech) -> str:
    return _written(row, row["value"], speech, None)


def between(row: Mapping[str, Any], speech: Speech) -> str:
    """Both ends, rounded away from each other."""
    low, high = _written(row, row["low"], speech, math.floor), _written(row, row["high"], speech, math.ceil)
    return speech.gettext("%(low)s to %(high)s", low=low, high=high)


def spec(row: Mapping[str, Any], speech: Speech, look: Look) -> dict[str, Any]:
    """The number with its interval, and what it is compared with, on one line."""
    import altair as alt

    held = {"label": group(row, speech), "shown": shown(row, speech), "between": between(row, speech)}
    held |= {"value": row["value"], "low": row["low"], "high": row["high"], "reference": row["reference"]}
    form = ".0%" if row["unit"] == "share" else ".2f"
    upper = max(row["high"], row["reference"]) * 1.1
    title = {
        "share": speech.gettext("share of all customers"),
        "ratio": speech.gettext("times"),
        "monthly_ratio": speech.gettext("times the month before"),
    }
    across: dict[str, Any] = {
        "title": title[row["unit"]],
        "scale": alt.Scale(domain=[0, upper]),
        "axis": alt.Axis(format=form, tickCount=5),
    }
    base = alt.Chart(alt.InlineData(values=[held])).encode(
        y=alt.Y("label:N", title=None, axis=alt.Axis(labels=False, ticks=False, domain=False)),
        tooltip=[
            alt.Tooltip("shown:N", title=speech.gettext("released")),
            alt.Tooltip("between:N", title=speech.gettext("between (95 of 100)")),
        ],
    )
    colour = look.colours["first"]
    made = alt.layer(
        base.mark_rule(strokeDash=[5, 4], strokeWidth=2, color=look.colours["faint"]).encode(x=alt.X("reference:Q", **across)),
        base.mark_rule(strokeWidth=3, color=colour).encode(x=alt.X("low:Q", **across), x2="high:Q"),
        base.mark_tick(thickness=2, size=12, color=colour).encode(x=alt.X("low:Q", **across)),
        base.mark_tick(thickness=2, size=12, color=colour).encode(x=alt.X("high:Q", **across)),
        base.mark_point(filled=True, size=90, opacity=1, color=colour).encode(x=alt.X("value:Q", **across)),
        base.mark_text(dy=-14, color=look.colours["ink"], fontSize=12).encode(x=alt.X("value:Q", **across), text="shown:N"),
    ).properties(height=64)
    return dressed(made, heading(row, speech), speech, look)


def heading(row: Mapping[str, Any], speech: Speech) -> str:
    """The figure's title: the dashed line is what the number is compared with."""
    places = {"group": group(row, speech), "against": against(row, speech)}
    return speech.gettext("%(group)s; the dashed line is %(against)s", **places)


def record(row: Mapping[str, Any]) -> dict[str, Any]:
    """One line of the file."""
    flat = {name: ";".join(f"{key}={'+'.join(values)}" for key, values in row[name].items()) for name in ("group", "against")}
    return {key: row[key] for key in COLUMNS} | flat | {"months": list(row["months"])}


def _names(group: Mapping[str, Any], speech: Speech) -> str:
    parts = []
    for name, values in group.items():
        if name == "age_band" and len(values) > 1:
            parts.append(f"{values[0].split('-')[0]}-{values[-1].split('-')[-1]}")
        else:
            parts.append(speech.together([cells.cell(speech, name, value) for value in values]))
    return speech.together(parts)


def _written(row: Mapping[str, Any], value: float, speech: Speech, outer: Any) -> str:
    """A share as per cent, a ratio with two digits after the point; ends are rounded outward."""
    value = value if outer is None else _outer(value, outer)
    return speech.share(value) if row["unit"] == "share" else speech.number(round(value, 2))


def _outer(value: float, outer: Any) -> float:
    """Rounded outward to a hundredth; what is one already but for the last bit stays."""
    hundredths = value * 100
    return round(hundredths) / 100 if math.isclose(hundredths, round(hundredths), abs_tol=1e-9) else float(outer(hundredths) / 100)
