"""What was released of closed months is read for nothing: documents of the shelf, months as people write them, a list with pages."""

from __future__ import annotations

import json

import pytest

from analytics.reports import plan
from app import asking, cubes
from privacy.dp import ledger, questions
from privacy.errors import Invalid, NotFound
from tests.house import House

MONTHS = (202604, 202605)


def bought(house: House, count: int = 3) -> None:
    """Answers in the register as the door stores them: one slice of a few months, and a report."""
    known = plan.load(50_000)
    one = known.slice("stages")
    now = house.clock()
    with house.services.begin_analysis() as tx:
        ledger.settle(tx, MONTHS, 50_000_000)
        for number in range(count):
            question = known.question(one, MONTHS[number % 2], clip=1 + number // 2, cap_nano=50_000_000)
            name = f"rel_{number:032x}"
            ledger.reserve(
                tx, name, questions.digest(question), questions.dumps(question), question.rho_nano, asked_by="schedule", holder="", now=now
            )
            ledger.charge(tx, name, question.months, question.rho_nano, now=now)
            cells = [["people", "stage*stage_before", stage, "unknown"] for stage in ("active", "new")]
            answer = json.dumps({"cells": cells, "measures": ["amount"], "values": [1_000_000, 500_000]})
            assert ledger.store(tx, name, answer, sigma=15_811.0, half_width=31_000, now=now)


def spent(house: House) -> int:
    with house.services.begin_analysis() as tx:
        return sum(account.spent_nano for account in ledger.accounts(tx).values())


def test_reading_costs_nothing_and_takes_months_as_people_write_them(house: House) -> None:
    bought(house, 2)
    before = spent(house)
    document = cubes.table(house.services, "people", ("stage",), "2026-05")
    assert [(row["stage"], row["value"]) for row in document["rows"]] == [("active", 1000.0), ("new", 500.0)]
    assert document["months"] == [202605]
    assert {row["month"] for row in cubes.overview(house.services)["rows"]} == set(MONTHS)
    assert cubes.facts(house.services)["rows"] == []
    assert cubes.catalogue(house.services)["months"] == list(MONTHS)
    assert spent(house) == before


def test_a_part_of_a_plan_is_shown_under_its_release(house: House) -> None:
    bought(house, 1)
    document = asking.show_release(house.services, f"rel_{0:032x}")
    assert document["kind"] == "cube"
    assert document["rows"][0]["stage"] == "active"
    assert document["rows"][0]["high"] - document["rows"][0]["value"] == pytest.approx(31, abs=1)


def test_the_list_has_pages_and_no_numbers(house: House) -> None:
    bought(house, 3)
    first = cubes.releases(house.services, None, 2)
    rest = cubes.releases(house.services, first["next"], 2)
    assert [one["id"][-1] for one in [*first["items"], *rest["items"]]] == ["2", "1", "0"]
    assert rest["next"] is None
    assert not {"values", "rows"} & first["items"][0].keys()
    with pytest.raises(NotFound):
        cubes.releases(house.services, f"rel_{99:032x}")


def test_periods_that_are_none_are_refused_by_their_field(house: House) -> None:
    with pytest.raises(NotFound) as none:
        cubes.overview(house.services)
    assert none.value.code == "no_cubes"
    for first, last, code in (("2026-05", "2026-04", "bad_period"), (None, "2026-04", "bad_month"), ("May", None, "bad_month")):
        with pytest.raises(Invalid) as wrong:
            cubes.overview(house.services, first, last)
        assert wrong.value.code == code
