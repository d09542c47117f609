"""Names without a label make a doubt; ordinary words do not."""

from __future__ import annotations

import pytest
from faker import Faker

from privacy.deidentify.suspicion import suspicious

CLEAN = [
    *(
        "很好喝，下次再来",
        "少糖去冰",
        "奶茶太甜，珍珠不够软",
        "门店环境干净，服务周到",
        "换了新包装，不如以前",
        "黄金糕很好吃",
        "杨梅冰茶酸甜可口",
    ),
    *(
        "高兴，喝到了喜欢的口味",
        "安静的角落适合学习",
        "马上就到了，很快",
        "金桔柠檬酸爽",
        "林荫路那家店关门了",
        "任何时候都能点到",
        "严重超时，差评",
    ),
    *(
        "方案不错，支持",
        "何时上新品",
        "江苏这边没有门店",
        "万一洒了怎么办",
        "熊猫杯子太可爱",
        "祝福你们生意兴隆",
        "石榴汁不错",
        "江南店的环境更好",
    ),
    *(
        "I love the Oat Latte",
        "The Brown Sugar Boba is amazing",
        "Do you ship to Canada?",
        "The Regent Street store was out of stock",
        "Love it!",
    ),
    *(
        "Closed on Monday although the site says open",
        "WORST EXPERIENCE EVER",
        "Unfortunately, the lid leaks",
        "Please restock the red mugs",
    ),
    *(
        "White Hanging Heart T-Light Holder arrived broken",
        "I wanted Large",
        "The app crashed on my iPhone",
        "it was made in Tuscany",
        "CO2 and B12",
    ),
]


@pytest.mark.parametrize("text", CLEAN)
def test_ordinary_praise_and_complaint_is_not_suspicious(text: str) -> None:
    assert not suspicious(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Thanks Anna",
            "I spoke to Siobhan yesterday",
            "Warrane, can I pay later?",
            "Maybe it is under Mathias Ruud",
            "Ravil G Yefimov called",
        ),
        *("olga was rude", "ask for O'Brien", "喜欢Anna的服务", "Спросите Ивана"),
        *("张伟服务很好", "谢谢王秀英", "是李娜接待的", "欧阳丽丽推荐的", "和陈晓东一起来的"),
    ],
)
def test_a_name_without_a_label_is_suspicious(text: str) -> None:
    assert suspicious(text)


@pytest.mark.parametrize(
    ("locale", "frames"),
    [
        ("zh_CN", ["{}服务很好", "谢谢{}", "店员{}态度差", "今天是{}接待的，很热情"]),
        ("en_US", ["{} was very helpful", "Thanks {}!", "I spoke to {} yesterday", "my barista {} is lovely"]),
    ],
)
def test_most_invented_names_are_suspicious(locale: str, frames: list[str]) -> None:
    """The words are ours, the names another's: nine of ten English and four of five Chinese ones."""
    faker = Faker(locale)
    faker.seed_instance(19)
    texts = [frame.format(faker.name()) for frame in frames for _ in range(100)]
    assert sum(map(suspicious, texts)) / len(texts) >= (0.8 if locale == "zh_CN" else 0.9)


def test_the_longest_text_is_walked_in_no_time() -> None:
    assert not suspicious("很好喝" * 3000)
    assert suspicious("a" * 9000 + " Ab Cd")
