"""What each column of a shipped mapping becomes, written down a second time; and that the table of adapters is whole."""

from __future__ import annotations

import pytest

from ingestion.mapping import FileMapping, parse
from privacy.dictionary.catalogue import load
from privacy.vocabulary import SOURCE_KINDS
from tests.contracts.adapters import ADAPTERS, MAPPINGS

CATALOGUE = load()
FAMILIES = ("crm_", "pos_", "erp_", "membership_", "campaign_")

FATES: dict[str, dict[str, str]] = {
    "crm_members": {
        "会员卡号": "member_card → vault", "手机号": "phone → vault", "邮箱": "email → vault", "姓名": "direct_identifier → nothing",
        "性别": "quasi_identifier → profiles.sex: keep", "生日": "quasi_identifier → profiles.age_band: band",
        "职业": "quasi_identifier → profiles.occupation: generalise", "省份": "quasi_identifier → profiles.region: generalise",
        "会员等级": "behavioural → profiles.tier: keep", "入会日期": "quasi_identifier → profiles.joined_month: truncate",
        "入会渠道": "behavioural → profiles.join_channel: keep", "更新时间": "quasi_identifier → profiles.month: truncate, profiles.hour: truncate",
        "统计分析授权": "consent to analytics.statistics", "个性化营销授权": "consent to marketing.profiling",
    },
    "crm_contacts": {
        "contact.id": "customer_no → vault", "contact.mobile": "phone → vault", "contact.email": "email → vault",
        "contact.wechat_unionid": "unionid → vault", "profile.gender": "quasi_identifier → profiles.sex: keep",
        "profile.birthday": "quasi_identifier → profiles.age_band: band",
        "profile.occupation": "quasi_identifier → profiles.occupation: generalise",
        "profile.province": "quasi_identifier → profiles.region: generalise", "profile.level": "behavioural → profiles.tier: keep",
        "profile.join_channel": "behavioural → profiles.join_channel: keep",
        "joined_at": "quasi_identifier → profiles.joined_month: truncate",
        "updated_at": "quasi_identifier → profiles.month: truncate, profiles.hour: truncate",
    },
    "membership_changes": {
        "会员卡号": "member_card → vault", "小程序openid": "openid → vault", "变更后等级": "behavioural → profiles.tier: keep",
        "入会日期": "quasi_identifier → profiles.joined_month: truncate", "入会渠道": "behavioural → profiles.join_channel: keep",
        "变更时间": "quasi_identifier → profiles.month: truncate, profiles.hour: truncate",
    },
    "pos_receipts": {
        "会员卡号": "member_card → vault", "交易时间": "quasi_identifier → order_lines.month: truncate, order_lines.hour: truncate",
        "小票号": "quasi_identifier → order_lines.order_key: link", "行号": "behavioural → order_lines.line: keep",
        "类型": "behavioural → order_lines.kind: keep", "门店编码": "behavioural → order_lines.store_id: keep",
        "商品编码": "behavioural → order_lines.product_id: keep", "渠道": "behavioural → order_lines.channel: keep",
        "数量": "behavioural → order_lines.quantity_milli: keep", "原价金额": "behavioural → order_lines.gross_minor: keep",
        "优惠金额": "behavioural → order_lines.discount_minor: keep", "实收金额": "behavioural → order_lines.net_minor: keep",
        "优惠券类型": "behavioural → order_lines.coupon_id: keep",
    },
    "pos_totals": {
        "门店编码": "non_personal → till_totals.store: keep", "商品编码": "non_personal → till_totals.product: keep",
        "营业日": "non_personal → till_totals.day: keep", "数量": "non_personal → till_totals.quantity_milli: keep",
        "实收金额": "non_personal → till_totals.net_minor: keep",
    },
    "erp_stock": {
        "warehouse": "non_personal → stock.store: keep", "sku": "non_personal → stock.product: keep", "date": "non_personal → stock.day: keep",
        "on_hand_qty": "non_personal → stock.on_hand: keep", "in_transit_qty": "non_personal → stock.in_transit: keep",
    },
    "campaign_list": {
        "campaign_id": "non_personal → campaigns.id: keep", "title": "non_personal → campaigns.name: keep",
        "channel": "non_personal → campaigns.channel: keep", "start_date": "non_personal → campaigns.starts: keep",
        "end_date": "non_personal → campaigns.ends: keep",
    },
    "campaign_costs": {
        "campaign_id": "non_personal → campaign_costs.campaign: keep", "date": "non_personal → campaign_costs.day: keep",
        "spend": "non_personal → campaign_costs.cost_minor: keep",
    },
    "campaign_emails": {
        "recipient": "email → vault", "timestamp": "quasi_identifier → touches.month: truncate, touches.hour: truncate",
        "campaign_id": "behavioural → touches.campaign_id: keep", "event": "behavioural → touches.kind: keep",
        "template": "behavioural → touches.creative: keep", "ab_test": "behavioural → touches.experiment: keep",
        "variant": "behavioural → touches.arm: keep",
    },
    "campaign_ads": {
        "设备号": "device → vault", "时间戳毫秒": "quasi_identifier → touches.month: truncate, touches.hour: truncate",
        "计划编号": "behavioural → touches.campaign_id: keep", "行为": "behavioural → touches.kind: keep",
        "创意编号": "behavioural → touches.creative: keep",
    },
}  # fmt: skip
"""Class and fate of every column; a mapping or a dictionary that changes one fails here until somebody has thought about it."""


