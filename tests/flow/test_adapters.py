"""Every adapter keeps the contract: counts that add up, nothing twice, nothing without consent, no identifier anywhere but sealed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app import acts, holding
from ingestion.inbox import DroppedField, Tally
from privacy.consent import registry
from privacy.errors import Invalid
from tests.contracts.adapters import ADAPTERS, SECRET, Adapter, Door
from tests.contracts.samples import Sample, every, order, people
from tests.flow.canary import search_files, search_lake, search_tables
from tests.house import House, served

ON_BOTH = {"webhook", "crm_members"}
"""Adapters that are also walked on PostgreSQL: one of files, one with a table of its own in the vault."""


def door(house: House, adapter: Adapter) -> Door:
    source, key = house.source("shop", adapter.kind)
    return Door(source, "shop", key)


def allow(house: House, sample: Sample) -> None:
    """Everybody in the sample allows both purposes, told by another source of the same namespace."""
    house.clock.forward(days=-60)
    _, key = house.source("counter", "segment", namespace="shop")
    if sample.people:
        assert house.grant(key, sample.people).status_code == 201
    house.clock.forward(days=60)


def verdicts(house: House, source: str) -> dict[str, int]:
    """Items of a source by verdict."""
    with house.services.read_console() as tx:
        query = sa.select(Tally.verdict, sa.func.sum(Tally.number)).where(Tally.source_id == source).group_by(Tally.verdict)
        return {verdict: int(number) for verdict, number in tx.execute(query) if number}


def rules(house: House, source: str) -> dict[str, int]:
    """Items of a source by reason."""
    with house.services.read_console() as tx:
        query = sa.select(Tally.reason, sa.func.sum(Tally.number)).where(Tally.source_id == source).group_by(Tally.reason)
        return {reason: int(number) for reason, number in tx.execute(query) if reason and number}


def dropped(house: House, source: str) -> dict[str, int]:
    """Unknown fields of a source by path."""
    with house.services.read_console() as tx:
        query = sa.select(DroppedField.path, sa.func.sum(DroppedField.number)).where(DroppedField.source_id == source)
        return {path: int(number) for path, number in tx.execute(query.group_by(DroppedField.path))}


def lake(house: House, table: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = house.services._lake.load_table(("lake", table)).scan().to_arrow().to_pylist()
    return rows


def named(house: House, sample: Sample) -> set[tuple[str, str]]:
    """Where a text of the sample that names somebody stands in clear: in a store, in the lake or in a file of the home."""
    needles = [text.encode() for text in sample.clear]
    places = [*search_tables(house.services), *search_lake(house.services), *search_files(house.home)]
    assert len(places) > 20
    return {(place, needle.decode()) for place, raw in places for needle in needles if needle in raw}


def counted(adapter: Adapter) -> dict[str, int]:
    """What a source's counts must be after the walk: without consent, with it, and the same again."""
    sample = adapter.sample()
    acts = sample.acts or len(sample.items)
    return {"stored": acts, "duplicate": acts, "quarantined": len(sample.broken)} | ({"refused": acts} if adapter.people else {})


def walk(house: House, adapter: Adapter, folder: Path) -> tuple[dict[str, int], set[tuple[str, str]]]:
    """All questions in one walk: consent, form, unknown fields, repetition, what reached the lake. What was counted, and who can be found."""
    sample, one = adapter.sample(), door(house, adapter)
    good, broken = list(sample.items), [item for item, _ in sample.broken]
    expected = sample.acts or len(good)
    if adapter.people:
        adapter.send(house, folder, one, [adapter.silent(item) for item in good])
        assert verdicts(house, one.source) == {"refused": expected}, "without consent nothing lands"
        assert house.rows() == 0
        assert house.counts()["vault.person"] == 0
    before = rules(house, one.source)
    seen = dropped(house, one.source)
    assert seen == (sample.dropped if adapter.people else {}), "unknown fields are counted by path"
    allow(house, sample)
    adapter.send(house, folder, one, [*good, *broken])
    counts = {"stored": expected, "quarantined": len(broken)} | ({"refused": expected} if adapter.people else {})
    assert verdicts(house, one.source) == counts
    told = rules(house, one.source)
    assert {rule: number - before.get(rule, 0) for rule, number in told.items() if number != before.get(rule, 0)} == {
        rule: [name for _, name in sample.broken].count(rule) for _, rule in sample.broken
    }
    assert dropped(house, one.source).keys() == sample.dropped.keys()
    rows = house.rows()
    assert rows == sum(sample.lake.values())
    adapter.send(house, folder, one, good)
    assert house.rows() == rows, "the same again is all duplicates"
    house.flush()
    for table, number in sample.lake.items():
        found = lake(house, table)
        assert len(found) == number
        if adapter.people:
            assert {row["hour"] for row in found} == sample.hours, "the source's clock is read in its zone, and only the hour is kept"
            assert {row["source"] for row in found} == {"shop"}
    return verdicts(house, one.source), named(house, sample)


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.name)
def test_an_adapter_keeps_the_contract(sqlite_only: House, tmp_path: Path, adapter: Adapter) -> None:
    assert walk(sqlite_only, adapter, tmp_path) == (counted(adapter), set())


