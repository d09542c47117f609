"""Small questions and aggregates for tests of the release path, over months that a clock at `NOW` finds closed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from privacy.records import Aggregate, Bounds, Measure, Question

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)

QUESTION = Question(
    kind="store_month",
    version=1,
    purpose="analytics.statistics",
    months=(202605,),
    by=("store_id", "channel"),
    where=(("channel", "=", "pos"), ("region", "=", "east")),
    measures=(Measure("orders"), Measure("sales", 2000)),
    bounds=Bounds(clip=16),
    rho_nano=5_000_000,
)


def ask(**changes: Any) -> Question:
    """The usual question with some of its facts changed."""
    return replace(QUESTION, **changes)


def aggregate(question: Question = QUESTION, stores: int = 3, value: int = 100_000) -> Aggregate:
    """A bounded aggregate of the question's form: some stores, every value the same."""
    cells = tuple((f"s{number:02d}", *("-" for _ in question.by[1:])) for number in range(stores))
    return Aggregate(
        cells=cells, measures=tuple(measure.name for measure in question.measures), values=(value,) * (stores * len(question.measures))
    )


def reader(question: Question = QUESTION, stores: int = 3, value: int = 100_000) -> Callable[[], Aggregate]:
    """What a report hands to the door: reads when called."""
    return lambda: aggregate(question, stores, value)


class CountingReader:
    """Counts how often the exact numbers were read; may fail first."""

    def __init__(self, question: Question = QUESTION, failures: Sequence[BaseException] = ()) -> None:
        self.question = question
        self.failures = list(failures)
        self.reads = 0

    def __call__(self) -> Aggregate:
        self.reads += 1
        if self.failures:
            raise self.failures.pop(0)
        return aggregate(self.question)
