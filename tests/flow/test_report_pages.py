"""Pages of reports, releases and budget: what a marketer sees is released, priced before it is paid, and readable without a script."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import jobs
from privacy.records import Aggregate, Bounds, Measure, Question
from tests.fakes.answered import EXACT, store_month
from tests.house import House, sqlite_house


@pytest.fixture(scope="module")
def house(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with sqlite_house(template_home, tmp_path_factory.mktemp("report-pages") / "home") as made:
        yield made


@pytest.fixture(scope="module")
def release(house: House) -> str:
    return store_month(house.services)


def test_a_release_is_shown_with_its_finding_its_margins_and_where_it_came_from(house: House, release: str) -> None:
    page = house.browser("marketer").get(f"/releases/{release}")
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    for wanted in ("What was found", "What the noise means", "Where it comes from", release, "cli", "ρ 0.005", "discrete Gaussian"):
        assert wanted in text
    assert text.count("<picture>") == 3, "one figure a measure"
    assert len(re.findall(r'<img src="/releases/[^"]+" alt="[^"]{20,}"', text)) == 3
    assert "style=" not in text
    assert not any(str(number) in text for number in EXACT)


def test_a_stored_release_is_free_to_read_again_and_again(house: House, release: str) -> None:
    browser, before = house.browser("marketer"), house.counts()
    for path in ("", "/rows.csv", "/release.json", "/figures/orders.svg", "/figures/orders.json"):
        assert browser.get(f"/releases/{release}{path}").status_code == 200
    after = house.counts()
    assert {name: count for name, count in after.items() if "charge" in name} == {
        name: count for name, count in before.items() if "charge" in name
    }


def test_the_file_has_the_released_rows_with_their_margins(house: House, release: str) -> None:
    answer = house.browser("marketer").get(f"/releases/{release}/rows.csv")
    raw = answer.get_data()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    assert list(rows[0]) == ["store_id", "measure", "value", "low", "high", "shown_as", "unit"]
    assert len(rows) == 6
    assert all(float(row["low"]) < float(row["value"]) < float(row["high"]) for row in rows)


@pytest.mark.parametrize("language", ["en", "zh_Hans_CN"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_figure_is_an_image_with_a_name_in_the_readers_language(house: House, release: str, language: str, theme: str) -> None:
    browser = house.browser("marketer")
    browser.client.set_cookie("piying_language", language)
    svg = browser.get(f"/releases/{release}/figures/sales.svg?theme={theme}&narrow=1")
    text = svg.get_data(as_text=True)
    assert svg.mimetype == "image/svg+xml"
    assert 'role="img"' in text
    assert "<title" in text
    assert ("2026年5月" if language != "en" else "May 2026") in text
    spec = browser.get(f"/releases/{release}/figures/sales.json?theme={theme}").get_json()
    assert spec["$schema"].startswith("https://vega.github.io/schema/vega-lite/")
    assert browser.get(f"/releases/{release}/figures/horoscope.svg").status_code == 404


def test_the_list_filters_counts_and_exports_exactly_what_matches(house: House, release: str) -> None:
    browser = house.browser("marketer")
    assert f"/releases/{release}" in browser.get("/reports?kind=store_month&month=202605").get_data(as_text=True)
    assert release not in browser.get("/reports?kind=rfm").get_data(as_text=True)
    assert release not in browser.get("/reports?mine=1").get_data(as_text=True)
    assert browser.get("/reports?kind=horoscope").status_code == 422
    rows = list(csv.DictReader(io.StringIO(browser.get("/reports.csv?kind=store_month").get_data().decode("utf-8-sig"))))
    assert [row["id"] for row in rows] == [release]


def test_price_and_margin_are_shown_before_anything_is_paid(house: House) -> None:
    browser, before = house.browser("marketer"), house.counts()
    text = browser.get("/reports/new/funnel?from=2026-05").get_data(as_text=True)
    assert "Run for ρ 0.0010" in text
    assert text.count("Choose the price") == 4
    narrow = browser.get("/reports/new/funnel?from=2026-05&margin=60").get_data(as_text=True)
    assert "The cheapest price that gives the margin you need is chosen." in narrow
    assert "Run for ρ 0.0020" in narrow
    impossible = browser.get("/reports/new/funnel?from=2026-05&margin=0.5").get_data(as_text=True)
    assert "the narrowest is" in impossible
    assert house.counts() == before


def test_a_constant_of_a_report_has_one_value_and_is_missed_only_once_something_is_asked(house: House) -> None:
    browser = house.browser("marketer")
    first = browser.get("/reports/new/experiment").get_data(as_text=True)
    assert "another look" not in first
    assert 'name="w.experiment"' in first
    assert '<select class="form-select" id="f-w.split" name="w.split" required>' in first
    asked = browser.get("/reports/new/experiment?from=2026-05&w.split=1%3A1").get_data(as_text=True)
    assert "name it, as your data do" in asked
    assert '<option value="1:1" translate="no" selected>' in asked
    other = browser.get("/reports/new/experiment?from=2026-05&w.experiment=x12&w.split=2%3A3").get_data(as_text=True)
    assert '<option value="2:3" translate="no" selected>' in other


def test_a_question_that_was_asked_becomes_a_job_and_then_its_release(house: House) -> None:
    browser = house.browser("marketer")
    asked = browser.post("/reports/new/funnel", {"from": "2026-05", "price": "500000"})
    assert asked.status_code == 303
    assert re.fullmatch(r"/jobs/job_[0-9a-f]{24}\?follow=1", asked.headers["Location"])
    assert "Queued" in browser.get(asked.headers["Location"]).get_data(as_text=True)
    assert jobs.run_one(house.services.begin_jobs, house.services.handlers, "worker", clock=house.clock)
    done = browser.get(asked.headers["Location"])
    assert done.status_code == 303
    assert browser.get(done.headers["Location"]).status_code == 200
    again = browser.post("/reports/new/funnel", {"from": "2026-05", "price": "500000"})
    assert again.headers["Location"] == done.headers["Location"], "asked again: the stored answer, at once"


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"from": "2026-06"}, "not closed yet"),
        ({"from": "1999-01"}, "older than what is kept"),
        ({"from": "2026-05", "price": "1"}, "no such price"),
        ({"from": "2026-05", "w.colour": "red"}, "no such filter"),
        ({"from": "2026-05", "w.channel": "13800138000"}, "number or address"),
        ({"from": "2026-05", "by": "channel"}, "name the values that you want as rows"),
    ],
)
def test_what_is_wrong_with_a_question_is_said_beside_it_and_nothing_is_queued(house: House, form: dict[str, str], words: str) -> None:
    browser, before = house.browser("marketer"), house.counts()["platform.job"]
    page = browser.get("/reports/new/funnel", query_string=form)
    assert words in page.get_data(as_text=True)
    assert 'value="13800138000"' not in page.get_data(as_text=True), "the address is the browser's; the form does not repeat it"
    assert browser.post("/reports/new/funnel", form).status_code in (303, 400, 403, 422)
    assert house.counts()["platform.job"] == before


def test_a_question_that_months_cannot_pay_is_refused_with_what_is_left_and_what_would_fit(house: House) -> None:
    big = Question("test", 1, "analytics.statistics", (202604,), ("step",), (), (Measure("people"),), Bounds(clip=1), 49_000_000)
    exact = Aggregate(cells=(("a",),), measures=("people",), values=(5,))
    house.services.releases.answer(big, lambda: exact, "cli")
    browser, before = house.browser("marketer"), house.counts()["platform.job"]
    text = browser.get("/reports/new/funnel?from=2026-04&price=4000000").get_data(as_text=True)
    assert "only ρ 0.0010 left" in text
    assert "ρ 0.0010 would fit" in text
    assert "Run for" not in text
    refused = browser.post("/reports/new/funnel", {"from": "2026-04", "price": "4000000"})
    assert refused.status_code == 422
    assert house.counts()["platform.job"] == before


def test_the_budget_is_a_gauge_in_reports_and_a_ledger_that_adds_up(house: House, release: str) -> None:
    marketer, officer = house.browser("marketer"), house.browser("officer")
    text = marketer.get("/budget?month=202605").get_data(as_text=True)
    assert "<meter" in text
    assert "reports like" in text
    assert f"/releases/{release}" in text
    assert "Since joining" not in text
    assert "Since joining" in officer.get("/budget").get_data(as_text=True)
    rows = list(csv.DictReader(io.StringIO(marketer.get("/budget.csv?month=202605").get_data().decode("utf-8-sig"))))
    assert int(rows[0]["left_nano"]) == 50_000_000 - sum(int(row["rho_nano"]) for row in rows)
    assert marketer.get("/budget/202605/figure.svg").status_code == 200
    assert marketer.get("/budget/202605/figure.json").get_json()["layer"]
    assert marketer.get("/budget/190001/figure.svg").status_code == 404


def test_an_officer_reads_reports_and_buys_none(house: House, release: str) -> None:
    officer = house.browser("officer")
    assert officer.get(f"/releases/{release}").status_code == 200
    assert "/reports/new/" not in officer.get("/reports").get_data(as_text=True)
    assert officer.get("/reports/new/funnel").status_code == 403
    assert house.browser("integrator").get("/reports").status_code == 403


def test_free_tables_say_that_there_are_none_before_a_month_is_closed(house: House) -> None:
    page = house.browser("marketer").get("/reports/free")
    assert page.status_code == 200
    assert "No month has been closed yet" in page.get_data(as_text=True)
