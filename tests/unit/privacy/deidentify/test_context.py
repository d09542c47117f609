"""Words around a name, an address or an account give it away; without them ordinary speech stays."""

from __future__ import annotations

import pytest

from privacy.deidentify import context


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("收件人：欧阳娜娜，谢谢", "欧阳娜娜"),
        ("我叫李雷", "李雷"),
        ("陈女士", "陈"),
        ("Dear Mrs Anna Lee,", "Anna Lee"),
        ("姓名: Li Lei", "Li Lei"),
        ("收件人：Jean-Luc O'Brien，谢谢", "Jean-Luc O'Brien"),
        ("收件人：%E5%BC%A0%E4%B8%89 谢谢", "%E5%BC%A0%E4%B8%89"),
        ("收件人：5byg5LiJ", "5byg5LiJ"),
        ("联系人：&#24352;&#19977;", "&#24352;&#19977;"),
        ("Name: Li Lei", "Li Lei"),
        ("NAME: 张三", "张三"),
        ("consignee=张三", "张三"),
        ('{"customer_name": "Anna Lee"}', "Anna Lee"),
    ],
)
def test_names_are_known_by_their_company(text: str, name: str) -> None:
    assert name in {text[s:e] for s, e, _ in context.names(text)}


@pytest.mark.parametrize(
    "text",
    [
        "总共三杯",
        "Product name: Oat Latte",
        "file_name: Menu",
        "what is in a name?",
        "收件人：12345678",
        "那位女士很好",
        "店里的先生们",
        "奶茶好喝",
    ],
)
def test_titles_alone_are_no_names(text: str) -> None:
    assert not list(context.names(text))


@pytest.mark.parametrize("text", ["我住在建国路88号", "寄到幸福花园3栋2单元501室", "12 Baker Street, London", "人民大道 200 号 12 楼"])
def test_addresses_are_known_by_road_and_number(text: str) -> None:
    assert list(context.places(text))


def test_an_address_begins_after_the_verb() -> None:
    text = "请寄到上海市人民路8号"
    assert {text[s:e] for s, e, _ in context.places(text)} == {"上海市人民路8号"}


def test_accounts_need_their_word() -> None:
    assert not list(context.accounts("SKU abc12345 好喝"))
    assert list(context.accounts("加QQ：123456789"))
    assert not list(context.accounts("the open identity of an open idea, openid login"))


@pytest.mark.parametrize(
    "text", ["openid:{}", "unionid是{}", "OpenID号: {}", '{{"openid": "{}"}}', "?union_id={}&x=1", "my open id is {} ok", "openid {}"]
)
@pytest.mark.parametrize("value", ["oAbCdZq8-3f5_T1n0B0dy7abcdef", "oabcde1"])
def test_an_account_that_only_its_label_tells_is_found_whole(text: str, value: str) -> None:
    written = text.format(value)
    assert [written[s:e] for s, e, _ in context.accounts(written)][:1] == [value]


DOUBTS = [
    ("name: li lei", True),
    ("first name = li", True),
    ("Address: Flat B, Elm Court", True),
    ("Shipping address line 1: 上海市", True),
    ("Ship to: the green door", True),
    ("please deliver it to 12 elm street", True),
    ("i live at 7b rose lane", True),
    ("my address is 99 Long Walk", True),
    ("the address is wrong on your site", False),
    ("do you ship to Canada?", False),
    ("ship to Canada by 12 December", False),
    ("deliver to 3 May, please", False),
    ("I live in the city with 2 cats", False),
    ("Web address: shop.example", False),
    ("product name: latte", False),
    ("what is your name?", False),
    ("it goes to: everybody", False),
]


@pytest.mark.parametrize(
    ("text", "doubt"), [*DOUBTS, ("地址：幸福里三号门", True), ("密码 123 456", True), ("a @ b", True), ("很好喝 5 星", False)]
)
def test_a_remainder_is_doubted_where_such_words_are_left(text: str, doubt: bool) -> None:
    assert context.doubtful(text) is doubt