@pytest.mark.parametrize("adapter", [one for one in ADAPTERS if one.name in ON_BOTH], ids=lambda adapter: adapter.name)
def test_an_adapter_keeps_the_contract_on_each_database(house: House, tmp_path: Path, adapter: Adapter) -> None:
    assert walk(house, adapter, tmp_path) == (counted(adapter), set())


# ── a shop's signature ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def shop(house: House, *, scheme: str = "shopify") -> tuple[str, str]:
    """A webhook's key and its secret, made by the command's act."""
    _, key = house.source("shop", "webhook")
    made = acts.share_secret(house.services, "shop", actor="test", scheme=scheme)
    allow(house, Sample([], people=every("phone")))
    return key, str(made["secret"])


def push(house: House, key: str, raw: bytes, headers: dict[str, str]) -> tuple[int, str]:
    answer = house.client.post(f"/c/{key}/orders", data=raw, headers=headers)
    body = answer.get_json()
    return answer.status_code, body.get("code", "") if answer.status_code != 200 else str(body["stored"])


def by_shopify(secret: str, raw: bytes) -> dict[str, str]:
    return {"X-Shopify-Hmac-Sha256": base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()}


def by_clock(secret: str, raw: bytes, at: datetime) -> dict[str, str]:
    clock = str(int(at.timestamp()))
    return {"X-Signature": f"t={clock},v1={hmac.new(secret.encode(), clock.encode() + b'.' + raw, hashlib.sha256).hexdigest()}"}


def test_a_wrong_signature_is_401_and_leaves_nothing_at_all(house: House) -> None:
    key, secret = shop(house)
    raw = json.dumps(order(0, people()[0])).encode()
    before = house.counts()
    for headers in (
        {},
        by_shopify("whs_somebody-else-made-this", raw),
        by_shopify(secret, raw + b" "),
        by_clock(secret, raw, house.clock()),
    ):
        assert push(house, key, raw, headers) == (401, "signature_wrong")
    assert push(house, key, b"{broken", {}) == (401, "signature_wrong"), "nothing is parsed before the signature was found right"
    assert push(house, "wk_" + "a" * 52, raw, by_shopify(secret, raw)) == (401, "key_unknown")
    assert house.counts() == before
    assert push(house, key, raw, by_shopify(secret, raw)) == (200, "1")
    assert push(house, key, raw, by_shopify(secret, raw)) == (200, "0"), "a replay is a duplicate"
    assert push(house, key, b"{broken", by_shopify(secret, b"{broken")) == (400, "invalid_json")


def test_a_timestamped_signature_grows_old_and_a_changed_secret_has_a_day(sqlite_only: House) -> None:
    house = sqlite_only
    key, secret = shop(house, scheme="timestamped")
    bodies = [json.dumps(order(number, people()[0])).encode() for number in range(3)]
    assert push(house, key, bodies[0], by_clock(secret, bodies[0], house.clock() - timedelta(minutes=6))) == (401, "signature_stale")
    assert push(house, key, bodies[0], by_clock(secret, bodies[0], house.clock())) == (200, "1")
    newer = acts.share_secret(house.services, "shop", actor="test", scheme="shopify", given="a secret that the shop made")
    assert "secret" not in newer, "what was given is not told again"
    assert push(house, key, bodies[1], by_clock(secret, bodies[1], house.clock())) == (200, "1")
    house.clock.forward(hours=25)
    assert push(house, key, bodies[2], by_clock(secret, bodies[2], house.clock())) == (401, "signature_wrong")
    assert push(house, key, bodies[2], by_shopify("a secret that the shop made", bodies[2])) == (200, "1")


def test_a_captured_body_cannot_be_told_again_after_the_days_in_which_repeats_are_known(sqlite_only: House) -> None:
    house = sqlite_only
    key, secret = shop(house)
    raw = json.dumps(order(0, people()[0])).encode()
    for days, stored in ((0, "1"), (20, "0"), (20, "0"), (300, "0")):
        house.clock.forward(days=days)
        assert push(house, key, raw, by_shopify(secret, raw)) == (200, stored)
    assert house.rows() == 2


