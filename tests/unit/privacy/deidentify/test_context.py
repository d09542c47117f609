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
    ],
)
def test_names_are_known_by_their_company(text: str, name: str) -> None:
    assert name in {text[s:e] for s, e, _ in context.names(text)}


@pytest.mark.parametrize("text", ["总共三杯", "那位女士很好", "店里的先生们", "奶茶好喝"])
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


@pytest.mark.parametrize(("text", "doubt"), [("地址：幸福里三号门", True), ("密码 123 456", True), ("a @ b", True), ("很好喝 5 星", False)])
def test_a_remainder_is_doubted_where_such_words_are_left(text: str, doubt: bool) -> None:
    assert context.doubtful(text) is doubt
