"""Released tables of closed months as flat rows for other programs: each with its margin, its price and the releases it comes from.

Promise: a row is a public cell, a released number and what was paid for it; nothing about a person can stand in it, because nothing that is
read here has a person. Reading costs nothing however often. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from analytics.reports.cube import Cube, Held
from analytics.reports.families import reach

NUMBERS = ("value", "low", "high", "margin")


def name_of(measure: str, by: tuple[str, ...]) -> str:
    """`orders_by_channel_daypart`; a measure that was released without groupings is `orders_total`."""
    return f"{measure}_by_{'_'.join(by)}" if by else f"{measure}_total"


def tables(cubes: Mapping[int, Cube]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The released tables by name: measure and dimensions, as they were released."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for month in sorted(cubes, reverse=True):
        for held in cubes[month].families:
            for one in held.family.marginals:
                by = tuple(name for name, _ in one.dimensions)
                found.setdefault(name_of(held.measure, by), (held.measure, by))
    return dict(sorted(found.items()))


def rows(cubes: Mapping[int, Cube], measure: str, by: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Every cell of a table in every month that has it, the oldest month first, cells in the order of their public lists."""
    for month, cube in sorted(cubes.items()):
        held = cube.find(measure, by)
        if held is not None:
            yield from _month(month, held, by, cube.paid(held.releases))


def _month(month: int, held: Held, by: tuple[str, ...], rho_nano: int) -> Iterator[dict[str, Any]]:
    from analytics.reports.shelf import cells

    for cell, (value, variance) in cells(held.family, by, adds=held.adds).items():
        margin = reach() * math.sqrt(variance)
        yield {
            "id": "|".join((str(month), *cell)),
            "month": f"{month // 100:04d}-{month % 100:02d}-01",
            **dict(zip(by, cell, strict=True)),
            "value": round(value, 3),
            "low": round(value - margin, 3),
            "high": round(value + margin, 3),
            "margin": round(margin, 3),
            "rho_nano": rho_nano,
            "release": " ".join(held.releases),
        }