def test_a_secret_stands_nowhere_in_clear(house: House) -> None:
    key, secret = shop(house)
    given = "whs_a-secret-that-a-shop-made"
    acts.share_secret(house.services, "shop", actor="test", given=given)
    raw = json.dumps(order(0, people()[0])).encode()
    assert push(house, key, raw, by_shopify(given, raw)) == (200, "1")
    assert named(house, Sample([], clear=[secret, given])) == set()


def test_a_source_is_read_at_its_own_endpoint_and_nowhere_else(sqlite_only: House) -> None:
    """Else an order could come in beside its signature, and a mini-program beside its evidence."""
    house = sqlite_only
    keys = {kind: house.source(kind, kind)[1] for kind in ("webhook", "sensors", "mini_program", "segment")}
    acts.share_secret(house.services, "webhook", actor="test", given=SECRET)
    raw = json.dumps(order(0, people()[0])).encode()
    for kind, key in keys.items():
        codes = {
            "/v1/batch": house.send(raw, key).get_json().get("code"),
            "orders": push(house, key, raw, by_shopify(SECRET, raw))[1],
            "sa": house.client.post(f"/c/{key}/sa", data=raw).get_json().get("code"),
        }
        open_ = {"webhook": "orders", "sensors": "sa"}.get(kind, "/v1/batch")
        assert {place for place, code in codes.items() if code in ("wrong_endpoint", "signature_wrong")} == set(codes) - {open_}, codes
    for kind in ("webhook", "sensors"):
        assert house.grant(keys[kind], every("phone")).get_json()["code"] == "client_key", "a key in an address records no consent"
    with pytest.raises(Invalid):
        house.source("public", "webhook", public=True)
    with pytest.raises(Invalid) as caught:
        acts.share_secret(house.services, "segment", actor="test")
    assert caught.value.code == "source_unsigned"


def test_a_held_act_of_an_order_is_replayed_alone(sqlite_only: House) -> None:
    house = sqlite_only
    key, secret = shop(house)
    wrong = {"id": 8, "created_at": "2026-06-14T06:30:00", "refund_line_items": [{"line_item_id": 1, "quantity": 1, "subtotal": "87.45"}]}
    raw = json.dumps(order(0, people()[0], refunds=[wrong])).encode()
    assert push(house, key, raw, by_shopify(secret, raw)) == (200, "1")
    told = holding.replay(house.services, source_name="shop", mapping_path=None, actor="test")
    assert {name: told[name] for name in ("replayed", "stored", "duplicate", "quarantined")} == {
        "replayed": 1, "stored": 0, "duplicate": 0, "quarantined": 1,
    }  # fmt: skip


# ── mini-programs ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def visit(openid: str, number: int, at: datetime, **more: Any) -> dict[str, Any]:
    agreed = {"version": "2026-01", "agreedAt": (at - timedelta(days=1)).isoformat()}
    return {
        "type": "track",
        "event": "Product Viewed",
        "messageId": f"v-{number}",
        "timestamp": at.isoformat(),
        "openid": openid,
        "properties": {"product_id": "D01"},
        "context": {"privacyAgreement": agreed},
    } | more


def test_two_mini_programs_openids_of_one_unionid_are_one_person(sqlite_only: House) -> None:
    """The visits of both, and of one that names no unionid any more, stand under one virtual ID of the month."""
    house = sqlite_only
    keys = [house.source(name, "mini_program", namespace=appid)[1] for name, appid in (("tea", "wx" + "a" * 16), ("milk", "wx" + "b" * 16))]
    house.clock.forward(days=-9)
    house.grant(house.source("counter")[1], [("unionid", "u" * 28)])
    house.clock.forward(days=9)
    at = house.clock() - timedelta(hours=1)
    for number, key in enumerate(keys):
        assert house.batch([visit("o" + "A" * 27, number, at, unionid="u" * 28)], key)["stored"] == 1
        assert house.batch([visit("o" + "A" * 27, number + 10, at)], key)["stored"] == 1
    without = visit("o" + "A" * 27, 20, at, context={})
    assert house.batch([without], keys[0])["refused"] == 1
    (tea,) = [one["source"] for one in acts.list_sources(house.services) if one["name"] == "tea"]
    assert rules(house, tea) == {"no_privacy_agreement": 1}
    house.flush()
    rows = lake(house, "events")
    assert len(rows) == 4
    assert len({row["virtual_id"] for row in rows}) == 1


