"""A release door without noise and without a budget: it answers once, repeats itself, and remembers what it was asked. Tests only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from privacy import errors
from privacy.dp import bounds
from privacy.records import Aggregate, Question, Release

HALF_WIDTH = 500


@dataclass
class FakeReleases:
    """`half_width` is 500 thousandths, so that a test can tell margins from values."""

    answers: dict[bytes, Release] = field(default_factory=dict)
    read: list[Question] = field(default_factory=list)

    def answer(self, question: Question, read: Callable[[], Aggregate], asked_by: str) -> Release:
        stored = self.known(question)
        if stored is not None:
            return stored
        exact = read()
        self.read.append(question)
        budget = dict.fromkeys(question.months, (50000000, 50000000 - question.rho_nano))
        now = datetime(2026, 6, 15, tzinfo=UTC)
        name = f"rel_{len(self.answers)}"
        release = Release(
            name,
            question,
            exact.cells,
            exact.measures,
            exact.values,
            255.0,
            HALF_WIDTH,
            question.rho_nano,
            budget,
            cached=False,
            released_at=now,
        )
        self.answers[question.canonical()] = release
        return release

    def known(self, question: Question) -> Release | None:
        stored = self.answers.get(question.canonical())
        return None if stored is None else replace(stored, cached=True)

    def find(self, release_id: str) -> Release:
        for stored in self.answers.values():
            if stored.id == release_id:
                return replace(stored, cached=True)
        raise errors.NotFound("there is no release with this id", code="release_not_found")

    def listed(self, *, kinds: tuple[str, ...] = (), months: tuple[int, ...] = ()) -> list[Release]:
        found = [replace(one, cached=True) for one in reversed(self.answers.values())]
        return [
            one
            for one in found
            if (not kinds or one.question.kind in kinds) and (not months or not set(months).isdisjoint(one.question.months))
        ]

    def quote(self, question: Question, asked_by: str = "") -> Any:
        return SimpleNamespace(
            cost=self.cost(question.rho_nano),
            half_width=HALF_WIDTH,
            left=dict.fromkeys(question.months, 50_000_000),
            affordable=True,
            release=None,
            team_left={},
        )

    def cost(self, rho_nano: int) -> Any:
        return SimpleNamespace(rho_nano=rho_nano, epsilon=rho_nano / 1e9, delta=1e-6)

    def half_width(self, release: Release, *, terms: int = 1) -> int:
        return release.half_width * terms

    def threshold(self, question: Question) -> int:
        return 0

    def hidden_share(self, histogram: Release, clip: float) -> float:
        return bounds.hidden_share([value / 1000 for value in histogram.values], clip)

    def choose_clip(self, histogram: Release, *, most_hidden: float, candidates: tuple[int, ...]) -> int:
        counts = [value / 1000 for value in histogram.values]
        return bounds.choose_clip(counts, noise=0.0, most_hidden=most_hidden, candidates=candidates)
