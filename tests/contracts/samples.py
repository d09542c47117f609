"""Samples of what each kind of system sends: invented people, well-formed items, broken ones, and what must become of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from faker import Faker

from tests.conftest import NOW

PEOPLE = 4
SHANGHAI = timedelta(hours=8)


@dataclass(frozen=True)
class Sample:
    """What a source of this kind would send. `clear` are texts that may be found nowhere afterwards; `lake` rows by table; `hours` the
    whole UTC hours in which people's rows lie; `dropped` the unknown fields of all well-formed items."""

    items: Sequence[Any]
    broken: Sequence[tuple[Any, str]] = ()
    people: Sequence[tuple[str, str]] = ()
    clear: Sequence[str] = ()
    dropped: Mapping[str, int] = field(default_factory=dict)
    lake: Mapping[str, int] = field(default_factory=dict)
    hours: frozenset[datetime] = frozenset()
    acts: int = 0
    """Items that the well-formed ones come to, where one tells of several."""


# ── invented people ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Person:
    card: str
    phone: str
    email: str
    name: str
    number: str
    openid: str
    unionid: str
    device: str

    @property
    def clear(self) -> tuple[str, ...]:
        return (self.card, self.phone, self.email, self.name, self.number, self.openid, self.unionid, self.device)


def people() -> list[Person]:
    fake = Faker("zh_CN")
    fake.seed_instance(41)
    return [
        Person(
            card=f"VIP{880_013 + number * 7_919:08d}",
            phone=f"139{61_234_507 + number * 7_919:08d}",
            email=f"zhen{number}@nobody-{number}.cn",
            name=f"{fake.name()}乙丙{number}",
            number=f"cust-{number}-{fake.lexify('????????')}",
            openid="oAdapter" + fake.lexify("?" * 20),
            unionid="uAdapter" + fake.lexify("?" * 20),
            device=f"{fake.uuid4()}",
        )
        for number in range(PEOPLE)
    ]


def every(kind: str) -> list[tuple[str, str]]:
    names = {"member_card": "card", "customer_no": "number"}
    return [(kind, getattr(person, names.get(kind, kind))) for person in people()]


CLEAR = [text for person in people() for text in person.clear]
AT = NOW - timedelta(hours=30)
"""When things happened in the samples; a whole hour and a half, so that the hour is not the moment."""
HOUR = frozenset({AT.replace(minute=0)})