def test_an_agreement_is_no_consent_and_a_public_key_links_no_openid(sqlite_only: House) -> None:
    house = sqlite_only
    _, key = house.source("mini", "mini_program")
    at = house.clock() - timedelta(hours=1)
    assert house.batch([visit("o" + "A" * 27, 0, at)], key)["refused"] == 1
    source, client = house.source("client", "mini_program", public=True)
    house.grant(house.source("counter", namespace="client")[1], [("openid", "o" + "A" * 27), ("cookie", "a-1")])
    house.clock.forward(seconds=1)
    at = house.clock()
    answer = house.send({"batch": [visit("o" + "A" * 27, 1, at), visit("o" + "B" * 27, 2, at, anonymousId="a-1")]}, client)
    assert answer.get_json() == {"success": True}
    assert verdicts(house, source) == {"stored": 1, "refused": 1}
    assert rules(house, source) == {"person_missing": 1}, "a claim of an openid names nobody"


def test_an_agreement_is_kept_once_as_evidence_and_shown_to_the_officer(house: House) -> None:
    """However many messages carry it; named by the register, or by nothing; it allows nothing and counts nowhere."""
    source, key = house.source("mini", "mini_program")
    with house.services.begin_console() as tx:
        notice = registry.publish_notice(tx, "2026-01", {"zh": "隐私政策"}, ["analytics.statistics"], house.clock())
    visitor = ("openid", "o" + "A" * 27)
    house.grant(house.source("counter", namespace="mini")[1], [visitor], purposes=["analytics.statistics"])
    house.clock.forward(seconds=2)
    at = house.clock() - timedelta(seconds=1)
    signed = {"version": "2026-01", "agreedAt": (at - timedelta(days=1)).isoformat()}
    other = {"version": "13800138000", "agreedAt": signed["agreedAt"]}
    for number in range(5):
        told = {"context": {"privacyAgreement": other if number == 4 else signed}}
        assert house.batch([visit(visitor[1], number, at, **told)], key)["stored"] == 1
    shown = house.services.preferences.show(*visitor, actor="test", namespace="mini")
    assert {(one["version"], one["notice"], one["source_id"], one["kind"]) for one in shown["agreements"]} == {
        ("2026-01", notice, source, "mini_program"),
        (None, None, source, "mini_program"),
    }
    assert {one["agreed_at"] for one in shown["agreements"]} == {signed["agreedAt"]}
    assert {purpose for purpose, one in shown["purposes"].items() if one["allowed"]} == {"analytics.statistics"}
    assert house.counts()["platform.agreement"] == 2
    assert named(house, Sample([], clear=["13800138000"])) == set()


# ── Sensors Data's own SDK, over a real socket ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_the_sensors_python_sdk_delivers_to_a_running_server(sqlite_only: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from sensorsanalytics import sdk

    house = sqlite_only
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(variable, "127.0.0.1")
    house.clock.now = datetime.now(UTC) - timedelta(minutes=2)
    source, key = house.source("shop", "sensors")
    house.grant(house.source("counter", namespace="shop")[1], [("customer_no", "u-1001")])
    with served(house.home) as (address, _):
        url = f"{address}/c/{key}/sa?project=default"
        for consumer in (sdk.DefaultConsumer(url), sdk.BatchConsumer(url, max_size=3)):
            analytics = sdk.SensorsAnalytics(consumer, project_name="default")
            name = type(consumer).__name__
            analytics.track_signup("u-1001", f"anonymous-{name}", {})
            analytics.track("u-1001", "ProductViewed", {"product_id": name, "$ip": "203.0.113.9"}, is_login_id=True)
            analytics.track(f"anonymous-{name}", "ProductAdded", {"product_id": name})
            analytics.profile_set("u-1001", {"gender": "女", "phone": "13800138000"}, is_login_id=True)
            analytics.track("u-who-said-nothing", "ProductViewed", {"product_id": name}, is_login_id=True)
            analytics.close()
        unknown = sdk.SensorsAnalytics(sdk.DefaultConsumer(f"{address}/c/wk_{'a' * 52}/sa"))
        with pytest.raises(sdk.SensorsAnalyticsNetworkException):
            unknown.track("u-1001", "ProductViewed", {})
    assert verdicts(house, source) == {"stored": 8, "refused": 2}
    house.flush()
    events = lake(house, "events")
    assert Counter(row["event"] for row in events) == {"identify": 2, "product_viewed": 2, "product_added": 2}
    assert len({row["virtual_id"] for row in [*events, *lake(house, "profiles")]}) == 1, "before and after signing up they are one"
    assert dropped(house, source)["properties.$ip"] == 2
    assert named(house, Sample([], clear=["u-1001", "13800138000", "anonymous-DefaultConsumer", "203.0.113.9"])) == set()
