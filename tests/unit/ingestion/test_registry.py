"""Sources and their write keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
import sqlalchemy as sa

from app.stores import Stores
from ingestion import registry
from privacy.errors import Conflict, Invalid, NotFound, Refused

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)


class Counting:
    """Random bytes that never repeat and that a test can foresee."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, count: int, /) -> bytes:
        self.calls += 1
        return self.calls.to_bytes(count, "big")


RANDOM = Counting()


def add(tx: sa.Connection, name: str = "shop", **more: Any) -> Any:
    facts: dict[str, Any] = {"public": False, "purposes": ["analytics.statistics"], "random": RANDOM, "now": NOW} | more
    return registry.add(tx, name, facts.pop("kind", "segment"), **facts)


def test_a_key_opens_its_source_and_is_stored_only_as_a_digest(stores: Stores) -> None:
    with stores.begin_platform() as tx:
        facts, key = add(tx, consent_categories={"Analytics": "analytics.statistics"}, origins=["https://shop.example"])
        found = registry.by_key(tx, key, now=NOW)
        assert found is not None
        assert found.facts == facts
        assert facts.namespace == "shop"
        assert facts.id.startswith("src_")
        assert facts.on_no_consent == "refuse"
        assert facts.consent_signals == "deny_only"
        assert found.origins == ("https://shop.example",)
        everything = repr([tx.execute(sa.select(table)).all() for table in (registry.Source.__table__, registry.SourceKey.__table__)])
        assert key.startswith("wk_")
        assert key[3:] not in everything


@pytest.mark.parametrize("key", ["", "wk_", "wk_nobody", "x" * 1000, "wk_\ud800"])
def test_an_unknown_key_is_nobody(stores: Stores, key: str) -> None:
    with stores.begin_platform() as tx:
        add(tx)
        assert registry.by_key(tx, key, now=NOW) is None


def test_both_keys_work_while_they_overlap(stores: Stores) -> None:
    with stores.begin_platform() as tx:
        facts, old = add(tx)
        new = registry.rotate(tx, facts.id, overlap=timedelta(days=1), random=RANDOM, now=NOW)
        assert new != old
        for key, at, works in ((old, 0, True), (new, 0, True), (old, 25, False), (new, 25, True)):
            assert (registry.by_key(tx, key, now=NOW + timedelta(hours=at)) is not None) is works


def test_a_disabled_source_is_told_apart_from_an_unknown_one(stores: Stores) -> None:
    with stores.begin_platform() as tx:
        facts, key = add(tx)
        registry.disable(tx, facts.id, now=NOW)
        with pytest.raises(Refused) as caught:
            registry.by_key(tx, key, now=NOW)
        assert caught.value.code == "source_disabled"
        registry.enable(tx, facts.id)
        assert registry.by_key(tx, key, now=NOW) is not None


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("name", {"name": ""}),
        ("name", {"name": "a\nb"}),
        ("kind", {"kind": "carrier pigeon"}),
        ("purposes", {"purposes": []}),
        ("purposes", {"purposes": ["everything"]}),
        ("on_no_consent", {"on_no_consent": "keep"}),
        ("consent_signals", {"consent_signals": "obey"}),
        ("consent_signals", {"consent_signals": "accept", "public": True}),
        ("consent_categories", {"consent_categories": {"Analytics": "x"}}),
        ("origins", {"origins": ["*"]}),
        ("origins", {"origins": ["null"]}),
        ("origins", {"origins": ["https://shop.example/path"]}),
        ("owns_root_paths", {"owns_root_paths": True}),
        ("requests_per_second", {"requests_per_second": 0}),
        ("requests_per_second", {"requests_per_second": 100_001}),
    ],
)
def test_a_source_that_declares_nonsense_is_not_made(field: str, more: dict[str, Any]) -> None:
    """It is refused before the store is even looked at: there is none here."""
    with pytest.raises(Invalid) as caught:
        add(cast(sa.Connection, None), **more)
    assert caught.value.field == field


def test_names_and_root_paths_are_owned_once(stores: Stores) -> None:
    with stores.begin_platform() as tx:
        facts, _ = add(tx, kind="snowplow", owns_root_paths=True)
        owner = registry.root_paths_owner(tx)
        assert owner is not None
        assert owner.facts == facts
        with pytest.raises(Conflict):
            add(tx)
        with pytest.raises(Conflict):
            add(tx, "other", kind="snowplow", owns_root_paths=True)
        assert [one.facts.name for one in registry.listing(tx)] == ["shop"]
        assert registry.by_name(tx, "shop").facts == facts
        with pytest.raises(NotFound):
            registry.get(tx, "src_none")


