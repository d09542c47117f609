"""One Altair specification for each figure of a report: bars and points with error bars, heat map, funnel, line with band.

Promise: pure and deterministic; every released number stands in a figure with its interval, colour is never the only sign (shape, dash or
words say the same), titles and axes are in the reader's language. What is too few to tell has an interval and no middle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from babel import numbers

from app.figures import words
from app.figures.speech import Speech
from app.figures.tables import BAND, TOO_FEW, Line, between, lines, shown

FONT = 'system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "WenQuanYi Micro Hei", sans-serif'
WIDE, NARROW = 720, 270
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4], [1, 3])
MANY = 40
"""Rows above which the bars are drawn closer."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a figure is dressed: light or dark, wide or for a narrow screen, with its own ground for a file."""

    theme: str = "light"
    narrow: bool = False
    ground: bool = False

    @property
    def colours(self) -> dict[str, Any]:
        return _DARK if self.theme == "dark" else _LIGHT

    @property
    def width(self) -> int:
        return NARROW if self.narrow else WIDE


_LIGHT: dict[str, Any] = {
    "ink": "#2a2018",
    "faint": "#665544",
    "grid": "#e1d4bd",
    "ground": "#fffcf6",
    "first": "#863518",
    "bar": "#e9b44c",
    "series": ["#863518", "#1c5868", "#8a6500", "#5b3a8c", "#28603a", "#665544"],
    "heat": ["#fbecc8", "#863518"],
    "dark_ink": "#fffaf2",
}
_DARK: dict[str, Any] = {
    "ink": "#f2e7d5",
    "faint": "#bfae96",
    "grid": "#3d3126",
    "ground": "#201913",
    "first": "#f2b75c",
    "bar": "#8a5a24",
    "series": ["#f2b75c", "#8fcbdb", "#e58f6b", "#c9b0f0", "#93d0a0", "#bfae96"],
    "heat": ["#33280f", "#f2b75c"],
    "dark_ink": "#24160a",
}


def measures(document: Mapping[str, Any]) -> list[str]:
    """The figures that a report has: one for each measure."""
    return list(dict.fromkeys(row["measure"] for row in document["rows"]))


def title(document: Mapping[str, Any], measure: str, speech: Speech) -> str:
    """What a figure shows, as its heading."""
    if not document["question"]["by"]:
        return speech.gettext(
            "%(measure)s, %(period)s", measure=words.measure(speech, measure), period=words.period(speech, list(document["months"]))
        )
    return speech.gettext(
        "%(measure)s by %(groupings)s, %(period)s",
        measure=words.measure(speech, measure),
        groupings=speech.together([words.grouping(speech, name).lower() for name in document["question"]["by"]]),
        period=words.period(speech, list(document["months"])),
    )


def spec(document: Mapping[str, Any], measure: str, speech: Speech, look: Look) -> dict[str, Any]:
    """The Vega-Lite specification of one measure of a report."""
    by = document["question"]["by"]
    own = [line for line in lines(document, speech) if line.measure == measure]
    rows = [_row(line, speech) for line in own]
    time = next((name for name in by if name in words.TIMES), None)
    heading = [words.grouping(speech, name) for name in by]
    axis = words.unit(speech, measure)
    if time is not None:
        made = _band(rows, by.index(time), heading, axis, speech, look)
    elif len(by) == 2 and "step" not in by:
        made = _heat(rows, heading, axis, speech, look)
    else:
        made = _bars(rows, by, heading, axis, speech, look)
    return dressed(made, title(document, measure, speech), speech, look)


def balance(points: Sequence[Mapping[str, Any]], speech: Speech, look: Look) -> dict[str, Any]:
    """How a month's budget was spent: what was left after each charge (`at`, `left` in per mille of the cap)."""
    import altair as alt

    base = alt.Chart(alt.InlineData(values=list(points))).encode(
        x=alt.X("order:Q", title=speech.gettext("charges, one after the other"), axis=alt.Axis(tickMinStep=1, format="d")),
        y=alt.Y("left:Q", title=speech.gettext("left of the month, in per cent"), scale=alt.Scale(domain=[0, 100])),
        tooltip=[alt.Tooltip("name:N", title=speech.gettext("Report")), alt.Tooltip("shown:N", title=speech.gettext("Left"))],
    )
    colour = look.colours["first"]
    made = alt.layer(
        base.mark_area(interpolate="step-after", opacity=0.2, color=colour),
        base.mark_line(interpolate="step-after", color=colour, strokeWidth=2),
        base.mark_point(color=colour, filled=True, size=40),
    ).properties(height=200)
    return dressed(made, speech.gettext("What is left of the month after each charge"), speech, look)


