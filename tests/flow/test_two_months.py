"""What the lake calls a person, an order and a visit in one month says nothing about the next (attack 18, law_rules E-3, E-9)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privacy.dictionary import catalogue
from tests.conftest import NOW
from tests.house import House, sqlite_house, track

PEOPLE = 60
MAY, JUNE = NOW - timedelta(days=31), NOW - timedelta(days=1)
CATALOGUE = catalogue.load()
ABOUT_PEOPLE = [table for table in CATALOGUE.tables.values() if table.people]
OF_THE_HOUSE = {"virtual_id", "month", "hour", "source"}
LINKS = {
    becomes.column
    for record in CATALOGUE.records.values()
    for field in record.fields.values()
    for becomes in field.becomes
    if becomes.treatment == "link"
}
"""Columns that join rows of one month: order keys and visits."""


def told(user: int, month: int, at: datetime) -> list[dict[str, Any]]:
    """What one person does, the same in both months, under the same order number, session and phone."""
    who = {"user": f"member-{user}", "anonymousId": f"cookie-{user:06d}"}
    number = (month * 1000 + user) * 10
    line = {"product_id": "P1", "quantity": 1, "price": 20}
    order = {"order_id": f"ORDER-{user:06d}", "session_id": f"SESSION-{user:06d}", "products": [line], "currency": "CNY", "total": 20}
    context = {
        "ip": f"203.0.113.{user}",
        "userAgent": f"Agent/{user}",
        "page": {"path": f"/members/member-{user}", "referrer": f"https://x.example/?u={user}"},
    }
    return [
        track(number, at=at, event="Order Completed", properties=order, context=context, **who),
        track(
            number + 1,
            at=at,
            event="Product Viewed",
            properties={"product_id": "P1", "session_id": f"SESSION-{user:06d}"},
            context=context,
            **who,
        ),
        {
            **track(number + 2, at=at, type="identify", context=context, **who),
            "traits": {"phone": f"1380013{user:04d}", "birthday": "1990-04-01", "gender": "f"},
        },
    ]


@pytest.fixture(scope="module")
def lakes(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pa.Table]:
    """Each table of the lake after both months, read from its files."""
    with sqlite_house(template_home, tmp_path_factory.mktemp("months") / "home") as house:
        fill(house)
        found: dict[str, list[pa.Table]] = {}
        for path in house.services.settings.lake_path.rglob("*.parquet"):
            found.setdefault(path.relative_to(house.services.settings.lake_path).parts[1], []).append(
                pq.read_table(path, partitioning=None)
            )
        return {name: pa.concat_tables(tables) for name, tables in found.items()}


def fill(house: House) -> None:
    _, key = house.source()
    people = [("customer_no", f"member-{user}") for user in range(PEOPLE)]
    assert house.grant(key, people, at=(NOW - timedelta(days=200)).isoformat()).status_code == 201
    for month, at in ((5, MAY), (6, JUNE)):
        receipt = house.batch([message for user in range(PEOPLE) for message in told(user, month, at)], key)
        assert receipt["stored"] == 3 * PEOPLE
    house.flush()


def values(table: pa.Table, column: str, month: int) -> set[Any]:
    rows = table.filter(pa.compute.equal(table["month"], month))
    return set(rows[column].to_pylist()) - {None}


def test_the_same_people_orders_and_visits_have_nothing_in_common_in_two_months(lakes: dict[str, pa.Table]) -> None:
    """Every column of every table about people against every other of the other month: what names somebody or something matches nowhere."""
    assert {"events", "order_lines", "profiles"} <= lakes.keys()
    naming = {
        (name, column): table for name, table in lakes.items() for column in table.column_names if column == "virtual_id" or column in LINKS
    }
    assert {column for _, column in naming} == {"virtual_id", "order_key", "visit"}
    for (name, column), table in naming.items():
        mine = values(table, column, 202605)
        assert len(mine) == PEOPLE, (name, column)
        for other_name, other in lakes.items():
            for other_column in other.column_names:
                assert mine.isdisjoint(values(other, other_column, 202606)), (name, column, other_name, other_column)


def test_within_a_month_all_tables_call_a_person_the_same(lakes: dict[str, pa.Table]) -> None:
    for month in (202605, 202606):
        names = [values(lakes[table], "virtual_id", month) for table in ("events", "order_lines", "profiles")]
        assert names[0] == names[1] == names[2]


def test_what_people_have_in_common_with_themselves_is_declared_behaviour_that_singles_out_nobody(lakes: dict[str, pa.Table]) -> None:
    """Joining the months on all other columns together leaves every person among all those who behave alike."""
    for name, table in lakes.items():
        columns = [column for column in table.column_names if column not in {"virtual_id", "month", "hour"} | LINKS]
        for row in table.group_by(["month", *columns]).aggregate([("virtual_id", "count_distinct")]).to_pylist():
            assert row["virtual_id_count_distinct"] == PEOPLE, (name, row)


def test_no_table_about_people_has_a_column_that_the_dictionary_does_not_declare(lakes: dict[str, pa.Table]) -> None:
    for name, table in lakes.items():
        assert set(table.column_names) <= set(CATALOGUE.tables[name].columns), name


@pytest.mark.parametrize("table", ABOUT_PEOPLE, ids=lambda table: str(table.name))
def test_no_table_about_people_has_a_message_id_a_receipt_time_or_a_batch_number(table: Any) -> None:
    fed = {
        becomes.column
        for record in CATALOGUE.records.values()
        for field in record.fields.values()
        for becomes in field.becomes
        if becomes.table == table.name
    }
    for column in table.columns:
        assert not re.search(r"message|received|receipt|batch|chunk|loaded|sequence|request|digest|ingest|position|person", column), column
        if table.name in {
            becomes.table for record in CATALOGUE.records.values() for field in record.fields.values() for becomes in field.becomes
        }:
            assert column in fed | OF_THE_HOUSE, column


def test_no_time_in_the_lake_is_finer_than_an_hour(lakes: dict[str, pa.Table]) -> None:
    for name, table in lakes.items():
        for column in table.column_names:
            if pa.types.is_timestamp(table.schema.field(column).type):
                assert {(at.minute, at.second, at.microsecond) for at in table[column].to_pylist() if at} == {(0, 0, 0)}, (name, column)


def test_nothing_that_was_sent_as_a_name_stands_in_any_file(lakes: dict[str, pa.Table]) -> None:
    for name, table in lakes.items():
        shown = str(table.to_pydict())
        for word in ("member-1", "cookie-0", "ORDER-", "SESSION-", "203.0.113", "Agent/", "1380013", "1990-04-01", "00000000-0000-4000"):
            assert word not in shown, (name, word)
