"""Identifiers in free text become typed placeholders; what cannot be read for certain does not come out at all."""

from __future__ import annotations

import base64
import csv
import gzip
import json
import os
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.deidentify.freetext import LONGEST, identifying, scrub

PHONE = "13800138000"


def spelled(digits: str, alphabet: str) -> str:
    return "".join(alphabet[int(d)] for d in digits)


SHAPES = {
    "plain": "请打13800138000谢谢",
    "spaces": "打 138 0013 8000 吧",
    "hyphens": "138-0013-8000",
    "full_width": "电话" + spelled(PHONE, "０１２３４５６７８９"),
    "plus_86": "+8613800138000",
    "zero_zero_86": "008613800138000",
    "touching_chinese": "电话13800138000联系我",
    "touching_letters": "abc13800138000xyz",
    "chinese_numerals": "号码是" + spelled(PHONE, "零一二三四五六七八九"),
    "zero_width": "\u200b".join(PHONE),
    "dots": "138.0013.8000",
    "line_break": "1380013\n8000",
    "url_parameter": "https://x.example/a?phone=13800138000&x=1",
    "base64": base64.b64encode(PHONE.encode()).decode(),
    "parentheses": "(138)0013-8000",
    "range_170": "17012345678",
    "landline": "021-62345678",
    "arabic_indic": spelled(PHONE, "٠١٢٣٤٥٦٧٨٩"),
    "circled": spelled(PHONE, "⓪①②③④⑤⑥⑦⑧⑨"),
}


HARMLESS = [
    *(f"订单{number}少了一杯" for number in ("12345678901380013800", "20240101123456", "88001234", "SF-2024-000177", "A0000123456789B")),
    *(f"order {number} was late" for number in ("12345678901380013800", "20240101123456", "88001234", "SF-2024-000177", "No. 55")),
    *(f"{number} 元，满 {number} 减 5，评分 {number}/5" for number in (3, 18, 38, 199, 1024)),
    *(f"{brew}，{rate} 分，{day} 日 {hour}:30 取的" for brew in ("奶茶", "拿铁") for rate in (1, 5) for day in (3, 28) for hour in (8, 20)),
    *("the address is wrong on your site", "do you ship to Canada?", "ship to Canada by 12 December", "product name: Oat Latte"),
    *("what is the name of the new drink", "your web address: shop.example", "please deliver to the door next time", "it came to: nothing"),
    *(
        "open identity is a good idea",
        "login by openid fails",
        "unionid 是什么",
        "base64 encoding of the receipt is broken",
        "SALT SUBSTITUTES",
        "ILLUSTRATED CAT BOWL",
        "100% 好喝，打 9 折",
    ),
    *(
        "收件人写错了",
        "联系人是谁？",
        "没有名字的奶茶",
        "姓名栏太小",
        "送到地址不对",
        "我要 2 杯，一杯少糖，一杯去冰",
        "积分 1200 换了 3 张券",
    ),
    *(
        r"path C:\new\table is odd",
        "first line\nsecond line\nthird",
        "温度 3.5 度，300 ml，2 份",
        "v2.10.3 crashed 4 times",
        "€12.50 for 2?",
    ),
]


def one(text: str) -> tuple[str | None, bool]:
    clean, unsure = scrub(pa.array([text], pa.string()))
    return clean.to_pylist()[0], unsure.to_pylist()[0]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_mobile_number_in_a_hard_shape_becomes_a_placeholder(shape: str) -> None:
    clean, unsure = one(SHAPES[shape])
    assert clean is not None
    assert not unsure
    assert "⟨phone⟩" in clean
    assert not any(c.isdigit() for c in clean.replace("x=1", ""))


