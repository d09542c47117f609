"""People by keys that no table lists: counted as pandas counts them where four keys are enough, bounded where they are not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from analytics.engine import Engine, Session
from analytics.reports import keyed
from analytics.reports.base import Options
from privacy import errors
from tests.fakes.chain import HOUSE, reader
from tests.unit.analytics.reports.test_sales import MAY, asked, world


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder: Path = tmp_path_factory.mktemp("engine")
    with Engine(folder / "lake", folder / "scratch", threads=1).session() as opened:
        yield opened


def bought(*baskets: tuple[int, tuple[str, ...]]) -> dict[str, list[dict[str, Any]]]:
    head = {"month": MAY, "hour": datetime(2026, 5, 3, 2, tzinfo=UTC), "store_id": "S1", "kind": "sale", "net_minor": 500}
    lines = [head | {"run_id": person, "order_key": person, "product_id": product} for person, basket in baskets for product in basket]
    return {"order_lines": lines, "person_month": []}


def counted(document: dict[str, Any]) -> dict[str, float]:
    return {row["product_id"]: row["value"] for row in document["rows"]}


def test_people_are_counted_once_a_key(session: Session) -> None:
    held = world(people=25)
    wanted: dict[str, set[int]] = {}
    own: dict[int, set[str]] = {}
    for row in held["order_lines"]:
        if row["month"] == MAY and row["product_id"] and (row["currency"] or "CNY") == "CNY" and (row["kind"] or "sale") == "sale":
            own.setdefault(row["run_id"], set()).add(row["product_id"])
            wanted.setdefault(row["product_id"], set()).add(row["run_id"])
    assert max(len(keys) for keys in own.values()) <= 4, "nobody is bounded here"
    assert counted(asked(session, held, Options(MAY, MAY), "keys")) == {key: len(people) for key, people in wanted.items()}


def test_a_person_counts_in_four_keys_whoever_else_is_there(session: Session) -> None:
    many = (0, tuple(f"P{number}" for number in range(50)))
    others = tuple((person, ("P1", "P2")) for person in range(1, 5))
    question = keyed.REPORT.question(Options(MAY, MAY), HOUSE)

    def of(*baskets: tuple[int, tuple[str, ...]]) -> dict[str, int]:
        found = keyed.REPORT.read(reader(session, bought(*baskets)), question, (), HOUSE)
        return dict(zip((cell[0] for cell in found.cells), found.values, strict=True))

    whole, without, alone = of(many, *others), of(*others), of(many)
    assert sum(alone.values()) == len(alone) == 4
    moved = {key: whole.get(key, 0) - without.get(key, 0) for key in whole.keys() | without.keys()}
    assert {key: count for key, count in moved.items() if count} == alone


def test_it_is_by_one_kind_of_key() -> None:
    with pytest.raises(errors.Invalid) as refused:
        keyed.REPORT.question(Options(MAY, MAY, ("store",)), HOUSE)
    assert refused.value.code == "unknown_grouping"
