"""What the values of a column are taken for."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.wiring.contents import recognise
from ingestion.classify import kind_of, shape

CASES: list[tuple[str, Sequence[str]]] = [
    ("phone", ["13812345678", "+86 139 1234 5678", "15900001111"]),
    ("email", ["a.b@example.com", "李@例.cn", "x@shop.example"]),
    ("national_id", ["11010519491231002X", "440524199001010018"]),
    ("card", ["4111 1111 1111 1111", "5500005555555559", "340000000000009"]),
    ("ip", ["10.0.0.1", "2001:db8::1"]),
    ("uuid", ["6fa459ea-ee8a-3ca4-894e-db77e160355e", "16fd2706-8baf-433b-82eb-8c7fada847da"]),
    ("openid", ["oLVPpjqs9BhvzwPj5A-vTYAX3GLc", "oLVPpjqs9BhvzwPj5A-vTYAX3GL1"]),
    ("date", ["2026-01-02", "2026-12-31"]),
    ("instant", ["2026-01-02 03:04:05", "2026-01-02T03:04"]),
    ("instant", ["2026-01-02T03:04:05Z", "2026-01-02 03:04:05+08:00"]),
    ("instant", ["1760000000", "1760000001"]),
    ("int", ["1", "-20", "300"]),
    ("decimal", ["1.50", "20", "-3.25"]),
    ("decimal", ["1,234.50", "12,345,678", "7"]),
    ("decimal", ["1.234,50", "0,5"]),
    ("code", ["00012", "04500"]),
    ("bool", ["yes", "no", "Yes"]),
    ("word", ["堂食", "外卖"] * 9),
    ("text", ["The barista was kind and the queue was short.", "杯子很漂亮，下次再来。"]),
    ("empty", []),
]


@pytest.mark.parametrize(("kind", "values"), CASES, ids=[f"{kind}-{number}" for number, (kind, _) in enumerate(CASES)])
def test_values_are_taken_for_what_they_are(kind: str, values: Sequence[str]) -> None:
    assert kind_of(values, recognise).name == kind


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (["2026/01/02", "2026/12/31"], "%Y/%m/%d"),
        (["31.12.2026", "01.02.2026"], "%d.%m.%Y"),
        (["12/31/2026", "01/02/2026"], "%m/%d/%Y"),
        (["31/12/2026", "01/02/2026"], "%d/%m/%Y"),
        (["20260102", "20261231"], "%Y%m%d"),
        (["2026年1月2日", "2026年12月31日"], "%Y年%m月%d日"),
        (["12/1/2010 8:26", "12/9/2011 12:50", "12/31/2011 9:00"], "%m/%d/%Y %H:%M"),
        (["1760000000000"], "epoch_ms"),
        (["2026-01-02"], None),
    ],
)
def test_dates_come_with_the_format_that_reads_them(values: Sequence[str], form: str | None) -> None:
    assert kind_of(values, recognise).form == form


def test_a_day_that_could_be_a_month_is_said_to_be_uncertain() -> None:
    assert kind_of(["01/02/2026", "03/04/2026"], recognise).note == "day_and_month_ambiguous"


def test_a_wrong_check_digit_is_no_resident_id_and_no_card() -> None:
    assert kind_of(["110105194912310021"] * 3, recognise).name != "national_id"
    assert kind_of(["4111111111111112"] * 3, recognise).name != "card"


def test_a_few_dirty_rows_do_not_hide_what_a_column_is() -> None:
    assert kind_of([*["13812345678"] * 19, "see note"], recognise).name == "phone"


@given(st.text(min_size=1, max_size=80))
@settings(max_examples=300, deadline=None)
def test_a_shape_holds_no_digit_but_nine_and_no_letter_but_its_class(value: str) -> None:
    """Run lengths stand in braces; nothing else of the value is there."""
    import re

    bare = re.sub(r"\{\d+\}", "", shape(value)).replace("字", "").replace("…", "")
    assert set(bare) <= set("9Aax*{}0123456789 .,-_/:@+#()")
    assert not set(re.sub(r"\{\d*\}?", "", bare)) & set("012345678")