def test_a_twenty_digit_order_number_survives() -> None:
    text = "订单12345678901380013800的奶茶洒了"
    assert one(text) == (text, False)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("身份证11010519491231002X谢谢", "身份证⟨id⟩谢谢"),
        ("编号110105194912310021", "编号110105194912310021"),
        ("卡号6222021234567890128", "卡号⟨card⟩"),
        ("4111 1111 1111 1111 paid", "⟨card⟩ paid"),
        ("写信到 zhang.san@qq.com 吧", "写信到 ⟨email⟩ 吧"),
        ("用户＠example．com", "⟨email⟩"),
        ("mail me at john (at) example dot com", "mail me at ⟨email⟩"),
        ("来自 192.168.1.20 和 2001:db8::ff00:42:8329", "来自 ⟨ip⟩ 和 ⟨ip⟩"),
        ("GB82 WEST 1234 5698 7654 32", "⟨bank_account⟩"),
        ("微信 zhangsan_88 加我", "微信 ⟨account⟩ 加我"),
        ("沪A12345 停在门口", "⟨plate⟩ 停在门口"),
        ("护照号 E12345678", "护照号 ⟨id⟩"),
        ("收件人：张三，上海市静安区南京西路1266号3号楼201室", "收件人：⟨name⟩，⟨address⟩"),
        ("王先生态度很好", "⟨name⟩先生态度很好"),
        ("Mr. Smith of 12 Baker Street was kind", "Mr. ⟨name⟩ of ⟨address⟩ was kind"),
        ("%E7%94%B5%E8%AF%9D%31%33%38%30%30%31%33%38%30%30%30", "⟨phone⟩"),
        ("&#49;&#51;&#56;&#48;&#48;&#49;&#51;&#56;&#48;&#48;&#48;", "⟨phone⟩"),
        ("3133383030313338303030", "⟨phone⟩"),
        ("call +44 20 7946 0958 now", "call ⟨phone⟩ now"),
        ("openid：oAbCdZq8-3f5_T1n0B0dy7，谢谢", "openid：⟨account⟩，谢谢"),
        ("ｕｎｉｏｎｉｄ：oAbCdZq8-3f5_T1n0B0dy7", "ｕｎｉｏｎｉｄ：⟨account⟩"),
        ("openid：%6F%41%62%43%64%5A%71%38", "openid：⟨account⟩"),
        ("unionid：b0FiQ2Rack4=", "unionid：⟨account⟩"),
        ("收件人：%E5%BC%A0%E4%B8%89", "收件人：⟨name⟩"),
        ("收件人：5byg5LiJ，谢谢", "收件人：⟨name⟩，谢谢"),
        (f"寄件人：{base64.b64encode('欧阳娜娜'.encode()).decode()}", "寄件人：⟨name⟩"),
        (f"写的是{base64.b64encode('收件人：张三'.encode()).decode()}吧", "写的是⟨name⟩吧"),
        ("https://x.example/a?receiver=%E5%BC%A0%E4%B8%89&n=x", "https://x.example/a?receiver=⟨name⟩&n=x"),
        ("Name: Anna Lee\nvery nice", "Name: ⟨name⟩\nvery nice"),
        (r'{"note": "1380013\n8000"}', '{"note": "⟨phone⟩"}'),
        ("https://x.example/cb?u=1%E2%80%8B3%E2%80%8B8%E2%80%8B00138000&n=x", "https://x.example/cb?u=⟨phone⟩&n=x"),
        ("MTM4MDAx\r\nMzgwMDA=", "⟨phone⟩"),
        ("021-62\r\n345678", "⟨phone⟩"),
    ],
)
def test_identifiers_of_each_kind_become_their_placeholder(text: str, clean: str) -> None:
    assert one(text) == (clean, False)


@pytest.mark.parametrize(
    "text",
    [
        "三十八岁，买了一二三四杯",
        "2024年1月15日下单两杯，共38元，很好喝",
        "我在南京西路店买的",
        "店员一直在看手机",
        "the service was great at the shop. It was nice",
        "订单 20240101123456 太慢",
        "少糖去冰，评分5/5，温度 3.5 度",
        "ＶＩＰ 客户很多",
        "",
    ],
)
def test_ordinary_words_and_numbers_pass_untouched(text: str) -> None:
    assert one(text) == (text, False)


@pytest.mark.parametrize(
    "text",
    [
        "Name: li lei",
        "SHIP TO: the green door",
        "i live at 7b rose lane",
        "收货地址：幸福里小区门口",
        "密码 1234 5678",
        "联系人：佘x",
        "a @ b",
    ],
)
def test_a_text_that_still_looks_like_a_person_does_not_come_out(text: str) -> None:
    assert one(text)[0] is None or "⟨" in str(one(text)[0])


@pytest.mark.parametrize("text", ["地址：%E5%B9%B8%E7%A6%8F%E9%97%A8%E5%8F%A3", f"地址：{base64.b64encode('幸福门口'.encode()).decode()}"])
def test_an_encoded_piece_that_its_label_makes_doubtful_takes_its_text_along(text: str) -> None:
    assert one(text) == (None, True)
    assert one(text.removeprefix("地址：")) == (text.removeprefix("地址："), False)


def test_nearly_all_harmless_texts_with_numbers_codes_and_labels_come_out_whole() -> None:
    """Words that look like labels, and numbers that look like identifiers, in ordinary complaints and praise."""
    whole = [text for text in HARMLESS if one(text) == (text, False)]
    assert len(whole) / len(HARMLESS) >= 0.95, set(HARMLESS) - set(whole)


def test_what_is_encoded_twice_or_too_long_is_doubted() -> None:
    twice = base64.b64encode(base64.b64encode(b"telephone 13800138000")).decode()
    assert one(twice) == (None, True)
    assert one("好" * LONGEST + "1" * 9) == (None, True)


