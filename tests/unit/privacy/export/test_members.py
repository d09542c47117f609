"""The register of stored audiences, on both databases: rows by keys, history that ends, audiences that take everything with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.stores import Role, Stores
from privacy.errors import NotFound
from privacy.export import members
from privacy.export.members import Kept

NOW = datetime(2026, 6, 15, 4, tzinfo=UTC)
KEPT = Kept(
    id="aud_a", name="Spring", segment="seg_a", version=1, digest="d", purpose="marketing.profiling", use="marketing", tags=("sex",),
    youth_signal=True, months=(), kind="static", hours=24, state="active", by="usr_a", made_at=NOW, until=NOW + timedelta(days=9),
    refreshed_at=None, code="", ended_at=None, entry=7,
)  # fmt: skip
ANNA, BEN, CHEN = (bytes([number]) * 16 for number in range(3))


def test_an_audience_is_found_again_and_says_no_number(stores: Stores) -> None:
    with stores.begin_platform(Role.CONSOLE) as tx:
        members.add(tx, KEPT)
    with stores.begin_platform(Role.CONSOLE) as tx:
        assert members.one(tx, "aud_a") == KEPT
        assert members.listing(tx, segment="seg_a", state="active") == [KEPT]
        assert members.listing(tx, segment="seg_b") == []
        with pytest.raises(NotFound):
            members.one(tx, "aud_b")
        assert members.refreshed(tx, KEPT, NOW, (202605, 202606))
        assert not members.refreshed(tx, KEPT, NOW, ()), "somebody was there first"
        members.failed(tx, "aud_a", "lake_busy")
        told = members.one(tx, "aud_a")
        assert (told.months, told.code, told.refreshed_at) == ((202605, 202606), "lake_busy", NOW)
        assert not {"people", "rows", "members"} & set(told.document())


def test_people_come_go_and_are_forgotten_in_time(stores: Stores) -> None:
    with stores.begin_platform(Role.CONSOLE) as tx:
        members.add(tx, KEPT)
        members.join(tx, "aud_a", [ANNA, BEN], NOW)
        members.leave(tx, "aud_a", [ANNA], NOW + timedelta(days=1))
        members.join(tx, "aud_a", [CHEN], NOW + timedelta(days=1))
        assert members.keys(tx, "aud_a") == {ANNA, BEN, CHEN}
        assert members.keys(tx, "aud_a", inside=True) == {BEN, CHEN}
        assert members.rows_of(tx, "aud_a", [ANNA]) == [(NOW, NOW + timedelta(days=1))]
        members.join(tx, "aud_a", [ANNA], NOW + timedelta(days=2))
        assert len(members.rows_of(tx, "aud_a", [ANNA])) == 2
        assert members.expire(tx, NOW + timedelta(days=2)) == 1
        assert members.remove(tx, "aud_a", [ANNA, BEN]) == 2
        assert members.end(tx, "aud_a", NOW)
        assert not members.end(tx, "aud_a", NOW)
        assert members.keys(tx, "aud_a") == set()
        assert members.one(tx, "aud_a").state == "ended"
