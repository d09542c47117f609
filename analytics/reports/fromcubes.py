"""Questions that need not be bought: what the months' plans have released already answers them.

Promise: post-processing of stored releases; nothing charges and nothing reads the lake. A question is answered from here only where every
measure of every month stands in a table with just its groupings, so that the rows mean what a bought answer would mean. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from analytics.reports import followed
from analytics.reports.parameters import UNEQUAL, holds
from analytics.reports.purchaserows import MONTH
from analytics.reports.shelf import ADDED_OVER_MONTHS, first_day, last_day

if TYPE_CHECKING:
    from analytics.reports.shelf import Shelf
    from privacy.records import Question

KINDS = ("sales", "trend")
CUBES: Mapping[str, str] = {"orders": "orders", "sales": "sales", "lines": "lines", "people": "reach"}
"""What a question's measure is called in the cubes: people who bought are those whom a store, a channel or a category reached."""


def answer(shelf: Shelf, question: Question) -> dict[str, Any] | None:
    """The question's document from the cubes, with the names under which they are read; None where they do not hold all of it."""
    names = tuple(name for name in question.by if name != MONTH)
    months, monthly = sorted(question.months), MONTH in question.by
    wanted = [CUBES[one.name] for one in question.measures] if question.kind in KINDS else []
    if not wanted or not {field for field, _, _ in question.where} <= set(names):
        return None
    if len(months) > 1 and not monthly and not ADDED_OVER_MONTHS.issuperset(wanted):
        return None
    cubes = shelf.cubes(months[0], months[-1])
    if sorted(cubes) != months or any(cube.find(measure, names) is None for cube in cubes.values() for measure in wanted):
        return None
    tables = {one: shelf.table(CUBES[one.name], question.by, months[0], months[-1]) for one in question.measures}
    rows = [
        row | {"measure": one.name} | ({MONTH: str(row[MONTH])} if monthly else {})
        for one, table in tables.items()
        for row in table["rows"]
        if _kept(row, question)
    ]
    used = list(dict.fromkeys(release for table in tables.values() for release in table["releases"]))
    some = next(iter(tables.values()))
    return {
        "by": list(question.by),
        "where": [name + ("!=" if operator == UNEQUAL else "=") + text for name, operator, text in question.where],
        "cubes": wanted,
        "months": months,
        "document": {
            "kind": question.kind,
            "release": None,
            "releases": used,
            "question": {
                "version": question.version,
                "purpose": question.purpose,
                "by": list(question.by),
                "where": [list(one) for one in question.where],
                "measures": [{"name": one.name, "unit": one.unit} for one in question.measures],
                "clip": None,
            },
            "window": {"from": first_day(months[0]), "to": last_day(months[-1])},
            "rows": rows,
            "derived": followed.of_cubes(
                cubes,
                {one.name: CUBES[one.name] for one in question.measures},
                question.by,
                question.where,
                sloped=question.kind == "trend",
            ),
            "hidden_share": some["hidden_share"],
            "months": months,
            "cost": some["cost"],
            "budget": {},
            "cached": True,
        },
    }


def _kept(row: Mapping[str, Any], question: Question) -> bool:
    """Whether a row is among those that the filters leave."""
    return all(holds(str(row[field]), operator, text) for field, operator, text in question.where)
