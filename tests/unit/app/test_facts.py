"""The lists that people are shown come from the things themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app import facts
from ingestion.inbox import Inbox
from privacy.dictionary import catalogue
from privacy.errors import Invalid, Locked
from tests.house import House

NOBODYS = {
    "pull",
    "vault_meta", "key_state", "ephemeral_key",  # keys, not people
    "budget_month", "charge", "release",  # protected numbers and what they cost
    "source_client", "source_secret", "rate_bucket", "seen_head",  # how senders sign, what they may send, a number
    "source", "source_key", "source_owner", "purpose", "notice",  # what senders declared, texts
    "tally", "quality", "delivery", "dropped_field",  # counts
    "job", "schedule", "lease",  # work
    "log_head", "log_node", "checkpoint", "cosignature",  # hashes
    "consent_head",  # a number
    "consent_request",  # digests of requests
    "schema_version",
}  # fmt: skip
"""Tables that hold nothing about a customer."""


def test_every_field_of_the_dictionary_is_listed_with_what_becomes_of_it() -> None:
    listed = facts.dictionary()
    known = catalogue.load().records
    assert len(listed) == sum(len(kind.fields) for kind in known.values())
    assert {one["record"] for one in listed} == set(known)
    assert all(one["becomes"] and one["meaning"] and one["meaning_zh"] and one["class"] for one in listed)
    assert [one["becomes"] for one in facts.dictionary("member") if one["field"] == "name"] == [["drop"]]


def test_one_record_kind_alone_or_none() -> None:
    assert {one["record"] for one in facts.dictionary("touch")} == {"touch"}
    assert facts.dictionary("nothing") == []


def test_every_table_that_holds_something_about_people_stands_in_the_inventory(house: House) -> None:
    listed = facts.inventory(house.services)
    named = {table.strip() for one in listed for table in one["place"].partition(":")[2].split(",")}
    tables = {name.partition(".")[2] for name in house.counts()}
    assert tables - NOBODYS - named == set()
    assert {name for name, table in catalogue.load().tables.items() if table.people} <= named
    assert named <= tables | set(catalogue.load().tables)
    assert all(set(one) == {"place", "holds", "form", "kept"} and all(one.values()) for one in listed)


def test_retention_in_the_inventory_is_that_of_the_settings(house: House) -> None:
    kept = {one["place"]: one["kept"] for one in facts.inventory(house.services)}
    assert kept["platform: seen_run, seen_generation, seen_part"] == f"{house.services.settings.retention.dedupe_days} days"
    assert kept["vault: sealed_payload"] == f"{house.services.settings.retention.quarantine_days} days"


def test_purposes_are_listed_with_their_grounds(house: House) -> None:
    listed = {one["purpose"]: one for one in facts.purposes(house.services)}
    assert listed["analytics.statistics"]["analytic"]
    assert "CN" in listed["analytics.statistics"]["grounds"]
    assert set(listed["marketing.profiling"]["names"]) == {"en", "zh"}


def test_reading_the_log_is_itself_an_entry(house: House) -> None:
    first = facts.log_entries(house.services, cursor=None, actor="usr_0123456789abcdef")
    again = facts.log_entries(house.services, cursor=None, actor="usr_0123456789abcdef")
    assert again["items"][0]["action"] == first["items"][0]["action"] == "log.read"
    assert len(again["items"]) == len(first["items"]) + 1


@pytest.mark.parametrize("cursor", ["", "abc", "-1", "１２", "1" * 19])
def test_a_cursor_that_is_not_ours_is_refused(house: House, cursor: str) -> None:
    with pytest.raises(Invalid) as wrong:
        facts.log_entries(house.services, cursor=cursor, actor="cli")
    assert wrong.value.code == "bad_cursor"


def test_a_ready_house_says_so_of_each_thing(house: House) -> None:
    assert facts.readiness(house.services) == dict.fromkeys(("keys", "vault_schema", "platform_schema", "stores", "log", "inbox"), True)


def test_each_thing_that_is_not_ready_is_named(house: House) -> None:
    stores = house.services.stores
    with stores.platform_owner.begin() as tx:
        row = {"batch_id": b"1", "source_id": "src_1", "table": "event", "rows": 1, "payload": b"1"}
        tx.execute(sa.insert(Inbox).values(**row, received_at=house.clock() - timedelta(days=2)))
    assert not facts.readiness(house.services)["inbox"]
    house.services.lock = Locked("gone")
    assert not facts.readiness(house.services)["keys"]
    for name in ("vault", "platform"):
        with getattr(stores, f"{name}_owner").begin() as tx:
            tx.execute(sa.text("UPDATE schema_version SET version_num = 'later'"))
        assert not facts.readiness(house.services)[f"{name}_schema"]