def shipped(name: str) -> FileMapping:
    return parse((MAPPINGS / f"{name}.toml").read_text("utf-8"), CATALOGUE)


def fates(mapping: FileMapping) -> dict[str, str]:
    record = CATALOGUE.record(mapping.record)
    found = {}
    for name, rule in mapping.fields.items():
        if rule.column is not None:
            entry = record.fields[name]
            into = ", ".join(f"{one.table}.{one.column}: {one.treatment}" for one in entry.becomes)
            found[rule.column] = f"{entry.class_} → {into or 'nothing'}"
    found |= {column: f"{kind} → vault" for kind, column in mapping.identifiers.items()}
    return found | {rule.column: f"consent to {rule.purpose}" for rule in mapping.consents}


def test_every_shipped_mapping_of_these_systems_is_under_contract() -> None:
    names = {path.stem for path in MAPPINGS.glob("*.toml") if path.stem.startswith(FAMILIES)}
    assert names == set(FATES) == {one.mapping for one in ADAPTERS if one.mapping.startswith(FAMILIES)}


@pytest.mark.parametrize("name", FATES)
def test_a_column_becomes_what_was_agreed(name: str) -> None:
    assert fates(shipped(name)) == FATES[name]


@pytest.mark.parametrize("name", FATES)
def test_what_a_mapping_feeds_has_a_purpose_a_zone_and_a_name_for_each_row(name: str) -> None:
    mapping = shipped(name)
    record = CATALOGUE.record(mapping.record)
    assert mapping.id, "a row that is sent again is known by its own name"
    assert record.people == bool(mapping.identifiers)
    if record.people:
        assert all(record.fields[field].purposes for field in mapping.fields)
        zoned = mapping.zone is not None
        (broken,) = [{rule for _, rule in one.sample().broken} for one in ADAPTERS if one.mapping == name]
        assert zoned or "zone_missing" in broken, "a time that tells no zone is read in the shop's, or refused"


@pytest.mark.parametrize("name", FATES)
def test_no_direct_identifier_and_nothing_sensitive_reaches_the_lake(name: str) -> None:
    record = CATALOGUE.record(shipped(name).record)
    for field in record.fields.values():
        assert field.dropped or field.class_ not in ("direct_identifier", "sensitive")


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.name)
def test_an_adapters_row_asks_something_of_it(adapter: object) -> None:
    """Guards the guard: a sample without a broken item, an unknown field or a person to be searched for would pass for nothing."""
    one = next(each for each in ADAPTERS if each is adapter)
    sample = one.sample()
    assert one.kind in SOURCE_KINDS
    assert sample.items
    assert sample.broken
    assert bool(sample.dropped) is not one.selective
    assert sum(sample.lake.values())
    if one.people:
        assert sample.clear
        assert sample.hours
        assert any(text in repr(sample.items) for text in sample.clear)
