"""Attack 46: fields, shapes and names that nobody declared.

Each test is an attacker with what such an attacker would have; a control shows that the attack finds what there is to find.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.house import House, track, zipped

if TYPE_CHECKING:
    pass
from tests.flow.attacks import SECRET, allow, dropped, loot_of, waiting

# ── 46: smuggling ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

UNKNOWN: dict[str, dict[str, Any]] = {
    "properties.extra.phone": {"properties": {"product_id": "P1", "extra": {"phone": SECRET}}},
    "Cyrillic er": {"properties": {"product_id": "P1", "\u0440hone": SECRET}},
    "full width": {"properties": {"product_id": "P1", "\uff50\uff48\uff4f\uff4e\uff45": SECRET}},
    "zero width": {"properties": {"product_id": "P1", "pho\u200bne": SECRET}},
    "combining mark": {"properties": {"product_id": "P1", "phone\u0301": SECRET}},
    "right to left": {"properties": {"product_id": "P1", "\u202eenohp": SECRET}},
    "a prototype": {"properties": {"product_id": "P1", "__proto__": {"userId": SECRET}, "constructor": {"userId": SECRET}}},
    "a trait": {"type": "identify", "traits": {"\u0440hone": SECRET, "tier": "gold"}},
}
"""Fields that nobody declared, some that look like one somebody did."""

UNCOUNTED: dict[str, dict[str, Any]] = {
    "extra.phone": {"extra": {"phone": SECRET}},
    "a user that is none": {"user\u0131d": SECRET, "user\u0399d": SECRET},
    "a field of a product": {
        "event": "Order Completed",
        "properties": {"order_id": "O", "products": [{"product_id": "P", "tel": SECRET}]},
    },
}
"""The same beside the properties and inside a product."""

WRONG: dict[str, bytes] = {
    "a list for a text": json.dumps(track(0, properties={"product_id": [SECRET]})).encode(),
    "an object for a text": json.dumps(track(0, properties={"product_id": {"phone": SECRET}})).encode(),
    "a list for an identifier": json.dumps(track(0, type="identify") | {"traits": {"email": "a@b.cn", "phone": [SECRET]}}).encode(),
    "a list for the user": json.dumps(track(0) | {"userId": ["u-1", SECRET]}).encode(),
    "the user twice": json.dumps(track(0)).encode()[:-1] + b',"userId":"' + SECRET.encode() + b'"}',
    "the user twice, once escaped": json.dumps(track(0)).encode()[:-1] + b',"user\\u0049d":"' + SECRET.encode() + b'"}',
    "a field twice, deep inside": json.dumps(track(0)).encode()[:-1]
    + b',"extra":{"a":[{"phone":"1","phone":"'
    + SECRET.encode()
    + b'"}]}}',
}


@pytest.fixture
def shop(house: House) -> tuple[House, str]:
    """A house where u-1 allows everything, and a server key."""
    _, key = house.source()
    allow(house, key, ("customer_no", "u-1"))
    return house, key


def everything(house: House) -> bytes:
    """All that both stores and the home's files hold, unpacked where it is packed."""
    found = [row for table in ("events", "order_lines", "feedback", "profiles") for row in waiting(house, table)]
    stores = (loot_of(house, owner) for owner in (house.services.stores.vault_owner, house.services.stores.platform_owner))
    blobs = b"\0".join(blob for loot in stores for blob in loot.blobs)
    files = b"".join(path.read_bytes() for path in house.home.rglob("*") if path.is_file())
    return repr(found).encode() + blobs + files


def test_attack_46_fields_nobody_declared_are_dropped_and_their_values_are_nowhere(shop: tuple[House, str]) -> None:
    house, key = shop
    before = house.counts()
    for number, more in enumerate([*UNKNOWN.values(), *UNCOUNTED.values()]):
        told = house.batch([track(number, properties={"product_id": "P1"}) | more], key)
        assert (told["stored"], told["quarantined"]) == (1, 0), more
    assert house.counts()["vault.identifier"] == before["vault.identifier"]
    assert house.counts()["vault.person"] == before["vault.person"]
    assert SECRET.encode() not in everything(house)
    assert not any(SECRET in path for path in dropped(house))


def counted(house: House, key: str, more: dict[str, Any]) -> int:
    """How many fields of one message were counted as dropped."""
    before = sum(dropped(house).values())
    house.batch([track(1, properties={"product_id": "P1"}) | more], key)
    return sum(dropped(house).values()) - before


@pytest.mark.parametrize("name", UNKNOWN)
def test_attack_46_a_field_nobody_declared_is_counted(sqlite_only: House, name: str) -> None:
    _, key = sqlite_only.source()
    assert counted(sqlite_only, key, UNKNOWN[name]) >= 1


@pytest.mark.parametrize("name", UNCOUNTED)
def test_attack_46_a_field_nobody_declared_is_counted_wherever_it_stands(sqlite_only: House, name: str) -> None:
    _, key = sqlite_only.source()
    assert counted(sqlite_only, key, UNCOUNTED[name]) >= 1


@pytest.mark.parametrize("more", [{"face_template": SECRET}, {"extra": {"face_template": SECRET}}, {"context": {"face_template": SECRET}}])
def test_attack_46_a_forbidden_category_refuses_the_row_wherever_it_stands(sqlite_only: House, more: dict[str, Any]) -> None:
    _, key = sqlite_only.source()
    allow(sqlite_only, key, ("customer_no", "u-1"))
    assert sqlite_only.batch([track(1) | more], key)["refused"] == 1


@pytest.mark.parametrize("name", WRONG)
def test_attack_46_an_item_of_the_wrong_shape_is_held_whole_and_stores_nothing(shop: tuple[House, str], name: str) -> None:
    """Not its good fields, not its other identifier: one sealed payload, one place in the quarantine, its neighbours stored."""
    house, key = shop
    before = house.counts()
    good = [json.dumps(track(number)).encode() for number in (1, 2)]
    told = house.send(b'{"batch":[' + b",".join([good[0], WRONG[name], good[1]]) + b"]}", key).get_json()
    assert (told["stored"], told["quarantined"], told["refused"]) == (2, 1, 0)
    after = house.counts()
    assert after["vault.sealed_payload"] - before["vault.sealed_payload"] == 1
    assert after["platform.quarantine_item"] - before["platform.quarantine_item"] == 1
    assert [after[f"vault.{name}"] - before[f"vault.{name}"] for name in ("person", "identifier", "data_key")] == [0, 0, 0]
    assert house.rows() == 2
    assert SECRET.encode() not in everything(house)


@pytest.mark.parametrize("form", ["plain", "packed"])
def test_attack_46_a_field_of_ten_megabytes_refuses_the_request_and_stores_not_even_its_neighbours(
    shop: tuple[House, str], form: str
) -> None:
    house, key = shop
    before = house.counts()
    body = {"batch": [track(1), track(2, properties={"product_id": SECRET + "a" * 10_000_000})]}
    answer = house.send(zipped(body) if form == "packed" else body, key)
    assert (answer.status_code, answer.get_json()["code"]) == (413, "too_large")
    assert house.counts() == before
    assert SECRET.encode() not in everything(house)