def test_what_is_given_changes_and_the_rest_stays(stores: Stores) -> None:
    with stores.begin_platform() as tx:
        facts, _ = add(tx, public=True, consent_categories={"stats": "analytics.statistics"}, origins=["https://a.example"])
        one = registry.change(tx, facts.id, origins=["https://b.example", "https://a.example"], requests_per_second=7)
        assert one.origins == ("https://a.example", "https://b.example")
        assert (one.requests_per_second, one.facts.consent_categories) == (7, {"stats": "analytics.statistics"})
        assert registry.all_origins(tx) == {"https://a.example", "https://b.example"}
        two = registry.change(tx, facts.id, consent_categories={}, origins=[], requests_per_second=0)
        assert (two.origins, two.requests_per_second, two.facts.consent_categories) == ((), None, {})
        assert two.facts.purposes == facts.purposes
        assert registry.all_origins(tx) is None, "a source that names no page allows any"
        with pytest.raises(Invalid):
            registry.change(tx, facts.id, origins=["*"])
        with pytest.raises(NotFound):
            registry.change(tx, "src_none", origins=[])


def test_a_change_from_an_old_look_is_refused(stores: Stores) -> None:
    with stores.begin_platform() as tx:
        facts, _ = add(tx)
        seen = registry.get(tx, facts.id).version
        assert registry.change(tx, facts.id, seen=seen, requests_per_second=7).version != seen
        with pytest.raises(Conflict) as caught:
            registry.change(tx, facts.id, seen=seen, requests_per_second=8)
        assert caught.value.code == "changed_meanwhile"


def test_a_key_is_listed_by_a_name_and_ended_by_it_at_once(stores: Stores) -> None:
    with stores.begin_platform() as tx:
        facts, old = add(tx)
        other, _ = add(tx, "other")
        new = registry.rotate(tx, facts.id, overlap=timedelta(days=1), random=RANDOM, now=NOW + timedelta(seconds=1))
        listed = registry.keys(tx, now=NOW)[facts.id]
        assert [one.ends_at for one in listed] == [NOW + timedelta(days=1, seconds=1), None]
        assert not any(one.id in old + new for one in listed)
        registry.revoke(tx, facts.id, listed[0].id, now=NOW)
        assert registry.by_key(tx, old, now=NOW) is None
        assert registry.by_key(tx, new, now=NOW) is not None
        for source, key in ((facts.id, listed[0].id), (other.id, listed[1].id), (facts.id, "key_none")):
            with pytest.raises(NotFound):
                registry.revoke(tx, source, key, now=NOW)
        assert [one.id for one in registry.keys(tx, now=NOW)[facts.id]] == [listed[1].id]


def test_a_rotation_without_overlap_ends_the_old_keys_now(stores: Stores) -> None:
    with stores.begin_platform() as tx:
        facts, old = add(tx)
        short = registry.exchange(tx, facts.id, once=b"1" * 32, lifetime=timedelta(hours=1), random=RANDOM, now=NOW)
        registry.rotate(tx, facts.id, overlap=timedelta(), random=RANDOM, now=NOW)
        assert registry.by_key(tx, old, now=NOW) is None
        assert registry.by_key(tx, short, now=NOW) is None


def test_what_was_exchanged_once_buys_no_second_key_and_ended_ones_are_forgotten(stores: Stores) -> None:
    with stores.begin_platform() as tx:
        facts, _ = add(tx)
        hour = timedelta(hours=1)
        short = registry.exchange(tx, facts.id, once=b"1" * 32, lifetime=hour, random=RANDOM, now=NOW)
        assert registry.by_key(tx, short, now=NOW) is not None
        assert registry.by_key(tx, short, now=NOW + hour) is None
        with pytest.raises(Refused) as caught:
            registry.exchange(tx, facts.id, once=b"1" * 32, lifetime=hour, random=RANDOM, now=NOW)
        assert caught.value.code == "assertion_used"
        assert len(registry.keys(tx, now=NOW)[facts.id]) == 1
        for number in range(20):
            registry.exchange(tx, facts.id, once=bytes([number]) * 32, lifetime=hour, random=RANDOM, now=NOW + 2 * hour * (number + 1))
        kept = tx.execute(sa.select(sa.func.count()).select_from(registry.SourceKey)).scalar_one()
        assert kept == 2, "the source's own key and the newest short-lived one"
