"""BI tools read released tables with a token: schema, rows, files; a hundred refreshes cost nothing, and nobody is in them (`app.released`)."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from pyarrow import parquet

from tests.fakes.answered import plan_months
from tests.house import House, bearer, sqlite_house

TABLE = "people_by_occupation_sex"


@pytest.fixture(scope="module")
def house(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with sqlite_house(template_home, tmp_path_factory.mktemp("feeds") / "home") as made:
        plan_months(made.services)
        yield made


@pytest.fixture(scope="module")
def key(house: House) -> dict[str, str]:
    return bearer(house.token("marketer"))


def test_the_service_document_names_the_tables_and_metadata_describes_them(house: House, key: dict[str, str]) -> None:
    answer = house.client.get("/feeds/odata", headers=key)
    assert answer.headers["OData-Version"] == "4.0"
    names = {one["name"] for one in answer.get_json()["value"]}
    assert names == {TABLE, "enquiries_by_category"}
    described = house.client.get("/feeds/odata/$metadata", headers=key)
    assert described.mimetype == "application/xml"
    edm = "{http://docs.oasis-open.org/odata/ns/edm}"
    columns = {one.get("Name") for one in ElementTree.fromstring(described.get_data(as_text=True)).iter(f"{edm}Property")}
    assert {"value", "low", "high", "margin", "epsilon", "release", "month"} <= columns
    assert not columns & {"virtual_id", "person", "run_id", "phone"}


def test_rows_carry_margin_epsilon_and_release_and_are_cut_by_options(house: House, key: dict[str, str]) -> None:
    told = house.client.get(f"/feeds/odata/{TABLE}?$filter=occupation eq 'student'&$count=true", headers=key).get_json()
    assert told["@odata.count"] == 2
    for row in told["value"]:
        assert row["low"] < row["value"] < row["high"]
        assert row["epsilon"] > 0
        assert row["release"].startswith("rel_")
        assert abs(row["value"] - 8_000) < 200
    assert house.client.get(f"/feeds/odata/{TABLE}?$expand=x", headers=key).status_code == 501
    assert house.client.get(f"/feeds/odata/{TABLE}?$filter=phone eq '1'", headers=key).status_code == 400
    assert house.client.get("/feeds/odata/people_by_name", headers=key).status_code == 404
    assert house.client.post(f"/feeds/odata/{TABLE}", headers=key, json={}).status_code == 405


def test_a_token_opens_it_also_as_a_basic_password_and_a_page_cookie_does_not(house: House) -> None:
    token = house.token("marketer")
    word = base64.b64encode(f"anybody:{token}".encode()).decode()
    assert house.client.get("/feeds/odata", headers={"Authorization": f"Basic {word}"}).status_code == 200
    assert house.client.get("/api/cubes", headers={"Authorization": f"Basic {word}"}).status_code == 401
    assert house.client.get("/feeds/odata").status_code == 401
    assert house.browser("marketer").get("/feeds/odata").status_code == 401
    assert house.client.get("/feeds/odata", headers=bearer(house.token("integrator"))).status_code == 403


def test_files_hold_the_same_rows_and_open_in_other_programs(house: House, key: dict[str, str]) -> None:
    rows = house.client.get(f"/feeds/odata/{TABLE}", headers=key).get_json()["value"]
    listed = list(csv.DictReader(io.StringIO(house.client.get(f"/feeds/files/{TABLE}.csv", headers=key).get_data().decode("utf-8-sig"))))
    assert [float(row["value"]) for row in listed] == [row["value"] for row in rows]
    table = parquet.read_table(io.BytesIO(house.client.get(f"/feeds/files/{TABLE}.parquet", headers=key).get_data()))
    assert table["value"].to_pylist() == [row["value"] for row in rows]
    assert str(table.schema.field("month").type) == "date32[day]"
    browser = house.browser("marketer")
    for kind in ("csv", "parquet", "tds"):
        assert f"/reports/feeds/{TABLE}.{kind}" in browser.get("/reports/feeds").get_data(as_text=True)
        assert browser.get(f"/reports/feeds/{TABLE}.{kind}").status_code == 200
    opened = json.loads(browser.get("/reports/feeds/piying.pbids").get_data())
    assert opened["connections"][0]["details"]["address"]["url"].endswith("/feeds/odata")
    source = ElementTree.fromstring(browser.get(f"/reports/feeds/{TABLE}.tds").get_data())
    assert source.find("connection").get("filename") == f"{TABLE}.csv"  # type: ignore[union-attr]


def test_a_hundred_refreshes_cost_nothing_and_write_no_line(house: House, key: dict[str, str]) -> None:
    first = house.client.get(f"/feeds/odata/{TABLE}", headers=key).get_data()
    before = house.counts()
    for _ in range(100):
        assert house.client.get(f"/feeds/odata/{TABLE}", headers=key).get_data() == first
    assert house.counts() == before
