"""What a segment may say: rules as values, and their one canonical form.

Promise: pure. A rule is a tree of the closed list below and nothing else; equal rules have equal canonical bytes, whatever the order in which
they were written. It must never learn a person, and no part of a rule is ever run as text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class Window:
    """Time that counts: so many days back from the moment of asking, or calendar days of the controller's zone, both included."""

    days: int = 0
    first: date | None = None
    last: date | None = None

    def document(self) -> dict[str, Any]:
        if self.first is not None and self.last is not None:
            return {"from": self.first.isoformat(), "to": self.last.isoformat()}
        return {"days": self.days}


@dataclass(frozen=True, slots=True)
class Among:
    """A column that is one of some words, or none of them. What is unknown is neither."""

    field: str
    values: tuple[str, ...]
    inside: bool = True

    def document(self, name: str) -> dict[str, Any]:
        return {name: self.field, ("is" if self.inside else "is_not"): list(self.values)}


@dataclass(frozen=True, slots=True)
class Profile:
    """An attribute as the person stated it last."""

    among: Among

    def document(self) -> dict[str, Any]:
        return self.among.document("profile")


@dataclass(frozen=True, slots=True)
class Joined:
    """The month of joining lies between two months, both included."""

    first: int
    last: int

    def document(self) -> dict[str, Any]:
        return {"joined": {"from": self.first, "to": self.last}}


@dataclass(frozen=True, slots=True)
class Cells:
    """Bands of recency, frequency and value over twelve months back; an empty list asks nothing of that band."""

    recency: tuple[int, ...]
    frequency: tuple[int, ...]
    value: tuple[int, ...]

    def document(self) -> dict[str, Any]:
        bands = {"recency": self.recency, "frequency": self.frequency, "value": self.value}
        return {"cells": {name: list(values) for name, values in bands.items() if values}}


@dataclass(frozen=True, slots=True)
class Rfm:
    """One of the eight customary segments of recency, frequency and value."""

    names: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        return {"rfm": list(self.names)}


@dataclass(frozen=True, slots=True)
class Stage:
    """The stage of the relationship, now."""

    names: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        return {"stage": list(self.names)}


@dataclass(frozen=True, slots=True)
class Amount:
    """How many, or how much, of a person's own rows in a window: at least `low`, at most `high`. Who has no row has zero."""

    how: str
    of: str
    where: tuple[Among, ...]
    within: Window
    low: int | None
    high: int | None

    def document(self) -> dict[str, Any]:
        ends = {"at_least": self.low, "at_most": self.high}
        told: dict[str, Any] = {self.how: self.of, "within": self.within.document()}
        if self.where:
            told["where"] = [one.document("field") for one in self.where]
        return told | {name: end for name, end in ends.items() if end is not None}


@dataclass(frozen=True, slots=True)
class Member:
    """Whether somebody is in another segment, in one fixed version of it."""

    segment: str
    version: int
    inside: bool = True

    def document(self) -> dict[str, Any]:
        return {"segment": self.segment, "version": self.version, "member": self.inside}


@dataclass(frozen=True, slots=True)
class Group:
    """Every one of the rules, or any one."""

    every: bool
    rules: tuple[Rule, ...]

    def document(self) -> dict[str, Any]:
        return {("all" if self.every else "any"): [one.document() for one in self.rules]}


Rule = Group | Profile | Joined | Cells | Rfm | Stage | Amount | Member
Leaf = Profile | Joined | Cells | Rfm | Stage | Amount | Member


def group(every: bool, rules: tuple[Rule, ...]) -> Rule:
    """A group in its canonical form: groups of its own kind dissolved, doubles gone, in one order; a group of one is that one."""
    flat: list[Rule] = []
    for one in rules:
        flat.extend(one.rules if isinstance(one, Group) and one.every is every else (one,))
    unique = {canonical(one): one for one in flat}
    if len(unique) == 1:
        return next(iter(unique.values()))
    return Group(every, tuple(unique[key] for key in sorted(unique)))


def canonical(rule: Rule) -> bytes:
    """The rule as JSON in one spelling."""
    return json.dumps(rule.document(), ensure_ascii=True, separators=(",", ":"), sort_keys=True).encode()


def digest(rule: Rule) -> str:
    """What names a rule wherever it is spoken of: the SHA-256 of its canonical form."""
    return hashlib.sha256(canonical(rule)).hexdigest()


def leaves(rule: Rule) -> Iterator[Leaf]:
    """Every rule of the tree that is no group, in order."""
    if isinstance(rule, Group):
        for one in rule.rules:
            yield from leaves(one)
    else:
        yield rule
