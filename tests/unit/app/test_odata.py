"""The feed's options cut rows as OData says, and what is not known is refused and never ignored."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from app import odata
from privacy.errors import Invalid

ROOT = "https://piying.example/feeds/odata"


def row(month: str, channel: str, value: float) -> dict[str, Any]:
    numbers = {"value": value, "low": value - 5, "high": value + 5, "margin": 5.0, "rho_nano": 1, "epsilon": 0.1, "delta": 1e-6}
    return {"id": f"{month}|{channel}", "month": month, "channel": channel, **numbers, "release": "rel_1"}


ROWS = [
    row("2026-04-01", "pos", 100.0),
    row("2026-04-01", "delivery", 40.0),
    row("2026-05-01", "pos", 90.0),
    row("2026-05-01", "o'clock", -3.0),
]


def asked(**options: str) -> dict[str, Any]:
    return odata.answer(ROOT, "orders_by_channel", ("channel",), ROWS, {f"${name}": value for name, value in options.items()})


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("channel eq 'pos'", [100.0, 90.0]),
        ("channel eq 'o''clock'", [-3.0]),
        ("value gt 40 and month eq 2026-04-01", [100.0]),
        ("value le 40 or channel eq 'pos' and month gt 2026-04-01", [40.0, 90.0, -3.0]),
        ("not (channel eq 'pos')", [40.0, -3.0]),
        ("value lt -2.5", [-3.0]),
        ("((value ge 90))", [100.0, 90.0]),
        ("", [100.0, 40.0, 90.0, -3.0]),
    ],
)
def test_a_filter_keeps_the_rows_that_it_says(text: str, wanted: list[float]) -> None:
    assert [one["value"] for one in asked(filter=text)["value"]] == wanted


@pytest.mark.parametrize(
    "text",
    [
        "value",
        "value eq",
        "value eq 'x'",
        "channel eq 3",
        "virtual_id eq 1",
        "value eq 1 and",
        "(value eq 1",
        "value eq 1)",
        "length(channel) eq 3",
        "channel eq 'x",
        "value add 1 eq 2",
        "__class__ eq 'x'",
        "(" * 40 + "value eq 1" + ")" * 40,
        "value eq 1 or " * 300 + "value eq 1",
    ],
)
def test_a_filter_outside_the_grammar_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as wrong:
        asked(filter=text)
    assert wrong.value.code == "odata_invalid"


def test_top_skip_count_select_and_order() -> None:
    told = asked(top="2", skip="1", count="true", select="channel,value", orderby="value desc")
    assert told["@odata.count"] == 4
    assert told["value"] == [{"channel": "pos", "value": 90.0}, {"channel": "delivery", "value": 40.0}]
    assert told["@odata.context"].endswith("$metadata#orders_by_channel(channel,value)")
    assert "@odata.nextLink" not in told
    assert asked(top="0")["value"] == []


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"expand": "people"}, "odata_unsupported"),
        ({"apply": "x"}, "odata_unsupported"),
        ({"format": "xml"}, "odata_unsupported"),
        ({"top": "-1"}, "odata_invalid"),
        ({"skip": "many"}, "odata_invalid"),
        ({"select": "phone"}, "odata_invalid"),
        ({"orderby": "phone"}, "odata_invalid"),
        ({"count": "1"}, "odata_invalid"),
    ],
)
def test_options_that_are_not_known_are_refused(options: dict[str, str], code: str) -> None:
    with pytest.raises(Invalid) as wrong:
        asked(**options)
    assert wrong.value.code == code


def test_many_rows_come_page_by_page_and_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from urllib.parse import parse_qsl, urlsplit

    monkeypatch.setattr(odata, "PAGE", 2)
    found, options = [], {"$filter": "value gt 0"}
    while True:
        told = odata.answer(ROOT, "t", ("channel",), ROWS, options)
        found += [one["value"] for one in told["value"]]
        if "@odata.nextLink" not in told:
            break
        options = dict(parse_qsl(urlsplit(told["@odata.nextLink"]).query))
    assert found == [100.0, 40.0, 90.0]
    assert "@odata.nextLink" not in odata.answer(ROOT, "t", ("channel",), ROWS, {"$top": "2"})


def test_metadata_is_xml_with_a_key_and_the_margin_columns() -> None:
    tree = ElementTree.fromstring(odata.metadata({"orders_by_channel": ("channel",), "people_total": ()}))
    edm = "{http://docs.oasis-open.org/odata/ns/edm}"
    types = {one.get("Name"): [held.get("Name") for held in one.iter(f"{edm}Property")] for one in tree.iter(f"{edm}EntityType")}
    assert types["orders_by_channel_row"] == list(ROWS[0].keys()) or set(types["orders_by_channel_row"]) == set(ROWS[0])
    assert [one.get("Name") for one in tree.iter(f"{edm}EntitySet")] == ["orders_by_channel", "people_total"]
