"""What stands out is told by a page, a route, a command and a file: the same findings, out of the same releases, for nothing."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import cubes as command
from tests.fakes.answered import plan_months
from tests.house import House, bearer, sqlite_house


@pytest.fixture(scope="module")
def house(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with sqlite_house(template_home, tmp_path_factory.mktemp("diagnosis") / "home") as made:
        plan_months(made.services)
        yield made


def test_page_route_and_file_tell_the_same_findings_with_their_releases(house: House) -> None:
    told = house.client.get("/api/reports/diagnose", headers=bearer(house.token("marketer"))).get_json()
    groups = [row["group"] for row in told["rows"]]
    assert {"occupation": ["student"]} in groups
    assert {"category": ["low_sugar"]} in groups
    assert told["cost"]["rho_nano"] == 0
    assert told["compared"] > len(told["rows"])
    browser = house.browser("marketer")
    page = browser.get("/reports/diagnose").get_data(as_text=True)
    assert "of all customers; evenly spread it would be" in page
    assert page.count("<picture>") == len(told["rows"])
    assert all(f'href="/releases/{one}"' in page for one in told["releases"])
    assert "style=" not in page
    rows = list(csv.DictReader(io.StringIO(browser.get("/reports/diagnose.csv").get_data().decode("utf-8-sig"))))
    assert [row["group"] for row in rows] == ["+".join(f"{name}={'+'.join(values)}" for name, values in group.items()) for group in groups]
    assert "/reports/diagnose" in browser.get("/reports").get_data(as_text=True)


def test_each_finding_has_a_figure_in_the_readers_language(house: House) -> None:
    browser = house.browser("marketer")
    browser.client.set_cookie("piying_language", "zh_Hans_CN")
    assert "占全部顾客的" in browser.get("/reports/diagnose").get_data(as_text=True)
    svg = browser.get("/reports/diagnose/figure.svg?rank=1")
    assert svg.mimetype == "image/svg+xml"
    assert 'role="img"' in svg.get_data(as_text=True)
    assert browser.get("/reports/diagnose/figure.json?rank=1").get_json()["$schema"].startswith("https://vega.github.io/")
    assert browser.get("/reports/diagnose/figure.svg?rank=999").status_code == 404


def test_reading_it_a_hundred_times_charges_nothing(house: House) -> None:
    browser, before = house.browser("marketer"), house.counts()
    for _ in range(100):
        assert browser.get("/reports/diagnose.csv").status_code == 200
    after = house.counts()
    assert {name: number for name, number in after.items() if "charge" in name or "log" in name} == {
        name: number for name, number in before.items() if "charge" in name or "log" in name
    }


def test_the_command_prints_the_findings(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "opened", lambda: house.services)
    said = CliRunner().invoke(command.diagnose_command, ["--json"])
    assert said.exit_code == 0
    assert json.loads(said.stdout)["kind"] == "diagnose"
    plain = CliRunner().invoke(command.diagnose_command, [])
    assert "student" in plain.stdout
    assert "comparisons; all margins hold together" in plain.stdout


def test_without_a_closed_month_the_page_says_when_there_will_be_something(sqlite_only: House) -> None:
    page = sqlite_only.browser("marketer").get("/reports/diagnose").get_data(as_text=True)
    assert "No month has been closed yet" in page
