"""A look into a case in the words of whoever reads it: names, grounds, ends of retention, moments as people write them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from app import cases, housekeeping
from privacy.errors import Invalid, NotFound
from tests.fakes import known
from tests.house import House, sqlite_house

ME = known.ACTOR


@pytest.fixture
def house(template_home: Path, tmp_path: Path) -> Iterator[House]:
    with sqlite_house(template_home, tmp_path / "home") as house:
        known.know(house)
        yield house


def test_a_look_names_sources_grounds_and_staff_and_folds_repeated_looks(house: House) -> None:
    case = known.case(house.services, ME)
    for _ in range(3):
        told = cases.look(house.services, case, ["consents", "timeline"], actor=ME)
    statistics = next(one for one in told["consents"] if one["purpose"] == "analytics.statistics")
    assert (statistics["ground"], statistics["article"], statistics["act"]["source_name"]) == ("consent", "PIPL 13(1)(1)", "desk")
    assert "articles" not in statistics
    assert [(one["action"], one["times"]) for one in told["staff"]] == [("case.view", 3), ("case.open", 1), ("person.show", 1)]
    assert {one["source_name"] for one in told["acts"]} == {"desk"}


def test_what_is_held_is_counted_with_the_day_on_which_it_ends(house: House) -> None:
    house.flush()
    told = cases.look(house.services, known.case(house.services, ME), ["held"], actor=ME)
    (events,) = told["held"]
    assert (events["kind"], events["first_month"], events["last_month"], events["ends"]) == ("events", 202606, 202606, ["2028-07-01"] * 2)
    assert [(one["day"], one["rows"]) for one in told["days"]] == [("2026-06-15", events["rows"])]
    assert told["counts"] == {"identifiers": 4, "acts": 6, "agreements": 0}
    assert not {"names", "virtual_id"} & told.keys()


@pytest.mark.parametrize(
    ("written", "state"),
    [
        ("2026-06-14", "unasked"),
        ("2026-06-15", "withdrawn"),
        ("2026-06-15T12:30", "granted"),
        ("2026-06-15T12:31", "withdrawn"),
        ("2026-06-15T04:30:00+00:00", "granted"),
    ],
)
def test_a_moment_is_a_day_or_a_time_of_the_controllers_zone(house: House, written: str, state: str) -> None:
    told = cases.look(house.services, known.case(house.services, ME), ["consents"], actor=ME, at=written)
    assert next(one for one in told["consents"] if one["purpose"] == "analytics.statistics")["state"] == state


@pytest.mark.parametrize("written", ["2026-06-16", "2099-01-01T00:00", "yesterday", "2026-13-40", "9999-12-31", "0001-01-01T00:00"])
def test_what_is_not_over_or_no_moment_is_refused_or_before_everything(house: House, written: str) -> None:
    case = known.case(house.services, ME)
    if written.startswith("0001"):
        told = cases.look(house.services, case, ["consents"], actor=ME, at=written)
        assert {one["state"] for one in told["consents"]} == {"unasked"}
        return
    with pytest.raises(Invalid) as caught:
        cases.look(house.services, case, ["consents"], actor=ME, at=written)
    assert (caught.value.code, caught.value.field) == ("bad_instant", "at")


def test_cases_and_old_counts_end_by_themselves(house: House) -> None:
    case = known.case(house.services, ME)
    assert {"cases": 0, "stopped": 0}.items() <= housekeeping.retention(house.services).items()
    house.clock.now += timedelta(hours=8)
    with pytest.raises(NotFound):
        cases.look(house.services, case, [], actor=ME)
    assert {"cases": 1, "stopped": 0}.items() <= housekeeping.retention(house.services).items()
    house.clock.now += timedelta(days=390)
    assert {"cases": 0, "stopped": 2}.items() <= housekeeping.retention(house.services).items()