def test_absent_texts_stay_absent_without_doubt_and_repeats_are_alike() -> None:
    clean, unsure = scrub(pa.array([None, "打13800138000", "打13800138000", None], pa.string()))
    assert clean.to_pylist() == [None, "打⟨phone⟩", "打⟨phone⟩", None]
    assert unsure.to_pylist() == [False] * 4
    assert scrub(pa.array([], pa.string()))[0].to_pylist() == []


def test_placeholders_do_not_tell_two_people_apart() -> None:
    assert one("打13800138000")[0] == one("打13912345678")[0]


@given(
    st.integers(0, 10**9 - 1),
    st.sampled_from(list("3456789")),
    st.text("奶茶好喝，。abc \n", max_size=12),
    st.text("奶茶好喝，。abc \n", max_size=12),
)
@settings(max_examples=150, deadline=None)
def test_no_mobile_number_comes_out_whatever_stands_around_it(rest: int, second: str, before: str, after: str) -> None:
    number = f"1{second}{rest:09d}"
    clean, _ = one(before + number + after)
    assert clean is None or number not in clean


@given(st.text(max_size=80))
@settings(max_examples=150, deadline=None)
def test_any_text_at_all_gives_text_or_doubt(text: str) -> None:
    clean, unsure = one(text)
    assert (clean is None) == unsure


@given(st.sampled_from(["1 ", "a", "中", "路1号", "A1", "1.1.", "a1_", "市路", "%31", "a@", ":a", "1-", "电话1", "张", "<", "+1", "Aa "]))
@settings(max_examples=17, deadline=None)
def test_no_text_keeps_the_scrubber_for_ever(piece: str) -> None:
    """An attacker's text of the greatest length comes to an end; a pattern that tries everything would not within a lifetime."""
    clean, unsure = one((piece * LONGEST)[:LONGEST])
    assert unsure or len(clean or "") <= 4 * LONGEST


def test_codes_and_list_words_are_told_from_identifiers() -> None:
    codes = [
        "SKU-1001",
        "6901234567892",
        "550e8400-e29b-41d4-a716-446655440000",
        "奶茶",
        "store_12",
        "20240101123456",
        "10086",
        None,
        "12345678901380013800",
        "",
    ]
    assert identifying(pa.array(codes)).to_pylist() == [False] * len(codes)
    assert all(identifying(pa.array([*SHAPES.values(), "u/li@example.com", "11010519491231002X"])).to_pylist())


def public(name: str) -> Path:
    path = Path(os.environ.get("PIYING_TEST_DATA", Path(__file__).parents[5] / "shared" / "data")) / name
    if not path.exists():
        pytest.skip("the public data sets are absent: set PIYING_TEST_DATA")
    return path


def test_recall_on_marked_english_sentences_is_what_was_promised() -> None:
    """Public sentences with marked spans. A name or an address goes with its text; a text with neither mostly stays."""
    samples = json.loads(gzip.decompress(public("pii_text/presidio_synth_v2_first1000.json.gz").read_bytes()))
    clean, _ = scrub(pa.array([s["full_text"] for s in samples]))
    seen: Counter[str] = Counter()
    hidden: Counter[str] = Counter()
    untouched: list[bool] = []
    for sample, text in zip(samples, clean.to_pylist(), strict=True):
        for span in sample["spans"]:
            seen[span["entity_type"]] += 1
            hidden[span["entity_type"]] += text is None or span["entity_value"] not in text
        if not sample["spans"]:
            untouched.append(text == sample["full_text"])
    wanted = {
        **dict.fromkeys(("CREDIT_CARD", "EMAIL_ADDRESS", "IBAN_CODE", "IP_ADDRESS", "US_SSN", "PHONE_NUMBER"), 0.98),
        **dict.fromkeys(("PERSON", "STREET_ADDRESS"), 0.95),
    }
    short = {kind: hidden[kind] / seen[kind] for kind, least in wanted.items() if hidden[kind] < least * seen[kind]}
    assert not short
    assert all(seen[kind] for kind in wanted)
    assert sum(untouched) / len(untouched) >= 0.8


def test_numbers_of_a_real_shop_survive() -> None:
    """Invoices, stock codes, quantities, prices and times of a public shop, as its customers would write them."""
    lines = gzip.decompress(public("online_retail/online_retail_to_2011-08.csv.gz").read_bytes()).decode().splitlines()
    texts: list[tuple[str, str]] = []
    for row in csv.DictReader(lines[:1] + lines[1:200_000:500]):
        texts += [
            (f"invoice {row['InvoiceNo']} is wrong", row["InvoiceNo"]),
            (f"item {row['StockCode']} broke", row["StockCode"]),
            (f"ordered {row['Quantity']}, got one", row["Quantity"]),
            (f"paid £{row['UnitPrice']} for it", row["UnitPrice"]),
            (f"bought on {row['InvoiceDate']} online", row["InvoiceDate"]),
        ]
    assert surviving(texts) >= 0.99


