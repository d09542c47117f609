"""The audit of each report as a whole: from rows of people through the report's own read and the door's own noise to what is printed.

`privacy`: rows with and without the person who did most go through `Report.read`; both answers get the noise that the door draws at the
kind's price, and what the draws prove of the loss has to lie below the charge. `coverage`: of everything that the report prints with an
interval, how much holds what it would print without noise. `hidden`: the share of a month of ordinary people that the bound takes away.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from analytics.engine import Engine, Session
from analytics.reports.purchases import Purchases, inner
from privacy.dp import accountant, keys, mechanisms
from privacy.records import Aggregate, Bounds, Measure, Question, Release
from tests import audit
from tests.fakes import audited
from tests.fakes.view import MemoryReader

DRAWS = 400_000
"""Numbers drawn for one report and world: noise is what the audit's time is spent on."""
SLOW = {"lifetime": 60, "personas": 60}
"""Kinds whose page is worked out anew from each answer for a long time: so many answers at most."""
LINEAR = 0.01
"""How far from 95 in 100 the margins of released numbers and of their sums may lie."""
WIDE = Bounds(clip=2**21 + 2**17, scale=1)
SMALL, LARGE = 0.04, 0.01
"""What a bound may hide (dp_rules P-9): of a small chain, of others."""


@contextmanager
def session() -> Iterator[Session]:
    """An engine for many small questions."""
    with TemporaryDirectory() as folder, Engine(Path(folder) / "lake", Path(folder) / "scratch", threads=1).session() as opened:
        yield opened


def read(engine: Session, question: Question, rows: Mapping[str, Sequence[audited.Row]]) -> Aggregate:
    """What the door would be handed."""
    report = audited.report(question.kind)
    reader: Any = MemoryReader(engine, rows, audited.PUBLIC)
    return report.read(reader, question, report.cells(reader, question, audited.HOUSE), audited.HOUSE)


# ── privacy ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Whole:
    """What the audit says of one report: the verdict, and how much of its bound the person used up."""

    verdict: audit.Verdict
    moved: float
    sensitivity: int

    @property
    def ok(self) -> bool:
        return self.verdict.ok and self.moved <= self.sensitivity


