"""What a partner's table may say: of those alone who allow it now, in the order of the people asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from analytics.lake.reader import LakeReader
from analytics.partners import COLUMNS, PartnerColumns
from analytics.segments.compiled import Needs
from privacy.records import Audience
from privacy.vocabulary import PROFILING
from tests.fakes.lake import Lake
from tests.fakes.population import virtual_id

AT = datetime(2026, 6, 30, 4, tzinfo=UTC)
EVERYBODY = ("cat", "ann", "bob")


@pytest.fixture
def shop(lake: Lake) -> Lake:
    lake.allow(*EVERYBODY, purpose=PROFILING)
    told = {"month": 202606, "hour": AT - timedelta(days=9)}
    lake.put("profiles", [{"person": one, "sex": sex, "tier": "gold", **told} for one, sex in (("ann", "female"), ("bob", "male"))])
    bought = {"month": 202606, "hour": AT - timedelta(days=3), "order_key": 1, "kind": "sale"}
    lake.put("order_lines", [{"person": one, **bought} for one in EVERYBODY])
    return lake


def asked(lake: Lake, *columns: str, needs: list[Needs] | None = None) -> dict[str, list[str | None]]:
    def reader(wanted: Needs) -> LakeReader:
        if needs is not None:
            needs.append(wanted)
        return lake.reader

    names = pa.array([virtual_id(one, 202606) for one in EVERYBODY], pa.int64())
    audience = Audience(PROFILING, "marketing", "seg_x", 1, "00", 202606, AT, "test", names)
    found: dict[str, list[str | None]] = PartnerColumns(reader, "Asia/Shanghai").of(audience, columns).to_pydict()
    return found


def test_each_person_has_their_own_words_in_the_order_of_the_question(shop: Lake) -> None:
    """Who said nothing has nothing."""
    assert asked(shop, "sex", "tier") == {"sex": [None, "female", "male"], "tier": [None, "gold", "gold"]}


def test_bands_and_stages_are_worked_out_at_the_moment(shop: Lake) -> None:
    """As texts, like everything in a partner's table."""
    found = asked(shop, "recency_band", "stage")
    assert all(isinstance(one, str) for column in found.values() for one in column)


def test_of_who_withdraws_nothing_is_said_any_more(shop: Lake) -> None:
    """The row stays empty; the gate leaves it out anyway."""
    shop.withdraw("ann", purpose=PROFILING)
    assert asked(shop, "sex") == {"sex": [None, None, "male"]}


def test_whoever_deleted_a_tag_is_asked_for_by_its_name(shop: Lake) -> None:
    """The reader is opened without them."""
    needs: list[Needs] = []
    asked(shop, "sex", "stage", "frequency_band", needs=needs)
    assert {"sex", "stage"} <= set(needs[-1].tags)


def test_every_column_is_a_quasi_identifier() -> None:
    """So that k-anonymity counts it."""
    assert set(COLUMNS.values()) == {"quasi_identifier"}
