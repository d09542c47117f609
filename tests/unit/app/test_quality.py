"""The quality of a source as integrator, officer and doctor see it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app import doctor, quality
from ingestion.inbox import Tally
from ingestion.quality import Delivery
from privacy.errors import Invalid
from tests.house import House, bearer, track


def fields(told: dict[str, object]) -> dict[str, dict[str, object]]:
    (record,) = [one for one in told["records"] if one["record"] == "event"]  # type: ignore[index, attr-defined]
    return {one["field"]: one for one in record["fields"]} | {"": record}


def test_completeness_is_told_before_and_after_the_rules_with_what_was_dropped(house: House) -> None:
    """Thirteen of twenty messages name a quantity; seven are broken and do not enter."""
    source, key = house.source()
    house.grant(key, [("customer_no", "u-1")], at="2026-06-01T00:00:00Z")
    messages = [track(n, properties={"product_id": "P2", "quantity": 2, "zodiac": "ox"}) for n in range(13)]
    messages += [track(n, properties={"product_id": "P2", "quantity": "many"}) for n in range(13, 16)]
    messages += [track(n, properties={"product_id": "P2"}) for n in range(16, 20)]
    house.batch(messages, key)
    house.batch([*messages[:2], {"type": "nonsense"}], key)
    told = quality.report(house.services, source)
    seen = fields(told)
    assert (seen[""]["rows"], seen[""]["stored"]) == (22, 17)
    quantity = seen["quantity"]
    assert (quantity["present"], quantity["valid"], quantity["kept"]) == (18, 15, 13)
    assert quantity["completeness_before"] == round(18 / 22, 4)
    assert quantity["completeness_after"] == round(13 / 17, 4)
    (day,) = told["days"]
    assert day["items"] == {"received": 23, "stored": 17, "duplicate": 2, "quarantined": 4, "refused": 0}
    assert sum(day["dropped_fields"].values()) == 15
    assert told["freshness"]["lateness"]["minute"] == 19
    assert quality.report(house.services, "web") == told
    assert quality.unaccounted(house.services) == []


def test_the_days_of_a_question_are_bounded_and_in_order(house: House) -> None:
    source, _ = house.source()
    today = house.clock().date()
    with pytest.raises(Invalid) as refused:
        quality.report(house.services, source, first=today, last=today.replace(year=today.year - 1))
    assert refused.value.code == "bad_range"


def test_an_integrator_sees_own_sources_and_those_of_the_command_line(house: House) -> None:
    mine, other = bearer(house.token("integrator")), bearer(house.token("integrator"))
    made = house.client.post("/api/sources", json={"name": "own", "kind": "segment"}, headers=mine).get_json()["source"]
    shared, _ = house.source("shared")
    assert house.client.get(f"/api/sources/{made}/quality?from=2026-06-01&to=2026-06-30", headers=mine).status_code == 200
    refused = house.client.get(f"/api/sources/{made}/quality", headers=other)
    assert (refused.status_code, refused.get_json()["code"]) == (404, "source_not_found")
    assert house.client.get(f"/api/sources/{shared}/quality", headers=other).status_code == 200
    assert house.client.get(f"/api/sources/{made}/quality", headers=bearer(house.token("officer"))).status_code == 200
    assert house.client.get(f"/api/sources/{made}/quality?from=yesterday", headers=mine).status_code in (400, 422)


@pytest.mark.parametrize("table", [Delivery, Tally])
def test_an_item_that_is_missing_from_either_book_turns_the_doctor_red(house: House, table: type[Delivery] | type[Tally]) -> None:
    _, key = house.source()
    house.batch([track(1), track(2)], key)
    assert quality.unaccounted(house.services) == []
    column = "refused" if table is Delivery else "number"
    with house.services.begin_intake() as tx:
        tx.execute(sa.update(table).values({column: sa.literal_column(column) - 1}))
    assert quality.unaccounted(house.services)
    (check,) = [one for one in doctor.examine(house.services)["checks"] if one["name"] == "accounting"]
    assert not check["ok"]
    assert "items_unaccounted" in check["detail"]
