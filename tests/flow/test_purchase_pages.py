"""Questions about purchases by page, API and command: priced before they are paid, free where the cubes hold them, told with their margins."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from analytics.reports import plan
from app import asking, jobs
from privacy.records import Aggregate
from tests.fakes.answered import MONTH
from tests.house import House, bearer, sqlite_house

CHANNELS = ("pos", "delivery", "mini_program", "online", "other")


@pytest.fixture(scope="module")
def house(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with sqlite_house(template_home, tmp_path_factory.mktemp("purchase-pages") / "home") as made:
        yield made


@pytest.fixture(scope="module")
def strip(house: House) -> str:
    """The month's strip, day by channel, bought at its close: every day and channel the same, besides the noise."""
    known = plan.load(50_000)
    one = known.slice("days")
    question = known.question(one, MONTH, clip=one.clip, cap_nano=50_000_000)
    cells = tuple(("orders", "day*channel", f"{day:02d}", channel) for day, channel in product(range(1, 32), CHANNELS))
    exact = Aggregate(cells, (plan.AMOUNT.name,), (500_000,) * len(cells))
    return house.services.releases.answer(question, lambda: exact, "schedule").id


def run(house: House, kind: str, **form: Any) -> str:
    """The address of the release that a question gets from its job."""
    browser = house.browser("marketer")
    asked = browser.post(f"/reports/new/{kind}", {"from": "2026-05", **form})
    assert asked.status_code == 303, asked.get_data(as_text=True)
    assert jobs.run_one(house.services.begin_jobs, house.services.handlers, "worker", clock=house.clock)
    return str(browser.get(asked.headers["Location"]).headers["Location"])


@pytest.mark.parametrize(
    ("kind", "form", "words"),
    [
        (
            "sales",
            {"by": ["channel", "daypart", "weekday"], "measure": ["orders", "sales"]},
            ("What follows from these numbers", "Sales per order"),
        ),
        ("sales", {"by": ["channel", "daypart"]}, ("Share of all orders", "Hidden by the bound")),
        ("trend", {"by": ["day"], "measure": ["orders"]}, ("What was found", "orders by day")),
        ("distribution", {"by": ["spent"]}, ("What a person spent", "CN¥5,000 and more")),
    ],
)
def test_a_question_is_asked_answered_and_told(house: House, kind: str, form: dict[str, Any], words: tuple[str, ...]) -> None:
    browser = house.browser("marketer")
    price = str(next(one for one in house.services.report_kinds() if one["kind"] == kind)["prices"][0])
    text = browser.get(f"/reports/new/{kind}", query_string={"from": "2026-05", **form}).get_data(as_text=True)
    assert "Run for ρ" in text
    address = run(house, kind, price=price, **form)
    page = browser.get(address)
    assert page.status_code == 200
    for word in words:
        assert word in page.get_data(as_text=True)
    document = browser.get(f"{address}/release.json").get_json()
    assert document["kind"] == kind
    assert all(set(form["by"]) <= set(row) for row in document["rows"])
    for one in document["question"]["measures"]:
        assert browser.get(f"{address}/figures/{one['name']}.json").status_code == 200
    browser.client.set_cookie("piying_language", "zh_Hans_CN")
    assert browser.get(address).status_code == 200


def test_the_form_says_that_the_cubes_hold_the_answer_and_leads_to_it(house: House, strip: str) -> None:
    browser, before = house.browser("marketer"), house.counts()
    page = browser.get("/reports/new/sales?from=2026-05&by=channel&measure=orders").get_data(as_text=True)
    assert "Free: these numbers are read from the months" in page
    asked = browser.post("/reports/new/sales", {"from": "2026-05", "by": "channel", "measure": "orders"})
    assert (asked.status_code, asked.headers["Location"].partition("?")[0]) == (303, "/reports/free")
    assert browser.get(asked.headers["Location"]).status_code == 200
    assert house.counts() == before, "nothing was queued or charged"


def test_the_api_says_where_a_free_answer_is_read(house: House, strip: str) -> None:
    body = {"kind": "sales", "from": "2026-05", "by": ["channel"], "measures": ["orders"]}
    quote = house.client.post("/api/reports/quotes", json=body, headers=bearer(house.token("marketer"))).get_json()
    assert quote["free"] == ["/api/cubes/table?measure=orders&by=channel&from=2026-05&to=2026-05"]
    asked = house.client.post("/api/reports", json=body, headers=bearer(house.token("marketer")))
    assert (asked.status_code, asked.get_json()["job"], asked.get_json()["cost"]["rho_nano"]) == (202, None, 0)
    table = house.client.get(quote["free"][0], headers=bearer(house.token("marketer"))).get_json()
    assert len(table["rows"]) == len(CHANNELS)
    dearer = house.client.post("/api/reports/quotes", json=body | {"price": 2_000_000}, headers=bearer(house.token("marketer"))).get_json()
    assert dearer["free"] == [], "whoever names a price buys an answer of their own"
    assert dearer["cost"]["rho_nano"] == 2_000_000


def test_the_command_reads_the_cubes_before_it_pays(house: House, strip: str) -> None:
    document = asking.ask(house.services, {"kind": "trend", "from_": "2026-05", "by": ("day", "channel")}, asked_by="cli")
    assert (document["release"], document["releases"], document["cost"]["rho_nano"]) == (None, [strip], 0)
    assert len(document["rows"]) == 31 * len(CHANNELS)
    json.dumps(document)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("by=channel&by=daypart&by=weekday&by=month", "Choose fewer groupings"),
        ("by=channel&w.channel=pigeon", "in no public list"),
        ("by=channel&measure=persons", "does not count this"),
        ("by=tier", "Run for"),
    ],
)
def test_what_is_wrong_is_said_beside_the_question(house: House, query: str, words: str) -> None:
    assert words in house.browser("marketer").get(f"/reports/new/sales?from=2026-05&{query}").get_data(as_text=True)
