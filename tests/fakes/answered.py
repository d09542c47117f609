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


def plan_months(services: Services, months: tuple[int, ...] = (202604, MONTH)) -> list[str]:
    """Parts of the plans of some closed months through the real door: four in ten are students; what is asked about one kind of tea grows."""
    from analytics.reports import plan

    known, ids = plan.load(50_000), []
    for place, month in enumerate(months):
        enquired = (1_000_000, 2_000_000 * 2**place, 0)
        for name, cells, values in (
            ("work", [("people", "occupation*sex", work, "female") for work in OCCUPATIONS], (8_000_000, *[1_500_000] * 8)),
            ("enquiries", [("enquiries", "category", kind) for kind in ("milk_tea", "low_sugar", "other")], enquired),
        ):
            one = known.slice(name)
            question = known.question(one, month, clip=one.clip, cap_nano=50_000_000)
            exact = Aggregate(tuple(cells), (plan.AMOUNT.name,), tuple(values))
            ids.append(services.releases.answer(question, lambda exact=exact: exact, "schedule").id)  # type: ignore[misc]
    return ids


def each_kind(services: Services, *, times: int = 40) -> dict[str, str]:
    """A stored release of every kind of report: what people of an invented month did, so many times over, through the real door."""
    from analytics.reports.kinds import KINDS
    from tests import audit_reports
    from tests.fakes import audited

    world, ids = audited.month(120), {}
    with audit_reports.session() as engine:
        for kind in KINDS:
            question = audited.question(kind)
            found = audit_reports.read(engine, question, world)
            many = Aggregate(found.cells, found.measures, tuple(times * value for value in found.values))
            ids[kind] = services.releases.answer(question, lambda exact=many: exact, "schedule").id  # type: ignore[misc]
    return ids


OCCUPATIONS = ("student", "retired", "teacher", "health_worker", "public_service", "self_employed", "manual_worker", "other", "unknown")
