"""The letters of a request, in two languages: received, proof needed, more time, fulfilled, in part, refused.

Promise: pure; a letter is made of closed words and public facts, so that none names a person or repeats a value; every answer that is not all
that was asked for says its reason and what can be done about it (PIPL 50). It must never learn whose letter it is.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Final

from privacy.errors import Conflict

LETTERS: Final = ("received", "identity", "longer", "answer")
LANGUAGES: Final = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a letter says of its request, and who answers for it."""

    number: str
    right: str
    received: date
    due: date
    controller: str
    contact: str
    outcome: str | None = None
    reason: str | None = None
    longer: str | None = None
    deceased: bool = False
    """The letter goes to a relative of somebody who died."""


@cache
def words() -> Mapping[str, Any]:
    """The words of all letters."""
    return tomllib.loads(files("privacy.rights").joinpath("letters.toml").read_text("utf-8"))


def available(facts: Facts, *, asked: bool) -> list[str]:
    """Which letters there are for a request where it stands."""
    return [
        "received",
        *(["identity"] if asked else []),
        *(["longer"] if facts.longer else []),
        *(["answer"] if facts.outcome else []),
    ]


def letter(name: str, language: str, facts: Facts) -> list[str]:
    """A letter's paragraphs; raises Conflict where there is nothing to say yet."""
    told = words()
    of = told["kin"] if facts.deceased else told
    said = {"received": _text(of["received"], language), "identity": _text(told["identity"], language)}.get(name)
    if name == "longer" and facts.longer:
        said = _text(told["longer"], language)
    body = [said] if said else _answer(told, language, facts) if name == "answer" and facts.outcome else []
    if not body:
        raise Conflict("there is nothing to write about yet", code="letter_early", field="letter")
    reason = facts.longer if name == "longer" else facts.reason
    filled = {
        "number": facts.number,
        "right": _text(of["rights"][facts.right], language),
        "received": _day(facts.received, language),
        "due": _day(facts.due, language),
        "controller": facts.controller,
        "contact": facts.contact,
        "reason": _text(told["reasons"][reason], language) if reason else "",
    }
    return [_text(told["greeting"], language), *(one.format(**filled) for one in body), facts.controller]


def _answer(told: Mapping[str, Any], language: str, facts: Facts) -> list[str]:
    of = told["kin"] if facts.deceased else told
    granted = [_text(of["fulfilled"][facts.right], language)] if facts.outcome != "refused" else []
    rest = [] if facts.outcome == "fulfilled" else [_text(told["partly" if facts.outcome == "partly" else "refused"], language)]
    return [_text(told["about"], language), *granted, *rest, _text(told["remedy"], language)]


def _text(entry: Mapping[str, str], language: str) -> str:
    return entry[language]


def _day(day: date, language: str) -> str:
    return f"{day.year}年{day.month}月{day.day}日" if language == "zh" else f"{day.day} {day:%B} {day.year}"