def _row(line: Line, speech: Speech) -> dict[str, Any]:
    """One line as the figure's data: in major units, with the words of its tooltip."""
    scale = speech.scale(line.measure)
    clear = line.how != TOO_FEW
    row: dict[str, Any] = {f"cell{place}": name for place, name in enumerate(line.names)}
    return row | {
        "label": speech.together(line.names),
        "value": round(line.value * scale, 3) if clear else None,
        "low": round(line.low * scale, 3),
        "high": round(line.high * scale, 3),
        "known": _known(speech, line.how),
        "shown": shown(speech, line),
        "between": between(speech, line),
    }


def _known(speech: Speech, how: str) -> str:
    return {TOO_FEW: speech.gettext("too few to tell"), BAND: speech.gettext("only a range")}.get(how, speech.gettext("number"))


def _tooltip(heading: Sequence[str], speech: Speech) -> list[Any]:
    import altair as alt

    cells = [alt.Tooltip(f"cell{place}:N", title=name) for place, name in enumerate(heading)]
    return [
        *cells,
        alt.Tooltip("shown:N", title=speech.gettext("released")),
        alt.Tooltip("between:N", title=speech.gettext("between (95 of 100)")),
    ]


def _bars(rows: list[dict[str, Any]], by: Sequence[str], heading: Sequence[str], axis: str, speech: Speech, look: Look) -> Any:
    """A bar for each cell with its interval; a funnel's steps one below the other, further groups side by side."""
    import altair as alt

    place = by.index("step") if "step" in by else 0
    others = [number for number in range(len(by)) if number != place]
    step = 18 if len(rows) > MANY else 30
    title_ = None if look.narrow or not heading else heading[place]
    label = f"cell{place}" if 0 < len(by) < 3 else "label"
    encoding: dict[str, Any] = {
        "y": alt.Y(
            f"{label}:N",
            sort=list(dict.fromkeys(row[label] for row in rows)),
            title=title_,
            axis=alt.Axis(labelLimit=110 if look.narrow else 220, domain=False, ticks=False),
        ),
        "tooltip": _tooltip(heading, speech),
    }
    shape: dict[str, Any] = {"field": "known", "type": "nominal", "title": speech.gettext("How well it is known")}
    known = [_known(speech, one) for one in ("number", BAND)]
    colour: Any = alt.value(look.colours["first"])
    bar_colour: Any = alt.value(look.colours["bar"])
    if len(by) == 2 and others:
        other = others[0]
        names = list(dict.fromkeys(row[f"cell{other}"] for row in rows))
        encoding["yOffset"] = alt.YOffset(f"cell{other}:N", sort=names)
        shape = {"field": f"cell{other}", "type": "nominal", "title": heading[other]}
        known = names
        colour = alt.Color(f"cell{other}:N", title=heading[other], scale=alt.Scale(domain=names, range=look.colours["series"]))
        bar_colour = colour
    base = alt.Chart(alt.InlineData(values=rows)).encode(**encoding)
    across = alt.X("value:Q", title=axis, axis=alt.Axis(format=",.0f", tickCount=4 if look.narrow else 7))
    marks = {"field": shape["field"], "type": "nominal", "title": shape["title"]}
    interval = {"x": alt.X("low:Q", title=axis), "x2": "high:Q"}
    return alt.layer(
        base.mark_bar(opacity=0.55).encode(x=across, color=bar_colour),
        base.mark_rule(strokeWidth=2).encode(**interval, color=colour),
        base.mark_tick(thickness=2, size=8).encode(x=alt.X("low:Q"), color=colour),
        base.mark_tick(thickness=2, size=8).encode(x=alt.X("high:Q"), color=colour),
        base.mark_point(filled=True, size=60, opacity=1).encode(
            x=across, color=colour, shape=alt.Shape(**marks, scale=alt.Scale(domain=known, range=list(SHAPES[: max(2, len(known))])))
        ),
    ).properties(height=alt.Step(step))


def _heat(rows: list[dict[str, Any]], heading: Sequence[str], axis: str, speech: Speech, look: Look) -> Any:
    """Two groupings: colour and the number itself; what is too few to tell is an open, dashed cell."""
    import altair as alt

    short = _short(rows)
    across, down = ("cell0", "cell1") if len({row["cell0"] for row in rows}) <= len({row["cell1"] for row in rows}) else ("cell1", "cell0")
    names = dict(zip(("cell0", "cell1"), heading, strict=True))
    order = {name: list(dict.fromkeys(row[name] for row in rows)) for name in names}
    values = [row["value"] for row in rows if row["value"] is not None] or [0]
    middle = (max(values) + min(0, *values)) / 2
    base = alt.Chart(alt.InlineData(values=short)).encode(
        x=alt.X(
            f"{across}:N",
            sort=order[across],
            title=names[across],
            axis=alt.Axis(labelAngle=0, orient="top", labelLimit=120, domain=False, ticks=False),
        ),
        y=alt.Y(
            f"{down}:N",
            sort=order[down],
            title=None if look.narrow else names[down],
            axis=alt.Axis(labelLimit=100 if look.narrow else 220, domain=False, ticks=False),
        ),
        tooltip=_tooltip(heading, speech),
    )
    scale = alt.Scale(range=look.colours["heat"], domainMin=min(0, *values), domainMax=max(*values, 1))
    clear = base.transform_filter("isValid(datum.value)")
    return alt.layer(
        base.mark_rect(fill="transparent", stroke=look.colours["faint"], strokeDash=[3, 3], cornerRadius=3).transform_filter(
            "!isValid(datum.value)"
        ),
        clear.mark_rect(cornerRadius=3).encode(
            color=alt.Color("value:Q", title=axis, scale=scale, legend=alt.Legend(orient="bottom", format=",.0f", gradientLength=180))
        ),
        base.mark_text(fontSize=10 if look.narrow else 12).encode(
            text="text:N",
            color=alt.condition(
                f"isValid(datum.value) && datum.value > {middle}", alt.value(look.colours["dark_ink"]), alt.value(look.colours["ink"])
            ),
        ),
    ).properties(height=alt.Step(30))


