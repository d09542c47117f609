"""Documents of reports as `piying report --json` prints them, and the two languages that figures are tested in. Tests only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from app.console.languages import catalogue
from app.figures.speech import Speech


def plain(sentence: str, **places: Any) -> str:
    return sentence % places if places else sentence


def counted(one: str, many: str, num: int, **places: Any) -> str:
    return (one if num == 1 else many) % {"num": num, **places}


ENGLISH = Speech("en", plain, counted)
CHINESE = Speech("zh_Hans_CN", lambda sentence, **places: plain(catalogue("zh_Hans_CN").gettext(sentence), **places), counted)


def document(
    kind: str,
    cells: Mapping[str, Sequence[str]],
    values: Mapping[str, Sequence[float]],
    half: float = 30.0,
    months: Sequence[int] = (202610,),
    **more: Any,
) -> dict[str, Any]:
    """A document with one row for each combination of cells and measure; every number has the same half width."""
    rows = []
    for place, cell in enumerate(product(*cells.values())):
        for measure, column in values.items():
            value = column[place]
            head = dict(zip(cells, cell, strict=True)) | {"measure": measure}
            rows.append(head | {"value": value, "low": value - half, "high": value + half, "reading": {}})
    return {
        "kind": kind,
        "release": "rel_" + "0" * 32,
        "question": {
            "version": 1,
            "purpose": "analytics.statistics",
            "by": list(cells),
            "where": [],
            "measures": [{"name": name, "unit": 1} for name in values],
            "clip": 8,
        },
        "window": {"from": "2026-10-01", "to": "2026-10-31"},
        "rows": rows,
        "hidden_share": 0.01,
        "months": list(months),
        "cost": {"rho_nano": 0, "epsilon": 0.0, "delta": 1e-6},
        "budget": {"202610": {"before": 1, "after": 1}},
        "cached": True,
    } | more


STORES = document("store_month", {"store_id": ["S1", "S2", "S3"]}, {"orders": [1000.0, 400.0, 20.0], "sales": [900_000.0, 300_000.0, 10.0]})
SEGMENTS = document("rfm", {"sex": ["female", "male"], "segment": ["champions", "general_value"]}, {"people": [500.0, 90.0, 400.0, 10.0]})
FUNNEL = document("funnel", {"step": ["product_viewed", "product_added", "order_completed"]}, {"people": [1000.0, 900.0, 200.0]})
MONTHS = document("trend", {"month": ["202608", "202609", "202610"]}, {"orders": [100.0, 200.0, 400.0]})
