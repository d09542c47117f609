"""Words for what follows from a release: nothing is claimed that noise explains."""

from __future__ import annotations

from typing import Any

from app.figures import findings, follows, tables
from app.figures.cells import cell
from app.figures.speech import Speech


def say(sentence: str, **places: object) -> str:
    return sentence % places if places else sentence


SPEECH = Speech("en", say, lambda one, many, number, **places: say(one if number == 1 else many, num=number, **places))


def derived(what: str, measure: str, value: float | None, half: float = 0.0, **others: Any) -> dict[str, Any]:
    ends = {"low": None, "high": None} if value is None else {"low": value - half, "high": value + half}
    return {"what": what, "measure": measure, "of": {}, "value": value, "way": None, "share": None, **ends, **others}


def document(kind: str, by: list[str], *found: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": kind,
        "question": {"by": by, "where": [], "measures": [{"name": "orders", "unit": 1}]},
        "rows": [],
        "derived": list(found),
    }


def test_a_slope_rises_or_falls_only_beyond_its_margin() -> None:
    told = findings.findings(document("trend", ["month"], derived("slope", "orders", 120.0, 30.0, way="rising")), SPEECH)
    assert told == ["orders: rising, by 90 to 150 from one month to the next."]
    told = findings.findings(document("trend", ["week"], derived("slope", "sales", -120_000.0, 3_000.0, way="falling")), SPEECH)
    assert "falling" in told[0]
    assert "from one week" in told[0]
    told = findings.findings(document("trend", ["month"], derived("slope", "orders", 20.0, 30.0, way="open")), SPEECH)
    assert told == ["orders: no rise or fall is larger than the noise."]


def test_rows_that_move_are_named_and_the_others_are_not() -> None:
    rising = derived("slope", "orders", 100.0, 5.0, way="rising", of={"channel": "delivery"})
    still = derived("slope", "orders", 1.0, 5.0, way="open", of={"channel": "pos"})
    told = findings.findings(document("trend", ["month", "channel"], rising, still), SPEECH)
    assert len(told) == 1
    assert "Delivery" in told[0]


def test_quartiles_are_told_as_intervals() -> None:
    known = [derived("quantile", "people", 2_500.0, 500.0, share=share) for share in (0.25, 0.5, 0.75)]
    told = findings.findings(document("distribution", ["basket"], *known), SPEECH)
    assert len(told) == 3
    assert "50%" in told[1]
    assert "CN¥20 and CN¥30" in told[1]
    nobody = document("distribution", ["basket"], derived("quantile", "people", None, share=0.5))
    assert findings.findings(nobody, SPEECH) == ["Too few people to tell how they are spread."]


def test_means_shares_and_sums_stand_in_their_own_units() -> None:
    told = follows.follows(
        document(
            "sales",
            ["channel"],
            derived("mean", "sales_per_order", 2_834.0, 20.0, of={"channel": "delivery"}),
            derived("share", "orders", 0.25, 0.01, of={"channel": "delivery"}),
            derived("total", "orders", 40_000.0, 300.0),
            derived("mean", "sales_per_order", None, of={"channel": "pos"}),
            derived("slope", "orders", 1.0, 1.0),
        ),
        SPEECH,
    )
    assert [one.what for one in told] == ["Sales per order", "Share of all orders", "All orders", "Sales per order"]
    assert told[0].shown == "CN¥28.34"
    assert told[1].shown == "25%"
    assert told[3].shown == "too few to tell"


def test_bins_are_called_by_their_ends() -> None:
    assert cell(SPEECH, "spent", "1000-1999") == "CN¥10 to under CN¥20"
    assert cell(SPEECH, "spent", "500000+") == "CN¥5,000 and more"
    assert (cell(SPEECH, "orders_each", "6-7"), cell(SPEECH, "orders_each", "3")) == ("6 to 7", "3")


def test_orders_by_category_are_not_added_up() -> None:
    assert not tables.adds_up(document("sales", ["category"]), "orders")
    assert tables.adds_up(document("sales", ["store"]), "orders")
    assert tables.adds_up(document("distribution", ["basket"]), "people")