def privacy(engine: Session, kind: str, world: audited.World, runs: int, *, rho_nano: int = 0) -> Whole:
    """The report on both worlds; at its own price, or at another one."""
    question = audited.question(kind)
    question = replace(question, rho_nano=rho_nano or question.rho_nano)
    whole, without = read(engine, question, audited.worst(world)), read(engine, question, world)
    if question.delta_units:
        return _of_keys(question, whole, without, runs)
    assert whole.cells == without.cells, "cells are public"
    person = [one - other for one, other in zip(whole.values, without.values, strict=True)]
    sensitivity, rho = question.bounds.sensitivity, question.rho_nano
    number = max(10, min(runs, DRAWS // len(person)))
    verdict = audit.audit(kind, person, without.values, rho, lambda values: mechanisms.noise(values, sensitivity, rho).values, number)
    return Whole(verdict, math.hypot(*person), sensitivity)


def _of_keys(question: Question, whole: Aggregate, without: Aggregate, runs: int) -> Whole:
    """Keys that nobody knows beforehand: counts of those that stand in both worlds; one that is there by this person alone is never told."""
    tables = [{cell[0]: value for cell, value in zip(one.cells, one.values, strict=True)} for one in (whole, without)]
    common, alone = sorted(tables[1]), sorted(set(tables[0]) - set(tables[1]))
    moved = {key: tables[0][key] - tables[1].get(key, 0) for key in tables[0]}
    place = max(common, key=lambda key: moved[key])
    samples: list[list[float]] = [[], []]
    for _ in range(min(runs, 5_000)):
        for world, table in enumerate(tables):
            cells, noisy = keys.thresholded(question, table)
            told = dict(zip([cell[0] for cell in cells], noisy.values, strict=True))
            assert not set(told) & set(alone), "a key of one person was told"
            middle = tables[1][place] + moved[place] / 2
            samples[world].append((told.get(place, 0) - middle) / noisy.sigma)
    verdict = audit.Verdict(question.kind, accountant.epsilon(question.rho_nano, audit.DELTA), audit.least_epsilon(*samples))
    return Whole(verdict, math.hypot(*moved.values()), question.bounds.sensitivity)


# ── coverage ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Coverage:
    """How often intervals held: of numbers that are released or sums of them, and of everything else that is printed."""

    plain: list[int]
    other: list[int]

    def add(self, *, linear: bool, held: bool) -> None:
        counts = self.plain if linear else self.other
        counts[0] += held
        counts[1] += 1

    @staticmethod
    def _rate(counts: list[int]) -> float | None:
        return counts[0] / counts[1] if counts[1] else None

    @property
    def rates(self) -> tuple[float | None, float | None]:
        return self._rate(self.plain), self._rate(self.other)

    def ok(self, slack: float = 0.0) -> bool:
        """Plain margins hold 95 times in 100, less and more a hundredth; what is worked out from them at least so often. Of few numbers four
        deviations of chance are allowed besides."""
        plain, other = self.rates
        chance = 4 * math.sqrt(0.95 * 0.05 / max(1, self.plain[1]))
        return (plain is None or abs(plain - 0.95) <= LINEAR + slack + chance) and (other is None or other >= 0.94 - slack)


def coverage(engine: Session, kind: str, world: audited.World, runs: int) -> Coverage:
    """The rows that the report prints of noisy answers, against those that it prints of the bounded truth."""
    question, report = audited.question(kind), audited.report(kind)
    exact = read(engine, question, world)
    found = Coverage([0, 0], [0, 0])
    if question.delta_units:
        for cells, values, sigma in _told_keys(question, exact, runs):
            truth = dict(zip(exact.cells, exact.values, strict=True))
            for cell, value in zip(cells, values, strict=True):
                if truth[cell] > keys.threshold(question) + 8 * sigma:  # one that is told for sure: that a rarer one is told, is chance
                    found.add(linear=True, held=abs(value - truth[cell]) <= accountant.half_width(sigma))
        return found
    reader: Any = MemoryReader(engine, world, audited.PUBLIC)
    house = report.facts(reader, audited.HOUSE)
    size = len(exact.values)
    number = max(5, min(runs, DRAWS // size, SLOW.get(kind, runs)))
    noisy = mechanisms.noise(list(exact.values) * number, question.bounds.sensitivity, question.rho_nano)

    def rows(values: Sequence[int]) -> list[dict[str, Any]]:
        return report.render(_release(question, exact, tuple(values), noisy.sigma), house, _margin)

    linear = {one.name for one in question.measures}
    truth = {_place(row): row for row in rows(exact.values)}
    for start in range(0, number * size, size):
        for row in rows(noisy.values[start : start + size]):
            true = truth.get(_place(row))
            if true is not None and row.get("value") is not None and row["low"] < row["high"]:
                held = row["low"] - 0.001 <= true["value"] <= row["high"] + 0.001
                found.add(linear=row["measure"] in linear and row.get("marginal") not in ("comparison", "sizes"), held=held)
    return found


def _told_keys(question: Question, exact: Aggregate, runs: int) -> Iterator[tuple[Any, tuple[int, ...], float]]:
    counts = {cell[0]: value for cell, value in zip(exact.cells, exact.values, strict=True)}
    for _ in range(min(runs, 5_000)):
        cells, noisy = keys.thresholded(question, counts)
        yield cells, noisy.values, noisy.sigma


def _release(question: Question, exact: Aggregate, values: tuple[int, ...], sigma: float) -> Release:
    width = accountant.half_width(sigma)
    now = datetime(2026, 3, 1, tzinfo=UTC)
    return Release(
        "rel_audit", question, exact.cells, exact.measures, values, sigma, width, question.rho_nano, {}, cached=False, released_at=now
    )


def _margin(release: Release, *, terms: int = 1) -> int:
    return accountant.half_width(release.sigma, terms=terms)


def _place(row: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    numbers = {"value", "low", "high", "reading", "name", "expected", "unit"}
    return tuple((name, str(said)) for name, said in row.items() if name not in numbers)


# ── what the bound hides ───────────────────────────────────────────────────────────────────────────────────────────────────────


def hidden(engine: Session, kind: str, world: audited.World) -> dict[str, float]:
    """Of each measure the share of a month of ordinary people that one weight a person takes away."""
    question, report = audited.question(kind), audited.report(kind)
    if question.delta_units or report.one_cell or report.hides_nothing:
        return dict.fromkeys([one.name for one in question.measures], 0.0)
    bounded = read(engine, question, world)
    units = {one.name: one.unit for one in question.measures}
    plain = tuple(Measure(one.name) for one in question.measures)
    whole = read(engine, replace(question, bounds=WIDE, measures=plain), world)
    found = {}
    for place, name in enumerate(units):
        width, cells = len(units), len(report.cells(MemoryReader(engine, world, audited.PUBLIC), question, audited.HOUSE))  # type: ignore[arg-type]
        some = sum(bounded.values[place : cells * width : width]) * units[name] / question.bounds.scale
        every = sum(whole.values[place : cells * width : width])
        found[name] = 1 - some / every if every else 0.0
    return found


def bound_of(kind: str) -> float:
    """The bound of the numbers that a kind shows."""
    question = audited.question(kind)
    return float((inner(question.bounds) if isinstance(audited.report(kind), Purchases) else question.bounds).clip)