def test_numbers_that_are_nobodys_survive() -> None:
    draw = random.Random(19)
    texts: list[tuple[str, str]] = []
    for _ in range(120):
        day, month, hour, minute = draw.randrange(1, 29), draw.randrange(1, 13), draw.randrange(24), draw.randrange(60)
        barcode = f"69{draw.randrange(10**10, 10**11)}"
        for frame, number in (
            ("order {} never came", f"{draw.randrange(10**9, 10**10)}"),
            ("订单号{}退款", f"2026{month:02}{day:02}{draw.randrange(10**8, 10**9)}"),
            ("单号 {} 查不到", f"{draw.randrange(10**17, 10**20)}"),
            ("条码{}扫不出来", barcode),
            ("only {} cotton inside", f"{draw.randrange(100)}.{draw.randrange(100):02}%"),
            ("it came at {} today", f"{hour:02}:{minute:02}:{draw.randrange(60):02}"),
            ("the total was ${} with tax", f"{draw.randrange(1, 1000)},{draw.randrange(1000):03}.{draw.randrange(100):02}"),
            ("size {} cm fits", f"{draw.randrange(10, 99)}x{draw.randrange(10, 99)}x{draw.randrange(10, 99)}"),
            ("date {} was promised", f"2026-{month:02}-{day:02}"),
            ("{}买的，还没到", f"2026年{month}月{day}日"),
            ("app {} crashes", f"{draw.randrange(9)}.{draw.randrange(20)}.{draw.randrange(10)}"),
            ("积分{}没到账", f"{draw.randrange(1000, 99999)}"),
            ("wait {} minutes", f"{draw.randrange(10, 60)}-{draw.randrange(60, 99)}"),
        ):
            texts.append((frame.format(number), number))
    assert surviving(texts) >= 0.98


def surviving(texts: Sequence[tuple[str, str]]) -> float:
    clean = scrub(pa.array([text for text, _ in texts]))[0].to_pylist()
    return sum(text is not None and number in text for text, (_, number) in zip(clean, texts, strict=True)) / len(texts)


@given(
    st.sampled_from(["13800138000", "11010519491231002X", "4111111111111111", "6222021234567890128", "02162345678"]),
    st.sampled_from(["", " ", "-", ".", "\u200b", "\n", "  "]),
    st.sampled_from(["", "a", "电话", "tel ", "x=", "订单 12 ", "，"]),
    st.sampled_from(["", " b", "谢谢", "&y", "。", " ext 3"]),
)
@settings(max_examples=120, deadline=None)
def test_no_seven_digits_of_an_identifier_come_out_and_scrubbing_again_changes_nothing(
    identifier: str, joint: str, before: str, after: str
) -> None:
    clean, unsure = one(before + joint.join(identifier) + after)
    if clean is None:
        assert unsure
        return
    assert one(clean) == (clean, False)
    assert not any(identifier[start : start + 7] in "".join(filter(str.isdigit, clean)) for start in range(len(identifier) - 6))


@given(
    st.lists(
        st.sampled_from([*SHAPES.values(), *HARMLESS, "⟨phone⟩", "Anna Lee", "张伟", "%41", "@", "：", "MTM4MDAxMzgwMDA="]), max_size=4
    )
)
@settings(max_examples=100, deadline=None)
def test_scrubbing_twice_is_scrubbing_once(parts: list[str]) -> None:
    clean, _ = one(" ".join(parts))
    assert clean is None or one(clean) == (clean, False)


@pytest.mark.parametrize(
    "text", ["谢谢张伟", "I spoke to Anna yesterday", "王秀英服务很好", "my name is vitoria", "Suite 501, second door"]
)
def test_a_possible_name_or_place_takes_its_text_along(text: str) -> None:
    assert one(text) == (None, True)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("税号91350100M000100Y43开票", "税号⟨company⟩开票"),
        ("oaid: 1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d", "oaid: ⟨device⟩"),
        ("call 0688 872 49 99 now", "call ⟨phone⟩ now"),
        ("not answering at 71-33-52-22", "not answering at ⟨phone⟩"),
        ("781 1704 office", "⟨phone⟩ office"),
    ],
)
def test_codes_of_traders_and_devices_and_foreign_numbers_are_known(text: str, clean: str) -> None:
    assert one(text) == (clean, False)
