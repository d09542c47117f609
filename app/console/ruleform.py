"""The builder's form: rows of a page as a rule of the grammar, and a rule as rows, where two levels of All and Any are enough.

Promise: pure, and without a script: the whole form comes back with every button, so that nothing is kept between two pages. What a row asks for
is a word of the closed grammar; the rule that comes out is read by the grammar's own reader like any other. It must never learn a person.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from analytics.segments import vocabulary

Row = dict[str, Any]
"""`what` and the words of its inputs, as they were typed."""
LISTED: Final = ("values",)
TYPED: Final = ("inside", "words", "from", "to", "span", "days", "least", "most", "field", "where", "narrow", "other")
MOST_GROUPS, MOST_ROWS = 6, 12
_STEP: Final = re.compile(r"(up|down|remove|add):(\d{1,2})(?::(\d{1,2}))?\Z")
_MONTH: Final = re.compile(r"(\d{4})-(\d\d)\Z")


@dataclass(frozen=True, slots=True)
class Rows:
    """One group: whether every row has to hold, or any one."""

    every: bool = True
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """The builder: its groups, and whether every group has to hold."""

    every: bool = True
    groups: tuple[Rows, ...] = field(default=(Rows(),))


# ── what may be asked ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def choices() -> dict[str, tuple[str, ...]]:
    """What a row may ask, by group: the closed grammar's own words."""
    things = [f"{how}:{of}" for how, named in vocabulary.THINGS.items() for of in named]
    return {
        "person": (*(f"profile:{one}" for one in vocabulary.PROFILE), "joined"),
        "customer": ("rfm", "stage", *(f"band:{one}" for one in vocabulary.BANDS)),
        "behaviour": tuple(things),
        "segments": ("segment",),
    }


def known(what: str) -> bool:
    return any(what in group for group in choices().values())


def closed(what: str) -> tuple[str, ...]:
    """The values among which a row chooses; empty where they are typed."""
    kind, _, name = what.partition(":")
    if kind == "profile":
        return vocabulary.closed().get(("profiles", name), ())
    bands = tuple(str(one) for one in range(vocabulary.HIGHEST_BAND + 1))
    return {"rfm": vocabulary.RFM, "stage": vocabulary.STAGES, "band": bands}.get(kind, ())


def narrowings(what: str) -> tuple[str, ...]:
    """By which fields an amount may be narrowed."""
    how, _, of = what.partition(":")
    return vocabulary.THINGS[how][of].fields if how in vocabulary.THINGS and of in vocabulary.THINGS[how] else ()


# ── the form that was sent ─────────────────────────────────────────────────────────────────────────────────────────────────────


def read(sent: MultiDict[str, str]) -> Form:
    """The form as it was sent; what is no word of the grammar is left out."""
    groups: list[Rows] = []
    for number in range(MOST_GROUPS):
        start = f"g{number}"
        if f"{start}-every" not in sent:
            break
        rows: list[Row] = []
        for place in range(MOST_ROWS):
            what = sent.get(f"{start}-{place}-what", "")
            if known(what):
                typed = {name: sent.get(f"{start}-{place}-{name}", "").strip()[:2_000] for name in TYPED}
                rows.append({"what": what, "values": sent.getlist(f"{start}-{place}-values")[:200], **typed})
        groups.append(Rows(sent.get(f"{start}-every") != "any", tuple(rows)))
    return Form(sent.get("every") != "any", tuple(groups) or (Rows(),))


def stepped(form: Form, step: str, sent: MultiDict[str, str]) -> Form:
    """The form after one of its buttons: a row more, less, up or down; a group more or less."""
    if step == "group" and len(form.groups) < MOST_GROUPS:
        return replace(form, groups=(*form.groups, Rows()))
    found = _STEP.match(step)
    if found is None:
        return form
    way, group = found[1], int(found[2])
    if group >= len(form.groups):
        return form
    rows = list(form.groups[group].rows)
    if way == "add":
        what = sent.get(f"g{group}-add", "")
        if known(what) and len(rows) < MOST_ROWS:
            rows.append({"what": what, "values": [], **dict.fromkeys(TYPED, ""), "span": "days", "days": "90", "inside": "is"})
    elif found[3] is None:
        left = tuple(one for place, one in enumerate(form.groups) if place != group)
        return replace(form, groups=left or (Rows(),))
    else:
        place = int(found[3])
        other = place + {"up": -1, "down": 1, "remove": 0}[way]
        if place < len(rows) and way == "remove":
            del rows[place]
        elif place < len(rows) and 0 <= other < len(rows):
            rows[place], rows[other] = rows[other], rows[place]
    return replace(form, groups=tuple(replace(one, rows=tuple(rows)) if at == group else one for at, one in enumerate(form.groups)))


# ── to a rule ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def rule(form: Form) -> dict[str, Any] | None:
    """The rule of the form's rows, for the grammar's reader; None where there is no row yet."""
    groups = [_group(one.every, [_leaf(row) for row in one.rows]) for one in form.groups if one.rows]
    return _group(form.every, groups) if groups else None