def local(at: datetime = AT, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """A shop's clock, without its zone."""
    return (at + SHANGHAI).strftime(form)


# ── CRM and membership ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def crm_members() -> Sample:
    items: list[dict[str, Any]] = [
        {
            "会员卡号": one.card, "手机号": one.phone, "邮箱": one.email, "姓名": one.name, "性别": "女", "生日": "1994/03/05", "职业": "白领",
            "省份": "上海", "会员等级": "金卡会员", "入会日期": "2025/01/09", "入会渠道": "导购", "更新时间": local(), "备注": f"回访 {one.phone}",
            "统计分析授权": "同意", "个性化营销授权": "不同意", "授权时间": local(AT - timedelta(days=9)), "隐私政策版本": "2026-01",
            "微信昵称": one.name,
        }
        for one in people()
    ]  # fmt: skip
    broken = [
        (items[0] | {"更新时间": local(AT + timedelta(hours=1)), "会员等级": "钻石会员"}, "not_allowed"),
        (items[1] | {"更新时间": "昨天"}, "bad_time"),
        (items[2] | {"更新时间": local(AT + timedelta(hours=1)), "手机号": "12345", "个性化营销授权": "同意"}, "bad_identifier"),
    ]
    return Sample(items, broken, (), CLEAR, {"微信昵称": PEOPLE}, {"profiles": PEOPLE}, HOUR)


def silent_member(item: Mapping[str, Any]) -> dict[str, Any]:
    return {**item, "统计分析授权": "", "个性化营销授权": ""}


def crm_contacts() -> Sample:
    items: list[dict[str, Any]] = [
        {
            "revision": f"r-{place}",
            "contact": {"id": one.number, "mobile": one.phone, "email": one.email, "wechat_unionid": one.unionid, "full_name": one.name},
            "profile": {
                "gender": "M",
                "birthday": "1988-11-30",
                "occupation": "教师",
                "province": "广东",
                "level": "gold",
                "join_channel": "web",
            },
            "joined_at": "2024-07-01T23:30:00+08:00",
            "updated_at": AT.isoformat(),
            "notes": one.phone,
        }
        for place, one in enumerate(people())
    ]
    broken = [
        (items[0] | {"revision": "r-8", "updated_at": "2026-06-14T06:30:00"}, "zone_missing"),
        (items[1] | {"revision": "r-9", "profile": {"gender": "F", "birthday": ["1988"]}}, "wrong_type"),
    ]
    return Sample(items, broken, every("phone"), CLEAR, {"notes": PEOPLE}, {"profiles": PEOPLE}, HOUR)


def membership_changes() -> Sample:
    items = [
        {
            "变更流水号": f"C{place:06d}", "会员卡号": one.card, "小程序openid": one.openid, "变更前等级": "V1", "变更后等级": "V3", "积分余额": 120,
            "入会日期": "2024-05-01", "入会渠道": "天猫", "变更时间": local(), "操作员": "店长",
        }
        for place, one in enumerate(people())
    ]  # fmt: skip
    broken = [(items[0] | {"变更流水号": "C9", "变更后等级": "V9"}, "not_allowed"), (items[1] | {"变更流水号": ""}, "missing")]
    dropped = {"变更前等级": PEOPLE, "积分余额": PEOPLE, "操作员": PEOPLE}
    return Sample(items, broken, every("member_card"), CLEAR, dropped, {"profiles": PEOPLE}, HOUR)


# ── tills and stock ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def pos_receipts() -> Sample:
    items: list[dict[str, Any]] = []
    for place, one in enumerate(people()):
        line = {
            "小票号": f"R{place:07d}", "行号": 1, "交易时间": local(), "类型": "销售", "门店编码": "S01", "商品编码": "D01", "渠道": "堂食",
            "数量": 2,
            "原价金额": "30.00", "优惠金额": "1.50", "实收金额": "28.50", "优惠券类型": "WED2", "会员卡号": one.card, "收银员": one.name,
        }  # fmt: skip
        items += [
            line,
            line | {"行号": 2, "数量": "0.355", "原价金额": "7.10", "优惠金额": "0", "实收金额": "7.10"},
            line | {"类型": "退货", "数量": -2, "原价金额": "-30.00", "优惠金额": "-1.50", "实收金额": "-28.50"},
            line | {"行号": 2, "类型": "作废", "数量": "0.355", "原价金额": "7.10", "优惠金额": "0", "实收金额": "7.10"},
        ]
    broken = [
        (items[0] | {"小票号": "R8", "实收金额": "28.505"}, "wrong_type"),
        (items[0] | {"小票号": "R9", "类型": "赠送"}, "not_allowed"),
    ]
    return Sample(items, broken, every("member_card"), CLEAR, {"收银员": len(items)}, {"order_lines": len(items)}, HOUR)


def pos_totals() -> Sample:
    items = [{"门店编码": "S01", "商品编码": f"D{n:02d}", "营业日": "2026-06-13", "数量": "12.5", "实收金额": "190.10"} for n in range(5)]
    broken = [(items[0] | {"商品编码": "D9", "数量": "一打"}, "wrong_type")]
    return Sample([item | {"班次": "早"} for item in items], broken, dropped={"班次": 5}, lake={"till_totals": 5})


def erp_stock() -> Sample:
    items = [{"warehouse": "S01", "sku": f"D{n:02d}", "date": "2026-06-13", "on_hand_qty": n, "in_transit_qty": "1.5"} for n in range(6)]
    broken = [(items[0] | {"sku": "D9", "date": "13/06/2026"}, "bad_time")]
    return Sample([item | {"buyer": "王工"} for item in items], broken, clear=["王工"], dropped={"buyer": 6}, lake={"stock": 6})


# ── campaigns ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def campaign_list() -> Sample:
    items = [
        {"campaign_id": f"K{n}", "title": f"周三校园日 {n}", "channel": "EDM", "start_date": "2026-06-01", "end_date": "2026-06-30"}
        for n in range(3)
    ]
    broken = [(items[0] | {"campaign_id": "K9", "channel": "fax"}, "not_allowed")]
    return Sample([item | {"owner": "市场部小李"} for item in items], broken, (), ["市场部小李"], {"owner": 3}, {"campaigns": 3})


def campaign_costs() -> Sample:
    items = [{"campaign_id": "K1", "date": f"2026-06-{day:02d}", "spend": "1234.56"} for day in range(1, 6)]
    broken = [(items[0] | {"date": "2026-06-20", "spend": "-3"}, "out_of_range")]
    return Sample([item | {"currency_note": "含税"} for item in items], broken, dropped={"currency_note": 5}, lake={"campaign_costs": 5})


def campaign_emails() -> Sample:
    items: list[dict[str, Any]] = [
        {
            "event_id": f"e-{place}-{event}", "recipient": one.email, "timestamp": AT.isoformat(), "campaign_id": "K1", "event": event,
            "template": "low-sugar-A", "ab_test": "subject", "variant": "b", "ip": "203.0.113.9", "first_name": one.name,
        }
        for place, one in enumerate(people())
        for event in ("delivered", "open", "click")
    ]  # fmt: skip
    broken = [
        (items[0] | {"event_id": "e-8", "event": "bounce"}, "not_allowed"),
        (items[0] | {"event_id": "e-9", "timestamp": "2026-06-14 06:30"}, "zone_missing"),
    ]
    clear = [*CLEAR, "203.0.113.9"]
    return Sample(items, broken, every("email"), clear, {"ip": len(items), "first_name": len(items)}, {"touches": len(items)}, HOUR)


def campaign_ads() -> Sample:
    items = [
        {
            "请求编号": f"q-{place}", "行为": act, "设备号": one.device, "时间戳毫秒": int(AT.timestamp() * 1000), "计划编号": "K2", "创意编号": "c7",
            "经纬度": "31.23,121.47",
        }
        for place, one in enumerate(people())
        for act in ("曝光", "点击")
    ]  # fmt: skip
    broken = [(items[0] | {"请求编号": "q-9", "时间戳毫秒": "六月"}, "wrong_type")]
    clear = [*CLEAR, "31.23,121.47"]
    return Sample(items, broken, every("device"), clear, {"经纬度": len(items)}, {"touches": len(items)}, HOUR)


# ── messages ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def order(number: int, person: Person, **more: Any) -> dict[str, Any]:
    """An order as a shop's webhook tells it: two lines, twelve yuan fifty off the first."""
    body: dict[str, Any] = {
        "id": 450_789_469 + number, "name": f"#{1001 + number}", "created_at": (AT + SHANGHAI).strftime("%Y-%m-%dT%H:%M:%S+08:00"),
        "currency": "CNY", "email": person.email, "buyer_accepts_marketing": True, "source_name": "web", "location_id": None, "test": False,
        "customer": {"id": person.number, "email": person.email, "phone": f"+86{person.phone}", "first_name": person.name},
        "billing_address": {"name": person.name, "phone": person.phone}, "shipping_address": {"phone": "+8613700000123"},
        "client_details": {"browser_ip": "203.0.113.9"}, "note": f"电话 {person.phone}",
        "line_items": [
            {"id": 1, "sku": "D01", "quantity": 2, "price": "99.95", "discount_allocations": [{"amount": "12.50"}], "title": "低糖乌龙"},
            {"id": 2, "sku": "D02", "quantity": 1, "price": "15.00", "total_discount": "0.00", "title": "茉莉奶绿"},
        ],
        "gift_message": person.name,
    }  # fmt: skip
    return body | more


def webhook() -> Sample:
    first, second, third, fourth = people()
    refund = {
        "id": 509_562_969, "created_at": AT.isoformat(), "refund_line_items": [{"line_item_id": 2, "quantity": 1, "subtotal": 15.0}],
    }  # fmt: skip
    items = [
        order(0, first),
        order(1, second, cancelled_at=AT.isoformat()),
        order(2, third, refunds=[refund]),
        order(3, fourth),
    ]
    broken = [
        (order(8, first, created_at="2026-06-14T06:30:00"), "zone_missing"),
        (order(9, first, line_items=[{"sku": "D01", "quantity": 1, "price": "9.999"}]), "wrong_type"),
    ]
    clear = [*CLEAR, "203.0.113.9", "13700000123"]
    return Sample(items, broken, every("phone"), clear, {"gift_message": 4}, {"order_lines": 4 * 2 + 2 + 1}, HOUR, acts=6)


def mini_program() -> Sample:
    agreed = {"contractName": "《隐私保护指引》", "version": "2026-01", "agreedAt": (AT - timedelta(days=3)).isoformat()}
    items = [
        {
            "type": "track", "event": "Product Viewed", "messageId": f"mp-{place}", "timestamp": AT.isoformat(), "openid": one.openid,
            "unionid": one.unionid, "context": {"privacyAgreement": agreed},
            "properties": {"product_id": "D01", "mood": "happy"},
        }
        for place, one in enumerate(people())
    ]  # fmt: skip
    broken = [
        (items[0] | {"messageId": "mp-8", "event": ""}, "missing"),
        (items[0] | {"messageId": "mp-9", "openid": {"x": 1}}, "wrong_type"),
    ]
    return Sample(items, broken, every("unionid"), CLEAR, {"properties.mood": PEOPLE}, {"events": PEOPLE}, HOUR)


def sensors() -> Sample:
    millis = int(AT.timestamp() * 1000)
    items: list[dict[str, Any]] = [
        {
            "type": "track", "event": "ProductViewed", "time": millis + place, "distinct_id": one.number, "lib": {"$lib": "js"},
            "properties": {
                "$is_login_id": True, "$ip": "203.0.113.9", "$lib": "js", "product_id": "D01", "value": 12.5, "currency": "CNY",
            },
        }
        for place, one in enumerate(people())
    ]  # fmt: skip
    items += [
        {
            "type": "profile_set",
            "time": millis + place,
            "distinct_id": one.number,
            "properties": {"$is_login_id": True, "gender": "女", "phone": one.phone, "name": one.name, "hobby": "tea"},
        }
        for place, one in enumerate(people())
    ]
    broken = [
        (items[0] | {"event": "1st", "time": millis + 90}, "bad_pattern"),
        (items[0] | {"type": "hello", "time": millis + 91}, "unknown_type"),
        (items[0] | {"time": "2026-06-14 06:30:00"}, "bad_time"),
    ]
    dropped = {"properties.$ip": PEOPLE, "properties.$lib": PEOPLE, "properties.hobby": PEOPLE}
    clear = [*CLEAR, "203.0.113.9"]
    return Sample(items, broken, every("customer_no"), clear, dropped, {"events": PEOPLE, "profiles": PEOPLE}, HOUR)


def segment() -> Sample:
    items = [
        {
            "type": "track",
            "event": "Product Viewed",
            "messageId": f"seg-{place}",
            "userId": one.number,
            "timestamp": AT.isoformat(),
            "properties": {"product_id": "D01", "mood": "happy"},
            "context": {"traits": {"email": one.email, "name": one.name}},
        }
        for place, one in enumerate(people())
    ]
    broken = [({"type": "track", "messageId": "seg-9", "userId": "u"}, "missing")]
    return Sample(items, broken, every("customer_no"), CLEAR, {"properties.mood": PEOPLE}, {"events": PEOPLE}, HOUR)


def snowplow() -> Sample:
    millis = str(int(AT.timestamp() * 1000))
    items = [
        {
            "e": "pv", "eid": f"00000000-0000-4000-8000-00000000000{place}", "uid": one.number, "ttm": millis, "p": "web",
            "url": f"https://shop.example/tea?mail={one.email}", "ip": "203.0.113.9", "mood": "happy",
        }
        for place, one in enumerate(people())
    ]  # fmt: skip
    broken = [
        (items[0] | {"eid": "00000000-0000-4000-8000-000000000008", "e": "zz"}, "unknown_type"),
        (items[0] | {"eid": "00000000-0000-4000-8000-000000000009", "ttm": "soon"}, "bad_time"),
    ]
    return Sample(items, broken, every("customer_no"), [*CLEAR, "203.0.113.9"], {"mood": PEOPLE}, {"events": PEOPLE}, HOUR)


def posthog() -> Sample:
    items = [
        {
            "event": "Product Viewed", "uuid": f"00000000-0000-4000-8000-00000000001{place}", "distinct_id": one.number,
            "timestamp": AT.isoformat(), "properties": {"product_id": "D01", "$ip": "203.0.113.9", "mood": "happy"},
        }
        for place, one in enumerate(people())
    ]  # fmt: skip
    broken = [
        (items[0] | {"uuid": "00000000-0000-4000-8000-000000000018", "event": ""}, "missing"),
        (items[0] | {"uuid": "00000000-0000-4000-8000-000000000019", "timestamp": "soon"}, "bad_time"),
    ]
    return Sample(items, broken, every("customer_no"), [*CLEAR, "203.0.113.9"], {"properties.mood": PEOPLE}, {"events": PEOPLE}, HOUR)


TABLE = """
record = "member"
zone   = "Asia/Shanghai"
[identifiers]
member_card = "card"
[fields]
changed_at = "at"
tier = "tier"
"""
"""How the rows of `database` are read: the columns `memo` and `id` are not asked for."""


def database() -> Sample:
    local = f"{AT + SHANGHAI:%Y-%m-%d %H:%M:%S}"
    items = [
        {"id": place, "card": one.card, "at": local, "tier": "gold", "changed": local, "memo": f"{one.name} {one.phone}"}
        for place, one in enumerate(people())
    ]
    broken = [(items[0] | {"id": 8, "at": "13.06.2026"}, "bad_time")]
    return Sample(items, broken, every("member_card"), CLEAR, {}, {"profiles": PEOPLE}, HOUR)
