"""The lake's reader: there is no unjoined read."""

from __future__ import annotations

from datetime import date

import pytest

from analytics.lake.tables import load
from privacy import errors
from privacy.vocabulary import PROFILING, STATISTICS
from tests.fakes.lake import Lake


def line(person: str, month: int = 202601, **facts: object) -> dict[str, object]:
    return {"person": person, "month": month, "kind": "sale", "store_id": "S1", "net_minor": 100} | facts


def amounts(lake: Lake, *months: int, purpose: str = STATISTICS) -> list[int]:
    with lake.reader.open(purpose, months) as view:
        return sorted(view.run(view.people("order_lines"))["net_minor"].to_pylist())


def test_only_people_who_allow_the_purpose_now_are_read(lake: Lake) -> None:
    lake.allow("anna", "bo")
    lake.put("order_lines", [line("anna", net_minor=1), line("bo", net_minor=2), line("stranger", net_minor=3)])
    assert amounts(lake, 202601) == [1, 2]
    lake.withdraw("bo")
    assert amounts(lake, 202601) == [1]
    assert amounts(lake, 202601, purpose=PROFILING) == []


def test_no_virtual_id_comes_out(lake: Lake) -> None:
    lake.allow("anna")
    lake.put("order_lines", [line("anna")])
    with lake.reader.open(STATISTICS, [202601]) as view:
        assert "virtual_id" not in view.people("order_lines").columns
        assert view.people("order_lines").columns[0] == "run_id"


def test_a_person_is_one_across_months_and_merges(lake: Lake) -> None:
    lake.allow("anna", "anna's card")
    lake.populations.merged["anna's card"] = "anna"
    lake.put("order_lines", [line("anna"), line("anna", 202602), line("anna's card", 202602)])
    with lake.reader.open(STATISTICS, [202601, 202602]) as view:
        people = set(view.run(view.people("order_lines"))["run_id"].to_pylist())
        assert len(people) == 1
        assert view.run(view.identifiers(202602)).num_rows == 1


def test_exactly_the_months_of_the_question_are_opened(lake: Lake) -> None:
    lake.allow("anna")
    lake.put("order_lines", [line("anna", month, net_minor=month) for month in (202601, 202602, 202603)])
    assert amounts(lake, 202601, 202603) == [202601, 202603]
    with lake.reader.open(STATISTICS, [202601]) as view:
        with pytest.raises(errors.Refused) as refused:
            view.people("order_lines", [202602])
        assert refused.value.code == "month_not_priced"
        with pytest.raises(errors.Refused):
            view.identifiers(202602)
        assert view.run(view.people("order_lines", [])).num_rows == 0


def test_tables_about_people_have_no_other_door(lake: Lake) -> None:
    with pytest.raises(errors.Refused):
        lake.reader.open_table("order_lines")
    with lake.reader.open(STATISTICS, [202601]) as view, pytest.raises(errors.Refused):
        view.people("stores")


def test_of_a_table_without_people_the_latest_row_counts(lake: Lake) -> None:
    lake.put("stores", [{"id": "S2", "name": "two"}, {"id": "S1", "name": "old", "region": "north"}])
    lake.put("stores", [{"id": "S1", "name": "new"}])
    rows = lake.reader.open_table("stores").to_pylist()
    assert [(row["id"], row["name"], row["region"]) for row in rows] == [("S1", "new", None), ("S2", "two", None)]


def test_of_the_calendar_each_value_counts_that_was_loaded_last(lake: Lake) -> None:
    """Holidays and weather come from two sources, in whatever order, and neither takes the other's away."""
    day = {"day": date(2026, 10, 1), "region": "CN"}
    lake.put("calendar", [day | {"weather": "rain"}, {"day": date(2026, 10, 2), "region": "CN", "weather": "fog"}])
    lake.put("calendar", [day | {"holiday": "国庆", "working_day": False}])
    lake.put("calendar", [day | {"weather": "sun"}])
    lake.put("calendar", [day | {"holiday": "国庆节", "working_day": True}])
    rows = lake.reader.open_table("calendar").to_pylist()
    assert [(row["holiday"], row["working_day"], row["weather"]) for row in rows] == [("国庆节", True, "sun"), (None, None, "fog")]


def test_a_population_of_another_purpose_is_refused(lake: Lake) -> None:
    lake.populations.allowed[PROFILING] = {"anna"}
    right = lake.populations(PROFILING)
    lake.reader._open_population = lambda purpose: right
    with pytest.raises(errors.Refused), lake.reader.open(STATISTICS, [202601]):
        pass


def test_months_held_are_the_partitions(lake: Lake) -> None:
    assert lake.reader.months_held("order_lines") == ()
    lake.put("order_lines", [line("anna"), line("anna", 202603)])
    assert lake.reader.months_held("order_lines") == (202601, 202603)


def test_a_column_that_the_dictionary_gained_is_null_in_older_files(lake: Lake) -> None:
    """Files written before the column stay as they are; the reader fills it."""
    lake.allow("anna")
    lake.put("order_lines", [line("anna")])
    with load(lake.catalog, "order_lines").update_schema() as update:
        update.delete_column("coupon_id")
    from analytics.lake import tables

    tables.ensure(lake.catalog, lake.dictionary)
    lake.put("order_lines", [line("anna", coupon_id="C1", net_minor=200)])
    with lake.reader.open(STATISTICS, [202601]) as view:
        rows = view.run(view.people("order_lines"))
    assert dict(zip(rows["net_minor"].to_pylist(), rows["coupon_id"].to_pylist(), strict=True)) == {100: None, 200: "C1"}
