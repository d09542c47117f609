"""A stored release comes back as tables in the measures' own units."""

from __future__ import annotations

from datetime import UTC, datetime

from analytics.reports import plan
from analytics.reports.cube import Cube, marginals
from privacy.records import Release

MONTH = 202605
SMALL = plan.load(0)


def release(name: str, cells: list[tuple[str, ...]], values: list[int], number: int = 1) -> Release:
    one = SMALL.slice(name)
    question = SMALL.question(one, MONTH, clip=one.clip, cap_nano=50_000_000)
    at = datetime(2026, 6, 8, number, tzinfo=UTC)
    return Release(f"rel_{number}", question, tuple(cells), ("amount",), tuple(values), 2_000.0, 3_900, question.rho_nano, {}, True, at)


CELLS = [
    ("orders", "store", "S1"), ("orders", "store", "other"), ("sales", "store", "S1"), ("sales", "store", "other"),
    ("lines", "category", "tea"), ("lines", "category", "other"),
]  # fmt: skip


def test_values_and_noise_are_in_the_measures_own_units() -> None:
    found = {(measure, name): table for measure, name, table in marginals(release("sales", CELLS, [5_000, 1_000, 4_000, 0, 9_000, 2_000]))}
    assert found["orders", "store"].values.tolist() == [5.0, 1.0]
    assert found["sales", "store"].values.tolist() == [12_000.0, 0.0], "a unit of sales is 3,000 minor units"
    assert found["sales", "store"].variance == 6_000.0**2
    assert found["lines", "category"].dimensions == (("category", ("tea", "other")),)


def test_a_family_is_found_by_what_its_tables_have_together() -> None:
    cube = Cube(MONTH, [release("sales", CELLS, [0] * 6)])
    held = cube.find("orders", ("store",))
    assert held is not None
    assert held.releases == ("rel_1",)
    assert cube.find("orders", ("category",)) is None
    assert cube.find("people", ()) is None


def test_people_of_several_histograms_are_one_family_and_reach_is_none() -> None:
    people = [
        release(
            "stages", [("people", "stage*stage_before", "new", "unknown"), ("people", "stage*stage_before", "active", "unknown")], [0, 0]
        ),
        release("work", [("people", "occupation", "student"), ("people", "occupation", "unknown")], [0, 0], 2),
    ]
    reach = release("reach", [("reach", "store", "S1"), ("reach", "store", "other"), ("reach", "channel", "pos")], [0, 0, 0], 3)
    cube = Cube(MONTH, [*people, reach])
    total = cube.find("people", ())
    assert total is not None
    assert set(total.releases) == {"rel_1", "rel_2"}
    assert cube.find("reach", ("store",)) is not None
    assert cube.find("reach", ()) is None, "distinct people do not add up"
