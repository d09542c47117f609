"""The default plan of a closed month as data: which marginals are bought, in which units, under which bound, at which price.

Promise: a plan is public constants and nothing else; the size that chooses among its lists is declared, never counted; a plan's question is
the same whoever asks it, and names everything that its numbers depend on, so that another plan is another question. Pure.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from privacy.records import Bounds, Measure, Question
from privacy.vocabulary import STATISTICS

KIND = "cube"
AMOUNT = Measure("amount")
"""What a plan's release counts: its units are the plan's and stand in the question."""
CROSS = "*"
FILE = "retail_1.toml"


@dataclass(frozen=True, slots=True)
class Marginal:
    """Some measures over the cells of one or more dimensions."""

    of: tuple[str, ...]
    by: tuple[str, ...]

    @property
    def name(self) -> str:
        return CROSS.join(self.by)


@dataclass(frozen=True, slots=True)
class Slice:
    """One purchase: its marginals share one weight a person and one price."""

    name: str
    letter: str
    rho_nano: int
    family: str
    adds: bool
    units: Mapping[str, int]
    clip: int
    clips: tuple[int, ...]
    norms_nano: int
    marginals: tuple[Marginal, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan at one declared size."""

    name: str
    version: int
    size: str
    for_cap_nano: int
    values: Mapping[str, tuple[str, ...]]
    dayparts: Mapping[str, tuple[int, ...]]
    slices: tuple[Slice, ...]

    @property
    def label(self) -> str:
        return f"{self.name}-{self.version}/{self.size}"

    def slice(self, name: str) -> Slice:
        return next(one for one in self.slices if one.name == name)

    def price(self, one: Slice, cap_nano: int) -> int:
        """The slice's part of a month's cap, never more than its declared price."""
        return max(1, one.rho_nano * min(cap_nano, self.for_cap_nano) // self.for_cap_nano)

    def question(self, one: Slice, month: int, *, clip: int, cap_nano: int) -> Question:
        """What is bought: units, family and marginals are part of the question."""
        where = (
            ("plan", "=", self.label),
            ("slice", "=", one.name),
            ("family", "=", one.family if one.adds else ""),
            ("units", "in", "|".join(f"{name}:{unit}" for name, unit in sorted(one.units.items()))),
            ("marginals", "in", "|".join(f"{marginal.name}:{'+'.join(marginal.of)}" for marginal in one.marginals)),
        )
        price = self.price(one, cap_nano)
        return Question(KIND, self.version, STATISTICS, (month,), ("measure", "marginal"), where, (AMOUNT,), Bounds(clip), price)


def load(declared_members: int, file: str = FILE) -> Plan:
    """The plan of a file at the size that so many declared members mean."""
    text = _read(file)
    sizes: Mapping[str, int] = text["sizes"]
    size = max((name for name in sizes if sizes[name] <= declared_members), key=lambda name: sizes[name])
    return Plan(
        text["name"],
        text["version"],
        size,
        text["for_cap_nano"],
        MappingProxyType({name: tuple(values) for name, values in text["values"].items()}),
        MappingProxyType({name: tuple(hours) for name, hours in text["dayparts"].items()}),
        tuple(_slice(name, body, size) for name, body in text["slices"].items()),
    )


def written(question: Question) -> dict[str, str]:
    """What a plan's question says about itself."""
    return {name: value for name, _, value in question.where}


def units(question: Question) -> dict[str, int]:
    """How much of each measure counts as 1, as the question says."""
    return {name: int(unit) for name, unit in (one.split(":") for one in written(question)["units"].split("|"))}


def _slice(name: str, body: Mapping[str, Any], size: str) -> Slice:
    return Slice(
        name,
        body["letter"],
        body["rho_nano"],
        body.get("family", name),
        body.get("adds", True),
        MappingProxyType(dict(body["units"])),
        body["clip"][size],
        tuple(body.get("clips", ())),
        body.get("norms_nano", 0),
        tuple(Marginal(tuple(one["of"]), tuple(one["by"])) for one in body["marginals"][size]),
    )


@cache
def _read(file: str) -> Mapping[str, Any]:
    return tomllib.loads((files("analytics.reports") / file).read_text(encoding="utf-8"))
