"""What was published and what it cost: lists, gauge and offers hold questions and prices, never a number about people."""

from __future__ import annotations

import pytest

from app import published
from app.console import questions
from privacy.errors import BudgetExhausted, Invalid, NotFound
from tests.fakes.answered import MONTH, store_month
from tests.house import House


def test_the_register_names_who_asked_and_counts_what_matches(house: House) -> None:
    release = store_month(house.services)
    found = published.releases(house.services, {"kind": "store_month", "month": str(MONTH)}, me="")
    assert ([one["id"] for one in found["rows"]], found["total"], found["next"]) == ([release], 1, None)
    assert "values" not in found["rows"][0]
    assert published.releases(house.services, {"mine": "1"}, me="usr_1")["total"] == 0
    assert published.releases(house.services, {"q": "nothing like it"}, me="")["rows"] == []


def test_the_gauge_counts_in_reports_of_the_usual_kind(house: House) -> None:
    store_month(house.services)
    items = {one["month"]: one for one in published.gauge(house.services)["items"]}
    assert (items[MONTH]["reports_left"], items[MONTH]["reports_cap"]) == (9, 10)
    rows = published.ledger(house.services, {"month": str(MONTH)})["rows"]
    assert (rows[0]["left_nano"], rows[0]["rho_nano"]) == (45_000_000, 5_000_000)
    assert published.spending(house.services, MONTH) == published.spending(house.services, MONTH)


def test_offers_grow_dearer_and_narrower_and_the_cheapest_that_is_narrow_enough_is_found(house: House) -> None:
    kind = published.kind(house.services, "store-month")
    offers = published.offers(house.services, {"kind": "store_month", "from_": "2026-05"}, kind["prices"])
    margins = [one["margins"]["orders"] for one in offers]
    assert margins == sorted(margins, reverse=True)
    found = published.for_margin(offers, "orders", margins[2])
    assert found is not None
    assert found["price"] == kind["prices"][2]
    assert published.for_margin(offers, "orders", margins[-1] / 2) is None


def test_what_the_months_cannot_pay_is_not_queued(house: House) -> None:
    for _ in range(2):
        body = {"kind": "store_month", "from_": "2026-05", "price": 20_000_000}
        assert set(published.order(house.services, body, asked_by="usr_1")) >= {"job"}
    before = house.counts()["platform.job"]
    with house.services.begin_analysis() as tx:
        tx.exec_driver_sql(f"UPDATE budget_month SET spent_nano = cap_nano WHERE month = {MONTH}")
    with pytest.raises(BudgetExhausted):
        published.order(house.services, body, asked_by="usr_1")
    assert house.counts()["platform.job"] == before


def test_an_unknown_kind_is_not_found_and_an_unknown_price_is_refused(house: House) -> None:
    with pytest.raises(NotFound):
        published.kind(house.services, "horoscope")
    from werkzeug.datastructures import MultiDict

    with pytest.raises(Invalid) as wrong:
        questions.body(published.kind(house.services, "funnel"), MultiDict({"from": "2026-05", "price": "7"}))
    assert wrong.value.code == "bad_price"


def test_a_question_survives_its_form() -> None:
    asked = {"from_": "2026-05", "to": "2026-06", "by": ["store_id"], "where": ["store_id=S1|S2"], "price": 5_000_000}
    assert questions.fields(asked) == [
        ("from", "2026-05"),
        ("to", "2026-06"),
        ("by", "store_id"),
        ("w.store_id", "S1|S2"),
        ("price", "5000000"),
    ]
