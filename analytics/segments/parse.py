"""Reading a segment's rule: from JSON values to `rules`, or an error that names the place and the rule of form.

Promise: what is not in the grammar is refused, and the message carries the place and never the words that were sent, so that nothing of
them reaches a log or a page. Pure; equal rules come out equal. It must never learn a person.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from analytics import metrics
from analytics.segments import rules, vocabulary
from analytics.segments.rules import Among, Amount, Cells, Joined, Leaf, Member, Profile, Rfm, Rule, Stage, Window
from privacy.errors import Invalid

MOST_RULES: Final = 60
MOST_IN_GROUP: Final = 20
DEEPEST: Final = 5
MOST_VALUES: Final = 200
LONGEST_VALUE: Final = 100
MOST_DAYS: Final = 366
LARGEST: Final = 10**12
SEGMENT_ID: Final = re.compile(r"seg_[a-z0-9]{8,40}\Z")


def parse(document: Any, *, place: str = "rule") -> Rule:
    """The rule of a document in its canonical form; raises Invalid with the field that is wrong."""
    rule = _rule(document, place, 1)
    if sum(1 for _ in rules.leaves(rule)) > MOST_RULES:
        raise Invalid(f"a segment has at most {MOST_RULES} rules", code="segment_too_large", field=place)
    return rule


def _rule(document: Any, place: str, depth: int) -> Rule:
    if not isinstance(document, dict):
        raise _wrong("a rule is an object", place)
    known = [name for name in _KINDS if name in document]
    if len(known) != 1:
        raise _wrong(f"a rule has exactly one of {', '.join(_KINDS)}", place)
    (kind,) = known
    if kind in ("all", "any"):
        return _group(document, kind, place, depth)
    return _LEAVES[kind](document, place)


def _group(document: Mapping[str, Any], kind: str, place: str, depth: int) -> Rule:
    _only(document, place, kind)
    within = document[kind]
    if depth > DEEPEST:
        raise Invalid(f"groups stand at most {DEEPEST} deep", code="segment_too_large", field=place)
    if not isinstance(within, list) or not 1 <= len(within) <= MOST_IN_GROUP:
        raise Invalid(f"a group has between 1 and {MOST_IN_GROUP} rules", code="segment_too_large", field=f"{place}.{kind}")
    return rules.group(kind == "all", tuple(_rule(one, f"{place}.{kind}[{number}]", depth + 1) for number, one in enumerate(within)))


# ── leaves ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _profile(document: Mapping[str, Any], place: str) -> Leaf:
    _only(document, place, "profile", "is", "is_not")
    return Profile(_among(document, "profile", vocabulary.PROFILE, "profiles", place))


def _joined(document: Mapping[str, Any], place: str) -> Leaf:
    _only(document, place, "joined")
    ends = document["joined"]
    if not isinstance(ends, dict):
        raise _wrong("joined is an object with from and to", f"{place}.joined")
    _only(ends, f"{place}.joined", "from", "to")
    first, last = (_month(ends.get(name), f"{place}.joined.{name}") for name in ("from", "to"))
    if first > last:
        raise Invalid("the first month is not after the last", code="segment_range", field=f"{place}.joined")
    return Joined(first, last)


def _cells(document: Mapping[str, Any], place: str) -> Leaf:
    _only(document, place, "cells")
    bands = document["cells"]
    if not isinstance(bands, dict) or not bands:
        raise _wrong(f"cells is an object with some of {', '.join(vocabulary.BANDS)}", f"{place}.cells")
    _only(bands, f"{place}.cells", *vocabulary.BANDS)
    return Cells(*(_bands(bands[name], f"{place}.cells.{name}") if name in bands else () for name in vocabulary.BANDS))


def _bands(values: Any, place: str) -> tuple[int, ...]:
    highest = vocabulary.HIGHEST_BAND
    if not isinstance(values, list) or not values or not all(_whole(one) and 0 <= one <= highest for one in values):
        raise Invalid(f"bands are whole numbers from 0 to {highest}", code="segment_range", field=place)
    return tuple(sorted(set(values)))


def _rfm(document: Mapping[str, Any], place: str) -> Leaf:
    _only(document, place, "rfm")
    return Rfm(_words(document["rfm"], f"{place}.rfm", vocabulary.RFM))


def _stage(document: Mapping[str, Any], place: str) -> Leaf:
    _only(document, place, "stage")
    return Stage(_words(document["stage"], f"{place}.stage", vocabulary.STAGES))


def _amount(document: Mapping[str, Any], place: str) -> Leaf:
    how = "count" if "count" in document else "sum"
    _only(document, place, how, "where", "within", "at_least", "at_most")
    of = document[how]
    if not isinstance(of, str) or of not in vocabulary.THINGS[how]:
        raise Invalid(f"{how} is one of {', '.join(vocabulary.THINGS[how])}", code="segment_word", field=f"{place}.{how}")
    thing = vocabulary.THINGS[how][of]
    where = document.get("where", [])
    if not isinstance(where, list) or len(where) > len(thing.fields):
        raise _wrong("where is a list with at most one condition a field", f"{place}.where")
    narrowed = [_where(one, f"{place}.where[{number}]", thing) for number, one in enumerate(where)]
    if len({one.field for one in narrowed}) < len(narrowed):
        raise _wrong("where has at most one condition a field", f"{place}.where")
    low, high = (_number(document[name], f"{place}.{name}") if name in document else None for name in ("at_least", "at_most"))
    if low is None and high is None:
        raise _wrong("an amount has at_least, at_most or both", place)
    if low is not None and high is not None and low > high:
        raise Invalid("at_least is not above at_most", code="segment_range", field=f"{place}.at_least")
    within = _window(document.get("within"), f"{place}.within")
    return Amount(how, of, tuple(sorted(narrowed, key=lambda one: one.field)), within, low, high)


def _where(document: Any, place: str, thing: vocabulary.Thing) -> Among:
    if not isinstance(document, dict):
        raise _wrong("a condition is an object", place)
    _only(document, place, "field", "is", "is_not")
    return _among(document, "field", thing.fields, thing.table, place)


def _member(document: Mapping[str, Any], place: str) -> Leaf:
    _only(document, place, "segment", "version", "member")
    name, version, inside = document["segment"], document.get("version"), document.get("member", True)
    if not isinstance(name, str) or not SEGMENT_ID.match(name):
        raise _wrong("segment is the id of a segment", f"{place}.segment")
    if not isinstance(version, int) or not _whole(version) or not 1 <= version <= 10**6:
        raise _wrong("version is the number of a version of that segment", f"{place}.version")
    if not isinstance(inside, bool):
        raise _wrong("member is true or false", f"{place}.member")
    return Member(name, version, inside)


_LEAVES: Final[Mapping[str, Callable[[Mapping[str, Any], str], Leaf]]] = {
    "profile": _profile,
    "joined": _joined,
    "cells": _cells,
    "rfm": _rfm,
    "stage": _stage,
    "count": _amount,
    "sum": _amount,
    "segment": _member,
}
_KINDS: Final = ("all", "any", *_LEAVES)


# ── parts ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _among(document: Mapping[str, Any], name: str, fields: tuple[str, ...], table: str, place: str) -> Among:
    field = document.get(name)
    if not isinstance(field, str) or field not in fields:
        raise Invalid(f"{name} is one of {', '.join(fields)}", code="segment_word", field=f"{place}.{name}")
    given = [one for one in ("is", "is_not") if one in document]
    if len(given) != 1:
        raise _wrong("a condition has is or is_not, and not both", place)
    return Among(field, _words(document[given[0]], f"{place}.{given[0]}", vocabulary.closed().get((table, field))), given == ["is"])


def _words(values: Any, place: str, closed: tuple[str, ...] | None) -> tuple[str, ...]:
    """Words of a closed list, or any short words without control characters, each once and in order."""
    if not isinstance(values, list) or not 1 <= len(values) <= MOST_VALUES:
        raise Invalid(f"a list has between 1 and {MOST_VALUES} words", code="segment_too_large", field=place)
    for number, one in enumerate(values):
        here = f"{place}[{number}]"
        if not isinstance(one, str) or not 1 <= len(one) <= LONGEST_VALUE or not one.isprintable():
            raise _wrong(f"a word is printable text of at most {LONGEST_VALUE} characters", here)
        if closed is not None and one not in closed:
            raise Invalid(f"a word is one of {', '.join(closed)}", code="segment_word", field=here)
    return tuple(sorted(set(values)))


def _window(document: Any, place: str) -> Window:
    if not isinstance(document, dict):
        raise _wrong("within is an object with days, or with from and to", place)
    if "days" in document:
        _only(document, place, "days")
        days = document["days"]
        if not _whole(days) or not 1 <= days <= MOST_DAYS:
            raise Invalid(f"days are between 1 and {MOST_DAYS}", code="segment_range", field=f"{place}.days")
        return Window(days=days)
    _only(document, place, "from", "to")
    first, last = (_day(document.get(name), f"{place}.{name}") for name in ("from", "to"))
    if not 0 <= (last - first).days < MOST_DAYS:
        raise Invalid(f"a window has between 1 and {MOST_DAYS} days", code="segment_range", field=place)
    return Window(first=first, last=last)


def _day(value: Any, place: str) -> date:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value, re.ASCII):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise _wrong("a day is written YYYY-MM-DD", place)


def _month(value: Any, place: str) -> int:
    if not _whole(value) or not metrics.is_month(value):
        raise _wrong("a month is a number written YYYYMM", place)
    return int(value)


def _number(value: Any, place: str) -> int:
    if not _whole(value) or abs(value) > LARGEST:
        raise Invalid("an end is a whole number, in minor units or thousandths", code="segment_range", field=place)
    return int(value)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _only(document: Mapping[str, Any], place: str, *names: str) -> None:
    if not set(document) <= set(names):
        raise _wrong(f"here stand {', '.join(names)} and nothing else", place)


def _wrong(rule: str, place: str) -> Invalid:
    return Invalid(rule, code="segment_form", field=place)
