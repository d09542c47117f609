"""A segment's rule as a sentence, in English and Chinese: what the builder shows while somebody writes it.

Promise: pure; every rule of the grammar has a sentence in both languages, and the words of a value are quoted as they are. It must never
learn a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from analytics import metrics
from analytics.segments.rules import Among, Amount, Cells, Group, Joined, Member, Profile, Rfm, Rule, Stage, Window

LANGUAGES: Final = ("en", "zh")

_FIELDS: Final[Mapping[str, tuple[str, str]]] = {
    "sex": ("sex", "性别"),
    "age_band": ("age", "年龄段"),
    "occupation": ("occupation", "职业"),
    "region": ("region", "地区"),
    "city_tier": ("tier of the city", "城市级别"),
    "tier": ("tier of membership", "会员等级"),
    "join_channel": ("channel of joining", "入会渠道"),
    "product_id": ("product", "商品"),
    "category": ("category", "类别"),
    "brand": ("brand", "品牌"),
    "store_id": ("store", "门店"),
    "channel": ("channel", "渠道"),
    "coupon_id": ("coupon", "优惠券"),
    "event": ("kind of event", "行为种类"),
    "page_group": ("kind of page", "页面类别"),
    "referrer_group": ("kind of origin", "来源类别"),
    "device_class": ("kind of device", "设备类别"),
    "campaign_id": ("campaign", "活动"),
    "kind": ("kind of contact", "触达种类"),
    "creative": ("creative", "创意"),
    "recency": ("recency", "最近购买"),
    "frequency": ("frequency", "购买频次"),
    "value": ("value", "消费金额"),
    "joined_month": ("month of joining", "入会月份"),
    "stage": ("stage", "当前阶段"),
    "rfm": ("RFM segment", "RFM 分群"),
}
_THINGS: Final[Mapping[str, tuple[str, str]]] = {
    "orders": ("number of orders", "订单数"),
    "returns": ("number of returns", "退货数"),
    "products": ("number of different products bought", "购买的不同商品数"),
    "stores": ("number of different stores bought in", "购买过的不同门店数"),
    "events": ("number of events", "行为数"),
    "touches": ("number of contacts", "触达数"),
    "paid": ("amount paid in minor units", "实付金额（最小单位）"),
    "discount": ("discounts in minor units", "折扣金额（最小单位）"),
    "quantity": ("quantity bought in thousandths", "购买数量（千分之一）"),
}
_STAGES: Final[Mapping[str, tuple[str, str]]] = {
    "new": ("new", "新客"),
    "active": ("active", "活跃"),
    "cooling": ("cooling", "降温"),
    "sleeping": ("sleeping", "沉睡"),
    "lost": ("lost", "流失"),
    "prospect": ("without a purchase", "未购买"),
}
_RFM: Final = {one.key: (one.en, one.zh) for one in metrics.SEGMENTS}


def sentence(rule: Rule, language: str) -> str:
    """The rule in words; a group inside a group stands in brackets."""
    chinese = language == "zh"
    text = _said(rule, chinese)
    return f"满足以下条件的人：{text}。" if chinese else f"People with {text}."


def _said(rule: Rule, chinese: bool) -> str:
    if isinstance(rule, Group):
        parts = [f"（{_said(one, chinese)}）" if chinese and isinstance(one, Group) else _inside(one, chinese) for one in rule.rules]
        return {(True, True): "，并且", (False, True): "，或者", (True, False): " and ", (False, False): " or "}[rule.every, chinese].join(
            parts
        )
    if isinstance(rule, Amount):
        return _amount(rule, chinese)
    if isinstance(rule, Profile):
        return _among(rule.among, chinese)
    if isinstance(rule, Member):
        return _member(rule, chinese)
    return _standing(rule, chinese)


def _inside(rule: Rule, chinese: bool) -> str:
    return f"({_said(rule, chinese)})" if isinstance(rule, Group) else _said(rule, chinese)


def _standing(rule: Joined | Cells | Rfm | Stage, chinese: bool) -> str:
    if isinstance(rule, Joined):
        first, last = (f"{month // 100}-{month % 100:02}" for month in (rule.first, rule.last))
        return f"入会月份在 {first} 至 {last}" if chinese else f"a month of joining from {first} to {last}"
    if isinstance(rule, Cells):
        bands = {"recency": rule.recency, "frequency": rule.frequency, "value": rule.value}
        told = [(_word(_FIELDS, name, chinese), [str(one) for one in values]) for name, values in bands.items() if values]
        if chinese:
            return "，且".join(f"{name}分段为 {_listed(values, chinese)}" for name, values in told)
        return " and ".join(f"{name} band {_listed(values, chinese)}" for name, values in told)
    words = _RFM if isinstance(rule, Rfm) else _STAGES
    named = _listed([_word(words, one, chinese) for one in rule.names], chinese)
    if isinstance(rule, Rfm):
        return f"RFM 分群为 {named}" if chinese else f"RFM segment {named}"
    return f"当前阶段为 {named}" if chinese else f"stage {named} now"


def _member(rule: Member, chinese: bool) -> str:
    if chinese:
        return f"{'属于' if rule.inside else '不属于'}分群 {rule.segment}（第 {rule.version} 版）"
    return f"{'membership' if rule.inside else 'no membership'} of segment {rule.segment} (version {rule.version})"


def _amount(rule: Amount, chinese: bool) -> str:
    name = _word(_THINGS, rule.of, chinese)
    where = ("，且" if chinese else " and ").join(_among(one, chinese) for one in rule.where)
    when = _window(rule.within, chinese)
    if rule.low == rule.high:
        ends = f"等于 {rule.low}" if chinese else f"of exactly {rule.low}"
    else:
        told = [(rule.low, "不少于", "of at least"), (rule.high, "不多于", "of at most")]
        ends = ("且" if chinese else " and ").join(f"{zh if chinese else en} {end}" for end, zh, en in told if end is not None)
    if chinese:
        return f"{when}{f'（{where}）' if where else ''}{name}{ends}"
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name} {ends} {when}{f' ({where})' if where else ''}"


def _window(within: Window, chinese: bool) -> str:
    if within.first is not None and within.last is not None:
        first, last = within.first.isoformat(), within.last.isoformat()
        return f"{first} 至 {last}" if chinese else f"from {first} to {last}"
    return f"最近 {within.days} 天" if chinese else f"within the last {within.days} days"


def _among(among: Among, chinese: bool) -> str:
    name, values = _word(_FIELDS, among.field, chinese), _listed(list(among.values), chinese)
    if chinese:
        return f"{name}{'为' if among.inside else '不为'} {values}"
    return f"{name} {'' if among.inside else 'not '}{values}"


def named(word: str, language: str) -> str:
    """What a field or a thing of the grammar is called; a word that is neither stays as it is."""
    found = _FIELDS.get(word) or _THINGS.get(word) or _STAGES.get(word) or _RFM.get(word)
    return found[1 if language == "zh" else 0] if found else word


def banded(name: str, band: int, language: str) -> str:
    """A band of recency, frequency or value with the public edges between which it lies."""
    chinese = language == "zh"
    edges = {"recency": _recency, "frequency": _frequency, "value": _value}[name](band, chinese)
    called = _word(_FIELDS, name, chinese)
    return f"{called}：第 {band} 段（{edges}）" if chinese else f"{called}: band {band} ({edges})"


def _recency(band: int, chinese: bool) -> str:
    days = metrics.RECENCY_DAYS
    if not band:
        return "过去十二个月内未购买" if chinese else "nothing bought within twelve months"
    if band > len(days):
        return f"最近 {days[0]} 天内购买过" if chinese else f"bought within the last {days[0]} days"
    near = days[len(days) - band]
    if band == 1:
        return f"上次购买在 {near} 天以前" if chinese else f"last bought more than {near} days ago"
    far = days[len(days) - band + 1]
    return f"上次购买在 {near} 至 {far} 天前" if chinese else f"last bought between {near} and {far} days ago"


def _frequency(band: int, chinese: bool) -> str:
    edges = metrics.FREQUENCY_ORDERS
    if not band:
        return "没有订单" if chinese else "no order"
    low, high = edges[band - 1], edges[band] - 1 if band < len(edges) else None
    if high is None:
        return f"{low} 笔及以上订单" if chinese else f"{low} orders or more"
    if low == high:
        return f"{low} 笔订单" if chinese else f"{low} order{'s' if low > 1 else ''}"
    return f"{low} 至 {high} 笔订单" if chinese else f"{low} to {high} orders"


def _value(band: int, chinese: bool) -> str:
    edges = metrics.VALUE_MINOR
    if not band:
        return "没有购买，或退货多于购买" if chinese else "nothing bought, or more given back than bought"
    if band == len(edges):
        return f"{edges[-1]}（最小单位）及以上" if chinese else f"{edges[-1]} minor units or more"
    low, high = edges[band - 1], edges[band] - 1
    return f"{low} 至 {high}（最小单位）" if chinese else f"{low} to {high} minor units"


def _listed(values: list[str], chinese: bool) -> str:
    return ("或" if chinese else " or ").join(values)


def _word(words: Mapping[str, tuple[str, str]], key: str, chinese: bool) -> str:
    return words[key][1 if chinese else 0]