def _short(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What stands inside a cell of a heat map: the number with its margin, or the interval's upper end."""
    made = []
    for row in rows:
        half = (row["high"] - row["low"]) / 2
        text = f"≤ {max(0, row['high']):,.0f}" if row["value"] is None else f"{row['value']:,.0f} ±{half:,.0f}"
        made.append(row | {"text": text})
    return made


def _band(rows: list[dict[str, Any]], place: int, heading: Sequence[str], axis: str, speech: Speech, look: Look) -> Any:
    """A line through time with its band; further groups differ in dash and shape as well as colour."""
    import altair as alt

    other = next((number for number in range(len(heading)) if number != place), None)
    base = alt.Chart(alt.InlineData(values=[row | {"middle": (row["low"] + row["high"]) / 2} for row in rows])).encode(
        x=alt.X(
            f"cell{place}:N",
            sort=list(dict.fromkeys(row[f"cell{place}"] for row in rows)),
            title=heading[place],
            axis=alt.Axis(labelAngle=-45 if look.narrow else 0, labelOverlap=True),
        ),
        tooltip=_tooltip(heading, speech),
    )
    line: dict[str, Any] = {"color": alt.value(look.colours["first"])}
    dash: dict[str, Any] = {}
    shape: dict[str, Any] = {}
    if other is not None:
        field = f"cell{other}"
        names = list(dict.fromkeys(row[field] for row in rows))
        line = {"color": alt.Color(f"{field}:N", title=heading[other], scale=alt.Scale(domain=names, range=look.colours["series"]))}
        dash = {"strokeDash": alt.StrokeDash(f"{field}:N", title=heading[other], scale=alt.Scale(domain=names, range=list(DASHES)))}
        shape = {"shape": alt.Shape(f"{field}:N", title=heading[other], scale=alt.Scale(domain=names, range=list(SHAPES)))}
    up = alt.Y("middle:Q", title=axis, axis=alt.Axis(format=",.0f"))
    return alt.layer(
        base.mark_area(opacity=0.2).encode(y=alt.Y("low:Q", title=axis), y2="high:Q", **line),
        base.mark_line(strokeWidth=2).encode(y=up, **line, **dash),
        base.mark_point(filled=True, size=50, opacity=1).encode(y=up, **line, **shape),
    ).properties(height=260)


def dressed(made: Any, heading: str, speech: Speech, look: Look) -> dict[str, Any]:
    """A chart with its size, its colours and its language, as a dictionary."""
    colours = look.colours
    symbol = {
        "labelColor": colours["ink"],
        "titleColor": colours["ink"],
        "labelFontSize": 12,
        "titleFontSize": 12,
        "labelFont": FONT,
        "titleFont": FONT,
    }
    known = speech.known
    config = {
        "background": colours["ground"] if look.ground else None,
        "font": FONT,
        "view": {"stroke": None},
        "axis": symbol
        | {"aria": False}  # the library describes axes in English only; title, sentence and table say it in the reader's language
        | {"gridColor": colours["grid"], "domainColor": colours["faint"], "tickColor": colours["faint"], "titleFontWeight": "normal"},
        "legend": symbol
        | {"aria": False, "orient": "bottom", "titleFontWeight": "normal", "symbolFillColor": colours["first"], "labelLimit": 260},
        "title": {"color": colours["ink"], "font": FONT, "fontSize": 14, "anchor": "start", "limit": look.width},
        "text": {"font": FONT},
        "locale": {
            "number": {
                "decimal": numbers.get_decimal_symbol(known),
                "thousands": numbers.get_group_symbol(known),
                "grouping": [3],
                "currency": ["", ""],
            }
        },
    }
    spec: dict[str, Any] = made.properties(width=look.width, description=heading).to_dict()
    spec["config"] = config
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    return spec
