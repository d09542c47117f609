"""Whatever comes in, only a word of a closed list comes out."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy import errors
from privacy.deidentify.generalise import generalise
from privacy.dictionary import catalogue

DATA = catalogue.load().generalisations


def one(by: str, value: str | None) -> str | None:
    outcomes: list[str | None] = generalise(DATA, by, pa.array([value], pa.string())).to_pylist()
    return outcomes[0]


@pytest.mark.parametrize(
    ("by", "value", "outcome"),
    [
        ("page_group", "https://shop.example/product/oolong-milk-tea?phone=13800138000", "product"),
        ("page_group", "/", "home"),
        ("page_group", "https://shop.example", "home"),
        ("page_group", "/cart/", "cart"),
        ("page_group", "/checkout/step-2", "checkout"),
        ("page_group", "/张三/13800138000", "other"),
        ("page_group", "pages/商品/详情", "product"),
        ("page_group", " ", None),
        ("referrer_group", "https://www.baidu.com/s?wd=x", "search"),
        ("referrer_group", "https://mail.example.com/", "mail"),
        ("referrer_group", "https://m.weibo.cn/u/123", "social"),
        ("referrer_group", "https://u:p@www.example.org:8080/x", "other"),
        ("referrer_group", "", "direct"),
        ("device_class", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148", "phone"),
        ("device_class", "Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "desktop"),
        ("device_class", "Mozilla/5.0 (Linux; Android 14) MicroMessenger/8.0 miniProgram/wx0", "mini_program"),
        ("device_class", "analytics-python/2.4.0", "server"),
        ("device_class", "Googlebot/2.1", "bot"),
        ("device_class", "someone@example.com", "other"),
        ("occupation", "office_worker", "office_worker"),
        ("occupation", "在校大学生", "student"),
        ("occupation", "Self employed", "self_employed"),
        ("region", "广东省深圳市南山区科技路1号", "广东"),
        ("region", "中国上海", "上海"),
        ("region", "Shaanxi", "陕西"),
        ("region", "Xiangtan", "other"),
        ("region", "华东", "华东"),
        ("region", "GB", "GB"),
        ("region", "13800138000", "other"),
    ],
)
def test_known_values_find_their_group(by: str, value: str, outcome: str | None) -> None:
    assert one(by, value) == outcome


def test_absent_stays_absent() -> None:
    assert [one(by, None) for by in (*DATA["groups"], "region")] == [None] * (len(DATA["groups"]) + 1)


def test_an_unknown_rule_is_a_fault_of_the_dictionary() -> None:
    with pytest.raises(errors.Invalid):
        one("star_sign", "leo")


@given(st.sampled_from([*DATA["groups"], "region"]), st.text(max_size=60))
@settings(max_examples=150, deadline=None)
def test_nothing_but_the_closed_list_comes_out(by: str, value: str) -> None:
    groups = {*DATA["groups"].get(by, {}), "home", "direct", "other", None}
    regions = {*DATA["regions"]["big"], *(names[0] for names in DATA["regions"]["provinces"].values()), "other", None}
    outcome = one(by, value)
    assert outcome in (regions if by == "region" else groups) or (by == "region" and value.strip() == outcome and len(value.strip()) == 2)