def _group(every: bool, parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return parts[0] if len(parts) == 1 else {"all" if every else "any": list(parts)}


def _leaf(row: Row) -> dict[str, Any]:
    kind, _, name = str(row["what"]).partition(":")
    values = list(row["values"]) if closed(row["what"]) else _words(row["words"])
    if kind == "profile":
        return {"profile": name, _is(row["inside"]): values}
    if kind in ("rfm", "stage"):
        return {kind: values}
    if kind == "band":
        return {"cells": {name: [int(one) for one in values if one.isdigit()]}}
    if kind == "joined":
        return {"joined": {"from": _month(row["from"]), "to": _month(row["to"])}}
    if kind == "segment":
        segment, _, version = row["other"].partition("@")
        return {"segment": segment, "version": _whole(version), "member": row["inside"] != "is_not"}
    return _amount(kind, name, row)


def _amount(kind: str, name: str, row: Row) -> dict[str, Any]:
    within = {"from": row["from"], "to": row["to"]} if row["span"] == "dates" else {"days": _whole(row["days"])}
    told: dict[str, Any] = {kind: name, "within": within}
    if row["field"] and row["narrow"]:
        told["where"] = [{"field": row["field"], _is(row["where"]): _words(row["narrow"])}]
    ends = {"at_least": row["least"], "at_most": row["most"]}
    return told | {end: _whole(text) for end, text in ends.items() if text}


def _is(text: str) -> str:
    return "is_not" if text == "is_not" else "is"


def _words(text: str) -> list[str]:
    return [one.strip() for one in re.split(r"[,，、\n]", text) if one.strip()]


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"-?\d{1,13}", text, re.ASCII) else None


def _month(text: str) -> int | None:
    found = _MONTH.match(text)
    return int(found[1]) * 100 + int(found[2]) if found else None


# ── from a rule ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def of(document: Mapping[str, Any]) -> Form | None:
    """The form that makes a rule; None for one that needs more than two levels, or more of a row than it has inputs for."""
    every, parts = _parts(document)
    if any(_parts(one)[0] is not None for one in parts) and every is not None:
        inner = [(_parts(one)[0], _parts(one)[1]) for one in parts]
    else:
        every, inner = True, [(every, parts)]
    groups: list[Rows] = []
    for of_group, leaves in inner:
        rows = [_row(one) for one in leaves]
        if any(one is None for one in rows) or len(rows) > MOST_ROWS:
            return None
        groups.append(Rows(of_group is not False, tuple(one for one in rows if one is not None)))
    return Form(every is not False, tuple(groups)) if len(groups) <= MOST_GROUPS else None


def _parts(document: Mapping[str, Any]) -> tuple[bool | None, list[Mapping[str, Any]]]:
    """Whether a rule is a group of All or of Any, or none; and its parts."""
    for name, every in (("all", True), ("any", False)):
        if name in document:
            return every, list(document[name])
    return None, [document]


def _row(leaf: Mapping[str, Any]) -> Row | None:
    row: Row = {"what": "", "values": [], **dict.fromkeys(TYPED, "")}
    if "profile" in leaf:
        inside, values = ("is", leaf["is"]) if "is" in leaf else ("is_not", leaf["is_not"])
        return row | {"what": f"profile:{leaf['profile']}", "inside": inside, "values": values, "words": ", ".join(values)}
    for name in ("rfm", "stage"):
        if name in leaf:
            return row | {"what": name, "values": leaf[name]}
    if "cells" in leaf:
        ((name, bands), *more) = leaf["cells"].items()
        return None if more else row | {"what": f"band:{name}", "values": [str(one) for one in bands]}
    if "joined" in leaf:
        ends = {end: f"{leaf['joined'][end] // 100:04d}-{leaf['joined'][end] % 100:02d}" for end in ("from", "to")}
        return row | {"what": "joined", **ends}
    if "segment" in leaf:
        inside = "is" if leaf["member"] else "is_not"
        return row | {"what": "segment", "other": f"{leaf['segment']}@{leaf['version']}", "inside": inside}
    return _amount_row(row, leaf)


def _amount_row(row: Row, leaf: Mapping[str, Any]) -> Row | None:
    how = next((one for one in vocabulary.THINGS if one in leaf), None)
    where = list(leaf.get("where", ()))
    if how is None or len(where) > 1:
        return None
    within = leaf["within"]
    span = (
        {"span": "days", "days": str(within["days"])} if "days" in within else {"span": "dates", "from": within["from"], "to": within["to"]}
    )
    told = row | {"what": f"{how}:{leaf[how]}", **span}
    told |= {name: str(leaf[end]) for name, end in (("least", "at_least"), ("most", "at_most")) if end in leaf}
    if where:
        inside = "is" if "is" in where[0] else "is_not"
        told |= {"field": where[0]["field"], "where": inside, "narrow": ", ".join(where[0][inside])}
    return told


TEMPLATES: Final[Mapping[str, Mapping[str, Any]]] = {
    "regulars": {"count": "orders", "within": {"days": 90}, "at_least": 3},
    "sleeping": {"stage": ["cooling", "sleeping"]},
    "lookers": {
        "all": [
            {"count": "events", "where": [{"field": "event", "is": ["product_viewed"]}], "within": {"days": 30}, "at_least": 3},
            {"count": "orders", "within": {"days": 30}, "at_most": 0},
        ]
    },
}
"""With what somebody may begin."""
