"""A release of a house that has no lake: exact sums made up by a test go through the real door, with real noise. Tests only."""

from __future__ import annotations

from app.wiring import Services
from privacy.records import Aggregate, Bounds, Measure, Question

MONTH = 202605
EXACT = (123_457, 98_765_433, 77_711)
"""Exact sums (in thousandths) that nothing may repeat; the noise of a real release hides them."""


def store_month(services: Services) -> str:
    """The id of a stored report of two stores in `MONTH`."""
    measures = (Measure("orders"), Measure("sales", 2_000), Measure("people"))
    question = Question("store_month", 1, "analytics.statistics", (MONTH,), ("store_id",), (), measures, Bounds(clip=16), 5_000_000)
    exact = Aggregate(cells=(("S1",), ("S2",)), measures=("orders", "sales", "people"), values=EXACT * 2)
    return services.releases.answer(question, lambda: exact, "cli").id
